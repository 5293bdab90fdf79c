using System.Diagnostics;
using System.Globalization;
using LiT.Data;
using LiT.Evaluation;
using LiT.Stores;
using LiT.Text;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// Evaluations on random numbers beside the matrix products that they cannot do without: ImageNet-sized classification from a
/// store, COCO-sized retrieval, and prompts through a text tower.
/// </summary>
internal static class EvaluationBenchmark
{
    private const int Width = 768;

    public static int Run(string[] options) => options switch
    {
        ["classification", ..] => Classification(TextTowerBenchmark.Number(options, 1, 50_000), TextTowerBenchmark.Number(options, 2, 1000), TextTowerBenchmark.Number(options, 3, 80)),
        ["retrieval", ..] => RetrievalOf(TextTowerBenchmark.Number(options, 1, 5000), TextTowerBenchmark.Number(options, 2, 25_000)),
        ["prompts", ..] => Prompts(TextTowerBenchmark.Number(options, 1, 2048)),
        _ => throw new ArgumentException("Say classification, retrieval or prompts."),
    };

    private static int Classification(int images, int classes, int templates)
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
            var watch = Stopwatch.StartNew();
            var set = ImageSet.Load(store, null, () => throw new InvalidOperationException(), new(), Compute.Cpu);
            var loaded = watch.Elapsed.TotalSeconds;
            var run = ModelEvaluation.Scored(set, set.Representations.ToUnit(), Labels.Match(set.Samples, store, settings.Classes), prompts, ztxt, settings, 100, Compute.Cpu);
            var all = watch.Elapsed.TotalSeconds;
            watch.Restart();
            ZeroShot.Score(run.Images, run.Classes, run.Labels.All, names);
            var scored = watch.Elapsed.TotalSeconds;
            Console.WriteLine(FormattableString.Invariant($"classification, {images:N0} images, {classes:N0} classes, {templates} templates, {Width} numbers, {get_num_threads()} threads"));
            Console.WriteLine(FormattableString.Invariant($"  {all,8:F2} s   from the store to the report, {loaded:F2} s of it reading the store, {scored:F2} s scoring every image with its intervals; top-1 {100 * run.Report.Top1:F2}%, templates on {run.Report.PerTemplate![0].N:N0} images"));
            var limit = TextTowerBenchmark.Limit();
            Console.WriteLine(FormattableString.Invariant($"  {2.0 * images * classes * Width / limit,8:F2} s   the one matrix product of all images and classes, at the machine's limit of {limit / 1e9:F0} GFLOP/s"));
            Console.WriteLine(FormattableString.Invariant($"  peak memory {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB"));
            return 0;
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    private static int RetrievalOf(int images, int texts)
    {
        var (zimg, ztxt) = (Unit(images, 1), Unit(texts, 2));
        var imageOf = Enumerable.Range(0, texts).Select(text => text % images).ToArray();
        RetrievalScore? score = null;
        var median = Rounds.Median(5,
            () => score = Retrieval.Score(zimg, ztxt, imageOf),
            () =>
            {
                using var noGradient = no_grad();
                var (a, b) = (zimg.ToTensor(), ztxt.ToTensor());
                for (var first = 0; first < images; first += 256) using (NewDisposeScope()) a.slice(0, first, Math.Min(images, first + 256), 1).matmul(b.t());
                for (var first = 0; first < texts; first += 1024) using (NewDisposeScope()) b.slice(0, first, Math.Min(texts, first + 1024), 1).matmul(a.t());
            });
        Console.WriteLine(FormattableString.Invariant($"retrieval both ways, {images:N0} images, {texts:N0} texts, {Width} numbers, {get_num_threads()} threads, median of 5"));
        Console.WriteLine(FormattableString.Invariant($"  {median[0],8:F2} s   every rank, both recalls and median ranks, ties and their bounds; recall@1 {100 * score!.TextToImage.R1:F2}%"));
        Console.WriteLine(FormattableString.Invariant($"  {median[1],8:F2} s   the two matrix products alone, in blocks: {100 * median[1] / median[0]:F0}%"));
        Console.WriteLine(FormattableString.Invariant($"  peak memory {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB"));
        return 0;
    }

