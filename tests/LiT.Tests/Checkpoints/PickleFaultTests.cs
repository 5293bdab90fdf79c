using System.IO.Compression;
using System.Text;
using LiT.Checkpoints;
using static LiT.Tests.Checkpoints.TorchFiles;

namespace LiT.Tests.Checkpoints;

/// <summary>Pickles that are damaged, or made to harm: one line each, at once, and without much memory.</summary>
public sealed class PickleFaultTests : IDisposable
{
    private static readonly byte[] Row = Tensor(Storage("0", 6), 0, [6], [1]);

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static IEnumerable<TheoryDataRow<string, byte[]>> Faults() =>
        [
            new("unknown opcode 0xff", [0xFF]),
            new("is cut off", [(byte)'X', 10, 0, 0, 0, 1]),
            new("is cut off", [(byte)'B', 0xFF, 0xFF, 0xFF, 0xFF]),
            new("is cut off", [0x8B, 0xFF, 0xFF, 0xFF, 0x7F]),
            new("is cut off", [0x8D, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
            new("is cut off", [(byte)'T', 0xFF, 0xFF, 0xFF, 0xFF]),
            new("takes from an empty stack", []),
            new("takes from an empty stack", [(byte)'a']),
            new("takes from an empty stack", [(byte)'N', (byte)'(', (byte)'0']),
            new("closes what it never opened", [(byte)'t']),
            new("has a key without a value", [(byte)'}', (byte)'(', (byte)'N', (byte)'u']),
            new("recalls object 5, which it never kept", [(byte)'h', 5]),
            new("has an index that is none", [(byte)'N', .. "p-1\n"u8]),
            new("has a number that is none", [.. "Ione\n"u8]),
            new("has a number that is none", [.. "F1,5\n"u8]),
            new("has a text without quotes", [.. "Sa\n"u8]),
            new("has a line without end", [(byte)'I', .. new byte[5000]]),
            new("has a persistent id that is no storage", [.. Int(1), (byte)'Q']),
            new("has a persistent id that is no storage", Storage("0", -1)),
            new("has a tensor without a shape", Tensor(Storage("0", 6), -1, [2], [1])),
            new("has a tensor without a shape", Tensor(Storage("0", 6), 0, [-2], [1])),
            new("has a tensor without a shape", Tensor(Storage("0", 6), 0, [2], [-1])),
            new("has a tensor without a shape", Tensor(Storage("0", 6), 0, [2, 2], [1])),
            new("has a tensor without a shape", Tensor(Storage("0", 6), 0, [long.MaxValue, long.MaxValue], [1, 1])),
            new("lie outside of storage 0", Tensor(Storage("0", 6), 0, [7], [1])),
            new("lie outside of storage 0", Tensor(Storage("0", 6), 5, [2], [1])),
            new("lie outside of storage 0", Tensor(Storage("0", 6), 0, [2], [6])),
            new("lie outside of storage 0", Tensor(Storage("0", 6), long.MaxValue, [2], [1])),
            new("lie outside of storage 0", Tensor(Storage("0", 6), 0, [2, 2], [long.MaxValue, long.MaxValue])),
            new("lie outside of storage 0", Tensor(Storage("0", 7), 0, [1], [1])),
            new("lie outside of storage 0", Tensor(Storage("0", 6), 0, [1L << 40], [0])), // 4 TB out of one number
            new("its storage 1 is missing", Tensor(Storage("1", 6), 0, [6], [1])),
        ];

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_damaged_pickle_is_one_line_that_says_what_is_wrong(string expected, byte[] body)
    {
        WriteZip(folder["x"], body, ("0", new byte[24]));
        var refusal = Refusal();
        Assert.Contains(expected, refusal);
        Assert.StartsWith(folder["x"], refusal);
        Assert.EndsWith("download or copy it again.", refusal);
    }

    [Fact]
    public void A_container_in_itself_is_walked_once()
    {
        byte[] list = [.. Kept(0, [(byte)']']), .. Again(0), (byte)'a', .. Row, (byte)'a'];
        WriteZip(folder["x"], Dict(("loop", list)), ("0", new byte[24]));
        using var checkpoint = Checkpoint.Open(folder["x"]);
        Assert.Equal(["loop.1"], checkpoint.Tensors.Keys);
    }

    [Fact]
    public void Fifty_thousand_lists_in_each_other_do_not_overflow_the_stack()
    {
        WriteZip(
            folder["x"],
            List(Row, [.. Enumerable.Repeat((byte)']', 50_000), .. Enumerable.Repeat((byte)'a', 49_999)]),
            ("0", new byte[24])
        );
        using var checkpoint = Checkpoint.Open(folder["x"]);
        Assert.Equal(["0"], checkpoint.Tensors.Keys);
    }

    [Fact]
    public void Two_to_the_power_of_sixty_names_are_not_made()
    {
        var laughs = Kept(0, Row);
        for (byte i = 1; i <= 60; i++)
            laughs = [.. laughs, .. Kept(i, Dict(("a", Again((byte)(i - 1))), ("b", Again((byte)(i - 1)))))];
        WriteZip(folder["x"], [.. laughs], ("0", new byte[24]));
        Assert.EndsWith(
            "makes more objects than a file of this size explains. It is made to harm; do not use it.",
            Refusal()
        );
    }

    [Theory]
    [InlineData("]")] // lists
    [InlineData("}")] // dicts
    [InlineData("(")] // marks
    [InlineData(")\u0085")] // tuples of tuples
    [InlineData("2")] // copies of what is on the stack
    public void Bytes_that_become_objects_without_end_are_stopped(string opcodes)
    {
        WriteZip(folder["x"], Encoding.Latin1.GetBytes("N" + string.Concat(Enumerable.Repeat(opcodes, 1_500_000))));
        Assert.EndsWith(
            "makes more objects than a file of this size explains. It is made to harm; do not use it.",
            Refusal()
        );
    }

    [Theory]
    [InlineData("_codecs", "encode")]
    [InlineData("builtins", "list")]
    [InlineData("collections", "OrderedDict")]
    public void Copying_a_large_object_again_and_again_is_stopped(string module, string name)
    {
        var large =
            name == "encode" ? Str(new string('x', 20_000)) : List([.. Enumerable.Repeat(Tuple(None, None), 5_000)]);
        byte[] body =
        [
            .. Kept(0, large),
            .. Kept(1, Global(module, name)),
            .. Enumerable.Repeat(Call(Again(1), Again(0)), 2_000).SelectMany(bytes => bytes),
        ];
        WriteZip(folder["x"], body);
        Assert.EndsWith(
            "makes more objects than a file of this size explains. It is made to harm; do not use it.",
            Refusal()
        );
    }

    [Fact]
    public void A_pickle_that_inflates_beyond_all_measure_is_refused_unread()
    {
        WriteMembers(folder["x"], CompressionLevel.Optimal, ("a/data.pkl", new byte[20_000_000]));
        Assert.Contains("grows to 20000000 bytes, more than objects beside weights ever do", Refusal());
    }

    [Fact]
    public void A_flipped_bit_in_a_storage_is_noticed_and_a_checksum_that_torch_left_out_is_not_missed()
    {
        WriteZip(folder["x"], Dict(("w", Row)), ("0", Floats(0, 1, 2, 3, 4, 5)));
        var bytes = File.ReadAllBytes(folder["x"]);
        var at = bytes.AsSpan().IndexOf(Floats(0, 1, 2));
        bytes[at] ^= 1;
        File.WriteAllBytes(folder["x"], bytes);
        using (var damaged = Checkpoint.Open(folder["x"]))
            Assert.Contains(
                "member archive/data/0: does not match its checksum",
                Assert.Throws<LitException>(() => damaged.Read("w")).Message
            );

        var directory = bytes.AsSpan().LastIndexOf("archive/data/0"u8) - 46;
        bytes.AsSpan(directory + 16, 4).Clear();
        File.WriteAllBytes(folder["x"], bytes);
        using var without = Checkpoint.Open(folder["x"]);
        using var tensor = without.Read("w");
        Assert.Equal(6, tensor.numel());
    }

    [Fact]
    public void The_old_container_is_checked_against_the_file_too()
    {
        WriteLegacy(folder["x"], Dict(("w", Row)), ("0", 4, new byte[24]));
        var bytes = File.ReadAllBytes(folder["x"]);
        File.WriteAllBytes(folder["x"], bytes[..^1]);
        Assert.Equal($"{folder["x"]}: the file is cut off or damaged. Download or copy it again.", Refusal());

        bytes.AsSpan()[^25] = 0x7F; // the number of elements, negative or beyond the file
        File.WriteAllBytes(folder["x"], bytes);
        Assert.Equal($"{folder["x"]}: the file is cut off or damaged. Download or copy it again.", Refusal());

        WriteLegacy(folder["x"], Dict(("w", Row)), ("9", 4, new byte[24]));
        Assert.Contains("names a storage 9 of no tensor, so that its size is unknown", Refusal());
        WriteLegacy(folder["x"], Dict(("w", Row)));
        Assert.Contains("its storage 0 is missing", Refusal());
    }

    private string Refusal() => Assert.Throws<LitException>(() => Checkpoint.Open(folder["x"])).Message;
}
