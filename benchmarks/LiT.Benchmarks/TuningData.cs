using LiT.Text;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Runs;

namespace LiT.Benchmarks;

/// <summary>
/// Made-up pairs of the sizes that a benchmark is about: stored representations, captions of random words.
/// </summary>
internal static class TuningData
{
    private const int Words = 30_519;

    /// <summary>Captions of 4 to 16 ids, 10 on average, as alt-texts of the web cut at 16 are; or cut sooner.</summary>
    public static TuningPairs Pairs(int count, int width, long seed = 1, int ids = 16)
    {
        var tokenizer = CaptionTokenizer.LitBert(
            new WordPiece(["[PAD]", "[UNK]", "[CLS]", .. Enumerable.Range(0, Words).Select(word => $"w{word}")]),
            length: ids
        );
        return new(new Stored(count, width), image => [Caption(image)], tokenizer, seed);
    }

    private static string Caption(int image)
    {
        var random = new Random(image);
        return string.Join(' ', Enumerable.Range(0, 3 + image % 13).Select(_ => $"w{random.Next(Words)}"));
    }

    /// <summary>A text tower from scratch with a head to the images' size, and nothing on the image side.</summary>
    public static TwoTowers Towers(string spec, int width)
    {
        var tower = TextTowerLoader.Create(spec, Words + 3, 16, seed: 1);
        return new(null, null, tower, Head.Create(tower.Width, width, 2), Math.Log(10));
    }

    /// <summary>
    /// Weights that matrix products read for every token: all but tables, norms and biases; the head works once a text.
    /// </summary>
    public static long MatrixWeights(TextTower tower) =>
        tower
            .named_parameters()
            .Where(one =>
                one.parameter.dim() == 2
                && one.name.EndsWith("weight", StringComparison.Ordinal)
                && !one.name.StartsWith("tokens", StringComparison.Ordinal)
                && !one.name.StartsWith("positions", StringComparison.Ordinal)
                && !one.name.StartsWith("segments", StringComparison.Ordinal)
            )
            .Sum(one => one.parameter.numel());

    /// <summary>Tunes for some steps in a folder of its own and gives what each step took.</summary>
    /// <param name="towers">What is tuned.</param>
    /// <param name="pairs">On what.</param>
    /// <param name="options">How.</param>
    /// <param name="between">Called after every step; its time is nobody's.</param>
    /// <param name="setting">Which towers are locked.</param>
    public static List<Spent> Tune(
        TwoTowers towers,
        TuningPairs pairs,
        TuningOptions options,
        Action? between = null,
        string setting = "Lu"
    )
    {
        var folder = Directory.CreateTempSubdirectory("lit-bench-");
        try
        {
            List<Spent> seconds = [];
            options = options with { LogEvery = 1, CheckpointEvery = options.Steps + 1 };
            var watch = Spent.Start();
            ContrastiveTuner tuner = new(
                new(towers, LockSetting.Parse(setting), options.Optimizer),
                pairs,
                options,
                TorchSharp.torch.CPU
            )
            {
                OnLine = line =>
                {
                    seconds.Add(watch.Stop());
                    between?.Invoke();
                    watch = Spent.Start();
                },
            };
            tuner.Run(folder.FullName);
            return seconds;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    /// <summary>Representations as a store gives them: the same numbers for the same image.</summary>
    private sealed class Stored(int count, int width) : ITuningImages
    {
        private readonly float[] values = Values(Math.Min(count, 1024) * width);

        public int Count => count;

        public IReadOnlyList<long> Shape { get; } = [width];

        private static float[] Values(int length)
        {
            var random = new Random(7);
            return [.. Enumerable.Range(0, length).Select(_ => random.NextSingle() - 0.5f)];
        }

        public void Read(int image, long epoch, Span<float> destination)
        {
            values.AsSpan(image % 1024 * width, width).CopyTo(destination);
            destination[image % width] += image / 1024 + 1;
        }
    }
}
