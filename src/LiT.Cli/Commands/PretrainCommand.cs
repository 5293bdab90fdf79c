using System.CommandLine;
using System.Globalization;
using LiT.Data;
using LiT.Images;
using LiT.Pretraining;
using LiT.Towers;

namespace LiT.Cli.Commands;

/// <summary>lit pretrain: an image tower from pictures, with labels or without, for when none is at hand.</summary>
internal static class PretrainCommand
{
    private const int SkipsShown = 5;

    public static Command Build()
    {
        var method = Choice(
            "--method",
            "How to train: supervised (from labels) or dino (without any).",
            SupervisedPretraining.Method,
            SupervisedPretraining.Method,
            DinoPretraining.Method
        );
        var data = Text("--data", "Pictures, with labels for the supervised method: any form of data.");
        Option<string?> validation = new("--val")
        {
            Description = "Held-out pictures with the same labels; the accuracy is measured on them.",
        };
        Option<string> labels = new("--labels")
        {
            Description =
                "Label columns, separated by commas, a linear head each; 'label' is the class, others are "
                + "columns of the data.",
            DefaultValueFactory = _ => "label",
        };
        var folder = Text(
            "--out",
            "Folder of the run; tower.safetensors in it is the result. The same command again goes on."
        );
        Option<string?> tower = new("--tower")
        {
            Description =
                "The network, as in vit:Ti/8,size=32 or resnet:50 ('lit models show' says what it is). "
                + "Default: a small residual network of the sizes below.",
        };
        var blocks = CommonOptions.Usually("--blocks", "Blocks of two convolutions in a stage.", 3);
        var width = CommonOptions.Usually(
            "--width",
            "Channels of the first stage; each further stage has twice as many.",
            16
        );
        var stages = CommonOptions.Usually("--stages", "Stages.", 3);
        var stride = CommonOptions.Usually("--stem-stride", "Stride of the first convolution.", 1);
        var size = CommonOptions.Usually("--image-size", "Side of the network's input in pixels.", 32);
        var epochs = CommonOptions.Usually("--epochs", "Times that every picture is seen.", 10);
        var batch = CommonOptions.Usually("--batch", "Pictures in a step.", 128);
        Option<PretrainingRule> rule = new("--optimizer")
        {
            Description = "Sgd for convolutional networks, AdamW for transformers. Default: by the network.",
        };
        Option<double?> rate = new("--lr")
        {
            Description =
                "Learning rate after the warm-up; it falls with a cosine. Default: 0.1, with AdamW 0.001. "
                + "dino: for 256 pictures in a step, by default 0.0005.",
        };
        Option<double?> warmup = new("--warmup")
        {
            Description = "Part of all steps over which the learning rate rises. Default: 0.05, dino 0.1.",
        };
        var momentum = CommonOptions.Usually("--momentum", "Nesterov momentum.", 0.9);
        Option<double?> decay = new("--weight-decay")
        {
            Description =
                "L2 penalty of kernels, with AdamW what a step takes of them. Default: 0.0005, with AdamW 0.0001. "
                + "dino: AdamW's at the start, by default 0.04.",
        };
        var smoothing = CommonOptions.Usually(
            "--label-smoothing",
            "Part of the target that is spread over all classes.",
            0.0
        );
        var augment = Choice(
            "--augment",
            "Random changes: cifar (shift by 4, mirror), inception (crops, mirror) or none.",
            "cifar",
            "cifar",
            "inception",
            "none"
        );
        Option<bool> half = new("--float16") { Description = "Store the finished tower in 16 bits." };
        var every = CommonOptions.Usually("--checkpoint-every", "Steps between two checkpoints.", 200);
        DinoInput dino = new();
        Command command = new("pretrain", "Train an image tower, on labels or without any, when none is at hand.")
        {
            method,
            data,
            validation,
            labels,
            folder,
            tower,
            blocks,
            width,
            stages,
            stride,
            size,
            epochs,
            batch,
            rule,
            rate,
            warmup,
            momentum,
            decay,
            smoothing,
            augment,
            half,
            every,
        };
        dino.AddTo(command);
        Limits.Positive(blocks, width, stages, stride, size);
        command.Validators.Add(result =>
        {
            if (
                result.GetResult(tower) is not null
                && new Option[] { blocks, width, stages, stride, size }.FirstOrDefault(one =>
                    result.GetResult(one) is { Implicit: false }
                )
                    is { } twice
            )
                result.AddError($"--tower and {twice.Name} both say what the network is. Give one of them.");
        });
        command.Does(
            (parsed, cancel) =>
            {
                var compute = CommonOptions.ComputeOf(parsed);
                var (network, preprocessing) = parsed.GetValue(tower) is { } spec
                    ? ImageTowerLoader.FromScratch(spec)
                    : Small(parsed.GetValue(size));
                using ProgressLine progress = new();
                Skips skips = new();
                if (parsed.GetRequiredValue(method) == DinoPretraining.Method)
                    WithoutLabels();
                else
                    Supervised();
                return Task.FromResult(ExitCode.Done);

                (ImageTowerConfig, Preprocessing) Small(int side) =>
                    (
                        new CifarResNetConfig
                        {
                            Blocks = parsed.GetValue(blocks),
                            Width = parsed.GetValue(width),
                            Stages = parsed.GetValue(stages),
                            StemStride = parsed.GetValue(stride),
                            ImageSize = side,
                        },
                        Preprocessing.Cifar with
                        {
                            Width = side,
                            Height = side,
                        }
                    );

                void Done(int skipped)
                {
                    progress.Dispose();
                    skips.Sum(skipped);
                }

                void WithoutLabels()
                {
                    var usual = dino.Read(parsed, network, preprocessing);
                    var result = DinoPretraining.Run(
                        usual with
                        {
                            Epochs = parsed.GetValue(epochs),
                            Batch = parsed.GetValue(batch),
                            LearningRate = parsed.GetValue(rate) ?? usual.LearningRate,
                            Warmup = parsed.GetValue(warmup) ?? usual.Warmup,
                            WeightDecay = parsed.GetValue(decay) ?? usual.WeightDecay,
                            Seed = CommonOptions.SeedOf(parsed),
                            Float16 = parsed.GetValue(half),
                            CheckpointEvery = parsed.GetValue(every),
                        },
                        Samples.Open(parsed.GetRequiredValue(data)),
                        parsed.GetRequiredValue(folder),
                        compute.Threads,
                        progress,
                        skips.Tell,
                        cancel
                    );
                    Done(result.Skipped);
                    if (result.Collapsed)
                        Terminal.Warn(
                            "the run has collapsed: the teacher says the same of every picture. Try a smaller --lr, a "
                                + "smaller --teacher-temperature or a larger --teacher-momentum, into a new --out."
                        );
                    if (CommonOptions.IsJson(parsed))
                        Terminal.Write(result);
                    else
                        Print(result.TowerPath, result.Fingerprint, result.Steps, result.Pictures);
                }

                void Supervised()
                {
                    var chosen = parsed.GetResult(rule) is { Implicit: false }
                        ? parsed.GetValue(rule)
                        : PretrainingOptions.RuleFor(network);
                    var adam = chosen == PretrainingRule.AdamW;
                    PretrainingOptions options = new()
                    {
                        Tower = network,
                        Preprocessing = preprocessing,
                        Rule = chosen,
                        Labels = parsed
                            .GetValue(labels)!
                            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
                        Epochs = parsed.GetValue(epochs),
                        Batch = parsed.GetValue(batch),
                        LearningRate = parsed.GetValue(rate) ?? (adam ? 1e-3 : 0.1),
                        Warmup = parsed.GetValue(warmup) ?? 0.05,
                        Momentum = parsed.GetValue(momentum),
                        WeightDecay = parsed.GetValue(decay) ?? (adam ? 1e-4 : 5e-4),
                        LabelSmoothing = parsed.GetValue(smoothing),
                        Augmentation = parsed.GetValue(augment) switch
                        {
                            "none" => Augmentation.None,
                            "inception" => Augmentation.Inception(0.25),
                            _ => Augmentation.Cifar,
                        },
                        Seed = CommonOptions.SeedOf(parsed),
                        Float16 = parsed.GetValue(half),
                        CheckpointEvery = parsed.GetValue(every),
                    };
                    var result = SupervisedPretraining.Run(
                        options,
                        Samples.Open(parsed.GetRequiredValue(data)),
                        parsed.GetValue(validation) is { } held ? Samples.Open(held) : null,
                        parsed.GetRequiredValue(folder),
                        compute.Threads,
                        progress,
                        skips.Tell,
                        cancel
                    );
                    Done(result.Skipped);
                    if (CommonOptions.IsJson(parsed))
                        Terminal.Write(result);
                    else
                        Print(result);
                }
            }
        );
        return command;
    }

