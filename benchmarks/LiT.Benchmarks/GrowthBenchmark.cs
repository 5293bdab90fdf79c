using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using LiT.Search;
using LiT.Stores;

namespace LiT.Benchmarks;

/// <summary>
/// What a change of a large store costs, beside a new store of the new rows alone. The store is changed.
/// </summary>
internal static class GrowthBenchmark
{
    private const int Turns = 5;

    /// <summary>Arguments: an indexed store, whose folder may be written to; new pictures.</summary>
    public static int Run(string[] options, Results results)
    {
        var folder = options[0];
        var added = options.Length > 1 ? int.Parse(options[1], CultureInfo.InvariantCulture) : 10_000;
        void Say(string what, double seconds)
        {
            results.Number(what, "LiT", "s", seconds);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {seconds * 1e3:F1} ms"));
        }
        StoreDescription description;
        using (var store = EmbeddingStore.Open(folder, wordsLater: true))
        {
            description = store.Description!;
            Console.WriteLine($"{store.Rows / store.Views} pictures of {store.EmbeddingSize} numbers");
        }
        var fresh = Path.Combine(folder, ".fresh");
        Say(
            $"a store of {added} pictures alone, with its index",
            Least(3, () => Timed(() => Alone(fresh, description, added)))
        );
        var spent = new List<double>();
        for (var turn = 0; turn < 3; turn++)
            spent.Add(Changed(folder, (store, _) => Added(store, description, added, turn)));
        Say($"the same {added} added", spent.Min());
        Say("one removed", Median(() => Changed(folder, (store, turn) => Removed(store, turn))));
        Say("one moved", Median(() => Changed(folder, (store, turn) => Moved(store, turn))));
        var clock = Stopwatch.StartNew();
        using var open = EmbeddingStore.Open(folder, wordsLater: true);
        using var collection = Collection.Of(null, open);
        Say("opened by a reader", clock.Elapsed.TotalSeconds);
        return 0;
    }

    /// <summary>Seconds that a change takes of a store that is open, its manifest and all.</summary>
    private static double Changed(string folder, Func<EmbeddingStore, int, StoreChange> change)
    {
        using var store = EmbeddingStore.Open(folder, wordsLater: true);
        return Timed(() =>
        {
            var what = change(store, (int)store.Generation);
            _ = what.Commit() ?? throw new InvalidOperationException("Another program changed the store.");
            what.Added?.Dispose();
        });
    }

    private static void Alone(string folder, StoreDescription description, int count)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        using (StoreAddition alone = new(folder, description))
        {
            Append(alone, description, count, "fresh");
            alone.Flush();
            alone.Index();
        }
        Directory.Delete(folder, recursive: true);
    }

    private static StoreChange Added(EmbeddingStore store, StoreDescription description, int count, int turn)
    {
        var update = StoreFolder.UpdatePath(store.Folder);
        StoreAddition added = new(StoreAddition.NextIn(update), description);
        Append(added, description, count, $"new{turn}-{store.Generation}");
        return new(store) { Added = added };
    }

    private static void Append(StoreAddition to, StoreDescription description, int count, string name)
    {
        Random chance = new(count);
        var row = new float[description.EmbeddingSize * description.Views];
        for (var i = 0; i < count; i++)
        {
            for (var k = 0; k < row.Length; k++)
                row[k] = (float)(chance.NextDouble() - 0.5);
            to.Append(
                new($"{name}-{i}.jpg", $"pictures/{name}-{i}.jpg") { Captions = [$"picture {i}"], Label = "new" },
                new(640, 480, SHA256.HashData(BitConverter.GetBytes(HashCode.Combine(name, i)))),
                row
            );
        }
    }

    private static StoreChange Removed(EmbeddingStore store, int turn)
    {
        StoreChange change = new(store);
        change.Remove(turn * (long)store.Views);
        return change;
    }

    private static StoreChange Moved(EmbeddingStore store, int turn)
    {
        StoreChange change = new(store);
        change.Reword((1000 + turn) * (long)store.Views, new($"moved-{turn}.jpg", $"elsewhere/moved-{turn}.jpg"));
        return change;
    }

    private static double Median(Func<double> one)
    {
        var all = Enumerable.Range(0, Turns).Select(_ => one()).Order().ToList();
        return all[Turns / 2];
    }

    private static double Least(int turns, Func<double> one) => Enumerable.Range(0, turns).Min(_ => one());

    private static double Timed(Action work)
    {
        var clock = Stopwatch.StartNew();
        work();
        return clock.Elapsed.TotalSeconds;
    }
}
