using System.Diagnostics;
using System.Globalization;
using LiT.Bundles;
using LiT.Classification;
using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Evaluation;
using LiT.Stores;
using LiT.Text;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// Evaluations on random numbers beside the matrix products that they cannot do without: ImageNet-sized classification
/// from a store, COCO-sized retrieval, and prompts through a text tower.
/// </summary>
internal static class EvaluationBenchmark
{
    private const int Width = 768;

    public static int Run(string[] options, Results results) =>
        options switch
        {
            ["classification", ..] => Classification(
                TextTowerBenchmark.Number(options, 1, 50_000),
                TextTowerBenchmark.Number(options, 2, 1000),
                TextTowerBenchmark.Number(options, 3, 80),
                results
            ),
            ["retrieval", ..] => RetrievalOf(
                TextTowerBenchmark.Number(options, 1, 5000),
                TextTowerBenchmark.Number(options, 2, 25_000),
                results
            ),
            ["prompts", ..] => Prompts(TextTowerBenchmark.Number(options, 1, 2048), results),
            _ => throw new ArgumentException("Say classification, retrieval or prompts."),
        };

    private static int Classification(int images, int classes, int templates, Results results)
    {
        var folder = Directory.CreateTempSubdirectory("lit-evaluation-").FullName;
        try
        {
            var store = Path.Combine(folder, "store");
            Write(store, images, classes);
            string[] names = [.. Enumerable.Range(0, classes).Select(c => $"class {c}")];
            string[] texts = [.. Enumerable.Range(0, templates).Select(t => $"template {t} {{}}")];
            var prompts = PromptTemplates.Fill(names, texts);
            var ztxt = Unit(prompts.Count, 3);
            EvaluationOptions settings = new() { Classes = new(names), Templates = texts };
            var start = Spent.Start();
            using var set = ImageSet.Load(
                store,
                null,
                () => throw new InvalidOperationException(),
                new(),
                ComputeDevice.Cpu
            );
            var loaded = start.Stop();
            var run = ModelEvaluation.Scored(
                set,
                set.Each(block => block.ToUnit()),
                Labels.Match(set.Samples, store, settings.Classes),
                prompts,
                ztxt,
                settings,
                100,
                ComputeDevice.Cpu
            );
            var all = start.Stop();
            var scored = Spent.Of(() => ZeroShot.Score(run.Images, run.Classes, run.Labels.All, names));
            var product = Spent.Of(() => Similarity.EachRow(run.Images, run.Classes, (_, _) => { }));
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"classification, {images:N0} images, {classes:N0} classes, {templates} templates, "
                        + $"{Width} numbers, {get_num_threads()} threads"
                )
            );
            var what = $"classification, {images:N0} x {classes:N0} x {templates}";
            results.Time(what, "from the store to the report", all);
            results.Time(
                what,
                "every image's answer, and the intervals",
                scored,
                ("the matrix product alone", product)
            );
            Row(
                all,
                "from the store to the report",
                $"top-1 {100 * run.Report.Top1:F2}%, each template on {run.Report.PerTemplate![0].N:N0} images"
            );
            Row(loaded, "of it reading the store");
            Row(scored, "of it every image's answer, and the intervals");
            Row(product, "the matrix product of images and classes alone");
            Console.WriteLine(
                FormattableString.Invariant($"  peak memory {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB")
            );
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static int RetrievalOf(int images, int texts, Results results)
    {
        var (zimg, ztxt) = (Unit(images, 1), Unit(texts, 2));
        var imageOf = Enumerable.Range(0, texts).Select(text => text % images).ToArray();
        RetrievalScore? score = null;
        List<Spent> whole = [],
            products = [];
        for (var round = 0; round < 4; round++)
        {
            whole.Add(Spent.Of(() => score = Retrieval.Score(zimg, ztxt, imageOf)));
            products.Add(
                Spent.Of(() =>
                {
                    Similarity.EachRow(zimg, ztxt, (_, _) => { });
                    Similarity.EachRow(ztxt, zimg, (_, _) => { });
                })
            );
        }
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"retrieval both ways, {images:N0} images, {texts:N0} texts, {Width} numbers, "
                    + $"{get_num_threads()} threads, median of 3"
            )
        );
        var what = $"retrieval, {images:N0} x {texts:N0}";
        results.Time(
            what,
            "LiT",
            Spent.Median(whole.Skip(1)),
            ("the two matrix products alone", Spent.Median(products.Skip(1)))
        );
        Row(
            Spent.Median(whole.Skip(1)),
            "every rank, both recalls and median ranks, ties and their bounds",
            $"recall@1 {100 * score!.TextToImage.R1:F2}%"
        );
        Row(Spent.Median(products.Skip(1)), "the two matrix products alone");
        Console.WriteLine(
            FormattableString.Invariant($"  peak memory {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB")
        );
        return 0;
    }

    /// <summary>
    /// Prompts of CLIP's templates and of names of one to three words, through a text tower of BERT base's size.
    /// </summary>
    private static int Prompts(int count, Results results)
    {
        using var towers = TuningData.Towers("bert:base", Width);
        towers.eval();
        var words = Enumerable.Range(0, 4000).Select(i => $"w{i.ToString(CultureInfo.InvariantCulture)}").ToArray();
        var templates = TemplateSets.Open(TemplateSets.ClipPaper).Texts;
        var pieces = words
            .Concat(
                templates.SelectMany(template =>
                    template.Replace("{}", "").Split([' ', '.', '-'], StringSplitOptions.RemoveEmptyEntries)
                )
            )
            .Distinct();
        var path = Path.Combine(Directory.CreateTempSubdirectory("lit-evaluation-").FullName, "vocab.txt");
        File.WriteAllLines(path, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", .. pieces]);
        var tokenizer = CaptionTokenizer.LitBert(Tokenizers.Open(path));
        var random = new Random(0);
        string[] texts =
        [
            .. Enumerable
                .Range(0, count)
                .Select(_ =>
                    templates[random.Next(templates.Count)]
                        .Replace(
                            "{}",
                            string.Join(
                                ' ',
                                Enumerable.Range(0, random.Next(1, 4)).Select(_ => words[random.Next(words.Length)])
                            )
                        )
                ),
        ];
        var lengths = texts.Select(text => Math.Min(16, 1 + tokenizer.Tokenizer.Encode(text).Count)).Average();
        var given = new long[count * 16];
        tokenizer.Rows(texts, given);
        List<Spent> sorted = [],
            asGiven = [];
        for (var round = 0; round < 3; round++)
        {
            sorted.Add(Spent.Of(() => TowerOutputs.Texts(towers, tokenizer, texts, ComputeDevice.Cpu)));
            asGiven.Add(
                Spent.Of(() =>
                {
                    using var noGradient = no_grad();
                    for (var first = 0; first < count; first += 256)
                        using (NewDisposeScope())
                            towers.EmbedTexts(
                                tensor(
                                    given.AsSpan(first * 16, Math.Min(256, count - first) * 16).ToArray(),
                                    Math.Min(256, count - first),
                                    16
                                )
                            );
                })
            );
        }
        var product = TextTowerBenchmark.Product();
        var operations = 2.0 * lengths * TuningData.MatrixWeights(towers.Text) * count;
        var (best, other) = (Spent.Median(sorted.Skip(1)), Spent.Median(asGiven.Skip(1)));
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{count:N0} prompts of {lengths:F1} ids of 16, BERT base's size, {get_num_threads()} "
                    + $"threads, median of 2"
            )
        );
        results.Rate($"{count:N0} prompts, BERT base", "LiT", "prompts/s", count, best, ("in the order given", other));
        Row(
            best,
            "those of equal length together",
            $"{count / best.Seconds:F0} prompts/s, "
                + $"{100 * operations / TextTowerBenchmark.ProductOperations * product.Processor / best.Processor:F0}% "
                + "of the float32 matrix products that the ids alone need, in processor time"
        );
        Row(other, "in the order given", $"{count / other.Seconds:F0} prompts/s");
        return 0;
    }

    private static void Row(Spent spent, string what, string more = "") =>
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"  {spent.Seconds, 8:F2} s, {spent.Processor, 8:F2} s of processor   "
                    + $"{what}{(more.Length > 0 ? $": {more}" : "")}"
            )
        );

    private static void Write(string folder, int images, int classes)
    {
        using var store = EmbeddingStoreWriter.Open(
            folder,
            new StoreDescription
            {
                Fingerprint = "random",
                Tower = "random",
                EmbeddingSize = Width,
                Source = "random",
            }
        );
        var rows = Unit(images, 1);
        store.Write(
            Enumerable
                .Range(0, images)
                .Select(i =>
                {
                    var hash = new byte[32];
                    BitConverter.TryWriteBytes(hash, i + 1);
                    return (
                        new Sample($"image-{i:00000}", $"image-{i:00000}") { Label = $"class {i % classes}" },
                        new EmbeddedPicture(224, 224, hash),
                        rows[i].ToArray()
                    );
                })
        );
    }

    private static Embeddings Unit(int rows, int seed)
    {
        manual_seed(seed);
        using var scope = NewDisposeScope();
        return new(nn.functional.normalize(randn(rows, Width), dim: 1).data<float>().ToArray(), Width);
    }
}
