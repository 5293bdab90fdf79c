using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cloud.Unum.USearch;
using LiT.Compute;
using LiT.Data;
using LiT.Search;
using LiT.Stores;
using LiT.USearch;

namespace LiT.Benchmarks;

/// <summary>
/// Recall of the nearest ten against the time of a query, beside USearch and, where Debian's python3-faiss is, faiss:
/// on the same rows, asked with captions by a model that reads them, one after the other on one thread; with filters
/// that leave pictures here and there, and after three in ten were removed and added again.
/// </summary>
internal static class PeersBenchmark
{
    private const int Nearby = 10,
        Queries = 200,
        Turns = 3;
    private const double Recall = 0.95, // of what chooses by itself
        Whole = 0.9995, // what finds as much need not look farther
        LongEnough = 2;
    private const float Apart = 0.5f; // a picture and another of its kind: the noise beside a row of length 1
    private static readonly int[] Asked = [10, 30, 100, 300, 1000];

    /// <summary>
    /// Arguments: the store, a model, a store of its tower with captions that the first one is made of where it is not
    /// there, and how many rows it gets.
    /// </summary>
    public static int Run(string[] options, Results results)
    {
        var (folder, bundle) = (options[0], options[1]);
        using var use = Parts.Use(1);
        using var model = LitModel.Load(bundle);
        if (!EmbeddingStore.IsStore(folder))
        {
            Make(folder, options[2], int.Parse(options[3], CultureInfo.InvariantCulture));
            StoreIndex.Build(folder, model);
            Timed(results, "lists made and measured", () => ListIndex.Build(folder, model, new() { Recall = Recall }));
        }
        using (Peers peers = new(folder, model, results))
        {
            foreach (var percent in new[] { 100, 50, 10, 1 })
                peers.Measure(percent == 100 ? "all pictures" : $"{percent}% kept by a filter", percent);
            peers.Again();
        }
        var again = folder.TrimEnd('/') + "-again";
        Changed(folder, again, model, results);
        using Peers after = new(again, model, results) { WithPeers = false };
        after.Measure("30% removed and added again", 100);
        return 0;
    }

    public static void Timed(Results results, string what, Action work)
    {
        var clock = Stopwatch.StartNew();
        work();
        results.Number(what, "LiT", "s", clock.Elapsed.TotalSeconds);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {clock.Elapsed.TotalSeconds:F1} s"));
    }

    // Rows around real ones, with the captions of these.
    private static void Make(string folder, string source, int rows)
    {
        using var real = EmbeddingStore.Open(source);
        var size = real.EmbeddingSize;
        var description = real.Description! with { Source = "planted", RowsPerShard = Math.Max(2_000, rows / 50) };
        using var writer = EmbeddingStoreWriter.Open(folder, description);
        Random chance = new(1);
        var (row, noise) = (new float[size], new float[1 << 20]);
        for (var i = 0; i < noise.Length; i++)
            noise[i] = (float)(SearchBenchmark.Normal(chance) * Apart / Math.Sqrt(size));
        writer.Write(
            Enumerable
                .Range(0, rows)
                .Select(i =>
                {
                    var of = i % (int)real.Rows;
                    real.ReadRows([of], row);
                    var at = chance.Next(noise.Length - size);
                    if (i >= real.Rows)
                        for (var k = 0; k < size; k++)
                            row[k] += noise[at + k];
                    Sample sample = new($"{i:0000000}.jpg", $"planted/{i:0000000}.jpg")
                    {
                        Captions = real.Captions(of),
                    };
                    return (sample, new EmbeddedPicture(64, 64, Hash(i)), row);
                })
        );
    }

    private static byte[] Hash(int number) => SHA256.HashData(BitConverter.GetBytes(number));

