using System.Runtime.InteropServices;
using System.Text.Json;
using LiT.Checkpoints;
using LiT.Data;
using LiT.Embedding;
using LiT.Stores;
using LiT.Tests.Stores;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;
using LiT.Tuning.Runs;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

/// <summary>Runs of which both sides are stored, beside runs through the text tower itself.</summary>
public sealed class StoredTextsTests : IDisposable
{
    private const int Pictures = 40;
    private readonly TemporaryFolder folder = new();

    public StoredTextsTests()
    {
        Directory.CreateDirectory(At("store"));
        var values = new float[Pictures * 6];
        var images = new TinyRun.Directions(Pictures);
        for (var i = 0; i < Pictures; i++)
            images.Read(i, 0, values.AsSpan(i * 6, 6));
        using (var file = File.Create(At("store/img_emb_0.npy")))
        {
            file.Write(NpyFile.Head(StoredType.Float32, Pictures, 6));
            file.Write(MemoryMarshal.AsBytes(values.AsSpan()));
        }
        File.WriteAllText(
            At("store/captions.json"),
            JsonSerializer.Serialize(Enumerable.Range(0, Pictures).Select(TinyRun.Captions))
        );
        Tower("tower", 5);
        Texts("texts", "tower", Samples());
    }

    private string At(string name) => Path.Combine(folder.Path, name);

    private void Tower(string name, long seed)
    {
        using var made = TextData.Tower(seed);
        Directory.CreateDirectory(At(name));
        TextTowerFile.Save(At(name + "/text.safetensors"), made.Tower);
        made.Tokenizer.Tokenizer.Save(At(name));
    }

    private static IEnumerable<Sample> Samples() =>
        Enumerable
            .Range(0, Pictures)
            .Select(i => new Sample(FormattableString.Invariant($"{i}"), "") { Captions = TinyRun.Captions(i) });

    private void Texts(string name, string tower, IEnumerable<Sample> samples)
    {
        using var locked = TextTowers.Load(At(tower + "/text.safetensors"), null, 8, TextData.Compute, _ => { });
        TextRun.Run(
            locked,
            new TextData.Given([.. samples]) { Path = "given" },
            At(name),
            new() { Type = StoredType.Float32, TokenLength = 8 },
            TextData.Compute
        );
    }

    private TuneRequest Request(string run, bool stored = true, string head = "8") =>
        new()
        {
            Data = At("store"),
            Out = At(run),
            Lock = LockSetting.LL,
            Texts = stored ? At("texts") : null,
            TextInit = stored ? null : At("tower/text.safetensors"),
            TokenLength = stored ? null : 8,
            ImageHead = HeadSpec.Parse(head, ""),
            TextHead = HeadSpec.Parse(head, ""),
            HoldOut = 0,
            Settings = new()
            {
                Batch = 16,
                Steps = 6,
                LearningRate = 0.01,
                CheckpointEvery = 2,
            },
            Compute = TextData.Compute,
        };

    private static Dictionary<string, Tensor> Weights(TuneResult result)
    {
        using var file = Checkpoint.Open(Path.Combine(result.Model, "text.safetensors"));
        return file.Tensors.Keys.ToDictionary(name => name, name => file.Read(name).clone());
    }

    [Fact]
    public void Stored_rows_tune_the_heads_that_the_text_tower_itself_does()
    {
        using var scope = NewDisposeScope();
        var stored = Weights(TuneRun.Run(Request("stored"), _ => { }));
        var computed = Weights(TuneRun.Run(Request("computed", stored: false) with { Pictures = Pictures }, _ => { }));
        Assert.False(Directory.Exists(At("computed/texts"))); // with a number of pictures the tower reads at every step
        Assert.Equal(computed.Keys.Order(), stored.Keys.Order());
        foreach (var (name, expected) in computed)
            Assert.True(
                (expected - stored[name]).abs().max().item<float>() < 1e-5,
                $"{name}: {(expected - stored[name]).abs().max().item<float>()}"
            );
    }

