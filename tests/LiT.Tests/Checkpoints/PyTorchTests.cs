using System.IO.Compression;
using LiT.Checkpoints;
using static LiT.Tests.Checkpoints.TorchFiles;

namespace LiT.Tests.Checkpoints;

/// <summary>What torch.save writes, as data.</summary>
public sealed class PyTorchTests : IDisposable
{
    private static readonly (string, byte[]) Six = ("0", Floats(0, 1, 2, 3, 4, 5));
    private static readonly byte[] Row = Tensor(Storage("0", 6), 0, [6], [1]);

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Tensors_are_named_by_the_keys_on_the_way_to_them()
    {
        WriteZip(
            folder["x"],
            Dict([
                (Str("model"), Dict(("conv1.weight", Row), ("blocks", List(Row, None, Tuple(Row))))),
                (Int(7), Row),
                (Tuple(Int(1)), Row), // such a key has no text; numbers under it have no name
                (Str("epoch"), Int(3)),
            ]),
            Six
        );
        using var checkpoint = Checkpoint.Open(folder["x"]);
        Assert.Equal("PyTorch zip", checkpoint.Container);
        Assert.Equal(["model.conv1.weight", "model.blocks.0", "model.blocks.2.0", "7"], checkpoint.Tensors.Keys);
        Assert.Empty(checkpoint.PassedOver);
    }

    [Fact]
    public void A_lone_tensor_is_called_tensor_and_of_two_equal_keys_the_later_counts()
    {
        WriteZip(folder["lone"], Row, Six);
        using var lone = Checkpoint.Open(folder["lone"]);
        Assert.Equal(["tensor"], lone.Tensors.Keys);

        WriteZip(folder["twice"], Dict(("a", Row), ("a", Tensor(Storage("0", 6), 4, [2], [1]))), Six);
        AssertReads("twice", "a", [2], [4, 5]);
    }

    [Fact]
    public void A_view_with_offset_and_strides_is_read_as_torch_sees_it()
    {
        WriteZip(folder["x"], Dict(("t", Tensor(Storage("0", 6), 1, [2, 2], [1, 2]))), Six);
        AssertReads("x", "t", [2, 2], [1, 3, 2, 4]);
    }

    [Fact]
    public void Parameters_subclasses_and_ordered_dicts_of_pairs_are_seen_through()
    {
        var parameter = Call(Global("torch._utils", "_rebuild_parameter"), Row, [0x88], None);
        var subclass = Call(
            Global("torch._tensor", "_rebuild_from_type_v2"),
            Global("torch._utils", "_rebuild_tensor_v2"),
            Global("torch", "Tensor"),
            Tuple(Storage("0", 6), Int(2), Ints(2), Ints(1), [0x89], None),
            None
        );
        WriteZip(
            folder["x"],
            Call(Global("collections", "OrderedDict"), List(Tuple(Str("p"), parameter), Tuple(Str("s"), subclass))),
            Six
        );
        AssertReads("x", "p", [6], [0, 1, 2, 3, 4, 5]);
        AssertReads("x", "s", [2], [2, 3]);
    }

    [Fact]
    public void An_untyped_storage_takes_the_type_of_its_tensor()
    {
        var tensor = Call(
            Global("torch._utils", "_rebuild_tensor_v3"),
            Storage("0", 24, "UntypedStorage"),
            Int(1),
            Ints(3),
            Ints(1),
            [0x89],
            None,
            Global("torch", "uint16")
        );
        WriteZip(folder["x"], Dict(("t", tensor)), ("0", [1, 0, 2, 0, 3, 0, 0xFF, 0xFF, .. new byte[16]]));
        AssertReads("x", "t", [3], [2, 3, 65535]);
    }

    [Fact]
    public void Numpy_arrays_are_tensors_too()
    {
        var dtype = Call(Global("numpy", "dtype"), Str("f4"), [0x89], [0x88]);
        byte[] bigEndian = [.. dtype, .. Tuple(Int(3), Str(">"), None), (byte)'b'];
        byte[] array =
        [
            .. Call(Global("numpy._core.multiarray", "_reconstruct"), Global("numpy", "ndarray"), Ints(0), Str("b")),
            .. Tuple(
                Int(1),
                Ints(2, 2),
                bigEndian,
                [0x88],
                [(byte)'C', 16, .. Floats(1, 2, 3, 4).Chunk(4).SelectMany(value => value.Reverse())]
            ),
            (byte)'b',
        ];
        WriteZip(folder["x"], Dict(("a", array)));
        AssertReads("x", "a", [2, 2], [1, 3, 2, 4]); // Fortran order
    }

