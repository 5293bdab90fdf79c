using LiT.Catalogue;
using LiT.Checkpoints;
using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Images;
using LiT.Search;
using LiT.Stores;
using LiT.Tests.Images;
using LiT.Tests.Pipeline;
using LiT.Towers;
using LiT.Tuning.Runs;

namespace LiT.Tests.Tuning;

/// <summary>A model that was tuned with nested widths, cut to one of them, with its store.</summary>
public sealed class NestedModelTests : IDisposable
{
    private const int Pictures = 24;
    private static readonly string[] Colours = ["red", "green", "blue", "dark"];

    private readonly TemporaryFolder folder = new();
    private readonly LockedTower tower;

    public NestedModelTests()
    {
        using (var scratch = ImageTowerLoader.Load("cifar-resnet:8"))
            ImageTowerFile.Save(Spec, scratch.Tower, scratch.Preprocessing);
        tower = ImageTowerLoader.Load(Spec);
        for (var i = 0; i < Pictures; i++)
        {
            folder.Write($"pictures/{i:00}.png", GeneratedPictures.Png(EmbedRunTests.Stripes(i, 40, 36)));
            File.WriteAllText(folder["pictures", $"{i:00}.txt"], $"a {Colours[i % 4]} thing number {i}");
        }
        Embed(tower, Spec, "pictures", "store");
    }

    private string Spec => folder["tower.safetensors"];

    public void Dispose()
    {
        tower.Dispose();
        folder.Dispose();
    }

    private EmbedResult Embed(LockedTower with, string name, string data, string to, EmbedOptions? options = null) =>
        EmbedRun.Run(
            with,
            name,
            Samples.Open(folder[data], new SampleOptions()),
            folder[to],
            (options ?? new()) with
            {
                Type = StoredType.Float32,
                RowsPerShard = 7,
            },
            ComputeDevice.Cpu
        );

    private TuneRequest Request(string run, IReadOnlyList<int>? nested, HeadSpec? head = null) =>
        new()
        {
            Data = folder["store"],
            Out = folder[run],
            TextTower = "text:width=16,depth=1,heads=2",
            ImageTower = Spec,
            ImageHead = head ?? HeadSpec.None,
            HoldOut = 0,
            BundleTower = BundleTower.Always,
            Settings = new()
            {
                Batch = 8,
                Steps = 12,
                LearningRate = 0.01,
                CheckpointEvery = 4,
                Nested = nested,
            },
            Compute = ComputeDevice.Cpu,
        };

    private string Tuned(string run, IReadOnlyList<int>? nested, HeadSpec? head = null) =>
        TuneRun.Run(Request(run, nested, head), _ => { }).Model;

    private Embeddings Stored(string name)
    {
        using var store = EmbeddingStore.Open(folder[name]);
        var values = new float[store.Rows * store.EmbeddingSize];
        store.ReadRows([.. Enumerable.Range(0, (int)store.Rows).Select(row => (long)row)], values, ownLength: true);
        return new(values, store.EmbeddingSize);
    }

    private static float[] Cut(ReadOnlySpan<float> whole, float[]? rotation, int width)
    {
        var size = whole.Length;
        var cut = new float[width];
        for (var i = 0; i < width; i++)
            cut[i] = rotation is null
                ? whole[i]
                : System.Numerics.Tensors.TensorPrimitives.Dot(whole, rotation.AsSpan(i * size, size));
        return [.. new Embeddings(cut, width).ToUnit().Values];
    }

    private static void Near(ReadOnlySpan<float> expected, ReadOnlySpan<float> got) =>
        Assert.InRange(System.Numerics.Tensors.TensorPrimitives.Distance(expected, got), 0, 2e-5f);