    /// <summary>Prompts of CLIP's templates and of names of one to three words, through a text tower of BERT base's size.</summary>
    private static int Prompts(int count)
    {
        using var towers = TuningData.Towers("bert:base", Width);
        towers.eval();
        var words = Enumerable.Range(0, 4000).Select(i => $"w{i.ToString(CultureInfo.InvariantCulture)}").ToArray();
        var templates = TemplateSets.Open(TemplateSets.ClipPaper).Texts;
        var pieces = words.Concat(templates.SelectMany(template => template.Replace("{}", "").Split([' ', '.', '-'], StringSplitOptions.RemoveEmptyEntries))).Distinct();
        var path = Path.Combine(Directory.CreateTempSubdirectory("lit-evaluation-").FullName, "vocab.txt");
        File.WriteAllLines(path, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", .. pieces]);
        var tokenizer = CaptionTokenizer.LitBert(Tokenizers.Open(path));
        var random = new Random(0);
        string[] texts = [.. Enumerable.Range(0, count).Select(_ => templates[random.Next(templates.Count)].Replace("{}", string.Join(' ', Enumerable.Range(0, random.Next(1, 4)).Select(_ => words[random.Next(words.Length)]))))];
        var lengths = texts.Select(text => Math.Min(16, 1 + tokenizer.Tokenizer.Encode(text).Count)).Average();
        var given = new long[count * 16];
        tokenizer.Rows(texts, given);
        var seconds = Rounds.Median(3,
            () => TowerOutputs.Texts(towers, tokenizer, texts, Compute.Cpu),
            () =>
            {
                using var noGradient = no_grad();
                for (var first = 0; first < count; first += 256)
                    using (NewDisposeScope()) towers.EmbedTexts(tensor(given.AsSpan(first * 16, Math.Min(256, count - first) * 16).ToArray(), Math.Min(256, count - first), 16));
            });
        var limit = TextTowerBenchmark.Limit();
        var operations = 2.0 * lengths * TuningData.MatrixWeights(towers.Text);
        Console.WriteLine(FormattableString.Invariant($"{count:N0} prompts of {lengths:F1} ids of 16, BERT base's size, {get_num_threads()} threads, median of 3"));
        Console.WriteLine(FormattableString.Invariant($"  {count / seconds[0],8:F1} prompts/s   those of equal length together, {100 * count / seconds[0] * operations / limit:F0}% of the float32 matrix products ({limit / 1e9:F0} GFLOP/s) that the ids alone need"));
        Console.WriteLine(FormattableString.Invariant($"  {count / seconds[1],8:F1} prompts/s   in the order given"));
        Console.WriteLine(FormattableString.Invariant($"  80,000 prompts: {80_000 / (count / seconds[0]) / 60:F1} minutes"));
        return 0;
    }

    private static void Write(string folder, int images, int classes)
    {
        using var store = EmbeddingStoreWriter.Open(folder, new StoreDescription { Fingerprint = "random", Tower = "random", EmbeddingSize = Width, Source = "random" });
        var rows = Unit(images, 1);
        store.Write(Enumerable.Range(0, images).Select(i =>
        {
            var hash = new byte[32];
            BitConverter.TryWriteBytes(hash, i + 1);
            return (new Sample($"image-{i:00000}", $"image-{i:00000}") { Label = $"class {i % classes}" }, new EmbeddedPicture(224, 224, hash), rows[i].ToArray());
        }));
    }

    private static Embeddings Unit(int rows, int seed)
    {
        manual_seed(seed);
        using var scope = NewDisposeScope();
        return new(nn.functional.normalize(randn(rows, Width), dim: 1).data<float>().ToArray(), Width);
    }
}