    /// <summary>Names the first few pictures that could not be used, and says how many there were.</summary>
    private sealed class Skips
    {
        private int shown;

        public void Tell(Skipped skipped)
        {
            if (Interlocked.Increment(ref shown) <= SkipsShown)
                Terminal.Warn($"{skipped.Origin}: {skipped.Reason}");
        }

        public void Sum(int all)
        {
            if (all > SkipsShown)
                Terminal.Warn($"{all} reports of pictures in all");
        }
    }

    private static void Print(string path, string fingerprint, long steps, int pictures)
    {
        Terminal.Line(string.Create(CultureInfo.InvariantCulture, $"{path}: {steps} steps on {pictures} pictures"));
        Terminal.Line($"fingerprint {fingerprint}");
    }

    private static void Print(PretrainingResult result)
    {
        Print(result.TowerPath, result.Fingerprint, result.Steps, result.Pictures);
        foreach (var (label, share) in result.Accuracy ?? new Dictionary<string, double>())
            Terminal.Line(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{label}: {share:P2} of {result.ValidationPictures} held-out pictures"
                )
            );
    }

    private static Option<string> Text(string name, string description) =>
        new(name) { Description = description, Required = true };

    private static Option<string> Choice(string name, string description, string value, params string[] values)
    {
        var option = CommonOptions.Usually(name, description, value);
        return option.AcceptOnlyFromAmong(values);
    }
}