    [Theory]
    [InlineData("none")]
    [InlineData("24:mlp=20")]
    [InlineData("24:glu:1")]
    [InlineData("24")]
    public void A_cut_model_gives_the_first_numbers_of_the_whole_one_at_unit_length_on_both_sides(string head)
    {
        var model = Tuned("run", [8, 16], HeadSpec.Parse(head, ""));
        var description = ModelCut.ToBundle(model, folder["cut"], 16, null, null, ComputeDevice.Cpu);

        using var whole = LitModel.Load(model);
        using var cut = LitModel.Load(folder["cut"]);
        using var kept = ModelCut.RotationOf(whole);
        var rotation = kept?.data<float>().ToArray();
        Assert.Equal(head == "none", rotation is not null);
        Assert.Equal([8], description.Nested);
        Assert.Equal((16, 16), (cut.Description.EmbeddingSize, cut.Description.Image.Width));
        var (texts, shorter) = (whole.EmbedTexts(["a red thing", "dark"]), cut.EmbedTexts(["a red thing", "dark"]));
        for (var i = 0; i < 2; i++)
            Near(Cut(texts[i], rotation, 16), shorter[i]);
        var pixels = tower.Preprocessing.Pixels(
            File.ReadAllBytes(folder["pictures", "03.png"]),
            long.MaxValue,
            DecodePath.Exact,
            null
        );
        var (zimg, cutImage) = (
            whole.ProjectImages(new(whole.Represent([pixels]), tower.Tower.Width)),
            cut.ProjectImages(new(cut.Represent([pixels]), 16))
        );
        Near(Cut(zimg[0], rotation, 16), cutImage[0]);
        Assert.Equal(2, ModelCheck.Run(folder["cut"], ComputeDevice.Cpu).Golden!.Pictures);

        ModelCut.ToBundle(folder["cut"], folder["again"], 8, null, null, ComputeDevice.Cpu);
        using var again = LitModel.Load(folder["again"]);
        Near(Cut(shorter[0], null, 8), again.EmbedTexts(["a red thing"])[0]);
        Near(Cut(cutImage[0], null, 8), again.ProjectImages(new(again.Represent([pixels]), 8))[0]);
    }

    [Fact]
    public void The_further_languages_of_a_model_are_cut_with_it_and_one_that_reads_pictures_its_own_way_is_named()
    {
        var model = Tuned("run", [16]);
        using (var german = LitModel.Load(Tuned("german", null)))
            Add(german, "de", german.Towers);
        ModelCut.ToBundle(model, folder["cut"], 16, null, null, ComputeDevice.Cpu);

        using var whole = LitModel.Load(model, language: "de");
        using var cut = LitModel.Load(folder["cut"], language: "de");
        using var own = LitModel.Load(model);
        using var kept = ModelCut.RotationOf(own);
        Near(
            Cut(whole.EmbedTexts(["a red thing"])[0], kept?.data<float>().ToArray(), 16),
            cut.EmbedTexts(["a red thing"])[0]
        );

        using (var headed = LitModel.Load(Tuned("headed", null, HeadSpec.Parse($"{whole.EmbeddingSize}", ""))))
            Add(headed, "fr", headed.Towers);
        var refused = Assert.Throws<LitException>(() =>
            ModelCut.ToBundle(model, folder["other"], 16, null, null, ComputeDevice.Cpu)
        );
        Assert.Contains("its language fr reads the pictures through a head of its own", refused.Message);

        void Add(LitModel from, string language, TwoTowers towers) =>
            LitModel.SaveLanguage(
                model,
                [language],
                towers,
                from.Tokenizer,
                made => made,
                null,
                null,
                taught: null,
                replace: false
            );
    }

