using LiT.Stores;
using LiT.Tests.Stores;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Runs;

namespace LiT.Tests.Tuning;

/// <summary>Runs that are broken on purpose, each in one way, and what the doctor calls it.</summary>
public class DoctorTests
{
    private static readonly TuningOptions Longer = TinyRun.Small with
    {
        Steps = 260,
        CheckpointEvery = 1000,
        LogEvery = 50,
    };

    [Fact]
    public void A_healthy_run_has_no_complaint()
    {
        using var run = new TinyRun { Options = Longer, Doctor = DoctorMode.Stop };
        run.Run();
        Assert.Empty(run.Findings);
    }

    [Fact]
    public void Captions_that_do_not_belong_to_their_pictures_leave_the_loss_at_chance()
    {
        using var run = new TinyRun
        {
            Options = Longer with { Optimizer = new() { LearningRate = 1e-9 } },
            Pictures = () => new Noise(40),
        };
        run.Run();
        var finding = Assert.Single(run.Findings);
        Assert.Equal(Complaint.StuckAtChance, finding.Name);
        Assert.Contains("where guessing gives 2.77 (ln of the batch)", finding.Words);
    }

    [Fact]
    public void Blank_pictures_make_gradients_vanish()
    {
        using var run = new TinyRun { Options = Longer, Pictures = () => new Same(40, 0) };
        run.Run();
        Assert.Equal(Complaint.VanishingGradients, Assert.Single(run.Findings).Name);
    }

    [Fact]
    public void A_learning_rate_far_too_high_throws_the_weights_about()
    {
        using var run = new TinyRun
        {
            Options = Longer with
            {
                WarmupSteps = 0,
                LowestTemperature = 100,
                Optimizer = new() { LearningRate = 30, ClipNorm = null },
            },
        };
        run.Run();
        Assert.Contains(Complaint.ExplodingGradients, run.Findings.Select(finding => finding.Name));
    }

    [Fact]
    public void A_temperature_that_cannot_rise_is_named_but_where_the_bound_is_there_to_hold_it()
    {
        using var run = new TinyRun
        {
            Options = Longer with { Temperature = 100, HighestTemperature = 100, TemperatureRate = 0 },
        };
        run.Run();
        Assert.Contains(
            "upper bound, 100,",
            run.Findings.Single(one => one.Name == Complaint.TemperatureAtBound).Words
        );

        using var held = new TinyRun { Options = Longer with { HighestTemperature = 10.5, TemperatureRate = 10 } };
        held.Run();
        Assert.Empty(held.Findings);
    }

    [Theory]
    [InlineData(0.01, "Overfitting")]
    [InlineData(1e-9, "ValidationFalls")]
    public void Validation_that_falls_is_overfitting_only_where_training_gets_better(double rate, string name)
    {
        using var run = new TinyRun
        {
            Options = Longer with
            {
                ValidateEvery = 20,
                Optimizer = new() { LearningRate = rate },
            },
            Validation = new Falling(),
        };
        run.Run();
        Assert.Contains(Enum.Parse<Complaint>(name), run.Findings.Select(finding => finding.Name));
        Assert.DoesNotContain(
            name == "Overfitting" ? Complaint.ValidationFalls : Complaint.Overfitting,
            run.Findings.Select(finding => finding.Name)
        );
    }

    [Theory]
    [InlineData(4_000, 0.577, 0.535, true)] // 7% of it, and no chance among so many
    [InlineData(4_000, 0.577, 0.560, false)]
    [InlineData(50, 0.577, 0.535, false)] // the same among fifty may be luck
    [InlineData(50, 0.577, 0.500, true)] // below nine tenths it is told anyway
    public void A_fall_is_told_by_how_many_were_asked(int asked, double best, double then, bool told)
    {
        List<Finding> findings = [];
        RunExamination doctor = new(TinyRun.Small, DoctorMode.Warn, findings.Add);
        Dictionary<string, Guessing> guessing = new() { ["top1"] = new(0.01, asked) };
        foreach (var (at, value) in new[] { best, then, then, then }.Index())
        {
            doctor.Look(at + 1, new(1, 0.1 * at, 0.1 * at, 1, 1), 10);
            doctor.Look(at + 1, new Dictionary<string, double> { ["top1"] = value }, guessing);
        }
        Assert.Equal(told ? [Complaint.Overfitting] : [], findings.Select(finding => finding.Name));
    }

    [Theory]
    [InlineData(26, 41, 0.51, true)]
    [InlineData(26, 30, 0.51, false)] // hardly sharper
    [InlineData(26, 41, 0.53, false)] // and it helps
    public void A_temperature_that_rises_without_validation_getting_better_is_named(
        double from,
        double to,
        double then,
        bool told
    )
    {
        List<Finding> findings = [];
        RunExamination doctor = new(TinyRun.Small, DoctorMode.Warn, findings.Add);
        foreach (var (at, (value, temperature)) in new[] { (0.52, from), (then, to), (then, to) }.Index())
        {
            doctor.Look(at + 1, new(1, 0.1 * at, 0.1 * at, 1, 1), temperature);
            doctor.Look(at + 1, new Dictionary<string, double> { ["sameLabel"] = value });
        }
        Assert.Equal(told ? [Complaint.TemperatureRunsAway] : [], findings.Select(finding => finding.Name));
        if (told)
            Assert.Contains("from 26 to 41 since step 1", findings[0].Words);
    }

