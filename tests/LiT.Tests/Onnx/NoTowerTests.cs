using System.Text;
using LiT.Compute;
using LiT.Towers;
using TorchSharp;

namespace LiT.Tests.Onnx;

/// <summary>What is no locked tower is one line that says what it is and what to do.</summary>
public sealed class NoTowerTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_custom_operator_is_named() =>
        Refused(
            Pictures().NodeOf("my.company", "Whiten", ["pixels"], "y").Output("y", OnnxModel.Float, -1, 3),
            "needs the operator Whiten of my.company",
            "Export it with ONNX's own operators"
        );

    [Theory]
    [InlineData("If")]
    [InlineData("Loop")]
    [InlineData("Scan")]
    public void Control_flow_is_named(string type) =>
        Refused(
            Pictures().Node(type, ["pixels"], "y").Output("y", OnnxModel.Float, -1, 3),
            $"has control flow (the operator {type})",
            "Export it by tracing one example"
        );

    [Theory]
    [InlineData("QLinearConv")]
    [InlineData("DynamicQuantizeLinear")]
    [InlineData("QuantizeLinear")]
    [InlineData("MatMulInteger")]
    public void A_quantised_network_is_refused_since_its_numbers_differ_between_processors(string type) =>
        Refused(
            Pictures().Node(type, ["pixels"], "y").Output("y", OnnxModel.Float, -1, 3),
            $"is quantised (the operator {type})",
            "Give the float32 network"
        );

    [Fact]
    public void Weights_that_are_not_beside_it_are_missed()
    {
        using MemoryStream beside = new();
        var model = SmallNetworks.Convolutional(beside: beside);
        Refused(model, "keeps its weights in weights.bin, which is not beside it", "into one folder");
        folder.Write("weights.bin", beside.ToArray()[..100]);
        Refused(model, "weights.bin: has 100 bytes, and kernel lies behind its end", "copy it again");
    }

    [Theory]
    [InlineData("../else.bin", "leads out of the folder")]
    [InlineData("/etc/passwd", "is an absolute path")]
    public void Weights_are_taken_from_its_own_folder_only(string location, string why)
    {
        using MemoryStream beside = new();
        // A name of the same length, so that no length in the file changes.
        var bytes = Encoding.Latin1.GetString(SmallNetworks.Convolutional(beside: beside).ToArray());
        Assert.Contains(why, RefusalOf(Encoding.Latin1.GetBytes(bytes.Replace("weights.bin", location))));
    }

    [Fact]
    public void Two_inputs_that_could_take_pictures_have_to_be_told_apart()
    {
        var model = Pictures()
            .Input("masks", OnnxModel.Float, -1, 3, 4, 4)
            .Node("Add", ["pixels", "masks"], "y")
            .Output("y", OnnxModel.Float, -1, 3, 4, 4);
        Refused(
            model,
            "has 2 inputs that could take pictures: pixels [free, 3, 4, 4], masks [free, 3, 4, 4]",
            "Name one, as in model.onnx:input=pixels"
        );
        var named = Assert.Throws<LitException>(() => ImageTowerLoader.Load(folder["model.onnx"] + ":input=pixels"));
        Assert.Contains("takes masks [free, 3, 4, 4] beside the pictures", named.Message);
        var wrong = Assert.Throws<LitException>(() => ImageTowerLoader.Load(folder["model.onnx"] + ":input=x"));
        Assert.Contains("has no input 'x'. Its inputs are pixels", wrong.Message);
    }

    [Fact]
    public void A_text_model_is_no_image_tower() =>
        Refused(
            new OnnxModel()
                .Input("input_ids", OnnxModel.Int64, -1, 16)
                .Input("attention_mask", OnnxModel.Int64, -1, 16)
                .Node("Cast", ["input_ids"], "y", ("to", 1L))
                .Output("y", OnnxModel.Float, -1, 16),
            "is a text model: it takes input_ids [free, 16], attention_mask [free, 16]",
            "Give a network that takes pictures"
        );

    [Theory]
    [InlineData(11, "float64")]
    [InlineData(16, "bfloat16")]
    [InlineData(3, "int8")]
    public void Another_type_is_named(int type, string name) =>
        Refused(
            new OnnxModel()
                .Input("pixels", type, -1, 3, 4, 4)
                .Node("Identity", ["pixels"], "y")
                .Output("y", type, -1, 3),
            $"its input pixels [free, 3, 4, 4] takes {name}",
            "Export it in float32 or float16"
        );

    [Fact]
    public void Pictures_of_one_channel_are_refused() =>
        Refused(
            new OnnxModel()
                .Input("grey", OnnxModel.Float, -1, 1, 4, 4)
                .Node("GlobalAveragePool", ["grey"], "y")
                .Output("y", OnnxModel.Float, -1, 1, 1, 1),
            "takes pictures of 1 channel",
            "red, green and blue"
        );

    [Fact]
    public void Two_outputs_have_to_be_told_apart() =>
        Refused(
            Pictures()
                .Node("GlobalAveragePool", ["pixels"], "a")
                .Node("GlobalMaxPool", ["pixels"], "b")
                .Output("a", OnnxModel.Float, -1, 3, 1, 1)
                .Output("b", OnnxModel.Float, -1, 3, 1, 1),
            "has 2 outputs: a [free, 3, 1, 1], b [free, 3, 1, 1]",
            "as in model.onnx:output=a"
        );

    [Fact]
    public void A_file_that_is_cut_or_empty_or_something_else_is_none()
    {
        var whole = SmallNetworks.Convolutional().ToArray();
        foreach (var length in new[] { 3, whole.Length / 2, whole.Length - 20 })
            Assert.Contains("is not a network in ONNX (not a protocol buffer, or cut off)", RefusalOf(whole[..length]));
        Assert.Contains("the file is empty", RefusalOf([]));
        Assert.Contains("is not a network in ONNX", RefusalOf("<!doctype html><html>"u8.ToArray()));
        Assert.Contains("holds no graph", RefusalOf([8, 7]));
    }

    [Fact]
    public void A_graph_of_two_gigabytes_is_refused_unread()
    {
        using (var file = File.Create(folder["model.onnx"]))
            file.SetLength(2_200_000_000); // a hole, which takes no room
        var refusal = Assert.Throws<LitException>(() => ImageTowerLoader.Load(folder["model.onnx"]));
        Assert.Contains("has 2.2 GB, and a graph in ONNX has less than 2.1", refusal.Message);
        Assert.Contains("external data", refusal.Message);
    }

    [Fact]
    public void A_network_that_ONNX_Runtime_refuses_is_one_line_of_its_words() =>
        Refused(
            Pictures().Node("Conv", ["pixels", "nowhere"], "y").Output("y", OnnxModel.Float, -1, 3),
            "ONNX Runtime does not take it (",
            "that it runs elsewhere"
        );

    [Fact]
    public void A_constant_cannot_be_trained_or_be_a_text_tower_or_take_other_options()
    {
        var path = folder.Write("model.onnx", SmallNetworks.Means().ToArray());
        Assert.Contains(
            "is a constant and cannot be trained",
            Assert
                .Throws<LitException>(() => ImageTowerLoader.Load(path, new ImageTowerOptions { Locked = false }))
                .Message
        );
        Assert.Contains(
            "is an image model: it takes pixels",
            Assert.Throws<LitException>(() => TextTowerLoader.Load(path)).Message
        );
        Assert.Contains(
            "Leave `ScalarType` at float32",
            Assert
                .Throws<LitException>(() =>
                    ImageTowerLoader.Load(
                        path,
                        new() { Compute = ComputeDevice.Cpu with { Type = torch.ScalarType.BFloat16 } }
                    )
                )
                .Message
        );
        foreach (
            var option in new[] { "heads=4", "int8", "layout=abc", "mean=a", "std=1,2", "crop=7", "preprocess=other" }
        )
            Assert.Throws<UsageException>(() => ImageTowerLoader.Load($"{path}:{option}"));
        Assert.Contains(
            "its input pixels [free, 3, 4, 4] is fixed to pictures of 4 x 4, and 8 x 8 are to go in",
            Assert.Throws<LitException>(() => ImageTowerLoader.Load($"{path}:size=8,preprocess=raw")).Message
        );
    }

    private static OnnxModel Pictures() => new OnnxModel().Input("pixels", OnnxModel.Float, -1, 3, 4, 4);

    private void Refused(OnnxModel model, string what, string remedy) =>
        OnnxRefusal.Says(RefusalOf(model.ToArray()), what, remedy);

    private string RefusalOf(byte[] bytes) => OnnxRefusal.Of(folder, bytes, path => ImageTowerLoader.Load(path));
}
