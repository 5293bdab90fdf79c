using LiT.Text;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Runs;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

/// <summary>
/// Pairs and towers so small that a step takes a millisecond: pictures are three noisy directions with names.
/// </summary>
internal sealed class TinyRun : IDisposable
{
    private static readonly string[] Names = ["red", "green", "blue", "dark red", "dark green", "dark blue"];

    internal static TuningOptions Small { get; } =
        new()
        {
            Batch = 16,
            MicroBatch = 16,
            Steps = 20,
            WarmupSteps = 2,
            CheckpointEvery = 5,
            Seed = 3,
            Optimizer = new() { LearningRate = 0.01 },
        };

    internal TuningOptions Options { get; init; } = Small;

    internal Func<ITuningImages> Pictures { get; init; } = () => new Directions(40);

    internal int? ImageHead { get; init; }

    internal double Dropout { get; init; }

    internal int Depth { get; init; } = 1;

    internal LockSetting Lock { get; init; } = LockSetting.Parse("Lu");

    /// <summary>
    /// Makes the image tower of a run on pixels; its representation has <see cref="ImageWidth"/> numbers.
    /// </summary>
    internal Func<ImageTower>? Image { get; init; }

    internal int ImageWidth { get; init; } = 6;

    internal IValidation? Validation { get; init; }

    internal List<MetricsLine> Lines { get; } = [];

    internal DoctorMode Doctor { get; init; }

    internal List<Finding> Findings { get; } = [];

    internal List<string> Warnings { get; } = [];

    internal TemporaryFolder Folder { get; init; } = new();

    /// <summary>Fresh towers of the same seed.</summary>
    internal TwoTowers Towers()
    {
        var tokenizer = Tokenizer();
        var text = TextTowerLoader.Create(
            FormattableString.Invariant($"text:width=16,depth={Depth},heads=2,dropout={Dropout}"),
            tokenizer.Tokenizer.VocabularySize,
            tokenizer.Layout.Length,
            5,
            tokenizer.Layout.Pad
        );
        var size = ImageHead ?? ImageWidth;
        return new(
            Image?.Invoke(),
            ImageHead is null ? null : Head.Create(ImageWidth, size, 7),
            text,
            Head.Create(16, size, 9),
            Math.Log(Options.Temperature),
            Options.Loss == ContrastiveLossKind.Sigmoid ? -10 : null
        );
    }

    internal TuningPairs Pairs()
    {
        var pictures = Pictures();
        return new(pictures, image => Captions(image), Tokenizer(), Options.Seed);
    }

    /// <summary>Tunes fresh towers, or goes on in the folder.</summary>
    internal (TwoTowers Towers, TuningOutcome Outcome) Run(
        CancellationToken cancel = default,
        Action<MetricsLine>? onLine = null
    )
    {
        var towers = Towers();
        var tuner = new ContrastiveTuner(new(towers, Lock, Options.Optimizer), Pairs(), Options, CPU)
        {
            Validation = Validation,
            OnWarning = Warnings.Add,
            Doctor = Doctor,
            OnFinding = Findings.Add,
            OnLine = line =>
            {
                Lines.Add(line);
                onLine?.Invoke(line);
            },
        };
        return (towers, tuner.Run(Folder.Path, cancel));
    }

    internal static IReadOnlyList<string> Captions(int image)
    {
        var name = Names[image % Names.Length];
        return image % 4 == 0 ? [name, $"a {name} thing"] : [$"a {name} thing"];
    }

    internal static CaptionTokenizer Tokenizer() =>
        CaptionTokenizer.LitBert(
            new WordPiece(["[PAD]", "[UNK]", "[CLS]", "a", "thing", "red", "green", "blue", "dark", "never", "seen"]),
            length: 8
        );

    /// <summary>Copies of the weights: those of a module that is collected are gone.</summary>
    internal static Dictionary<string, Tensor> Weights(TwoTowers towers)
    {
        var copies = towers.state_dict().ToDictionary(one => one.Key, one => one.Value.detach().clone());
        GC.KeepAlive(towers);
        return copies;
    }

    internal static void AssertSameBits(TwoTowers expected, TwoTowers got)
    {
        var (a, b) = (Weights(expected), Weights(got));
        Assert.Equal(a.Keys.Order(), b.Keys.Order());
        foreach (var (name, tensor) in a)
            Assert.True(tensor.equal(b[name]).all().item<bool>(), name);
    }

    public void Dispose() => Folder.Dispose();

    /// <summary>Small pictures, each of one colour with noise.</summary>
    internal sealed class Colours(int count, int side = 8) : ITuningImages
    {
        public int Count => count;

        public IReadOnlyList<long> Shape { get; } = [3, side, side];

        public void Read(int image, long epoch, Span<float> destination)
        {
            var random = new Random(image);
            for (var i = 0; i < destination.Length; i++)
                destination[i] =
                    0.3f * random.NextSingle()
                    + (
                        i / (side * side) == image % 3
                            ? image % 6 < 3
                                ? 1
                                : 0.5f
                            : 0
                    );
        }
    }

    internal sealed class Directions(int count) : ITuningImages
    {
        public int Count => count;

        public IReadOnlyList<long> Shape { get; } = [6];

        public void Read(int image, long epoch, Span<float> destination)
        {
            var random = new Random(image);
            for (var i = 0; i < 6; i++)
                destination[i] = 0.2f * random.NextSingle();
            destination[image % 6] += 1;
        }
    }
}
