using System.Text.Json;
using LiT.Curation;
using LiT.Data;
using LiT.Duplicates;
using LiT.Files;
using LiT.Images;
using LiT.Reports;
using LiT.Stores;
using LiT.Tests.Curation;

namespace LiT.Tests.Duplicates;

public sealed class DedupRunTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Three_levels_and_two_steps_are_told_apart()
    {
        var data = Samples.Open(
            Sets.Tar(
                folder,
                "data.tar",
                [
                    ("a", null, Drawn(1)),
                    ("b", null, Drawn(2)),
                    ("c", null, Drawn(3)),
                    ("d", null, Drawn(4)),
                    ("e", null, Drawn(5)),
                    ("a2", null, Drawn(1)), // the bytes of a
                    ("b2", null, Again(2)), // b as JPEG in another size
                    ("broken", null, [1, 2, 3]),
                ]
            )
        );
        var test = Samples.Open(
            Sets.Tar(folder, "test.tar", [("t0", null, Drawn(3)), ("t1", null, Again(4)), ("t2", null, Drawn(90))])
        );
        IReadOnlyList<ShownPair> pairs = [];

        var result = DedupRun.Run(
            new(data, null),
            [new(test, null)],
            folder["out"],
            new(),
            found => pairs = found,
            cancel: TestContext.Current.CancellationToken
        );

        Assert.Equal((7, 1, 3), (result.Pictures, result.Skipped, result.Kept));
        Assert.Equal([new(test.Path, 1, 1, 0, 2, 3), new DedupStep("within", 1, 1, 0, null, null)], result.Steps);
        Assert.Equal([DuplicateLevel.Bytes, DuplicateLevel.Picture], result.Levels);
        Assert.Equal(["a2 Bytes a", "b2 Picture b", "c Bytes t0", "d Picture t1"], Lines("duplicates.jsonl").Order());
        Assert.Equal(["t0 Bytes c", "t1 Picture d"], Lines("leaks_0.jsonl"));
        Assert.Equal(["a", "b", "e"], DedupRun.KeptKeys(folder["out"]).Order());
        ShownPair.ReadPictures(pairs, TestContext.Current.CancellationToken);
        Assert.All(pairs, pair => Assert.True(pair.Image is not null && pair.Of is not null));
        Assert.Contains(
            "repeats",
            DuplicatesReport.Build(data.Path, result, new(), pairs).Render(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Parts_that_look_at_the_pictures_in_any_order_end_with_the_lists_of_one_run()
    {
        const int files = 3;
        (string, string?, byte[])[] pictures =
        [
            .. Enumerable
                .Range(0, files * 4096 - 5)
                .Select(i => ($"p{i}", (string?)null, BitConverter.GetBytes(i % 9000))),
        ];
        ComparedSet data = new(Samples.Open(Sets.Tar(folder, "data.tar", pictures)), null);
        DuplicateRules rules = new() { Levels = new HashSet<DuplicateLevel> { DuplicateLevel.Bytes } };
        DedupOptions options = new() { Rules = rules };
        var cancel = TestContext.Current.CancellationToken;
        var whole = DedupRun.Run(data, [], folder["whole"], options, cancel: cancel);

        Assert.Equal(2, Look(new(2, 2)));
        Assert.Equal(2, Look(new(2, 2))); // started again it finds its own
        File.Delete(folder["out", "marks", "00", "marks_0001.jsonl"]);
        Assert.Equal(1, Look(new(1, 2))); // what another lost is still missing
        Assert.Equal(0, Look(new(2, 2)));
        using (FolderLock.TryTake(folder["out"]))
            Assert.Null(FolderLock.TryTake(folder["out"]));
        var parts = DedupRun.Run(
            data,
            [],
            folder["out"],
            options,
            held: FolderLock.TryTake(folder["out"]),
            cancel: cancel
        );

        Assert.Equal(whole.Steps, parts.Steps);
        Assert.Equal(9000, parts.Kept);
        foreach (var list in new[] { "duplicates.jsonl", "kept.jsonl", "skipped.jsonl" })
            Assert.Equal(File.ReadAllBytes(folder["whole", list]), File.ReadAllBytes(folder["out", list]));

        int Look(StorePart part) => DedupRun.Look([data], part, folder["out"], rules, cancel: cancel);
    }

    [Fact]
    public void Stores_add_the_scene_level_and_the_first_of_its_kind_stays()
    {
        using var store = MadeStores.Write(
            folder["store"],
            [
                ("a", MadeStores.Row(1)),
                ("b", MadeStores.Row(2)),
                ("a again", MadeStores.Near(MadeStores.Row(1), 50, 0.05)),
                ("a thrice", MadeStores.Near(MadeStores.Row(1), 51, 0.05)),
                ("a#same bytes", MadeStores.Row(1)),
            ]
        );
        var result = DedupRun.Run(
            new(store.Samples(), store),
            [],
            folder["out"],
            new(),
            cancel: TestContext.Current.CancellationToken
        );
        Assert.Equal(new DedupStep("within", 1, 0, 2, null, null), Assert.Single(result.Steps));
        Assert.Equal(["a again Scene a", "a thrice Scene a", "a#same bytes Bytes a"], Lines("duplicates.jsonl"));
    }

    [Fact]
    public void What_is_kept_can_be_written_as_data_or_as_a_store()
    {
        var data = Samples.Open(
            Sets.Tar(folder, "data.tar", [("a", "one", Drawn(1)), ("b", "two", Drawn(1)), ("c", "three", Drawn(3))])
        );
        DedupRun.Run(new(data, null), [], folder["out"], new(), cancel: TestContext.Current.CancellationToken);
        DataSets.Keep(
            data,
            DedupRun.KeptKeys(folder["out"]),
            folder["kept"],
            SampleForm.WebDataset,
            cancel: TestContext.Current.CancellationToken
        );
        Assert.Equal(
            [
                ["one"],
                ["three"],
            ],
            Samples.Open(folder["kept"]).Read(_ => { }).Select(sample => sample.Captions)
        );

        using var store = MadeStores.Write(
            folder["store"],
            [("a", MadeStores.Row(1)), ("b", MadeStores.Row(2)), ("c", MadeStores.Row(3))]
        );
        DataSets.Keep(
            store,
            new HashSet<string> { "a", "c" },
            folder["kept store"],
            TestContext.Current.CancellationToken
        );
        using var kept = EmbeddingStore.Open(folder["kept store"]);
        var (row, other) = (new float[48], new float[48]);
        kept.ReadRows([1], row);
        store.ReadRows([2], other);
        Assert.Equal("c", kept.Key(1));
        Assert.Equal(other, row);
    }

    [Fact]
    public void Pictures_find_their_embeddings_by_hash_and_in_stores_from_elsewhere_by_key()
    {
        var tar = Sets.Tar(
            folder,
            "data.tar",
            [("0", null, Drawn(1)), ("1", null, Drawn(2)), ("2", null, Drawn(3)), ("9", null, Drawn(4))]
        );
        var head = LiT.Stores.NpyFile.Head(StoredType.Float32, 3, 4);
        folder.Write(
            "elsewhere/img_emb/img_emb_0.npy",
            [.. head, .. new float[] { 1, 0, 0, 0, 0, 1, 0, 0, 1, 0.01f, 0, 0 }.SelectMany(BitConverter.GetBytes)]
        );
        using var store = EmbeddingStore.Open(folder["elsewhere"]);
        var result = DedupRun.Run(
            new(Samples.Open(tar), store),
            [],
            folder["out"],
            new(),
            cancel: TestContext.Current.CancellationToken
        );
        Assert.Equal((4, 3), (result.Pictures, result.Embedded));
        Assert.Equal(["2 Scene 0"], Lines("duplicates.jsonl"));
    }

    [Fact]
    public void Chains_do_not_empty_a_set_only_what_is_near_to_a_kept_picture_goes()
    {
        // Each is near the one before it, the ends are far apart: the first stays, the second goes, the third is near
        // to none that stays.
        float[] Turned(double angle) => [(float)Math.Cos(angle), (float)Math.Sin(angle), 0, 0];
        using var store = MadeStores.Write(
            folder["store"],
            Enumerable.Range(0, 5).Select(i => ($"p{i}", Turned(0.25 * i)))
        );
        DedupRun.Run(
            new(store.Samples(), store),
            [],
            folder["out"],
            new() { Rules = new() { Cosine = 0.95 } },
            cancel: TestContext.Current.CancellationToken
        );
        Assert.Equal(["p0", "p2", "p4"], DedupRun.KeptKeys(folder["out"]).Order());
    }

    [Fact]
    public void Stopped_while_looking_it_goes_on_to_the_same_lists()
    {
        var tar = Sets.Tar(
            folder,
            "data.tar",
            Enumerable.Range(0, 40).Select(i => ($"k{i}", (string?)null, Drawn(i % 30)))
        );
        DedupRun.Run(
            new(Samples.Open(tar), null),
            [],
            folder["whole"],
            new(),
            cancel: TestContext.Current.CancellationToken
        );
        using var cancel = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            DedupRun.Run(
                new(Samples.Open(tar), null),
                [],
                folder["stopped"],
                new(),
                progress: new Stop(cancel),
                cancel: cancel.Token
            )
        );
        folder.Write("stopped/.duplicates.jsonl.tmp-123456789abc", "half a line"); // what a kill leaves
        DedupRun.Run(
            new(Samples.Open(tar), null),
            [],
            folder["stopped"],
            new(),
            cancel: TestContext.Current.CancellationToken
        );
        Assert.Equal(Sets.Contents(folder["whole"]), Sets.Contents(folder["stopped"]));
    }

    private sealed class Stop(CancellationTokenSource cancel) : IProgress<ProgressStep>
    {
        public void Report(ProgressStep value) => cancel.Cancel();
    }

    private IEnumerable<string> Lines(string name) =>
        File.ReadLines(folder["out", name])
            .Select(line =>
            {
                var json = JsonDocument.Parse(line).RootElement;
                return $"{json.GetProperty("key").GetString()} "
                    + $"{Enum.Parse<DuplicateLevel>(json.GetProperty("level").GetString()!, ignoreCase: true)} "
                    + $"{json.GetProperty("ofKey").GetString()}";
            });

    private static byte[] Drawn(int number) => Sets.Picture(100 + number, 120, 90);

    private static byte[] Again(int number)
    {
        var image = Decoding.Decode(Drawn(number));
        return Thumbnail.Encode(
            Resizing.Resize(image, 87, 65, ResizeMethod.PillowBicubic),
            format: ThumbnailFormat.Jpeg
        );
    }
}
