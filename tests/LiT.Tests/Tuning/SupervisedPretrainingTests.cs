using System.Text.Json;
using LiT.Checkpoints;
using LiT.Data;
using LiT.Drawings;
using LiT.Images;
using LiT.Pretraining;
using LiT.Towers;

namespace LiT.Tests.Tuning;

public sealed class SupervisedPretrainingTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static readonly PretrainingOptions Small = new()
    {
        Tower = new CifarResNetConfig
        {
            Blocks = 1,
            Width = 8,
            Stages = 2,
            StemStride = 4,
            ImageSize = 48,
        },
        Preprocessing = Preprocessing.Cifar with { Width = 48, Height = 48 },
        Labels = ["colour"],
        Epochs = 2,
        Batch = 16,
        LearningRate = 0.05,
        LogEvery = 2,
        CheckpointEvery = 3,
    };

    private static PretrainingOptions SmallViT
    {
        get
        {
            var (tower, preprocessing) = ImageTowerLoader.FromScratch("vit:mu/16,size=48");
            return Small with
            {
                Tower = tower,
                Preprocessing = preprocessing,
                Rule = PretrainingRule.AdamW,
                LearningRate = 0.003,
                WeightDecay = 1e-4,
            };
        }
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_tower_learns_to_tell_classes_of_pictures_it_has_not_seen()
    {
        var result = SupervisedPretraining.Run(
            Small with
            {
                Epochs = 10,
                Labels = ["label", "colour"],
            },
            Drawings(320),
            DrawnDataset.Source(DrawnSplit.Test, 100, seed: 0),
            folder.Path,
            cancel: Stop
        );
        Assert.Equal((200, 320, 100, 0), (result.Steps, result.Pictures, result.ValidationPictures, result.Skipped));
        Assert.InRange(result.Accuracy!["colour"], 3.0 / 12, 1); // by chance 1/12
        var losses = Metrics()
            .Where(line => line.TryGetProperty("loss", out _))
            .Select(line => line.GetProperty("loss").GetDouble())
            .ToList();
        Assert.True(losses[^1] < 0.9 * losses[0], string.Join(", ", losses));
        Assert.Equal(result.Accuracy["label"], Metrics()[^1].GetProperty("val").GetProperty("label").GetDouble());
    }

    [Fact]
    public void The_tower_file_loads_with_its_heads_classes_and_preprocessing()
    {
        var result = SupervisedPretraining.Run(
            Small with
            {
                Labels = ["label", "colour"],
            },
            Drawings(64),
            null,
            folder.Path,
            cancel: Stop
        );
        using var tower = ImageTowerLoader.Load(result.TowerPath);
        Assert.Equal(["label", "colour"], tower.Heads.Select(head => head.Name));
        Assert.Equal(DrawnVocabulary.KindNames, tower.Heads[0].ClassNames); // the source's own order
        Assert.Equal(Small.Preprocessing, tower.Preprocessing);
        Assert.Equal(result.Fingerprint, tower.Fingerprint);
        Assert.Equal(Small.Tower, ((CifarResNetConfig)tower.Tower.Config!) with { Heads = [] }, Sizes);
    }

    [Fact]
    public void A_transformer_learns_too()
    {
        var result = SupervisedPretraining.Run(
            SmallViT with
            {
                Epochs = 10,
            },
            Drawings(320),
            DrawnDataset.Source(DrawnSplit.Test, 100, seed: 0),
            folder.Path,
            cancel: Stop
        );
        Assert.InRange(result.Accuracy!["colour"], 3.0 / 12, 1); // by chance 1/12
        using var tower = ImageTowerLoader.Load(result.TowerPath);
        Assert.Equal(SmallViT.Preprocessing, tower.Preprocessing);
        Assert.IsType<VitConfig>(tower.Tower.Config);
    }

    [Fact]
    public void Convolutions_take_plain_steps_and_everything_else_takes_those_of_Adam()
    {
        Assert.Equal(PretrainingRule.Sgd, PretrainingOptions.RuleFor(ImageTowerLoader.FromScratch("resnet:50").Config));
        Assert.Equal(
            PretrainingRule.AdamW,
            PretrainingOptions.RuleFor(ImageTowerLoader.FromScratch("mixer:B/16").Config)
        );
        Assert.Contains(
            "vit:Ti/16",
            Assert.ThrowsAny<UsageException>(() => ImageTowerLoader.FromScratch("tower.npz")).Message
        );
    }

    [Theory]
    [InlineData(PretrainingRule.Sgd)]
    [InlineData(PretrainingRule.AdamW)]
    internal void A_run_that_is_killed_and_started_again_ends_in_the_same_bytes_and_the_same_metrics(
        PretrainingRule rule
    )
    {
        var options = rule == PretrainingRule.Sgd ? Small : SmallViT;
        SupervisedPretraining.Run(options, Drawings(80), null, folder["whole"], threads: 2, cancel: Stop);
        foreach (var at in new[] { 2, 5, 8 })
            Assert.Throws<Killed>(() =>
                SupervisedPretraining.Run(
                    options,
                    Drawings(80),
                    null,
                    folder["killed"],
                    threads: 1,
                    new KillAt(at),
                    cancel: Stop
                )
            );
        SupervisedPretraining.Run(options, Drawings(80), null, folder["killed"], threads: 2, cancel: Stop);
        Assert.Equal(
            File.ReadAllBytes(folder["whole", "tower.safetensors"]),
            File.ReadAllBytes(folder["killed", "tower.safetensors"])
        );
        Assert.Equal(Metrics("whole").Select(WithoutTimes), Metrics("killed").Select(WithoutTimes));

        static string WithoutTimes(JsonElement line) =>
            $"{line.GetProperty("step")} {line.GetProperty("loss")} {line.GetProperty("lr")} "
            + $"{line.GetProperty("gradNorm")}";
    }

    [Fact]
    public void A_run_that_is_stopped_leaves_a_checkpoint_of_its_last_step()
    {
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() =>
            SupervisedPretraining.Run(
                Small,
                Drawings(80),
                null,
                folder.Path,
                progress: new At(5, stop.Cancel),
                cancel: stop.Token
            )
        );
        using var checkpoint = Checkpoint.Open(folder["checkpoint.safetensors"]);
        Assert.InRange(int.Parse(checkpoint.Metadata["lit.step"]), 3, 6);
        Assert.False(File.Exists(folder["tower.safetensors"]));
    }

    [Fact]
    public void A_finished_run_started_again_trains_no_further()
    {
        SupervisedPretraining.Run(Small, Drawings(64), null, folder.Path, cancel: Stop);
        var before = File.ReadAllBytes(folder["tower.safetensors"]);
        var steps = 0;
        SupervisedPretraining.Run(
            Small,
            Drawings(64),
            null,
            folder.Path,
            progress: new At(0, () => steps++),
            cancel: Stop
        );
        Assert.Equal(0, steps);
        Assert.Equal(before, File.ReadAllBytes(folder["tower.safetensors"]));
    }

    [Fact]
    public void Other_settings_or_other_data_in_the_same_folder_are_refused()
    {
        SupervisedPretraining.Run(Small, Drawings(64), null, folder.Path, cancel: Stop);
        Assert.Contains(
            "other settings",
            Assert
                .Throws<LitException>(() =>
                    SupervisedPretraining.Run(
                        Small with
                        {
                            LearningRate = 0.01,
                        },
                        Drawings(64),
                        null,
                        folder.Path,
                        cancel: Stop
                    )
                )
                .Message
        );
        Assert.Contains(
            "other data",
            Assert
                .Throws<LitException>(() =>
                    SupervisedPretraining.Run(Small, Drawings(80), null, folder.Path, cancel: Stop)
                )
                .Message
        );
    }

    [Fact]
    public void Sixteen_bits_halve_the_file_and_the_accuracy_is_that_of_the_stored_tower()
    {
        var validation = DrawnDataset.Source(DrawnSplit.Val, 60, seed: 0);
        SupervisedPretraining.Run(Small, Drawings(64), null, folder["float32"], cancel: Stop);
        var half = SupervisedPretraining.Run(
            Small with
            {
                Float16 = true,
            },
            Drawings(64),
            validation,
            folder["float16"],
            cancel: Stop
        );
        var (whole, stored) = (
            new FileInfo(folder["float32", "tower.safetensors"]).Length,
            new FileInfo(half.TowerPath).Length
        );
        Assert.True(stored < 0.7 * whole, $"{stored} of {whole} bytes");
        using var tower = ImageTowerLoader.Load(half.TowerPath);
        var pictures = LabelledPictures.Read(validation, ["colour"], [tower.Heads[0].ClassNames!], _ => { }, Stop);
        Assert.Equal(
            half.Accuracy,
            SupervisedPretraining.Measure(tower, pictures.Pictures, ["colour"], 16, 1, _ => { }, null, Stop)
        );
    }

    [Fact]
    public void A_learning_rate_that_makes_training_diverge_is_named() =>
        Assert.Contains(
            "`LearningRate`",
            Assert
                .Throws<LitException>(() =>
                    SupervisedPretraining.Run(
                        Small with
                        {
                            LearningRate = 99,
                            Warmup = 0,
                            Momentum = 0.99,
                            Epochs = 40,
                            WeightDecay = 0.9,
                        },
                        Drawings(64),
                        null,
                        folder.Path,
                        cancel: Stop
                    )
                )
                .Message
        );

    [Fact]
    public void A_picture_that_cannot_be_decoded_is_reported_and_training_goes_on()
    {
        var reports = new List<Skipped>();
        var source = new Changed(Drawings(64), (sample, i) =>
            i == 3 ? sample with { ReadImage = () => [1, 2, 3] } : sample
        )
        {
            Path = "drawings",
        };
        var result = SupervisedPretraining.Run(Small, source, null, folder.Path, skip: reports.Add, cancel: Stop);
        Assert.Equal(8, result.Steps);
        Assert.NotEmpty(reports);
        Assert.All(reports, report => Assert.Contains("pretrain-000003", report.Origin));
    }

    [Fact]
    public void Numbers_that_cannot_be_are_refused_by_the_name_of_their_option()
    {
        foreach (
            var (options, name) in new[]
            {
                (Small with { Epochs = 0 }, "`Epochs`"),
                (Small with { Batch = 1 }, "`Batch`"),
                (Small with { LearningRate = 0 }, "`LearningRate`"),
                (Small with { Warmup = 2 }, "`Warmup`"),
                (Small with { Momentum = 1 }, "`Momentum`"),
                (Small with { WeightDecay = -1 }, "`WeightDecay`"),
                (Small with { LabelSmoothing = 1 }, "`LabelSmoothing`"),
                (Small with { Labels = [] }, "`Labels`"),
                (Small with { Labels = ["a", "a"] }, "`Labels`"),
            }
        )
            Assert.StartsWith(
                name,
                Assert
                    .Throws<SettingException>(() =>
                        SupervisedPretraining.Run(options, Drawings(16), null, folder.Path, cancel: Stop)
                    )
                    .Message
            );
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static SampleSource Drawings(int count) => DrawnDataset.Source(DrawnSplit.Pretrain, count, seed: 0);

    private List<JsonElement> Metrics(string run = "") =>
        [.. File.ReadLines(folder[run, "metrics.jsonl"]).Select(line => JsonDocument.Parse(line).RootElement)];

    private static bool Sizes(ImageTowerConfig one, ImageTowerConfig other) =>
        one.InWords == other.InWords && one.ImageSize == other.ImageSize;
}
