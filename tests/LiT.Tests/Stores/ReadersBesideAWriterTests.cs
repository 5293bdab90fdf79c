using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using LiT.Search;
using LiT.Stores;
using LiT.Tests.Search;

namespace LiT.Tests.Stores;

/// <summary>
/// Ten readers ask a store while one writer adds, removes, moves and compacts: every answer is right for some state of
/// it. LIT_READERS_SECONDS=600 goes on for ten minutes.
/// </summary>
public sealed class ReadersBesideAWriterTests : IDisposable
{
    private const int Readers = 10,
        Nearby = 5,
        Changes = 12;
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(
        double.Parse(Environment.GetEnvironmentVariable("LIT_READERS_SECONDS") ?? "0", CultureInfo.InvariantCulture)
    );
    private readonly TemporaryFolder folder = new();
    private readonly ConcurrentDictionary<long, Dictionary<string, float[]>> states = [];
    private volatile bool written;
    private readonly Stopwatch clock = Stopwatch.StartNew();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Every_answer_is_right_for_some_state()
    {
        GrowingStore store = new(folder["store"], 200, 50);
        states[0] = Said(store);
        using CancellationTokenSource failed = new();
        var readers = Enumerable
            .Range(0, Readers)
            .Select(seed => Task.Run(() => Read(seed, failed), TestContext.Current.CancellationToken))
            .ToList();
        var done = await Task.Run(() => Write(store, failed.Token), TestContext.Current.CancellationToken);
        var asked = await Task.WhenAll(readers);

        Assert.True(done.Changes >= Changes && asked.Sum() > Readers, $"{done.Changes} changes, {asked.Sum()} asked");
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{done.Changes} changes and {asked.Sum()} readings in {clock.Elapsed.TotalSeconds:F0} s, memory "
                + $"{done.Early / 1e6:F0} MB after a quarter of them, {done.Late / 1e6:F0} MB at the end"
        );
        // What one more state costs is a few hundred names; a reader that is never let go of is more.
        Assert.True(done.Late < done.Early + 200e6, $"{done.Early:N0} bytes became {done.Late:N0}");
        store.Check();
    }

    private (int Changes, long Early, long Late) Write(GrowingStore store, CancellationToken failed)
    {
        Random chance = new(1);
        var (changes, early) = (0, 0L);
        var generation = 0L;
        for (; (changes < Changes || clock.Elapsed < Time) && !failed.IsCancellationRequested; changes++)
        {
            string[] some = [.. chance.GetItems([.. store.Held.Select(one => one.Sample.Key)], 8).Distinct()];
            var kind = chance.Next(4);
            // The first change also writes a manifest of what is there.
            generation = StoreFile.GenerationOf(folder["store"]);
            if (generation == 0)
                states[1] = states[0];
            store.Changing = () => states[Math.Max(generation, 1) + 1] = Said(store);
            if (kind == 0)
                store.Change(8, [], []);
            else if (kind == 1)
                store.Change(0, some, []);
            else if (kind == 2)
                store.Change(4, some[..1], [.. some[1..3].Select(key => (key, $"m{changes}-{key}"))]);
            else
            {
                store.Changing();
                StoreCompaction.Run(folder["store"]);
            }
            foreach (var old in states.Keys.Where(one => one < generation - 200))
                states.TryRemove(old, out _);
            if (early == 0 && clock.Elapsed > Time / 4)
                early = Resident();
        }
        written = true;
        return (changes, early, Resident());
    }

    private int Read(int seed, CancellationTokenSource failed)
    {
        Random chance = new(seed);
        var asked = 0;
        try
        {
            for (; !written && !failed.IsCancellationRequested; asked++)
                Read(chance);
            return asked;
        }
        catch
        {
            failed.Cancel();
            throw;
        }
    }

    private void Read(Random chance)
    {
        using var open = EmbeddingStore.Open(folder["store"]);
        var expected = states[open.Generation];
        using var collection = Collection.Of(null, open);
        Assert.Equal(expected.Count, collection.Count);
        var query = MadeRows.Random(1, collection.Size, chance.Next())[0];
        var found = Nearest.Find(collection, new Embeddings(query, query.Length).ToUnit(), Nearby, null)[0];
        // The same by going over what the state holds, in float32 and unrounded: equal but for what float16 took.
        var best = expected
            .Select(one => System.Numerics.Tensors.TensorPrimitives.CosineSimilarity<float>(one.Value, query))
            .OrderDescending()
            .Take(Nearby)
            .ToArray();
        Assert.Equal(best.Length, found.Length);
        for (var i = 0; i < found.Length; i++)
        {
            Assert.Equal(best[i], found[i].Similarity, 2e-3f);
            var row = expected[collection.Key(found[i].Picture)];
            Assert.Equal(
                System.Numerics.Tensors.TensorPrimitives.CosineSimilarity<float>(row, query),
                found[i].Similarity,
                2e-3f
            );
        }
    }

    private static Dictionary<string, float[]> Said(GrowingStore store) =>
        store.Held.ToDictionary(one => one.Sample.Key, one => one.Row);

    private static long Resident()
    {
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
