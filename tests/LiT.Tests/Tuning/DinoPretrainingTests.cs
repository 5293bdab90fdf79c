using System.Text.Json;
using LiT.Checkpoints;
using LiT.Data;
using LiT.Drawings;
using LiT.Images;
using LiT.Pretraining;
using LiT.Tests.Images;
using LiT.Towers;
using TorchSharp;

namespace LiT.Tests.Tuning;

public sealed class DinoPretrainingTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static readonly DinoOptions Small = new()
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
        Epochs = 3,
        Batch = 16,
        LocalCrops = 2,
        HeadOutputs = 32,
        HeadHidden = 24,
        HeadBottleneck = 16,
        LearningRate = 0.01,
        LogEvery = 2,
        CheckpointEvery = 3,
    };

    private static DinoOptions SmallViT
    {
        get
        {
            var (tower, preprocessing) = ImageTowerLoader.FromScratch("vit:mu/8,size=48");
            return Small with { Tower = tower, Preprocessing = preprocessing };
        }
    }

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_teacher_comes_to_tell_views_apart_and_the_student_to_agree_with_it(bool transformer)
    {
        var result = DinoPretraining.Run(
            (transformer ? SmallViT : Small) with
            {
                Epochs = 12,
                TeacherMomentum = 0.95,
                HeadOutputs = 64,
                HeadHidden = 1024, // a narrower head says the same of everything: it starts with too small numbers
                HeadBottleneck = 64,
            },
            Drawings(320),
            folder.Path,
            cancel: Stop
        );
        Assert.False(result.Collapsed);
        Assert.Equal(12 * 20, result.Steps);
        var lines = Metrics();
        Assert.All(lines, line => Assert.InRange(line.GetProperty("teacherEntropy").GetDouble(), 0, Math.Log(64)));
        Assert.All(lines, line => Assert.InRange(line.GetProperty("twins").GetDouble(), 0, 1));
        Assert.InRange(lines[^1].GetProperty("information").GetDouble(), 0.15, Math.Log(64));
        // A student that says nothing has the logarithm of 64.
        Assert.InRange(lines[^1].GetProperty("loss").GetDouble(), 0, Math.Log(64) - 0.1);
    }

    [Fact]
    public void A_run_says_when_it_has_collapsed()
    {
        // A teacher that is hardly sharpened and not centred: every output is as likely as any other.
        var result = DinoPretraining.Run(
            Small with
            {
                TeacherTemperature = 50,
                TeacherTemperatureStart = 50,
                CentreMomentum = 1,
            },
            Drawings(64),
            folder.Path,
            cancel: Stop
        );
        Assert.True(result.Collapsed);
        Assert.True(Metrics()[^1].GetProperty("collapsed").GetBoolean());
        Assert.Equal(Math.Log(32), Metrics()[^1].GetProperty("teacherEntropy").GetDouble(), 2);
    }

    [Fact]
    public void Every_line_of_metrics_has_the_schedules_values()
    {
        DinoPretraining.Run(
            Small with
            {
                LogEvery = 1,
                TeacherTemperatureStart = 0.02,
                TeacherTemperatureWarmup = 2,
                Warmup = 0.25,
            },
            Drawings(64),
            folder.Path,
            cancel: Stop
        );
        var lines = Metrics();
        Assert.Equal(12, lines.Count);
        foreach (var (step, line) in lines.Index())
        {
            double Said(string name) => line.GetProperty(name).GetDouble();
            Assert.Equal(DinoSchedules.Cosine(0.01 * 16 / 256, 1e-6, step, 12, 3), Said("lr"), 15);
            Assert.Equal(DinoSchedules.Cosine(0.04, 0.4, step, 12), Said("weightDecay"), 15);
            Assert.Equal(DinoSchedules.Cosine(0.996, 1, step, 12), Said("teacherMomentum"), 15);
            Assert.Equal(step < 4 ? 0.02 : 0.04, Said("teacherTemperature"), 15);
        }
    }

    [Fact]
    public void The_tower_is_the_teachers_and_loads_as_any_other()
    {
        var result = DinoPretraining.Run(SmallViT, Drawings(64), folder.Path, cancel: Stop);
        using var tower = ImageTowerLoader.Load(result.TowerPath);
        Assert.Equal(result.Fingerprint, tower.Fingerprint);
        Assert.Equal(SmallViT.Preprocessing, tower.Preprocessing);
        Assert.Empty(tower.Heads);
        using var checkpoint = Checkpoint.Open(folder["checkpoint.safetensors"]);
        using var scope = torch.NewDisposeScope();
        var moved = 0;
        foreach (var (name, weight) in tower.Tower.state_dict())
        {
            Assert.Equal(Bytes(checkpoint.Read("teacher.tower." + name)), Bytes(weight));
            moved += Bytes(checkpoint.Read("student.tower." + name)).SequenceEqual(Bytes(weight)) ? 0 : 1;
        }
        Assert.True(moved > 5);

        static byte[] Bytes(torch.Tensor tensor) => [.. tensor.contiguous().bytes];
    }

    [Fact]
    public void The_last_layer_stays_as_it_is_in_the_first_epoch_and_moves_after_it()
    {
        float[] LastAfter(int epochs, int frozen)
        {
            var run = folder[$"{epochs}-{frozen}"];
            DinoPretraining.Run(
                Small with
                {
                    Epochs = epochs,
                    FreezeLastLayer = frozen,
                },
                Drawings(64),
                run,
                cancel: Stop
            );
            using var checkpoint = Checkpoint.Open(Path.Combine(run, "checkpoint.safetensors"));
            using var last = checkpoint.Read("student.head.last");
            return [.. last.data<float>()];
        }

        using var begun = new DinoNetwork(Small);
        float[] first = [.. begun.Head.state_dict()["last"].data<float>()];
        Assert.Equal(first, LastAfter(1, 1));
        Assert.NotEqual(first, LastAfter(1, 0));
        Assert.NotEqual(first, LastAfter(2, 1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_run_that_is_killed_and_started_again_ends_in_the_same_bytes_and_the_same_metrics(bool transformer)
    {
        var options = transformer ? SmallViT : Small;
        DinoPretraining.Run(options, Drawings(80), folder["whole"], threads: 2, cancel: Stop);
        foreach (var at in new[] { 2, 5, 8, 13 })
            Assert.Throws<Killed>(() =>
                DinoPretraining.Run(options, Drawings(80), folder["killed"], threads: 1, new KillAt(at), cancel: Stop)
            );
        DinoPretraining.Run(options, Drawings(80), folder["killed"], threads: 2, cancel: Stop);
        Assert.Equal(
            File.ReadAllBytes(folder["whole", "tower.safetensors"]),
            File.ReadAllBytes(folder["killed", "tower.safetensors"])
        );
        Assert.Equal(
            File.ReadAllBytes(folder["whole", "checkpoint.safetensors"]),
            File.ReadAllBytes(folder["killed", "checkpoint.safetensors"])
        );
        Assert.Equal(Metrics("whole").Select(WithoutTimes), Metrics("killed").Select(WithoutTimes));

        static string WithoutTimes(JsonElement line) =>
            string.Join(
                ' ',
                line.EnumerateObject()
                    .Where(one => one.Name is not ("imagesPerSecond" or "seconds"))
                    .Select(one => one.Value)
            );
    }

    [Fact]
    public void A_run_that_is_stopped_leaves_a_checkpoint_of_its_last_step()
    {
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() =>
            DinoPretraining.Run(Small, Drawings(80), folder.Path, progress: new At(5, stop.Cancel), cancel: stop.Token)
        );
        using var checkpoint = Checkpoint.Open(folder["checkpoint.safetensors"]);
        Assert.InRange(int.Parse(checkpoint.Metadata["lit.step"]), 3, 6);
        Assert.False(File.Exists(folder["tower.safetensors"]));
    }

    [Fact]
    public void Another_method_other_settings_or_other_data_in_the_same_folder_are_refused()
    {
        DinoPretraining.Run(Small, Drawings(64), folder["dino"], cancel: Stop);
        string Refused(Action run) => Assert.Throws<LitException>(run).Message;
        Assert.Contains(
            "other settings",
            Refused(() =>
                DinoPretraining.Run(Small with { TeacherMomentum = 0.9 }, Drawings(64), folder["dino"], cancel: Stop)
            )
        );
        Assert.Contains(
            "other data",
            Refused(() => DinoPretraining.Run(Small, Drawings(80), folder["dino"], cancel: Stop))
        );
        PretrainingOptions labelled = new()
        {
            Tower = Small.Tower,
            Preprocessing = Small.Preprocessing,
            Labels = ["colour"],
            Epochs = 1,
            Batch = 16,
        };
        Assert.Contains(
            "another method (dino, not supervised)",
            Refused(() => SupervisedPretraining.Run(labelled, Drawings(64), null, folder["dino"], cancel: Stop))
        );
        SupervisedPretraining.Run(labelled, Drawings(64), null, folder["supervised"], cancel: Stop);
        Assert.Contains(
            "another method (supervised, not dino)",
            Refused(() => DinoPretraining.Run(Small, Drawings(64), folder["supervised"], cancel: Stop))
        );
    }

    [Fact]
    public void Pictures_smaller_than_the_smallest_view_are_refused_when_all_are_and_passed_over_when_some_are()
    {
        var tiny = GeneratedPictures.Png(new RgbImage(8, 8, new byte[192]));
        var all = new Changed(Drawings(16), (sample, _) => sample with { ReadImage = () => tiny })
        {
            Path = "drawings",
        };
        var refused = Assert.Throws<LitException>(() => DinoPretraining.Run(Small, all, folder["all"], cancel: Stop));
        Assert.Contains("8 x 8 pixels, and the smallest view 24 x 24", refused.Message);
        Assert.Contains("`LocalSize`", refused.Message);

        List<Skipped> reports = [];
        var some = new Changed(Drawings(64), (sample, i) => i == 3 ? sample with { ReadImage = () => tiny } : sample)
        {
            Path = "drawings",
        };
        var result = DinoPretraining.Run(
            Small with
            {
                Epochs = 1,
            },
            some,
            folder["some"],
            skip: reports.Add,
            cancel: Stop
        );
        Assert.Equal(4, result.Steps);
        var report = Assert.Single(reports);
        Assert.Contains("pretrain-000003", report.Origin);
        Assert.Contains("8 x 8 pixels", report.Reason);
    }

    [Fact]
    public void One_picture_or_pictures_that_nobody_can_read_are_no_training_set()
    {
        Assert.Contains(
            "holds 1 picture",
            Assert
                .Throws<LitException>(() => DinoPretraining.Run(Small, Drawings(1), folder.Path, cancel: Stop))
                .Message
        );
        var broken = new Changed(Drawings(16), (sample, _) => sample with { ReadImage = () => [1, 2, 3] })
        {
            Path = "drawings",
        };
        Assert.Contains(
            "no batch held two pictures",
            Assert.Throws<LitException>(() => DinoPretraining.Run(Small, broken, folder.Path, cancel: Stop)).Message
        );
        Assert.False(File.Exists(folder["tower.safetensors"]));
    }

    [Fact]
    public void Numbers_that_cannot_be_are_refused_by_the_name_of_their_option()
    {
        var mixer = ImageTowerLoader.FromScratch("mixer:B/16,size=48");
        foreach (
            var (options, name) in new[]
            {
                (Small with { Epochs = 0 }, "`Epochs`"),
                (Small with { Batch = 1 }, "`Batch`"),
                (Small with { HeadOutputs = 0 }, "`HeadOutputs`"),
                (Small with { HeadHidden = 0 }, "`HeadHidden`"),
                (Small with { HeadBottleneck = 0 }, "`HeadBottleneck`"),
                (Small with { LocalCrops = -1 }, "`LocalCrops`"),
                (Small with { Tower = mixer.Config, Preprocessing = mixer.Preprocessing }, "`LocalCrops`"),
                (Small with { LocalSize = 49 }, "`LocalSize`"),
                (SmallViT with { LocalSize = 7 }, "`LocalSize`"),
                (Small with { GlobalScale = new(0.5, 0.4) }, "`GlobalScale`"),
                (Small with { LocalScale = new(0, 0.4) }, "`LocalScale`"),
                (Small with { FreezeLastLayer = -1 }, "`FreezeLastLayer`"),
                (Small with { LearningRate = 0 }, "`LearningRate`"),
                (Small with { LastLearningRate = -1 }, "`LastLearningRate`"),
                (Small with { Warmup = 1 }, "`Warmup`"),
                (Small with { WeightDecay = -1 }, "`WeightDecay`"),
                (Small with { WeightDecayEnd = -1 }, "`WeightDecayEnd`"),
                (Small with { ClipNorm = -1 }, "`ClipNorm`"),
                (Small with { TeacherMomentum = 1.1 }, "`TeacherMomentum`"),
                (Small with { TeacherTemperature = 0 }, "`TeacherTemperature`"),
                (Small with { TeacherTemperatureStart = 0 }, "`TeacherTemperatureStart`"),
                (Small with { TeacherTemperatureWarmup = -1 }, "`TeacherTemperatureWarmup`"),
                (Small with { StudentTemperature = 0 }, "`StudentTemperature`"),
                (Small with { CentreMomentum = 2 }, "`CentreMomentum`"),
            }
        )
            Assert.StartsWith(
                name,
                Assert
                    .Throws<SettingException>(() =>
                        DinoPretraining.Run(options, Drawings(16), folder.Path, cancel: Stop)
                    )
                    .Message
            );
    }

    [Fact]
    public void A_network_for_pictures_that_are_not_square_is_refused()
    {
        var (tower, preprocessing) = ImageTowerLoader.FromScratch("vit:mu/8,size=48x32");
        Assert.Contains(
            "48 x 32",
            Assert
                .Throws<UsageException>(() =>
                    DinoPretraining.Run(
                        Small with
                        {
                            Tower = tower,
                            Preprocessing = preprocessing,
                        },
                        Drawings(16),
                        folder.Path,
                        cancel: Stop
                    )
                )
                .Message
        );
    }

    [Theory]
    [InlineData("vit:Ti/16", 96)]
    [InlineData("vit:Ti/8,size=64", 24)]
    [InlineData("dino:vits14", 224)]
    [InlineData("cifar-resnet:20", 16)]
    [InlineData("mixer:B/16", 96)]
    public void Small_views_have_by_default_as_large_a_part_as_in_the_paper_in_whole_patches(string tower, int side) =>
        Assert.Equal(side, DinoOptions.LocalSizeOf(ImageTowerLoader.FromScratch(tower).Config));

    [Fact]
    public void Views_are_two_large_and_some_small_and_follow_from_the_chance_alone()
    {
        var views = new DinoViews(Small);
        Assert.Equal(4, views.Count);
        Assert.Equal(3 * (2 * 48 * 48 + 2 * 24 * 24), views.ValueCount);
        var image = Decoding.Decode(Drawings(1).Read(_ => { }).Single().ReadImage!(), new DecodingOptions(), "drawing");
        float[] Of(long sample)
        {
            var (chance, values) = (Chance.For(1, 2, sample), new float[views.ValueCount]);
            views.Apply(image, ref chance, values);
            return values;
        }
        Assert.Equal(Of(3), Of(3));
        Assert.NotEqual(Of(3), Of(4));

        using var scope = torch.NewDisposeScope();
        float[] both = [.. Of(3), .. Of(4)];
        var values = torch.tensor(both, [2, views.ValueCount]);
        var (large, small) = (views.Large(values), views.Small(values)!);
        Assert.Equal([4L, 3, 48, 48], large.shape);
        Assert.Equal([4L, 3, 24, 24], small.shape);
        // The first view of both pictures, then the second.
        Assert.Equal(Of(4)[..(3 * 48 * 48)], large[1].contiguous().data<float>().ToArray());
        Assert.Equal(Of(3)[(3 * 48 * 48)..(6 * 48 * 48)], large[2].contiguous().data<float>().ToArray());
        Assert.Equal(Of(4)[^(3 * 24 * 24)..], small[3].contiguous().data<float>().ToArray());
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static SampleSource Drawings(int count) => DrawnDataset.Source(DrawnSplit.Pretrain, count, seed: 0);

    private List<JsonElement> Metrics(string run = "") =>
        [.. File.ReadLines(folder[run, "metrics.jsonl"]).Select(line => JsonDocument.Parse(line).RootElement)];
}