    [Fact]
    public void Where_both_towers_are_locked_a_run_stores_its_texts_itself()
    {
        using var scope = NewDisposeScope();
        var stored = Weights(TuneRun.Run(Request("stored"), _ => { }));
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() =>
            TuneRun.Run(
                Request("once", stored: false),
                happened =>
                {
                    if (happened is TuningNote note && note.Words.Contains("goes through", StringComparison.Ordinal))
                        stop.Cancel();
                },
                stop.Token
            )
        );
        var once = Weights(TuneRun.Run(Request("once", stored: false), _ => { }));
        foreach (var (name, expected) in stored)
            Assert.True(expected.equal(once[name]).all().item<bool>(), name);
        using var texts = TextStore.Open(At("once/texts"));
        Assert.Equal(Samples().Sum(sample => sample.Captions.Count), texts.Rows);
    }

    [Fact]
    public void The_model_reads_words_through_its_text_tower_and_finds_the_pictures()
    {
        var request = Request("gated", head: "8:glu:4");
        var result = TuneRun.Run(request with { Settings = request.Settings with { Steps = 60 } }, _ => { });
        Assert.True(result.Outcome.Last.I2tAccuracy > 0.9, $"{result.Outcome.Last.I2tAccuracy}");
        using var model = LitModel.Load(result.Model, TextData.Compute);
        using var texts = TextStore.Open(At("texts"));
        var words = texts.Words(0);
        var (row, embedded) = (new float[16], model.EmbedTexts([words]));
        texts.Read(0, row, ownLength: true);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var expected = TwoTowers.UnitLength(model.Towers.TextHead!.call(tensor(row, [1, 16])));
        for (var i = 0; i < 8; i++)
            Assert.Equal(expected[0, i].item<float>(), embedded[0][i], 1e-4f);
    }

    [Fact]
    public void A_run_that_was_stopped_goes_on_to_the_same_weights()
    {
        using var scope = NewDisposeScope();
        var whole = Weights(TuneRun.Run(Request("whole", head: "8:glu:2"), _ => { }));
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() =>
            TuneRun.Run(
                Request("stopped", head: "8:glu:2"),
                happened =>
                {
                    if (happened is TuningMeasured { Step: 3 })
                        stop.Cancel();
                },
                stop.Token
            )
        );
        var got = Weights(TuneRun.Run(Request("stopped", head: "8:glu:2"), _ => { }));
        foreach (var (name, expected) in whole)
            Assert.True(expected.equal(got[name]).all().item<bool>(), name);
    }

    [Fact]
    public void What_is_held_out_is_validated_on_stored_rows_and_other_data_on_the_tower()
    {
        List<string> numbers = [];
        void Told(TuningEvent happened)
        {
            if (happened is TuningValidated { Step: 6 } line)
                numbers.Add(string.Join(' ', line.Numbers.Keys));
        }
        TuneRun.Run(Request("held") with { HoldOut = 0.2 }, Told);
        TuneRun.Run(Request("val") with { Validation = At("store") }, Told);
        Assert.All(numbers, names => Assert.Contains("meanRecall", names, StringComparison.Ordinal));
        Assert.Equal(2, numbers.Count);
    }

    [Fact]
    public void Texts_are_matched_by_key_and_what_does_not_match_is_counted_and_named()
    {
        Texts("some", "tower", [.. Samples().Skip(3), new("elsewhere", "") { Captions = ["a red thing"] }]);
        List<string> said = [];
        var result = TuneRun.Run(Request("part") with { Texts = At("some") }, happened =>
        {
            if (happened is TuningNote note)
                said.Add(note.Words);
        });
        Assert.Equal(37, result.Pairs);
        Assert.Contains(said, words => words.EndsWith("of 38 pictures, 37 of them in " + At("store")));
        Assert.Contains(said, words => words.Contains("1 of its keys name no picture", StringComparison.Ordinal));
        Assert.Contains(said, words => words.EndsWith("have no text, the first '0'", StringComparison.Ordinal));
        Texts("none", "tower", [new("elsewhere", "") { Captions = ["a red thing"] }]);
        Refused("none of its 1 keys is a picture", Request("r") with { Texts = At("none") });
    }

    [Fact]
    public void Another_tower_and_settings_that_cannot_be_are_refused_in_a_line()
    {
        Tower("other", 6);
        var other = At("other/text.safetensors");
        Refused("its texts were read by", Request("r") with { TextTower = other, TokenLength = 8 });
        Refused("tunes the text tower", Request("r") with { Lock = LockSetting.LU });
        Refused("the captions are those of", Request("r") with { Samples = new() { Captions = "c.tsv" } });
        Refused("holds no embedded texts", Request("r") with { Texts = At("tower") });
        Refused("where embedded texts are needed", Request("r") with { Texts = Pictured() });
        Directory.Delete(At("tower"), recursive: true);
        Refused("it is not there", Request("r"));

        string Pictured()
        {
            StoreFile file = new(StoreData.Describe(), true, new(0, 0, 0));
            Directory.CreateDirectory(At("pictured"));
            file.Write(At("pictured"));
            return At("pictured");
        }
    }

    private static void Refused(string words, TuneRequest request)
    {
        var refusal = Assert.ThrowsAny<LitException>(() => TuneRun.Run(request, _ => { }));
        Assert.Contains(words, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Fact]
    public void Lion_moves_the_same_whatever_the_sigmoid_loss_is_divided_by()
    {
        using var scope = NewDisposeScope();
        TuneRequest Over(LossOver over) =>
            Request("over" + over) with
            {
                Settings = new()
                {
                    Batch = 16,
                    Steps = 4,
                    Loss = ContrastiveLossKind.Sigmoid,
                    LossOver = over,
                    Optimizer = OptimizerKind.Lion,
                    LearningRate = 0.001,
                    ClipNorm = 1e9,
                },
            };
        var (batch, pairs) = (
            Weights(TuneRun.Run(Over(LossOver.Batch), _ => { })),
            Weights(TuneRun.Run(Over(LossOver.Pairs), _ => { }))
        );
        foreach (var (name, expected) in batch)
            Assert.True((expected - pairs[name]).abs().max().item<float>() < 1e-6, name);
        var softmax = Over(LossOver.Pairs);
        Refused("is a mean over the batch", softmax with { Settings = softmax.Settings with { Loss = null } });
    }

    private void Teacher(string name, int pictures, int size)
    {
        Directory.CreateDirectory(At(name));
        var random = new Random(size);
        float[] values = [.. Enumerable.Range(0, pictures * size).Select(_ => random.NextSingle())];
        for (var i = 0; i < pictures; i++)
            values[i * size + i % 3] += 2;
        using var file = File.Create(At($"{name}/img_emb_0.npy"));
        file.Write(NpyFile.Head(StoredType.Float32, pictures, size));
        file.Write(MemoryMarshal.AsBytes(values.AsSpan()));
    }

    [Fact]
    public void A_teacher_is_met_by_key_moves_the_weights_and_a_stopped_run_goes_on_with_it_to_the_same_bits()
    {
        using var scope = NewDisposeScope();
        Teacher("teacher", 30, 5);
        Teacher("another", 30, 4);
        TuneRequest Taught(string run) =>
            Request(run) with
            {
                TeacherStore = At("teacher"),
                Settings = Request(run).Settings with { Structure = 10, StructureLevels = 2 },
            };
        List<string> said = [];
        var plain = Weights(TuneRun.Run(Request("plain"), _ => { }));
        var whole = Weights(TuneRun.Run(Taught("whole"), happened =>
            {
                if (happened is TuningNote note)
                    said.Add(note.Words);
            }));
        Assert.Contains(said, words => words.Contains("rows of 30 of the 40 pictures", StringComparison.Ordinal));
        Assert.Contains(said, words => words.Contains("10 pictures of", StringComparison.Ordinal));
        Assert.Contains(said, words => words.Contains("the first '30'", StringComparison.Ordinal));
        Assert.False(plain["textHead.linear.weight"].equal(whole["textHead.linear.weight"]).all().item<bool>());

        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() =>
            TuneRun.Run(
                Taught("stopped"),
                happened =>
                {
                    if (happened is TuningMeasured { Step: 3 })
                        stop.Cancel();
                },
                stop.Token
            )
        );
        Refused("begun with `TeacherStore`", Taught("stopped") with { TeacherStore = At("another") });
        var got = Weights(TuneRun.Run(Taught("stopped"), _ => { }));
        foreach (var (name, expected) in whole)
            Assert.True(expected.equal(got[name]).all().item<bool>(), name);
    }

    [Fact]
    public void Teachers_and_neighbours_that_cannot_be_are_refused_in_a_line()
    {
        Refused("is no store of pictures' embeddings", Request("r") with { TeacherStore = At("tower") });
        using (
            var elsewhere = EmbeddingStoreWriter.Open(
                At("elsewhere"),
                StoreData.Describe() with
                {
                    Type = StoredType.Float32,
                    Views = 1,
                }
            )
        )
            elsewhere.Write([
                (
                    new Sample("not-here", ""),
                    new EmbeddedPicture(1, 1, new byte[32]),
                    [.. Enumerable.Repeat(1f, StoreData.Describe().EmbeddingSize)]
                ),
            ]);
        Refused("holds none of the 40 pictures", Request("r") with { TeacherStore = At("elsewhere") });
        var request = Request("r");
        Refused(
            "compares no picture with the texts of others",
            request with
            {
                TeacherStore = At("store"),
                Settings = request.Settings with { Loss = ContrastiveLossKind.Cosine },
            }
        );
        Refused(
            "there is none here",
            request with
            {
                Texts = null,
                Lock = LockSetting.Lu,
                TextTower = "text:width=16,depth=1,heads=2",
                ImageHead = HeadSpec.None,
                TextHead = new(null),
                Settings = request.Settings with { Structure = 10 },
            }
        );
        Refused("give 1 to 16", request with { Settings = request.Settings with { StructureLevels = 17 } });
        var taught = request with { TeacherStore = At("store") };
        Refused("give a share", taught with { Settings = request.Settings with { TeacherWeight = 1.5 } });
        Refused("there is no teacher", request with { Settings = request.Settings with { TeacherWeight = 0.3 } });
        Refused("there is no teacher", request with { Settings = request.Settings with { TeacherTemperature = 1 } });
    }

    public void Dispose() => folder.Dispose();
}
