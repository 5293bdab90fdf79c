using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Search;
using LiT.Stores;
using LiT.Tests.Images;
using LiT.Towers;

namespace LiT.Tests.Pipeline;

/// <summary>A store that follows a folder of small pictures.</summary>
public sealed class StoreWatchTests : IDisposable
{
    private static readonly LockedTower Tower = ImageTowerLoader.Load("cifar-resnet:8");
    private readonly TemporaryFolder temporary = new();
    private readonly List<string> complaints = [];

    public StoreWatchTests()
    {
        for (var i = 0; i < 12; i++)
            Picture($"{i:00}.png", i);
    }

    public void Dispose() => temporary.Dispose();

    [Fact]
    public async Task Added_changed_removed_and_renamed_pictures_are_followed_and_the_counts_add_up()
    {
        List<WatchStatus> told = [];
        using CancellationTokenSource stop = new(TimeSpan.FromMinutes(2));
        var watching = Task.Run(() =>
            Watch(told.Add, new() { Settle = TimeSpan.FromMilliseconds(50) }).Run(stop.Token)
        );
        await Until(() => told.Count == 1, watching);
        StoreIndex.Build(temporary["store"]);

        Picture("new.png", 100);
        File.Move(temporary["pictures", "07.png"], temporary["pictures", "zz.png"]);
        File.Delete(temporary["pictures", "03.png"]);
        Picture("04.png", 104);
        temporary.Write("pictures/broken.png", "no picture");
        // What is in the store is told a moment later.
        await Until(
            () => Keys().SequenceEqual(Pictures()) && told[^1] is { Indexed: 12, Skipped: 1 } && Status().Skipped == 1,
            watching
        );

        var status = Status();
        Assert.Equal((12, 1), (status.Indexed, status.Skipped));
        Assert.InRange(status.Removed, 2, 3);
        Assert.Equal(status.Found, status.Indexed + status.Skipped + status.Removed);
        Assert.Equal((status.Segments, status.Segments), (status.WithCodes, status.WithColumns));
        Assert.InRange(told[1..].Sum(one => one.Embedded), 2, 3); // one that is moved while it is looked at is new
        Assert.All(told, one => Assert.Equal(one.Found, one.Indexed + one.Skipped + one.Removed));

        Directory.Move(temporary["pictures"], temporary["away"]);
        await Until(() => complaints.Count > 0, watching);
        Assert.Equal(12, Status().Indexed);
        Directory.Move(temporary["away"], temporary["pictures"]);
        Picture("late.png", 105);
        await Until(() => Keys().Contains("late.png"), watching);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
        Assert.Contains(
            $"{temporary["pictures"]}: is not there. The store stays as it is until it is back.",
            complaints
        );
        Assert.Empty(Held.Under(temporary["store"]));
    }

