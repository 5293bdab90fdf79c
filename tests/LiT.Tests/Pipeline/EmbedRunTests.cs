using LiT.Compute;
using LiT.Embedding;
using LiT.Images;
using LiT.Stores;
using LiT.Tests.Images;
using LiT.Towers;
using static LiT.Tests.Stores.StoreData;

namespace LiT.Tests.Pipeline;

/// <summary>A folder of twenty small pictures through a small tower, five to a shard, four at a time.</summary>
public sealed class EmbedRunTests : IDisposable
{
    private static readonly LockedTower Tower = ImageTowerLoader.Load("cifar-resnet:8"),
        Other = ImageTowerLoader.Load("cifar-resnet:8", new ImageTowerOptions { Seed = 1 });
    private static readonly EmbedOptions Options = new() { BatchSize = 4, RowsPerShard = 5 };
    private readonly TemporaryFolder temporary = new();

    public EmbedRunTests()
    {
        for (var i = 0; i < 20; i++)
            Picture($"{i:00}.png", i);
    }

    public void Dispose() => temporary.Dispose();

    [Fact]
    public void Added_changed_removed_and_moved_pictures_cost_their_difference_and_nothing_else()
    {
        Embed("store");
        var before = Rows("store");
        Picture("00a.png", 100); // added, at the front: every later row moves
        Picture("03.png", 103); // changed
        File.Delete(temporary["pictures", "05.png"]); // removed
        File.Move(temporary["pictures", "07.png"], temporary["pictures", "zz.png"]); // moved
        File.WriteAllText(temporary["pictures", "08.txt"], "new words"); // of other words only

        var result = Embed("store", Options with { Update = true });

        Assert.Equal((2, 18, 20), (result.EmbeddedNow, result.Reused, result.Counts.Found));
        var after = Rows("store");
        Assert.Equal(Embed("fresh").Counts, result.Counts);
        Assert.Equal(Rows("fresh").Keys.Order(), after.Keys.Order());
        Assert.Equal(before["07.png"], after["zz.png"]);
        foreach (var (key, row) in after.Where(row => row.Key is not ("00a.png" or "03.png" or "zz.png")))
            Assert.Equal(before[key], row);
        Assert.NotEqual(before["03.png"], after["03.png"]);
        using var store = EmbeddingStore.Open(temporary["store"]);
        Assert.Equal(
            ["new words"],
            Enumerable.Range(0, 20).Where(row => store.Key(row) == "08.png").SelectMany(row => store.Captions(row))
        );
        Assert.DoesNotContain(Contents(temporary["store"]).Keys, name =>
            name.StartsWith(".update", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void An_update_refuses_to_put_files_in_the_place_of_links()
    {
        Embed("store");
        var shard = temporary["store", "img_emb", "img_emb_0000.npy"];
        File.Move(shard, temporary["elsewhere.npy"]);
        File.CreateSymbolicLink(shard, temporary["elsewhere.npy"]);
        Picture("21.png", 121);

        var refused = Assert.Throws<LitException>(() => Embed("store", Options with { Update = true }));
        Assert.Contains("img_emb_0000.npy: is a link to", refused.Message, StringComparison.Ordinal);
        Assert.NotNull(new FileInfo(shard).LinkTarget);
    }

    [Fact]
    public void An_update_that_was_killed_leaves_the_old_store_and_goes_on()
    {
        Embed("store");
        var old = Contents(temporary["store"]);
        Picture("06.png", 106);
        Picture("17.png", 117);
        CancellationTokenSource stop = new();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            Embed("store", Options with { Update = true }, After(15, stop.Cancel), stop.Token)
        );

        Assert.Equal(
            old,
            Contents(temporary["store"])
                .Where(file => !file.Key.StartsWith(".update", StringComparison.Ordinal))
                .ToDictionary()
        );
        using (var store = EmbeddingStore.Open(temporary["store"]))
            Assert.Equal(20, store.Rows);
        // the other was embedded before the kill
        Assert.Equal(1, Embed("store", Options with { Update = true }).EmbeddedNow);
        Assert.Equal(20, Rows("store").Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void An_update_killed_while_it_puts_its_files_in_place_is_not_read_by_halves(int moved)
    {
        Embed("store");
        Picture("06.png", 106);
        Embed("expected");
        Directory.CreateDirectory(temporary["store", ".update"]);
        foreach (var (name, bytes) in Contents(temporary["expected"]))
            temporary.Write($"store/.update/{name}", Convert.FromHexString(bytes));
        foreach (var part in new[] { "img_emb", "metadata" }[..moved])
        {
            Directory.Delete(temporary["store", part], recursive: true);
            Directory.Move(temporary["store", ".update", part], temporary["store", part]);
        }

        var refused = Assert.Throws<LitException>(() => EmbeddingStore.Open(temporary["store"])).Message;
        Embed("store");

        Assert.Contains("an update was stopped while it put its files in place", refused, StringComparison.Ordinal);
        Assert.Equal(Contents(temporary["expected"]), Contents(temporary["store"]));
    }

    [Fact]
    public void Another_stores_rows_are_taken_over_and_another_towers_are_not()
    {
        Embed("store");
        Picture("21.png", 21);

        var result = Embed("larger", Options with { Reuse = [temporary["store"]] });

        Assert.Equal((1, 20), (result.EmbeddedNow, result.Reused));
        foreach (var (key, row) in Rows("store"))
            Assert.Equal(row, Rows("larger")[key]);
        var refused = Assert.Throws<LitException>(() =>
            EmbedRun.Run(
                Other,
                "other",
                Source(),
                temporary["other"],
                Options with
                {
                    Reuse = [temporary["store"]],
                },
                ComputeDevice.Cpu
            )
        );
        Assert.Contains("made by the tower tower (fingerprint", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_of_shrunk_pictures_says_so_and_is_not_mixed_with_an_exact_one()
    {
        for (var i = 0; i < 20; i++)
            temporary.Write($"pictures/{i:00}.png", GeneratedPictures.Vips(Stripes(i, 256, 256)).JpegsaveBuffer(q: 95));
        Embed("exact");
        Embed("fast", Options with { Decode = DecodePath.Fast });

        using (
            EmbeddingStore exact = EmbeddingStore.Open(temporary["exact"]),
                fast = EmbeddingStore.Open(temporary["fast"])
        )
        {
            Assert.Equal((DecodePath.Exact, DecodePath.Fast), (exact.Description!.Decode, fast.Description!.Decode));
            Assert.Equal(exact.Fingerprint, fast.Fingerprint); // the tower is the same: tuning and evaluation take both
            Assert.Null(StoreFit.Remark(exact));
            Assert.Contains("`Decode` fast", StoreFit.Remark(fast), StringComparison.Ordinal);
            Assert.Equal((256, 256), fast.PictureSize(0));
            Assert.Equal(1, StoreCheck.Run(fast, Tower, "vit", Source(), 4, ComputeDevice.Cpu).LowestCosine, 5);
        }
        Assert.NotEqual(Rows("exact")["00.png"], Rows("fast")["00.png"]);
        Assert.True(Embed("fast").WasComplete); // not said again, it stays as it is
        foreach (
            var trouble in new[]
            {
                Assert.Throws<LitException>(() => Embed("exact", Options with { Decode = DecodePath.Fast })),
                Assert.Throws<LitException>(() =>
                    Embed("exact", Options with { Decode = DecodePath.Fast, Update = true })
                ),
                Assert.Throws<LitException>(() => Embed("other", Options with { Reuse = [temporary["fast"]] })),
            }
        )
            Assert.Contains("decoded in the", trouble.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Of_pictures_with_the_same_bytes_one_is_embedded_and_all_have_its_rows(int views)
    {
        var options = Options with
        {
            Views = views == 1 ? PictureViews.Plain : new(views, Augmentation.Inception(0.4), 7),
            RowsPerShard = 5 * views,
        };
        Repeat("01.png", "02.png", "03a.png", "19.png", "zz.png"); // in the same batch, the same shard, and others
        Repeat("10.png", "00.png");
        var notes = new List<string?>();

        var result = Embed("store", options, new Watcher(step => notes.Add(step.Note)));

        Assert.Equal((17, 5, 22), (result.EmbeddedNow, result.Repeated, result.Counts.Embedded));
        Assert.Contains("5 repeats", notes);
        using var store = EmbeddingStore.Open(temporary["store"]);
        Assert.Equal(
            store.Samples().Read(_ => { }).Select(sample => sample.Key).Order(StringComparer.Ordinal),
            store.Samples().Read(_ => { }).Select(sample => sample.Key)
        );
        for (var row = 0; row < store.Rows; row++)
        {
            var first = (int)store.RowOf(store.Sha256(row))!.Value;
            Assert.Equal(row % views, store.View(row));
            if (store.View(row) == 0)
                for (var view = 0; view < views; view++)
                    Assert.Equal(Row(store, first + view), Row(store, row + view));
            Assert.Equal((40, 36), store.PictureSize(row));
        }
        Assert.Equal(
            17,
            Enumerable
                .Range(0, (int)store.Rows / views)
                .Select(i => Convert.ToHexString(store.Sha256(i * views)))
                .Distinct()
                .Count()
        );

        // Stopped anywhere, and in parts killed and made in any order: the same bytes.
        foreach (var after in new[] { 3, 8, 14, 20 })
        {
            CancellationTokenSource stop = new();
            Assert.ThrowsAny<OperationCanceledException>(() =>
                Embed($"stopped-{after}", options, After(after, stop.Cancel), stop.Token)
            );
            Embed($"stopped-{after}", options);
            Assert.Equal(Contents(temporary["store"]), Contents(temporary[$"stopped-{after}"]));
        }
        foreach (var order in new[] { new[] { 1, 2 }, [2, 1, 2] })
        foreach (var part in order)
            Embed($"parts-{order[0]}", options with { Part = new(part, 2) });
        Assert.Equal(Contents(temporary["parts-1"]), Contents(temporary["parts-2"]));
        using var parts = EmbeddingStore.Open(temporary["parts-1"]);
        for (var row = 0; row < store.Rows; row++)
            Near(Row(store, row), Row(parts, row));
    }

    [Fact]
    public void What_repeats_a_picture_without_a_direction_is_skipped_as_that_one_is()
    {
        var black = GeneratedPictures.Png(new RgbImage(32, 32, new byte[32 * 32 * 3]));
        foreach (var name in new[] { "00.png", "01.png", "13.png" })
            temporary.Write($"pictures/{name}", black);
        using var blind = Tower with { Tower = new Blind(ImageTowerLoader.Load("cifar-resnet:8").Tower) };

        var result = EmbedRun.Run(
            blind,
            "tower",
            Source(),
            temporary["store"],
            Options with
            {
                MaxBad = 1,
            },
            ComputeDevice.Cpu
        );

        Assert.Equal((17, 3), (result.Counts.Embedded, result.Counts.Skipped));
        Assert.All(File.ReadAllLines(temporary["store", "skipped.jsonl"]), line =>
            Assert.Contains("not finite, or all zero", line, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData(new[] { 1, 2, 3 })]
    [InlineData(new[] { 3, 1, 2 })]
    [InlineData(new[] { 2, 2, 1, 3, 1 })]
    public void Parts_in_any_order_make_the_store_that_one_process_makes(int[] order)
    {
        temporary.Write("pictures/09.png", "no picture");
        Embed("whole");

        EmbedResult? last = null;
        foreach (var part in order)
            last = Embed("parts", Options with { Part = new(part, 3) });

        Assert.True(last!.MissingShards == 0);
        Assert.Equal(Contents(temporary["whole"]), Contents(temporary["parts"]));
    }

    [Fact]
    public void A_part_that_was_killed_is_made_again_and_until_then_the_store_is_not_finished()
    {
        Embed("whole");
        CancellationTokenSource stop = new();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            Embed("parts", Options with { Part = new(1, 2) }, After(6, stop.Cancel), stop.Token)
        );
        Assert.Equal(1, Embed("parts", Options with { Part = new(2, 2) }).MissingShards);
        Assert.Contains(
            "is not finished (15 pictures so far)",
            Assert.Throws<LitException>(() => EmbeddingStore.Open(temporary["parts"])).Message,
            StringComparison.Ordinal
        );

        Assert.Equal(5, Embed("parts", Options with { Part = new(1, 2) }).EmbeddedNow);

        Assert.Equal(Contents(temporary["whole"]), Contents(temporary["parts"]));
    }

    [Fact]
    public async Task Parts_at_the_same_time_make_the_store_that_one_process_makes()
    {
        Embed("whole");

        await Task.WhenAll(
            Enumerable.Range(1, 4).Select(part => Task.Run(() => Embed("parts", Options with { Part = new(part, 4) })))
        );

        Assert.Equal(Contents(temporary["whole"]), Contents(temporary["parts"]));
    }

    [Fact]
    public void The_first_view_is_the_plain_picture_and_the_others_follow_from_its_bytes()
    {
        PictureViews views = new(3, Augmentation.Inception(0.4), Seed: 5);
        Embed("plain");
        Embed("views", Options with { Views = views });
        foreach (var name in Directory.EnumerateFiles(temporary["pictures"]))
            File.Move(name, name.Replace(".png", "-moved.png", StringComparison.Ordinal));
        Embed("moved", Options with { Views = views, RowsPerShard = 7 });

        using var plain = EmbeddingStore.Open(temporary["plain"]);
        using var several = EmbeddingStore.Open(temporary["views"]);
        using var moved = EmbeddingStore.Open(temporary["moved"]);

        Assert.Equal((20, 60, 3), (plain.Rows, several.Rows, several.Views));
        for (var row = 0; row < 60; row++)
        {
            Assert.Equal(row % 3, several.View(row));
            Assert.Equal(several.Sha256(row), plain.Sha256(row / 3));
            if (row % 3 == 0)
                Near(Row(plain, row / 3), Row(several, row));
            else
                Assert.True(Distance(Row(plain, row / 3), Row(several, row)) > 1e-3);
            Near(Row(several, row), Row(moved, row));
        }
        Assert.True(Distance(Row(several, 1), Row(several, 2)) > 1e-3);
        Assert.Contains(
            "views that are changed in another way",
            Assert.Throws<LitException>(() => Embed("views", Options with { Views = views with { Seed = 6 } })).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Whole_numbers_of_eight_bits_keep_the_direction()
    {
        Embed("full", Options with { Type = StoredType.Float32 });
        Embed("small", Options with { Type = StoredType.Int8 });
        using var full = EmbeddingStore.Open(temporary["full"]);
        using var small = EmbeddingStore.Open(temporary["small"]);

        for (var row = 0; row < 20; row++)
        {
            var (exact, read) = (Row(full, row), Row(small, row));
            Assert.Equal(1, read.Sum(x => (double)x * x), 1e-6);
            Assert.InRange(exact.Zip(read, (a, b) => (double)a * b).Sum(), 0.9999, 1.0001);
        }
        Assert.Equal(full.Norm(3), small.Norm(3));
        Assert.Equal(128 + 5 * 64, new FileInfo(temporary["small", "img_emb", "img_emb_0000.npy"]).Length);
    }

    [Fact]
    public void Skipped_pictures_are_tried_again_when_that_is_asked()
    {
        temporary.Write("pictures/04.png", "no picture");
        Embed("store");
        Picture("04.png", 4);

        Assert.True(Embed("store").WasComplete);
        var result = Embed("store", Options with { RetrySkipped = true });

        Assert.Equal((1, 19, new StoreCounts(20, 0, 0)), (result.EmbeddedNow, result.Reused, result.Counts));
        Assert.True(Embed("store", Options with { RetrySkipped = true }).WasComplete);
        Assert.Empty(File.ReadAllText(temporary["store", "skipped.jsonl"]));
    }

    [Theory]
    [InlineData(11, "11 of the first 20 samples could not be used, more than the share of 0.5 that `MaxBad` allows")]
    [InlineData(20, "none of its 20 samples has a picture that could be read")]
    public void Too_many_bad_ones_stop_the_run_and_the_list_says_why(int bad, string message)
    {
        for (var i = 0; i < bad; i++)
            temporary.Write($"pictures/{i:00}.png", "no picture");

        var stopped = Assert.Throws<LitException>(() => Embed("store")).Message;
        var list = File.ReadAllLines(temporary["store", "skipped.jsonl"]);
        for (var i = 0; i < bad; i++)
            Picture($"{i:00}.png", i);
        var mended = Embed("store", Options with { RetrySkipped = true });

        Assert.Contains(message, stopped, StringComparison.Ordinal);
        Assert.Equal(bad, list.Length);
        Assert.Equal(new StoreCounts(20, 0, 0), mended.Counts);
    }

    [Fact]
    public void A_store_of_a_tower_that_computes_otherwise_here_is_not_gone_on_with()
    {
        CancellationTokenSource stop = new();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            Embed("store", progress: After(6, stop.Cancel), cancel: stop.Token)
        );
        var json = temporary["store", "store.json"];
        var probes = ProbeVectors.Of(Other, ComputeDevice.Cpu).ToJson()["values"]!.ToString();
        File.WriteAllText(
            json,
            File.ReadAllText(json)
                .Replace(
                    ProbeVectors.Of(Tower, ComputeDevice.Cpu).ToJson()["values"]!.ToString(),
                    probes,
                    StringComparison.Ordinal
                )
        );

        Assert.Contains(
            "other numbers for the test pictures",
            Assert.Throws<LitException>(() => Embed("store")).Message,
            StringComparison.Ordinal
        );
    }

    private EmbedResult Embed(
        string store,
        EmbedOptions? options = null,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    ) =>
        EmbedRun.Run(
            Tower,
            "tower",
            Source(),
            temporary[store],
            options ?? Options,
            ComputeDevice.Cpu,
            progress,
            cancel
        );

    private LiT.Data.SampleSource Source() => LiT.Data.Samples.Open(temporary["pictures"]);

    private void Picture(string name, int seed) =>
        temporary.Write($"pictures/{name}", GeneratedPictures.Png(Stripes(seed, 40, 36)));

    private void Repeat(string name, params string[] others)
    {
        foreach (var other in others)
            File.Copy(temporary["pictures", name], temporary["pictures", other], overwrite: true);
    }

    internal static RgbImage Stripes(int seed, int width, int height)
    {
        var chance = Chance.For(seed, 0, 0);
        var pixels = new byte[width * height * 3];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(chance.Below(64) + (i / 300 % 7 * seed * 11 % 180));
        return new(width, height, pixels);
    }

    private Dictionary<string, float[]> Rows(string folder)
    {
        using var store = EmbeddingStore.Open(temporary[folder]);
        return Enumerable.Range(0, (int)store.Rows).ToDictionary(row => store.Key(row), row => Row(store, row));
    }

    private static float[] Row(EmbeddingStore store, int row)
    {
        var read = new float[store.EmbeddingSize];
        store.ReadRows([row], read);
        return read;
    }

    private static double Distance(float[] a, float[] b) => Math.Sqrt(a.Zip(b, (x, y) => Math.Pow(x - y, 2)).Sum());

    // Other neighbours in a batch may change last bits.
    private static void Near(float[] a, float[] b) => Assert.InRange(Distance(a, b), 0, 2e-3);

    private static Watcher After(int pictures, Action then) =>
        new(step =>
        {
            if (step.Done >= pictures)
                then();
        });

    private sealed class Watcher(Action<ProgressStep> told) : IProgress<ProgressStep>
    {
        public void Report(ProgressStep value) => told(value);
    }

    /// <summary>A tower that sees nothing in a black picture.</summary>
    private sealed class Blind : ImageTower
    {
        private readonly ImageTower tower;

        public Blind(ImageTower tower)
            : base(nameof(Blind))
        {
            this.tower = tower;
            RegisterComponents();
            eval();
        }

        public override int Width => tower.Width;

        public override TorchSharp.torch.Tensor forward(TorchSharp.torch.Tensor images)
        {
            var values = images.flatten(2);
            var range = (values.amax([2]) - values.amin([2])).amax([1], keepdim: true);
            return tower.call(images)
                * range.to(TorchSharp.torch.ScalarType.Bool).to(TorchSharp.torch.ScalarType.Float32);
        }
    }
}