    [Fact]
    public void A_store_is_cut_to_what_the_cut_tower_gives_for_its_pictures_and_none_is_read()
    {
        ModelCut.ToBundle(Tuned("run", [16]), folder["cut"], 16, null, null, ComputeDevice.Cpu);
        var spec = LitModel.ImageTowerOf(folder["cut"]);
        using var shortened = ImageTowerLoader.Load(spec);
        Embed(shortened, spec, "pictures", "embedded");
        Directory.Move(folder["pictures"], folder["elsewhere"]);

        var result = Embed(shortened, spec, "store", "small");

        Assert.Equal(
            (Pictures, Pictures, false),
            ((int)result.Counts.Embedded, (int)result.EmbeddedNow, result.WasComplete)
        );
        Assert.True(Embed(shortened, spec, "store", "small").WasComplete);
        var (expected, got) = (Stored("embedded"), Stored("small"));
        for (var i = 0; i < Pictures; i++)
            Assert.InRange(
                System.Numerics.Tensors.TensorPrimitives.Distance(expected[i], got[i]),
                0,
                1e-4f * System.Numerics.Tensors.TensorPrimitives.Norm(expected[i])
            );
        using (var small = EmbeddingStore.Open(folder["small"]))
        using (var whole = EmbeddingStore.Open(folder["store"]))
        {
            Assert.Equal(shortened.Fingerprint, small.Fingerprint);
            Assert.NotEqual(whole.Fingerprint, small.Fingerprint);
            for (var row = 0; row < Pictures; row++)
                Assert.Equal(
                    (whole.Key(row), whole.Captions(row)[0], Convert.ToHexString(whole.Sha256(row))),
                    (small.Key(row), small.Captions(row)[0], Convert.ToHexString(small.Sha256(row)))
                );
        }
        Directory.Move(folder["elsewhere"], folder["pictures"]);
        Assert.Equal(0, Embed(shortened, spec, "pictures", "small", new() { Update = true }).EmbeddedNow);

        using var model = LitModel.Load(folder["cut"]);
        var found = SearchedData.Find(
            model,
            folder["small"],
            [new Query { Words = "a red thing number 4", Top = 3 }],
            null,
            new(),
            ComputeDevice.Cpu
        );
        Assert.Equal(3, found[0].Results.Count);
    }

    [Fact]
    public void A_run_with_nested_widths_goes_on_where_it_stopped_to_the_same_bits()
    {
        static float[] Weights(string model)
        {
            using var file = Checkpoint.Open(Path.Combine(model, "text.safetensors"));
            return [.. file.Tensors.Keys.Order().SelectMany(name => file.Read(name).data<float>().ToArray())];
        }
        var whole = Tuned("whole", [8]);
        using var stop = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            TuneRun.Run(
                Request("parts", [8]),
                told =>
                {
                    if (told is TuningMeasured { Step: >= 6 })
                        stop.Cancel();
                },
                stop.Token
            )
        );
        var parts = Tuned("parts", [8]);
        Assert.Equal(Weights(whole), Weights(parts));
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(whole, "rotation.safetensors")),
            File.ReadAllBytes(Path.Combine(parts, "rotation.safetensors"))
        );
        Assert.Contains(
            "nested",
            Assert.Throws<LitException>(() => Tuned("parts", [16])).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void What_cannot_be_cut_is_refused_in_words()
    {
        Assert.Contains("both sides give 64 numbers", Refused<UsageException>(() => Tuned("x", [8, 64])));
        Assert.Contains("each once", Refused<UsageException>(() => Tuned("x", [8, 8])));
        var plain = Tuned("plain", null);
        Assert.Contains("was not tuned to be cut", Refused<LitException>(() => ToWidth(plain, 16, null)));
        Assert.Contains("has 64 numbers", Refused<UsageException>(() => ToWidth(plain, 64, null)));
        ToWidth(plain, 16, folder["store"]);
        var spec = LitModel.ImageTowerOf(folder["cut"]);
        using (var shortened = ImageTowerLoader.Load(spec))
        {
            using var other = ImageTowerLoader.Load("cifar-resnet:8", new ImageTowerOptions { Seed = 1 });
            Embed(other, Spec, "pictures", "other");
            Assert.Contains("made by the tower", Refused<LitException>(() => Embed(shortened, spec, "other", "y")));
            Assert.Contains(
                "cut as they are",
                Refused<LitException>(() => Embed(shortened, spec, "store", "y", new() { Update = true }))
            );
        }
        Assert.Contains("made by the tower", Refused<LitException>(() => ToWidth(plain, 16, folder["other"])));
        Assert.Contains(
            "knows along what",
            Refused<UsageException>(() => ToWidth(Tuned("nested", [16]), 16, folder["store"]))
        );

        void ToWidth(string model, int width, string? rows) =>
            ModelCut.ToBundle(model, folder["cut"], width, rows, null, ComputeDevice.Cpu);

        static string Refused<T>(Action action)
            where T : Exception => Assert.ThrowsAny<T>(action).Message;
    }
}