    [Fact]
    public void Archives_of_big_endian_machines_are_turned_round()
    {
        WriteMembers(
            folder["x"],
            CompressionLevel.NoCompression,
            ("a/data.pkl", Whole(Dict(("t", Tensor(Storage("0", 2), 0, [2], [1]))))),
            ("a/byteorder", "big"u8.ToArray()),
            ("a/data/0", [0x3F, 0x80, 0, 0, 0x40, 0, 0, 0])
        );
        AssertReads("x", "t", [2], [1, 2]);
    }

    [Fact]
    public void Deflated_archives_are_read()
    {
        WriteMembers(
            folder["x"],
            CompressionLevel.Optimal,
            ("a/data.pkl", Whole(Dict(("t", Tensor(Storage("0", 1000), 990, [10], [1]))))),
            ("a/data/0", new byte[4000])
        );
        AssertReads("x", "t", [10], new double[10]);
    }

    [Fact]
    public void Whatever_a_foreign_function_would_do_it_is_only_named()
    {
        var touched = folder["touched"];
        WriteZip(
            folder["x"],
            Dict(
                ("evil", Call(Global("os", "system"), Str($"touch {touched}"))),
                ("worse", Call(Global("builtins", "eval"), Str("1"))),
                ("w", Row),
                ("odd", [.. Call(Global("a.b", "C\u001b[2J")), .. Dict(("w", Row)), (byte)'b'])
            ),
            Six
        );
        using var checkpoint = Checkpoint.Open(folder["x"]);
        Assert.Equal(["w"], checkpoint.Tensors.Keys);
        Assert.Equal(
            [
                "a.b.C?[2J: no tensor, not executed",
                "builtins.eval: no tensor, not executed",
                "os.system: no tensor, not executed",
            ],
            checkpoint.PassedOver
        );
        Assert.False(File.Exists(touched));
    }

    [Fact]
    public void A_storage_of_an_unknown_type_does_not_hinder_the_others()
    {
        WriteZip(
            folder["x"],
            Dict(("q", Tensor(Storage("1", 4, "QInt8Storage"), 0, [4], [1])), ("w", Row)),
            Six,
            ("1", new byte[4])
        );
        using var checkpoint = Checkpoint.Open(folder["x"]);
        Assert.Equal(["w"], checkpoint.Tensors.Keys);
        Assert.Equal(["torch.QInt8Storage: no tensor, not executed"], checkpoint.PassedOver);
    }

    [Fact]
    public void A_file_without_tensors_says_what_it_would_have_had_to_execute()
    {
        WriteZip(folder["x"], Call(Global("__torch__.models", "ViT")));
        Assert.Equal(
            $"{folder["x"]}: holds no tensors that can be read without executing __torch__.models.ViT. Save "
                + "the model's state_dict() with torch.save.",
            Assert.Throws<LitException>(() => Checkpoint.Open(folder["x"])).Message
        );
    }

    [Fact]
    public void The_old_container_is_read_whatever_the_protocol_and_with_views_of_storages()
    {
        byte[] view =
        [
            .. Tuple(
                Str("storage"),
                Global("torch", "FloatStorage"),
                Str("0"),
                Str("cpu"),
                Int(6),
                Tuple(Str("v"), Int(2), Int(3))
            ),
            (byte)'Q',
        ];
        WriteLegacy(folder["x"], Dict(("v", Tensor(view, 1, [2], [1])), ("w", Row)), ("0", 4, Six.Item2));
        AssertReads("x", "v", [2], [3, 4]);
        AssertReads("x", "w", [6], [0, 1, 2, 3, 4, 5]);

        var bytes = File.ReadAllBytes(folder["x"]);
        bytes[1] = 4; // the protocol that the first pickle names
        File.WriteAllBytes(folder["x"], bytes);
        AssertReads("x", "w", [6], [0, 1, 2, 3, 4, 5]);
    }

    private void AssertReads(string file, string name, long[] shape, double[] values)
    {
        using var checkpoint = Checkpoint.Open(folder[file]);
        using var tensor = checkpoint.Read(name);
        TensorValues.AssertValues(tensor, shape, values, name);
        Assert.Equal(checkpoint.Tensors[name].Type, tensor.dtype);
    }
}