    [Fact]
    public void What_changed_while_nobody_followed_is_found_and_what_did_not_is_not_read()
    {
        Once();
        foreach (var path in Directory.EnumerateFiles(temporary["pictures"]))
            File.SetLastWriteTimeUtc(path, new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal((0, 0, 0), Once() is var same ? (same.Embedded, same.Moved, same.Gone) : default);
        var before = File.ReadAllText(temporary["store", "store.json"]);
        // Not read: its bytes are others now, its length and time are not.
        var path0 = temporary["pictures", "00.png"];
        File.WriteAllBytes(path0, new byte[new FileInfo(path0).Length]);
        File.SetLastWriteTimeUtc(path0, new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal((0, 0, 0), Once() is var still ? (still.Embedded, still.Moved, still.Gone) : default);
        Assert.Equal(before, File.ReadAllText(temporary["store", "store.json"]));

        File.Delete(temporary["store", ".stamps"]);
        Picture("13.png", 13);
        Assert.Equal((1, 0, 1, 1), Once() is var now ? (now.Embedded, now.Moved, now.Gone, now.Skipped) : default);
        temporary.Write("store/.stamps", "damaged");
        Assert.Equal((0, 0, 0), Once() is var last ? (last.Embedded, last.Moved, last.Gone) : default);
    }

    [Fact]
    public void A_look_at_a_folder_that_lists_the_same_reads_the_listing_alone()
    {
        var opened = 0;
        StoreWatch watch = new(
            Tower,
            "tower",
            () =>
            {
                opened++;
                return Samples.Open(temporary["pictures"]);
            },
            temporary["pictures"],
            temporary["store"],
            new() { BatchSize = 4 },
            ComputeDevice.Cpu
        );
        WatchStatus Look() => watch.Look(new(temporary["store"]), TestContext.Current.CancellationToken);
        void Age(string name) =>
            File.SetLastWriteTimeUtc(temporary["pictures", name], new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        foreach (var path in Directory.EnumerateFiles(temporary["pictures"]))
            Age(Path.GetFileName(path));
        Directory.CreateDirectory(temporary["pictures", "deep"]);

        var first = Look();
        Assert.Equal((12, 12L, 1), (first.Embedded, first.Indexed, opened));
        var same = Look();
        Assert.Equal(first with { Embedded = 0, Seconds = same.Seconds }, same);
        Assert.Equal(1, opened);

        Picture("deep/new.png", 50); // written a moment ago: its time tells nothing yet
        Assert.Equal((1, 2), (Look().Embedded, opened));
        Assert.Equal((0, 3), (Look().Embedded, opened));
        Age("deep/new.png");
        Assert.Equal((0, 4), (Look().Embedded, opened));
        Assert.Equal((0, 4), (Look().Embedded, opened));

        Picture("03.png", 51); // as long as it was, or not: another time
        Age("03.png");
        File.SetLastWriteTimeUtc(temporary["pictures", "03.png"], new(2020, 1, 2, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal((1, 5), (Look().Embedded, opened));
        Assert.Equal(5, Look() is { Embedded: 0 } ? opened : 0);

        using (var store = EmbeddingStore.Open(temporary["store"])) // somebody else changes the store
        {
            StoreChange change = new(store);
            change.Remove(0);
            Assert.NotNull(change.Commit(TestContext.Current.CancellationToken));
        }
        Assert.Equal((13L, 6), (Look().Indexed, opened));
        File.CreateSymbolicLink(temporary["pictures", "linked"], temporary["pictures", "deep"]);
        Look();
        Look();
        Assert.Equal(8, opened); // what lies behind a link is not listed
        File.Delete(temporary["pictures", "linked"]);
        Look();
        Directory.Delete(temporary["pictures"], recursive: true);
        Assert.Contains("is not there", Assert.Throws<LitException>(() => Look()).Message);
    }

    [Fact]
    public void A_store_of_another_tower_is_neither_followed_nor_updated_and_stays_as_it_is()
    {
        Once();
        Picture("more.png", 60);
        var before = File.ReadAllText(temporary["store", "store.json"]);
        var keys = Keys();
        using var other = ImageTowerLoader.Load("cifar-resnet:14");
        StoreWatch watch = new(
            other,
            "other",
            () => Samples.Open(temporary["pictures"]),
            temporary["pictures"],
            temporary["store"],
            new() { BatchSize = 4 },
            ComputeDevice.Cpu
        )
        {
            Options = new() { Once = true },
        };
        var refused = Assert.Throws<LitException>(() => watch.Run(TestContext.Current.CancellationToken)).Message;
        Assert.Contains("made with another tower, tower", refused, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(temporary["store", "store.json"]));
        Assert.Equal(keys, Keys());
        Assert.Empty(Held.Under(temporary["store"]));
    }

    [Fact]
    public void Two_do_not_follow_into_one_store_and_small_files_are_merged_in_time()
    {
        Once();
        using (File.Open(temporary["store", ".watching"], FileMode.Create, FileAccess.ReadWrite, FileShare.None))
            Assert.Contains(
                "store: another program keeps this store up to date. Stop that one first.",
                Assert.Throws<LitException>(() => Once()).Message
            );
        var compacted = 0;
        for (var i = 0; i < 5; i++)
        {
            Picture($"more{i}.png", 200 + i);
            WatchStatus? told = null;
            Watch(status => told = status, new() { Once = true, CompactAt = 3 }).Run(CancellationToken.None);
            compacted += told!.Compacted;
        }
        Assert.InRange(compacted, 3, 12);
        Assert.Equal(Pictures(), Keys());
        Directory.Delete(temporary["pictures"], recursive: true);
        Assert.Contains("is not there", Assert.Throws<LitException>(() => Once()).Message);
        Assert.Equal(17, Status().Indexed);
    }

    [Fact]
    public async Task A_store_that_is_taken_away_ends_it_in_one_line_and_is_made_anew_by_the_next()
    {
        List<WatchStatus> told = [];
        var watching = Task.Run(() =>
            Watch(told.Add, new() { Settle = TimeSpan.FromMilliseconds(50) }).Run(TestContext.Current.CancellationToken)
        );
        await Until(() => told.Count == 1, watching);
        Directory.Delete(temporary["store"], recursive: true);
        Picture("late.png", 105);
        Assert.Equal(
            $"{temporary["store"]}: was taken away while it was followed. Put it back, or leave it to be made anew, "
                + "and start again.",
            (await Assert.ThrowsAsync<LitException>(() => watching)).Message
        );
        Assert.False(Directory.Exists(temporary["store"]));
        Assert.Equal(13, Once().Embedded);
    }

    private WatchStatus Once()
    {
        WatchStatus? told = null;
        Watch(status => told = status, new() { Once = true }).Run(CancellationToken.None);
        return told!;
    }

    private StoreWatch Watch(Action<WatchStatus> told, WatchOptions options) =>
        new(
            Tower,
            "tower",
            () => Samples.Open(temporary["pictures"]),
            temporary["pictures"],
            temporary["store"],
            new() { BatchSize = 4 },
            ComputeDevice.Cpu
        )
        {
            Options = options,
            Told = told,
            Complain = complaints.Add,
        };

    private IndexStatus Status() => StoreIndex.Status(temporary["store"]);

    private string[] Keys()
    {
        using var store = EmbeddingStore.Open(temporary["store"]);
        return [.. store.Samples().Read(_ => { }).Select(one => one.Key).Order(StringComparer.Ordinal)];
    }

    private string[] Pictures() =>
        [
            .. Directory
                .EnumerateFiles(temporary["pictures"])
                .Select(path => Path.GetFileName(path))
                .Where(name => name != "broken.png")
                .Order(StringComparer.Ordinal),
        ];

    private static async Task Until(Func<bool> holds, Task watching)
    {
        while (!holds())
        {
            if (watching.IsCompleted)
                await watching;
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private void Picture(string name, int seed) =>
        temporary.Write($"pictures/{name}", GeneratedPictures.Png(EmbedRunTests.Stripes(seed, 40, 36)));
}
