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

    /// <summary>
    /// Arguments: the store, which is made where it is not there; rows, numbers in a row, threads; a model's folder, or
    /// "lists" and a recall, which makes lists at the first run and measures them at the second.
    /// </summary>
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
        var fingerprint = options.Length == 5 ? ModelDescriptionOf(options[4]) : "random rows";
        using var use = Parts.Use(threads);
        if (!EmbeddingStore.IsStore(folder))
            Say("made", Timed(() => Make(folder, rows, size, fingerprint)));
        // Whoever looks whether all of it is whole has read all of it.
        if (!options.Contains("lists") || !File.Exists(Path.Combine(folder, "index", "centres.bin")))
            Say("indexed, or found whole", Timed(() => StoreIndex.Build(folder)));
        var clock = Stopwatch.StartNew();
        using var store = EmbeddingStore.Open(folder, wordsLater: true);
        using var collection = Collection.Of(null, store);
        Say("opened", clock.Elapsed.TotalSeconds);
        if (options.Contains("lists"))
            return Listed(collection, options, Say, (what, unit, value) => results.Number(what, "LiT", unit, value));
        var queries = Queries(collection, Together, 3);
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

    // Lists beside going over every row, on queries that they were not made with.
    private static int Listed(
        Collection collection,
        string[] options,
        Action<string, double> say,
        Action<string, string, double> number
    )
    {
        var recall = double.Parse(options[^1], CultureInfo.InvariantCulture);
        if (collection.Lists is { Centres.Visits.Count: > 0 } there)
            Console.WriteLine($"{there.Listed} of {collection.Parts.Count} segments are in lists");
        else
        {
            say(
                "lists made and measured",
                Timed(() => ListIndex.Build(collection, Queries(collection, 400, 17), false, new() { Recall = recall }))
            );
            Console.WriteLine("run it once more, so that nothing is in memory but what a search reads");
            return 0;
        }
        var lists = collection.Lists!;
        var queries = Queries(collection, Together, 3);
        Embeddings one = new([.. queries[0]], queries.Size);
        foreach (var visits in lists.Centres.Visits)
        {
            var what = $"{visits.Depth} nearest, {visits.Visited} of {lists.Centres.Count} lists";
            Console.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{what}: recall {visits.Recall:F4} as it was made")
            );
            say($"{what}: first query", Timed(() => lists.Find(one, visits.Depth, visits.Visited, null, default)));
            say($"{what}: one query", Best(() => lists.Find(one, visits.Depth, visits.Visited, null, default)));
            say($"{what}: exactly", Best(() => Nearest.Find(collection, one, visits.Depth, null)));
        }
        var measured = ListIndex.Recall(collection, lists, queries, lists.Centres.Visits[0]);
        number($"recall of the nearest 10, {Together} other queries", "share", measured);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"recall on other queries: {measured:F4}"));
        var memory = Process.GetCurrentProcess().PeakWorkingSet64 / 1e9;
        number("memory at most, mapped files and all", "GB", memory);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"memory {memory:F2} GB at most"));
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

    public static Embeddings Queries(Collection collection, int count, int seed)
    {
        // Half way between a row and anything: what words are to pictures.
        Random chance = new(seed);
        var far = 1.5 * Math.Min(1, collection.Size / 256.0); // in few dimensions anything is near
        var values = new float[count * collection.Size];
        for (var i = 0; i < count; i++)
        {
            var row = collection.Read([chance.NextInt64(collection.Pictures)])[0];
            for (var k = 0; k < row.Length; k++)
                values[i * row.Length + k] = row[k] + (float)(far * Normal(chance) / Math.Sqrt(row.Length));
        }
        return new Embeddings(values, collection.Size).ToUnit();
    }

    public static void Make(string folder, int rows, int size, string fingerprint)
    {
        StoreDescription description = new()
        {
            Fingerprint = fingerprint,
            Tower = "random rows",
            Preprocessing = new System.Text.Json.Nodes.JsonObject(),
            EmbeddingSize = size,
            Source = "random rows",
            RowsPerShard = Math.Max(20_000, rows / 50),
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
                    // Ten pictures here and there are of one scene: the neighbours that are planted.
                    var scene = (int)(SplitMix64.Mixed((ulong)(i % Math.Max(1, rows / 10))) >> 32);
                    var (kind, shown) = (scene & 63, (scene & int.MaxValue) % (noise.Length - size));
                    var at = chance.Next(noise.Length - size);
                    for (var k = 0; k < size; k++)
                        row[k] = 0.5f * directions[kind * size + k] + noise[shown + k] + 0.6f * noise[at + k];
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

    public static double Normal(Random chance) =>
        Math.Sqrt(-2 * Math.Log(1 - chance.NextDouble())) * Math.Cos(2 * Math.PI * chance.NextDouble());
}