    // In a copy: three in ten go, in one change, and come again in another; their rows are put into the lists.
    private static void Changed(string folder, string again, LitModel model, Results results)
    {
        if (Directory.Exists(again))
            Directory.Delete(again, recursive: true);
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var to = Path.Combine(again, Path.GetRelativePath(folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
            File.SetLastWriteTimeUtc(to, File.GetLastWriteTimeUtc(file));
        }
        Timed(results, "30% removed, one change", () =>
        {
            using var store = EmbeddingStore.Open(again);
            StoreChange change = new(store);
            for (var row = 0L; row < store.Rows; row++)
                if (Goes(row))
                    change.Remove(row);
            _ = change.Commit() ?? throw new InvalidOperationException("Another program changed the store.");
        });
        Timed(results, "30% added again, and into the lists", () =>
        {
            using var before = EmbeddingStore.Open(folder);
            using var store = EmbeddingStore.Open(again);
            using StoreAddition added = new(StoreAddition.NextIn(StoreFolder.UpdatePath(again)), before.Description!);
            var row = new float[before.EmbeddingSize];
            for (var i = before.Rows - 1; i >= 0; i--)
                if (Goes(i))
                {
                    before.ReadRows([i], row);
                    Sample sample = new(before.Key(i), before.Origin(i)) { Captions = before.Captions(i) };
                    added.Append(sample, new(64, 64, before.Sha256(i)), row);
                }
            _ = new StoreChange(store) { Added = added }.Commit() ?? throw new InvalidOperationException("Changed.");
            StoreFolder.ClearUpdate(again);
            ListIndex.Complete(again, model);
        });
    }

    public static bool Goes(long number) => number % 10 is 1 or 4 or 8;

    private sealed class Peers : IDisposable
    {
        private readonly EmbeddingStore store;
        private readonly Collection collection;
        private readonly Results results;
        private readonly string folder;
        private readonly Embeddings queries,
            all;
        private USearchIndex? graph;
        private MeasuredIndex? own;
        private USearchGraph? ownGraph;

        public Peers(string folder, LitModel model, Results results)
        {
            this.results = results;
            this.folder = Directory.CreateDirectory(Path.Combine(folder, ".peers")).FullName;
            store = EmbeddingStore.Open(folder, wordsLater: true);
            collection = Collection.Of(model, store);
            (queries, var captions) = StoreIndex.Queries(model, collection, Queries, 0.25, default);
            if (!captions)
                throw new LitException(folder, "has no captions to ask with", "Take a store that has");
            all = collection.Read([.. Enumerable.Range(0, (int)collection.Pictures).Select(i => (long)i)]);
            Console.WriteLine($"{collection.Count} rows of {collection.Size} numbers, {queries.Count} captions");
            Model = model;
        }

        private LitModel Model { get; }

        public bool WithPeers { get; init; } = true;

        public void Measure(string what, int percent)
        {
            var allowed =
                percent == 100
                    ? null
                    : Bits.Where(collection.Pictures, picture =>
                        SplitMix64.Mixed((ulong)picture) % 100 < (ulong)percent
                    );
            var truth = Nearest.Find(collection, queries, Nearby, allowed);
            Say(what, "LiT, exact", truth, i => Nearest.Find(collection, One(i), Nearby, allowed)[0]);
            collection.Index = null;
            Say(what, "LiT, as it chooses", truth, i =>
                Nearest.FindFast(collection, One(i), Nearby, allowed).Nearest[0]
            );
            var lists = collection.Lists!;
            for (var visited = 1; visited < lists.Centres.Count; visited *= 2)
            {
                var count = visited;
                if (
                    Say(what, $"LiT, {count} of {lists.Centres.Count} lists", truth, i =>
                        lists.Find(One(i), Nearby, count, allowed, default)[0]
                    )
                )
                    break;
            }
            if (!WithPeers)
                return;
            collection.Index = Own();
            Say(what, "LiT.USearch, as it chooses", truth, i =>
                Nearest.FindFast(collection, One(i), Nearby, allowed).Nearest[0]
            );
            Graph(what, truth, allowed);
            Faiss(what, truth, allowed, lists.Centres.Count);
        }

        // 30% taken out and put in again, in another order.
        public void Again()
        {
            var truth = Nearest.Find(collection, queries, Nearby, null);
            for (var i = 0; i < all.Count; i++)
                if (Goes(i))
                    graph!.Remove((ulong)i);
            for (var i = all.Count - 1; i >= 0; i--)
                if (Goes(i))
                    graph!.Add((ulong)i, all[i].ToArray());
            Graph("30% removed and added again", truth, null);
            Faiss("30% removed and added again", truth, null, collection.Lists!.Centres.Count, again: true);
        }

        public void Dispose()
        {
            graph?.Dispose();
            ownGraph?.Dispose();
            collection.Dispose();
            store.Dispose();
            Directory.Delete(folder, recursive: true);
        }

        private MeasuredIndex Own()
        {
            if (own is not null)
                return own;
            ownGraph = new();
            own = new(ownGraph, Recall);
            Timed(results, "the graph of LiT.USearch made and measured", () => own.Update(Model, collection, default));
            return own;
        }

        private void Graph(string what, Neighbour[][] truth, Bits? allowed)
        {
            if (graph is null)
            {
                graph = new(MetricKind.Ip, ScalarKind.Float16, (ulong)all.Size, 16, 128, 10);
                for (var i = 0; i < all.Count; i++)
                    graph.Add((ulong)i, all[i].ToArray());
            }
            foreach (var count in Asked)
                Say(what, $"USearch, {count} asked for", truth, i =>
                {
                    graph.Search(queries[i].ToArray(), count, out var keys, out _);
                    return
                    [
                        .. keys.Where(key => allowed?[(long)key] != false)
                            .Take(Nearby)
                            .Select(key => new Neighbour((long)key, 0)),
                    ];
                });
        }

        private void Faiss(string what, Neighbour[][] truth, Bits? allowed, int lists, bool again = false)
        {
            var kept = allowed is null
                ? "-"
                : Numbers("kept.i64", [.. Enumerable.Range(0, all.Count).Select(i => (long)i).Where(i => allowed[i])]);
            string[] arguments =
            [
                Path.Combine(AppContext.BaseDirectory, "faiss_peer.py"),
                Floats("rows.f32", all.Values),
                $"{all.Size}",
                Floats("queries.f32", queries.Values),
                Numbers("truth.i64", [.. truth.SelectMany(one => one.Select(near => near.Picture))]),
                kept,
                $"{lists}",
                "1",
                again ? "again" : "-",
                Path.Combine(folder, "hnsw.faiss"),
            ];
            using var python = Process.Start(
                new ProcessStartInfo("/usr/bin/python3", arguments) { RedirectStandardOutput = true }
            )!;
            while (python.StandardOutput.ReadLine() is { } line)
                if (line.Split('\t') is [var way, var setting, var recall, var seconds])
                    Say(
                        what,
                        $"{way}, {setting}",
                        double.Parse(recall, CultureInfo.InvariantCulture),
                        double.Parse(seconds, CultureInfo.InvariantCulture)
                    );
            python.WaitForExit();
        }

        private string Floats(string name, ReadOnlySpan<float> values)
        {
            var path = Path.Combine(folder, name);
            if (File.Exists(path))
                return path;
            using var file = File.Create(path);
            for (var at = 0; at < values.Length; at += 1 << 20)
                file.Write(MemoryMarshal.AsBytes(values[at..Math.Min(values.Length, at + (1 << 20))]));
            return path;
        }

        private string Numbers(string name, long[] values)
        {
            File.WriteAllBytes(Path.Combine(folder, name), MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
            return Path.Combine(folder, name);
        }

        private Embeddings One(int query) => new([.. queries[query]], queries.Size);

        private bool Say(string what, string way, Neighbour[][] truth, Func<int, Neighbour[]> find)
        {
            find(0);
            var (best, found) = (double.PositiveInfinity, new Neighbour[queries.Count][]);
            var all = Stopwatch.StartNew();
            for (var turn = 0; turn < Turns && all.Elapsed.TotalSeconds < LongEnough; turn++)
            {
                var clock = Stopwatch.StartNew();
                for (var i = 0; i < found.Length; i++)
                    found[i] = find(i);
                best = Math.Min(best, clock.Elapsed.TotalSeconds / found.Length);
            }
            var recall = truth
                .Zip(found)
                .Average(both =>
                    both.First.Select(one => one.Picture).Intersect(both.Second.Select(one => one.Picture)).Count()
                    / (double)both.First.Length
                );
            Say(what, way, recall, best);
            return recall >= Whole;
        }

        private void Say(string what, string way, double recall, double seconds)
        {
            var named = string.Create(CultureInfo.InvariantCulture, $"{way}, recall {recall:F3}");
            results.Number(what, named, "ms", seconds * 1e3);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {named}: {seconds * 1e3:F3} ms"));
        }
    }
}