    [Fact]
    public void Asked_to_stop_it_stops_says_why_and_leaves_a_checkpoint()
    {
        using var run = new TinyRun
        {
            Options = Longer,
            Pictures = () => new Same(40, 0),
            Doctor = DoctorMode.Stop,
        };
        var told = Assert.Throws<LitException>(() => run.Run()).Message;
        Assert.Contains("the gradient is almost nothing", told);
        var stopped = Assert.Single(Directory.GetDirectories(run.Folder["checkpoints"], "step-*"));
        var again = new TinyRun
        {
            Options = Longer,
            Pictures = run.Pictures,
            Doctor = DoctorMode.Warn,
            Folder = run.Folder,
        };
        Assert.Equal(long.Parse(Path.GetFileName(stopped)["step-".Length..], null), again.Run().Outcome.ResumedAt);
    }

    [Fact]
    public void Switched_off_it_says_nothing()
    {
        using var run = new TinyRun
        {
            Options = Longer,
            Pictures = () => new Same(40, 0),
            Doctor = DoctorMode.Off,
        };
        run.Run();
        Assert.Empty(run.Findings);
    }

    [Theory]
    [InlineData("DuplicateCaptions", "a thing", "a thing", "a thing", "a thing", "red")]
    [InlineData("TruncatedCaptions", "red green blue dark a thing red green blue", "green", "blue")]
    [InlineData("UnknownTokens", "red quagga", "green zebra", "blue thing")]
    [InlineData("LanguageMix", "red", "green", "красный", "красный кот", "blue")]
    public void Captions_are_looked_at_before_the_run(string name, params string[] captions)
    {
        var pairs = Pairs(new TinyRun.Directions(captions.Length), captions);
        Assert.Contains(
            Enum.Parse<Complaint>(name),
            DataExamination.Pairs(pairs, captions).Select(finding => finding.Name)
        );
    }

    [Fact]
    public void Good_captions_and_pictures_have_no_complaint() =>
        Assert.Empty(
            DataExamination.Pairs(
                Pairs(new TinyRun.Directions(3), ["red thing", "green thing", "blue"]),
                ["red thing", "green thing", "blue"]
            )
        );

    [Fact]
    public void Pictures_that_all_look_the_same_to_the_tower_are_named() =>
        Assert.Equal(
            Complaint.Collapse,
            Assert
                .Single(
                    DataExamination.Pairs(Pairs(new Same(3, 1), ["red", "green", "blue"]), ["red", "green", "blue"])
                )
                .Name
        );

    [Fact]
    public void Validation_pictures_that_are_tuned_on_are_counted()
    {
        using var folder = new TemporaryFolder();
        using (var writer = EmbeddingStoreWriter.Open(folder["store"], StoreData.Describe()))
        {
            StoreData.Give(writer, StoreData.Found(12));
            writer.Finish();
        }
        var tuned = DataExamination.Hashes(folder["store"], []).ToList();
        Assert.Null(DataExamination.Overlap(tuned, "val", [StoreData.Hash(100), StoreData.Hash(101)]));
        var finding = DataExamination.Overlap(
            tuned,
            "val",
            [StoreData.Hash(0), StoreData.Hash(100), StoreData.Hash(1)]
        )!;
        Assert.Equal(Complaint.ValidationOverlap, finding.Name);
        Assert.StartsWith("2 of the 3 pictures in val", finding.Words);
    }

    [Fact]
    public void A_machine_that_is_too_small_is_named_with_what_is_missing()
    {
        var needs = RunNeeds.Of(
            110_000_000,
            110_000_000,
            2_000_000_000,
            768,
            new() { Batch = 16_384, MicroBatch = 1024 }
        );
        Assert.Empty(DataExamination.Machine(needs, memory: 24_000_000_000, disk: 10_000_000_000));
        Assert.Equal(
            [Complaint.TooLittleMemory, Complaint.TooLittleDisk],
            DataExamination.Machine(needs, 4_000_000_000, 1_000_000_000).Select(finding => finding.Name)
        );
    }

    private static TuningPairs Pairs(ITuningImages pictures, string[] captions) =>
        new(pictures, image => [captions[image]], TinyRun.Tokenizer(), 0);

    private sealed class Same(int count, float value) : ITuningImages
    {
        public int Count => count;

        public IReadOnlyList<long> Shape { get; } = [6];

        public void Read(int image, long epoch, Span<float> destination) => destination.Fill(value);
    }

    private sealed class Noise(int count) : ITuningImages
    {
        public int Count => count;

        public IReadOnlyList<long> Shape { get; } = [6];

        public void Read(int image, long epoch, Span<float> destination)
        {
            var random = new Random(image);
            for (var i = 0; i < 6; i++)
                destination[i] = random.NextSingle() - 0.5f;
        }
    }

    private sealed class Falling : IValidation
    {
        public IReadOnlyDictionary<string, double> Validate(long step) =>
            new Dictionary<string, double> { ["top1"] = 1.0 / step };
    }
}
