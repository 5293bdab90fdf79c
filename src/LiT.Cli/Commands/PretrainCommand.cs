using System.CommandLine;
using System.Globalization;
using LiT.Data;
using LiT.Images;
using LiT.Towers;
using LiT.Tuning;

namespace LiT.Cli.Commands;

/// <summary>lit pretrain: an image tower from pictures with labels, for when none is at hand.</summary>
internal static class PretrainCommand
{
    private const int SkipsShown = 5;

    public static Command Build()
    {
        var method = Choice("--method", "How to train: supervised (from labels).", "supervised", "supervised");
        var data = Text("--data", "Pictures with labels: any form of data.");
        Option<string?> validation = new("--val") { Description = "Held-out pictures with the same labels; the accuracy is measured on them." };
        Option<string> labels = new("--labels")
        {
            Description = "Label columns, separated by commas, a linear head each; 'label' is the class, others are columns of the data.",
            DefaultValueFactory = _ => "label",
        };
        var folder = Text("--out", "Folder of the run; tower.safetensors in it is the result. The same command again goes on.");
        var blocks = Number("--blocks", "Blocks of two convolutions in a stage.", 3);
        var width = Number("--width", "Channels of the first stage; each further stage has twice as many.", 16);
        var stages = Number("--stages", "Stages.", 3);
        var stride = Number("--stem-stride", "Stride of the first convolution.", 1);
        var size = Number("--image-size", "Side of the network's input in pixels.", 32);
        var epochs = Number("--epochs", "Times that every picture is seen.", 10);
        var batch = Number("--batch", "Pictures in a step.", 128);
        var rate = Real("--lr", "Learning rate after the warm-up; it falls with a cosine.", 0.1);
        var warmup = Real("--warmup", "Part of all steps over which the learning rate rises.", 0.05);
        var momentum = Real("--momentum", "Nesterov momentum.", 0.9);
        var decay = Real("--weight-decay", "L2 penalty of kernels.", 5e-4);
        var smoothing = Real("--label-smoothing", "Part of the target that is spread over all classes.", 0);
        var augment = Choice("--augment", "Random changes: cifar (shift by 4, mirror), inception (crops, mirror) or none.", "cifar", "cifar", "inception", "none");
        Option<bool> half = new("--float16") { Description = "Store the finished tower in 16 bits." };
        var every = Number("--checkpoint-every", "Steps between two checkpoints.", 200);
        Command command = new("pretrain", "Train an image tower on labels, when none is at hand.")
        {
            method, data, validation, labels, folder, blocks, width, stages, stride, size, epochs, batch, rate, warmup, momentum, decay,
            smoothing, augment, half, every,
        };
        command.SetAction((parsed, cancel) =>
        {
            var compute = CommonOptions.ComputeOf(parsed);
            var side = parsed.GetValue(size);
            PretrainingOptions options = new()
            {
                Tower = new CifarResNetConfig
                {
                    Blocks = parsed.GetValue(blocks),
                    Width = parsed.GetValue(width),
                    Stages = parsed.GetValue(stages),
                    StemStride = parsed.GetValue(stride),
                    ImageSize = side,
                },
                Preprocessing = Preprocessing.Cifar with { Width = side, Height = side },
                Labels = parsed.GetValue(labels)!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
                Epochs = parsed.GetValue(epochs),
                Batch = parsed.GetValue(batch),
                LearningRate = parsed.GetValue(rate),
                Warmup = parsed.GetValue(warmup),
                Momentum = parsed.GetValue(momentum),
                WeightDecay = parsed.GetValue(decay),
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
            var shown = 0;
            using ProgressLine progress = new();
            var result = SupervisedPretraining.Run(options, Samples.Open(parsed.GetRequiredValue(data)),
                parsed.GetValue(validation) is { } held ? Samples.Open(held) : null, parsed.GetRequiredValue(folder), compute.Threads, progress,
                skipped => { if (Interlocked.Increment(ref shown) <= SkipsShown) Terminal.Warn($"{skipped.Origin}: {skipped.Reason}"); }, cancel);
            progress.Dispose();
            if (result.Skipped > SkipsShown) Terminal.Warn($"{result.Skipped} reports of pictures in all");
            if (CommonOptions.IsJson(parsed)) Terminal.Write(result);
            else Print(result);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static void Print(PretrainingResult result)
    {
        Terminal.Line(string.Create(CultureInfo.InvariantCulture, $"{result.TowerPath}: {result.Steps} steps on {result.Pictures} pictures"));
        Terminal.Line($"fingerprint {result.Fingerprint}");
        foreach (var (label, share) in result.Accuracy ?? new Dictionary<string, double>())
            Terminal.Line(string.Create(CultureInfo.InvariantCulture, $"{label}: {share:P2} of {result.ValidationPictures} held-out pictures"));
    }

    private static Option<string> Text(string name, string description) => new(name) { Description = description, Required = true };

    private static Option<int> Number(string name, string description, int value) => new(name) { Description = description, DefaultValueFactory = _ => value };

    private static Option<double> Real(string name, string description, double value) => new(name) { Description = description, DefaultValueFactory = _ => value };

    private static Option<string> Choice(string name, string description, string value, params string[] values)
    {
        Option<string> option = new(name) { Description = description, DefaultValueFactory = _ => value };
        return option.AcceptOnlyFromAmong(values);
    }
}
