using System.Globalization;
using LiT.Data;
using LiT.Stores;
using LiT.Text;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Runs;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// A step of heads alone, from a store of pictures and one of texts (lit tune --texts), beside the matrix products that
/// none can do without: each head there and back, the logits once, and a gradient of the loss for each side.
/// </summary>
internal static class StoredBenchmark
{
    private const int Block = 1024;

    /// <summary>Arguments: batch, numbers of a picture and of a text, how often as wide inside, steps, and "step" to
    /// leave the products out.</summary>
    public static int Run(string[] options, Results results)
    {
        var batch = TextTowerBenchmark.Number(options, 0, 4096);
        var (images, texts) = (TextTowerBenchmark.Number(options, 1, 512), TextTowerBenchmark.Number(options, 2, 384));
        var (times, steps) = (TextTowerBenchmark.Number(options, 3, 8), TextTowerBenchmark.Number(options, 4, 2));
        var folder = Directory.CreateTempSubdirectory("lit-bench-").FullName;
        try
        {
            Pictures(Path.Combine(folder, "pictures"), batch, images);
            Texts(Path.Combine(folder, "texts"), batch, texts);
            using var pictures = EmbeddingStore.Open(Path.Combine(folder, "pictures"));
            using var words = TextStore.Open(Path.Combine(folder, "texts"));
            Spent step = default;
            var peak = PeakMemory.Of(() => step = Step(pictures, words, batch, (images, texts, times), steps));
            var what = $"glu:{times} heads from stores of {images} and {texts} numbers, batch {batch}";
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{what}, {get_num_threads()} threads: a step takes {step.Seconds:F2} s ({step.Processor:F2} s of "
                        + $"processors), peak {peak / 1e9:F2} GB"
                )
            );
            results.Number(what, "LiT, peak memory of the process", "GB", peak / 1e9);
            if (options.Length > 5)
            {
                results.Time(what, "LiT", step);
                return 0;
            }
            var products = Products(batch, images, texts, times, steps);
            results.Time(what, "LiT", step, ("the matrix products alone", products));
            results.Time(what, "the matrix products alone", products);
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"the products alone take {products.Seconds:F2} s ({products.Processor:F2} s of processors): "
                        + $"the step is at {100 * products.Seconds / step.Seconds:F0}% of them "
                        + $"({100 * products.Processor / step.Processor:F0}% in processor time)"
                )
            );
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static float[] Row(int number, int size)
    {
        Random random = new(number);
        return [.. Enumerable.Range(0, size).Select(_ => random.NextSingle() - 0.5f)];
    }

    private static void Pictures(string folder, int count, int size)
    {
        StoreDescription description = new()
        {
            Fingerprint = "made",
            Tower = "made",
            EmbeddingSize = size,
            Source = "made",
            RowsPerShard = 10_000,
        };
        using var store = EmbeddingStoreWriter.Open(folder, description);
        store.Write(
            Enumerable
                .Range(0, count)
                .Select(i =>
                    (
                        new Sample($"{i}", "made"),
                        new EmbeddedPicture(1, 1, BitConverter.GetBytes((Int128)i + 1).Concat(new byte[16]).ToArray()),
                        Row(i, size)
                    )
                )
        );
    }

    private static void Texts(string folder, int count, int size)
    {
        List<(int, int)> segments = [];
        foreach (var some in Enumerable.Range(0, count).Chunk(10_000))
        {
            var numbers = new byte[some.Length * size * 2];
            var unit = new float[size];
            var norms = new float[some.Length];
            for (var i = 0; i < some.Length; i++)
            {
                var row = Row(some[i] + count, size);
                norms[i] = RowNumbers.Norm(row);
                for (var c = 0; c < size; c++)
                    unit[c] = row[c] / norms[i];
                RowNumbers.Store(unit, StoredType.Float16, numbers.AsSpan(i * size * 2, size * 2));
            }
            TextRow[] said = [.. some.Select(i => new TextRow($"{i}", $"text {i}", null))];
            TextShard.Write(folder, segments.Count, (StoredType.Float16, size), said, norms, numbers);
            segments.Add((segments.Count, some.Length));
        }
        new TextStoreFile
        {
            Fingerprint = "made",
            Tower = "made",
            EmbeddingSize = size,
            Source = "made",
            Complete = true,
            Pictures = count,
            Segments = segments,
        }.Write(folder);
    }

    private static Spent Step(
        EmbeddingStore pictures,
        TextStore words,
        int batch,
        (int Images, int Texts, int Times) sizes,
        int steps
    )
    {
        var gate = HeadSpec.Parse($"glu:{sizes.Times}", "");
        using StoredTextTower tower = new(words, CPU);
        using TwoTowers towers = new(
            null,
            gate.Create(sizes.Images, sizes.Images, 1, standardises: true),
            tower,
            gate.Create(sizes.Texts, sizes.Images, 2, standardises: true),
            Math.Log(20),
            -10
        );
        CaptionTokenizer rows = new(StoredTexts.NumbersOf(words), new(1, null, null, 0));
        TuningPairs pairs = new(new StoredImages(pictures, 0, ownLength: true), image => [words.Words(image)], rows, 0);
        var spent = TuningData.Tune(
            towers,
            pairs,
            new()
            {
                Batch = batch,
                MicroBatch = StoredTexts.AtOnce(batch),
                Steps = steps,
                Loss = ContrastiveLossKind.Sigmoid,
                Optimizer = new() { Kind = LiT.Tuning.Optimizers.OptimizerKind.Lion, LearningRate = 1e-4 },
            },
            setting: "LL"
        );
        return spent.MinBy(one => one.Processor);
    }

    /// <summary>What a step multiplies, and nothing else; the better of as many times.</summary>
    private static Spent Products(int batch, int images, int texts, int times, int rounds)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        List<Spent> spent = [];
        for (var round = 0; round < rounds; round++)
            spent.Add(
                Spent.Of(() =>
                {
                    using var inside = NewDisposeScope();
                    Head(batch, images, images * times, images);
                    Head(batch, texts, texts * times, images);
                    Logits(batch, images);
                })
            );
        return spent.MinBy(one => one.Processor);
    }

    // In pieces, so that what stands between them fits; each is a product of its own in a step, too.
    private static void Head(int batch, int inputs, int hidden, int outputs)
    {
        const int Piece = 2048;
        using var scope = NewDisposeScope();
        var (first, last) = (randn(hidden, inputs), randn(outputs, hidden));
        for (var done = 0; done < batch; done += Piece)
        {
            using var inside = NewDisposeScope();
            var rows = Math.Min(Piece, batch - done);
            var (x, gradient) = (ones(rows, inputs), ones(rows, outputs));
            var gate = x.mm(first.t());
            var through = x.mm(first.t());
            gate.mm(last.t());
            gradient.mm(last);
            gradient.t().mm(gate);
            gate.t().mm(x);
            through.t().mm(x);
        }
    }

    private static void Logits(int batch, int size)
    {
        using var scope = NewDisposeScope();
        var (z, t) = (randn(batch, size), randn(batch, size));
        for (var done = 0; done < batch; done += Block)
        {
            using var inside = NewDisposeScope();
            var own = z.narrow(0, done, Math.Min(Block, batch - done));
            var logits = own.mm(t.t());
            logits.mm(t);
            logits.t().mm(own);
        }
    }
}
