using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using LiT.Compute;
using LiT.Data;
using LiT.Search;
using LiT.Stores;

namespace LiT.Benchmarks;

/// <summary>
/// Searches over a store of random rows with planted neighbours, beside what reading its codes once from memory takes.
/// </summary>
internal static unsafe class SearchBenchmark
{
    private const int Turns = 5,
        Together = 64;

    /// <summary>Arguments: the store, which is made where it is not there; rows, numbers in a row, threads; a model's
    /// folder.</summary>
    public static int Run(string[] options, Results results)
    {
        void Say(string what, double seconds)
        {
            results.Number(what, "LiT", "s", seconds);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {seconds * 1e3:F1} ms"));
        }
        var folder = options[0];
        var rows = options.Length > 1 ? int.Parse(options[1], CultureInfo.InvariantCulture) : 1_000_000;
        var size = options.Length > 2 ? int.Parse(options[2], CultureInfo.InvariantCulture) : 768;
        var threads = options.Length > 3 ? int.Parse(options[3], CultureInfo.InvariantCulture) : 2;
        var fingerprint = options.Length > 4 ? ModelDescriptionOf(options[4]) : "random rows";
        using var use = Parts.Use(threads);
        if (!EmbeddingStore.IsStore(folder))
            Say("made", Timed(() => Make(folder, rows, size, fingerprint)));
        if (!StoreSegment.IsIndexed(folder))
            Say("indexed", Timed(() => StoreIndex.Build(folder)));
        var clock = Stopwatch.StartNew();
        using var store = EmbeddingStore.Open(folder, wordsLater: true);
        using var collection = Collection.Of(null, store);
        Say("opened", clock.Elapsed.TotalSeconds);
        var queries = Queries(collection, Together);
        Embeddings one = new([.. queries[0]], queries.Size);
        Say("first query", Timed(() => Nearest.Find(collection, one, 10, null)));
        var read = Best(() => ReadCodes(collection));
        Say(
            $"reading the codes once, {collection.Pictures * (long)((size + 63) / 64 * 64) / read / 1e9:F1} GB/s",
            read
        );
        var single = Best(() => Nearest.Find(collection, one, 10, null));
        Say($"one query, {single / read:F2} x", single);
        var many = Best(() => Nearest.Find(collection, queries, 10, null)) / Together;
        Say($"one of {Together} queries together, {single / many:F1} x the rate", many);
        var filter = "n < " + (collection.Pictures / 100).ToString(CultureInfo.InvariantCulture);
        Say("the filter's column for the first time", Timed(() => collection.Where(filter)));
        var evaluated = Best(() => Filter.Of(collection, filter));
        var filtered = Best(() => Nearest.Find(collection, one, 10, Filter.Of(collection, filter)));
        Say(
            $"one query with a filter that keeps 1% ({evaluated * 1e3:F1} ms the filter), {filtered / single:F2} x",
            filtered
        );
        Say("one query, 2,000 kept", Best(() => Nearest.Find(collection, one, 2000, null)));
        Say("one query without codes", Timed(() => Nearest.Find(collection, one, 10, null, withCodes: false)));
        Console.WriteLine(
            $"memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB at most, mapped files and all"
        );
        return 0;
    }

    private static string ModelDescriptionOf(string model)
    {
        using var lit = LitModel.Load(model);
        return lit.Description.Image.Fingerprint;
    }

    private static double Timed(Action work)
    {
        var clock = Stopwatch.StartNew();
        work();
        return clock.Elapsed.TotalSeconds;
    }

    private static double Best(Action work)
    {
        work();
        return Enumerable.Range(0, Turns).Min(_ => Timed(work));
    }

    private static void ReadCodes(Collection collection)
    {
        var sum = 0L;
        List<(nint From, long Length)> pieces = [];
        foreach (var part in collection.Parts)
            for (var first = 0; first < part.Count; first += CodeFile.Block)
                pieces.Add(
                    (
                        (nint)(part.Codes!.Codes + (long)first * part.Codes.Width),
                        (long)Math.Min(CodeFile.Block, part.Count - first) * part.Codes.Width
                    )
                );
        Parts.Run(pieces.Count, i =>
        {
            var at = (byte*)pieces[i].From;
            Vector512<long> a = default,
                b = default;
            for (var k = 0L; k + 128 <= pieces[i].Length; k += 128)
            {
                a ^= Vector512.Load((long*)(at + k));
                b ^= Vector512.Load((long*)(at + k + 64));
            }
            Interlocked.Add(ref sum, Vector512.Sum(a ^ b));
        });
        if (sum == 42)
            Console.WriteLine();
    }

    private static Embeddings Queries(Collection collection, int count)
    {
        // Half way between a row and anything: what words are to pictures.
        Random chance = new(3);
        var values = new float[count * collection.Size];
        for (var i = 0; i < count; i++)
        {
            var row = collection.Read([chance.NextInt64(collection.Pictures)])[0];
            for (var k = 0; k < row.Length; k++)
                values[i * row.Length + k] = row[k] + (float)(1.5 * Normal(chance) / Math.Sqrt(row.Length));
        }
        return new Embeddings(values, collection.Size).ToUnit();
    }

    private static void Make(string folder, int rows, int size, string fingerprint)
    {
        StoreDescription description = new()
        {
            Fingerprint = fingerprint,
            Tower = "random rows",
            Preprocessing = new System.Text.Json.Nodes.JsonObject(),
            EmbeddingSize = size,
            Source = "random rows",
            RowsPerShard = 20_000,
        };
        using var writer = EmbeddingStoreWriter.Open(folder, description);
        Random chance = new(1);
        var directions = new float[64 * size];
        for (var i = 0; i < directions.Length; i++)
            directions[i] = (float)Normal(chance);
        var row = new float[size];
        var noise = new float[1 << 20];
        for (var i = 0; i < noise.Length; i++)
            noise[i] = (float)Normal(chance);
        writer.Write(
            Enumerable
                .Range(0, rows)
                .Select(i =>
                {
                    var (kind, at) = (chance.Next(64), chance.Next(noise.Length - size));
                    for (var k = 0; k < size; k++)
                        row[k] = 0.5f * directions[kind * size + k] + noise[at + k];
                    var sample = new Sample($"{i:0000000}.jpg", $"pictures/{i:0000000}.jpg")
                    {
                        Captions = [$"picture {i} of kind {kind}"],
                        Label = $"kind {kind}",
                        Fields = new Dictionary<string, string> { ["n"] = $"{i}" },
                    };
                    return (
                        sample,
                        new EmbeddedPicture(
                            640,
                            480,
                            System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(i))
                        ),
                        row
                    );
                })
        );
    }

    private static double Normal(Random chance) =>
        Math.Sqrt(-2 * Math.Log(1 - chance.NextDouble())) * Math.Cos(2 * Math.PI * chance.NextDouble());
}
