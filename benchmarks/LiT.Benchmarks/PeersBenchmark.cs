using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Cloud.Unum.USearch;
using LiT.Compute;
using LiT.Search;
using LiT.Stores;

namespace LiT.Benchmarks;

/// <summary>
/// Recall of the nearest ten against the time of a query, beside USearch and, where Debian's python3-faiss is, faiss:
/// on the same rows, with queries that lie half way between a row and anything, as words do, and with filters.
/// </summary>
internal static class PeersBenchmark
{
    private const int Nearby = 10,
        Queries = 200,
        Turns = 3;
    private static readonly int[] Asked = [10, 50, 200, 1000];

    /// <summary>Arguments: the store, rows, numbers in a row, threads.</summary>
    public static int Run(string[] options, Results results)
    {
        var folder = options[0];
        var rows = options.Length > 1 ? int.Parse(options[1], CultureInfo.InvariantCulture) : 200_000;
        var size = options.Length > 2 ? int.Parse(options[2], CultureInfo.InvariantCulture) : 256;
        var threads = options.Length > 3 ? int.Parse(options[3], CultureInfo.InvariantCulture) : 2;
        using var use = Parts.Use(threads);
        if (!EmbeddingStore.IsStore(folder))
            SearchBenchmark.Make(folder, rows, size, "random rows");
        StoreIndex.Build(folder);
        using var store = EmbeddingStore.Open(folder, wordsLater: true);
        using var collection = Collection.Of(null, store);
        if (collection.Lists is null)
            ListIndex.Build(collection, SearchBenchmark.Queries(collection, 400, 17), false, new());
        using var asked = Collection.Of(null, store);
        Peers peers = new(asked, results, threads, Path.Combine(folder, "peers"));
        var all = collection.Read([.. Enumerable.Range(0, (int)collection.Pictures).Select(i => (long)i)]);
        using var graph = peers.Graph(all);
        foreach (var percent in new[] { 100, 50, 10, 1 })
            peers.Measure(percent, all, graph);
        peers.Again(all, graph);
        return 0;
    }

    private sealed class Peers
    {
        private readonly Collection collection;
        private readonly Results results;
        private readonly int threads;
        private readonly string folder;
        private readonly Embeddings queries;

        public Peers(Collection collection, Results results, int threads, string folder)
        {
            (this.collection, this.results, this.threads, this.folder) = (collection, results, threads, folder);
            queries = SearchBenchmark.Queries(collection, Queries, 5);
            Directory.CreateDirectory(folder);
        }

        public USearchIndex Graph(Embeddings all)
        {
            USearchIndex graph = new(MetricKind.Ip, ScalarKind.Float16, (ulong)all.Size, 16, 100, 10);
            var clock = Stopwatch.StartNew();
            for (var i = 0; i < all.Count; i++)
                graph.Add((ulong)i, all[i].ToArray());
            results.Number("made, one thread", "USearch", "s", clock.Elapsed.TotalSeconds);
            return graph;
        }

        public void Measure(int percent, Embeddings all, USearchIndex graph)
        {
            var allowed =
                percent == 100 ? null : Bits.Where(collection.Pictures, picture => picture % 100 * 37 % 100 < percent);
            var truth = Nearest.Find(collection, queries, Nearby, allowed);
            var what = $"{percent}% kept";
            Say(what, "LiT, exact", truth, i => Nearest.Find(collection, One(i), Nearby, allowed)[0]);
            var lists = collection.Lists!;
            for (var visited = 1; visited < lists.Centres.Count; visited *= 4)
            {
                var count = visited;
                Say(what, $"LiT, {count} of {lists.Centres.Count} lists", truth, i =>
                    lists.Find(One(i), Nearby, count, allowed, default)[0]
                );
            }
            Graph(what, "USearch", graph, truth, allowed);
            Faiss(what, all, truth, allowed, lists.Centres.Count, percent == 100);
        }

        // 30% taken out and put in again, in another order.
        public void Again(Embeddings all, USearchIndex graph)
        {
            var truth = Nearest.Find(collection, queries, Nearby, null);
            for (var i = 0; i < all.Count; i++)
                if (i % 10 is 1 or 4 or 8)
                    graph.Remove((ulong)i);
            for (var i = all.Count - 1; i >= 0; i--)
                if (i % 10 is 1 or 4 or 8)
                    graph.Add((ulong)i, all[i].ToArray());
            Graph("30% removed and added again", "USearch", graph, truth, null);
        }

        private void Graph(string what, string way, USearchIndex graph, Neighbour[][] truth, Bits? allowed)
        {
            foreach (var count in Asked)
                Say(what, $"{way}, {count} asked for", truth, i =>
                {
                    graph.Search(queries[i].ToArray(), count, out var keys, out _);
                    return
                    [
                        .. keys.Where(key => allowed is null || allowed[(long)key])
                            .Take(Nearby)
                            .Select(key => new Neighbour((long)key, 0)),
                    ];
                });
        }

        private void Faiss(string what, Embeddings all, Neighbour[][] truth, Bits? allowed, int lists, bool graphs)
        {
            string Floats(string name, ReadOnlySpan<float> values)
            {
                var path = Path.Combine(folder, name);
                using var file = File.Create(path);
                for (var at = 0; at < values.Length; at += 1 << 20)
                    file.Write(MemoryMarshal.AsBytes(values[at..Math.Min(values.Length, at + (1 << 20))]));
                return path;
            }
            string Numbers(string name, long[] values)
            {
                File.WriteAllBytes(Path.Combine(folder, name), MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
                return Path.Combine(folder, name);
            }
            var kept = allowed is null
                ? "-"
                : Numbers("kept.i64", [.. Enumerable.Range(0, all.Count).Where(i => allowed[i]).Select(i => (long)i)]);
            string[] arguments =
            [
                Path.Combine(AppContext.BaseDirectory, "faiss_peer.py"),
                Floats("rows.f32", all.Values),
                $"{all.Size}",
                Floats("queries.f32", queries.Values),
                Numbers("truth.i64", [.. truth.SelectMany(one => one.Select(near => near.Picture))]),
                kept,
                $"{lists}",
                $"{threads}",
                graphs ? "hnsw" : "",
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

        private Embeddings One(int query) => new([.. queries[query]], queries.Size);

        private void Say(string what, string way, Neighbour[][] truth, Func<int, Neighbour[]> find)
        {
            find(0);
            var (best, found) = (double.PositiveInfinity, new Neighbour[Queries][]);
            for (var turn = 0; turn < Turns; turn++)
            {
                var clock = Stopwatch.StartNew();
                for (var i = 0; i < Queries; i++)
                    found[i] = find(i);
                best = Math.Min(best, clock.Elapsed.TotalSeconds / Queries);
            }
            var recall = truth
                .Zip(found)
                .Average(both =>
                    both.First.Select(one => one.Picture).Intersect(both.Second.Select(one => one.Picture)).Count()
                    / (double)both.First.Length
                );
            Say(what, way, recall, best);
        }

        private void Say(string what, string way, double recall, double seconds)
        {
            results.Number($"{what}, recall", way, "share", recall);
            results.Number($"{what}, one query", way, "s", seconds);
            Console.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{what}: {way}: {recall:F4} in {seconds * 1e3:F3} ms")
            );
        }
    }
}
