using System.Text;
using LiT.Checkpoints;
using static TorchSharp.torch;

namespace LiT.Tests.Checkpoints;

public sealed class SafetensorsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_order_of_writing_does_not_matter_and_every_tensor_is_aligned()
    {
        using var half = ones(3, ScalarType.Float16);
        using var wide = ones(3, ScalarType.Float64);
        using var flag = ones(3, ScalarType.Bool);
        Safetensors.Write(
            folder["1"],
            [("b", half), ("a", flag), ("c", wide)],
            new Dictionary<string, string> { ["y"] = "2", ["x"] = "1" }
        );
        Safetensors.Write(
            folder["2"],
            [("c", wide), ("b", half), ("a", flag)],
            new Dictionary<string, string> { ["x"] = "1", ["y"] = "2" }
        );
        var bytes = File.ReadAllBytes(folder["1"]);
        Assert.Equal(bytes, File.ReadAllBytes(folder["2"]));
        Assert.Equal(0, (8 + bytes[0] + (bytes[1] << 8)) % 64);
        Assert.Contains(
            """{"__metadata__":{"x":"1","y":"2"},"c":{"dtype":"F64","shape":[3],"data_offsets":[0,24]},"b":{""",
            Encoding.UTF8.GetString(bytes, 8, 120)
        );
        Assert.Throws<ArgumentException>(() => Safetensors.Write(folder["3"], [("a", half), ("a", wide)]));
    }

    [Fact]
    public void A_view_is_written_as_what_it_shows()
    {
        using var whole = arange(12, ScalarType.Float32).reshape(3, 4);
        using var view = whole.t();
        Safetensors.Write(folder["x"], [("t", view)]);
        using var checkpoint = Checkpoint.Open(folder["x"]);
        using var read = checkpoint.Read("t");
        TensorValues.AssertSame(view, read, "t");
    }

    [Fact]
    public void A_file_may_be_written_over_while_its_old_tensors_are_in_use()
    {
        using var before = full(100_000, 1f);
        using var after = full(100_000, 2f);
        Safetensors.Write(folder["x"], [("w", before)]);
        using var checkpoint = Checkpoint.Open(folder["x"]);
        using var held = checkpoint.Read("w");
        Safetensors.Write(folder["x"], [("w", after)]);
        TensorValues.AssertSame(before, held, "w");
        Assert.Equal(
            $"{folder["x"]}: the file was changed while it was being read. Try again.",
            Assert.Throws<LitException>(() => checkpoint.Read("w")).Message
        );
    }

    [Fact]
    public void Paths_in_any_script_are_mapped()
    {
        using var tensor = arange(10, ScalarType.Float32);
        Safetensors.Write(folder["Gewichte – 重み 🦜.safetensors"], [("größe/重み", tensor)]);
        using var checkpoint = Checkpoint.Open(folder["Gewichte – 重み 🦜.safetensors"]);
        using var read = checkpoint.Read("größe/重み");
        TensorValues.AssertSame(tensor, read, "w");
    }

    [Fact]
    public void A_type_that_torch_has_not_is_named_and_the_rest_is_read()
    {
        Write(
            """{"a":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U16","shape":[1],"data_offsets":[2,4]}}""",
            [1, 2, 0xFF, 0xFF]
        );
        using var checkpoint = Checkpoint.Open(folder["x"]);
        Assert.Equal(["b"], checkpoint.Tensors.Keys);
        Assert.Equal(["a: has elements of type F8_E4M3, which cannot be read"], checkpoint.PassedOver);
        using var tensor = checkpoint.Read("b");
        TensorValues.AssertValues(tensor, [1], [65535], "b");
        Assert.Contains(
            "has elements of type F8_E4M3",
            Assert.Throws<LitException>(() => checkpoint.Read("a")).Message
        );
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", "has 4 bytes, where F32 [2] needs 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", "lies at bytes 4 to 0 of 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", "lies at bytes -4 to 0 of 4")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775807]}}""",
        "lies at bytes 0 to 9223372036854775807 of 4"
    )]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", "has the shape [-1]")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}""",
        "has the shape [4611686018427387904, 4]"
    )]
    [InlineData("""{"a":{"dtype":"F32","shape":[1e2],"data_offsets":[0,4]}}""", "no JSON of the kind expected")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", "no JSON of the kind expected")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}""",
        "no JSON of the kind expected"
    )]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}""",
        "has not dtype, shape and two data_offsets"
    )]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""", "has not dtype, shape and two data_offsets")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"shape":[1]}}""",
        "'shape' is not expected there"
    )]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""",
        "is named twice"
    )]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""",
        "overlaps another one"
    )]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}""", "has unnamed bytes before it")]
    [InlineData(
        """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""",
        "has 4 bytes of tensors, where its header names 1"
    )]
    [InlineData("""{"__metadata__":{"a":1}}""", "no JSON of the kind expected")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} {}""", "no JSON of the kind expected")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}""", "no JSON of the kind expected")]
    [InlineData("""{"\uD800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "no JSON of the kind expected")]
    public void A_header_that_contradicts_the_file_is_refused(string header, string expected)
    {
        Write(header, new byte[4]);
        var refusal = Assert.Throws<LitException>(() => Checkpoint.Open(folder["x"])).Message;
        Assert.StartsWith(folder["x"], refusal);
        Assert.Contains(expected, refusal);
        Assert.EndsWith("The file is damaged; download or copy it again.", refusal);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    [InlineData(1L << 40)]
    public void A_header_longer_than_the_file_is_refused(long length)
    {
        File.WriteAllBytes(folder["x"], [.. ZipBytes.Little(length, 8), .. "{}"u8]);
        var refusal = Assert.Throws<LitException>(() => Checkpoint.Open(folder["x"])).Message;
        Assert.Contains(
            length > 0 && length < 1L << 48 ? $"says that its header has {length} bytes" : "is no checkpoint",
            refusal
        );
    }

    [Fact]
    public void Names_from_a_file_cannot_steer_a_terminal()
    {
        Write("""{"a\u001b[2J\n":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", new byte[4]);
        var refusal = Assert.Throws<LitException>(() => Checkpoint.Open(folder["x"])).Message;
        Assert.Contains("tensor a?[2J?: has 4 bytes", refusal);
    }

    [Fact]
    public void An_index_that_names_itself_is_refused()
    {
        File.WriteAllText(
            folder["model.safetensors.index.json"],
            """{"weight_map": {"a": "model.safetensors.index.json"}}"""
        );
        Assert.Contains("is no checkpoint", Assert.Throws<LitException>(() => Checkpoint.Open(folder.Path)).Message);
    }

    private void Write(string header, byte[] data)
    {
        var json = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(folder["x"], [.. ZipBytes.Little(json.Length, 8), .. json, .. data]);
    }
}
