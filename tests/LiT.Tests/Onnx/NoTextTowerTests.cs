using LiT.Compute;
using LiT.Towers;
using LiT.Tuning.Runs;

namespace LiT.Tests.Onnx;

/// <summary>What is no locked text tower is one line that says what it is and what to do.</summary>
public sealed class NoTextTowerTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void An_image_model_is_no_text_tower() =>
        Refused(
            SmallNetworks.Means(),
            "is an image model: it takes pixels [free, 3, 4, 4]",
            "this one can be the locked image tower: give it as `ImageTower`"
        );

    [Fact]
    public void Two_inputs_that_could_take_ids_have_to_be_told_apart() =>
        Refused(
            new OnnxModel()
                .Input("left", OnnxModel.Int64, -1, 16)
                .Input("right", OnnxModel.Int64, -1, 16)
                .Node("Add", ["left", "right"], "both")
                .Node("Cast", ["both"], "y", ("to", 1L))
                .Output("y", OnnxModel.Float, -1, 16),
            "has 2 inputs that could take the ids of texts: left [free, 16], right [free, 16]",
            "Name one, as in model.onnx:input=left"
        );

    [Fact]
    public void What_it_takes_beside_ids_has_to_be_known() =>
        Refused(
            Ids()
                .Input("past_key_values", OnnxModel.Float, -1, 2, 4, 4)
                .Node("Cast", ["input_ids"], "y", ("to", 1L))
                .Output("y", OnnxModel.Float, -1, 16),
            "takes past_key_values [free, 2, 4, 4] beside the ids (input_ids [free, 16])",
            "mask=, types=, positions="
        );

    [Fact]
    public void Strings_are_made_ids_here() =>
        Refused(
            new OnnxModel().Input("text", 8, -1).Node("Identity", ["text"], "y").Output("y", OnnxModel.Float, -1, 4),
            "takes no ids of texts",
            "strings are made ids by the tokenizer here"
        );

    [Fact]
    public void A_mask_of_another_type_is_named() =>
        Refused(
            Ids()
                .Input("attention_mask", 11, -1, 16)
                .Node("Cast", ["input_ids"], "y", ("to", 1L))
                .Output("y", OnnxModel.Float, -1, 16),
            "its input attention_mask [free, 16] of float64 does not take a mask",
            "Its inputs are"
        );

    [Fact]
    public void Two_outputs_of_unusual_names_have_to_be_told_apart() =>
        Refused(
            Ids()
                .Node("Cast", ["input_ids"], "a", ("to", 1L))
                .Node("Cast", ["input_ids"], "b", ("to", 1L))
                .Output("a", OnnxModel.Float, -1, 16)
                .Output("b", OnnxModel.Float, -1, 16),
            "has 2 outputs: a [free, 16], b [free, 16]",
            "as in model.onnx:output=a"
        );

    [Fact]
    public void An_output_that_is_no_state_a_token_is_none() =>
        Refused(
            Ids()
                .Node("Cast", ["input_ids"], "numbers", ("to", 1L))
                .Integers("sides", 0, 4, 4)
                .Node("Reshape", ["numbers", "sides"], "y")
                .Output("y", OnnxModel.Float, -1, 4, 4),
            "gives y of [4, 4] for 16 ids, which is no state a token",
            "Name another output"
        );

    [Theory]
    [InlineData("If", "has control flow (the operator If)")]
    [InlineData("MatMulInteger", "is quantised (the operator MatMulInteger)")]
    public void What_is_no_image_tower_for_its_operators_is_no_text_tower(string type, string what) =>
        Refused(Ids().Node(type, ["input_ids"], "y").Output("y", OnnxModel.Float, -1, 3), what, "");

    [Fact]
    public void A_custom_operator_is_named() =>
        Refused(
            Ids().NodeOf("ai.onnx.contrib", "BertTokenizer", ["input_ids"], "y").Output("y", OnnxModel.Float, -1, 3),
            "needs the operator BertTokenizer of ai.onnx.contrib",
            "Export it with ONNX's own operators"
        );

    [Fact]
    public void Weights_that_are_not_beside_it_are_missed()
    {
        using MemoryStream beside = new();
        Refused(
            TextNetworks.Table(beside: beside),
            "keeps its weights in weights.bin, which is not beside it",
            "into one folder"
        );
    }

    [Fact]
    public void Weights_beside_it_that_no_bundle_could_hold_are_refused_before_anything_is_tuned()
    {
        using MemoryStream beside = new();
        var model = TextNetworks.Table(beside: beside).Outside("second", offset: 0, length: 2_200_000_000);
        var path = folder.Write("model.onnx", model.ToArray());
        using (var file = File.Create(folder["weights.bin"]))
            file.SetLength(2_200_000_000); // a hole, which takes no room
        var refusal = Assert.Throws<LitException>(() => TextTowerLoader.Load(path));
        Assert.Contains("has more than 2 GB of weights", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("a smaller network", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_cut_is_none()
    {
        var whole = TextNetworks.Table().ToArray();
        foreach (var length in new[] { 3, whole.Length / 2, whole.Length - 20 })
            Assert.Contains("is not a network in ONNX", RefusalOf(whole[..length]));
        Assert.Contains("the file is empty", RefusalOf([]));
    }

    [Fact]
    public void Damaged_notes_are_one_line() =>
        Refused(TextNetworks.Table().Note("lit.text", "{\"input\":"), "the notes 'lit.text' are damaged", "");

    [Fact]
    public void It_cannot_be_trained_and_takes_no_other_options()
    {
        var path = folder.Write("model.onnx", TextNetworks.Table().ToArray());
        using (var loaded = TextTowerLoader.Load(path))
            Assert.Contains(
                "is a constant and cannot be trained",
                Assert.Throws<LitException>(loaded.Tower.Unlock).Message
            );
        foreach (
            var option in new[]
            {
                "heads=4",
                "pool=map",
                "size=3",
                "pool=middle",
                "prompt=query",
                "layers=1",
                "pool=mean,layers=1",
                "pool=mean,heads=4",
            }
        )
            Assert.Throws<UsageException>(() => TextTowerLoader.Load($"{path}:{option}"));
        Assert.Contains(
            "has no input 'x'",
            Assert.Throws<LitException>(() => TextTowerLoader.Load(path + ":mask=x")).Message
        );
    }

    [Fact]
    public void A_network_without_a_mask_wants_to_know_how_long_its_rows_were()
    {
        var tokenizer = SmallTokenizer.Write(folder["tokenizer.json"]);
        var path = folder.Write(
            "model.onnx",
            new OnnxModel()
                .Input("input_ids", OnnxModel.Int64, -1, -1)
                .Node("Cast", ["input_ids"], "numbers", ("to", 1L))
                .Integers("sides", 1)
                .Node("ReduceSum", ["numbers", "sides"], "y")
                .Output("y", OnnxModel.Float, -1, 1)
                .ToArray()
        );
        Assert.Contains(
            "takes rows of any length and no mask",
            Assert
                .Throws<LitException>(() => TextTowers.Load(path, tokenizer, null, ComputeDevice.Cpu, _ => { }))
                .Message
        );
        using var locked = TextTowers.Load(path, tokenizer, 9, ComputeDevice.Cpu, _ => { });
        Assert.Equal(9, locked.Tokenizer.Layout.Length);
    }

    [Fact]
    public void Rows_longer_than_those_it_is_fixed_to_are_refused_and_others_are_as_the_tokenizer_begins_and_ends_them()
    {
        var tokenizer = SmallTokenizer.Write(folder["tokenizer.json"]);
        var path = folder.Write(
            "model.onnx",
            Ids().Node("Cast", ["input_ids"], "y", ("to", 1L)).Output("y", OnnxModel.Float, -1, 16).ToArray()
        );
        Assert.Contains(
            "is fixed to rows of 16 ids",
            Assert
                .Throws<SettingException>(() => TextTowers.Load(path, tokenizer, 17, ComputeDevice.Cpu, _ => { }))
                .Message
        );
        using var locked = TextTowers.Load(path, tokenizer, null, ComputeDevice.Cpu, _ => { });
        var row = locked.Tokenizer.Row("cab", out _);
        // [CLS], c, ##a would follow but ##b is no piece, so the word is [UNK]; then [SEP] and padding.
        Assert.Equal([2L, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], row);
        Assert.Equal([2L, 6, 32, 31, 3], locked.Tokenizer.Row("cat", out _)[..5]);
    }

    private static OnnxModel Ids() => new OnnxModel().Input("input_ids", OnnxModel.Int64, -1, 16);

    private void Refused(OnnxModel model, string what, string remedy) =>
        OnnxRefusal.Says(RefusalOf(model.ToArray()), what, remedy);

    private string RefusalOf(byte[] bytes) => OnnxRefusal.Of(folder, bytes, path => TextTowerLoader.Load(path));
}
