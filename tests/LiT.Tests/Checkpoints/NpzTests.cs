using System.Text;
using LiT.Checkpoints;
using static TorchSharp.torch;

namespace LiT.Tests.Checkpoints;

public sealed class NpzTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("<f4", ScalarType.Float32, new byte[] { 0, 0, 0xC0, 0x3F }, 1.5)]
    [InlineData(">f4", ScalarType.Float32, new byte[] { 0x3F, 0xC0, 0, 0 }, 1.5)]
    [InlineData(">f8", ScalarType.Float64, new byte[] { 0x3F, 0xF8, 0, 0, 0, 0, 0, 0 }, 1.5)]
    [InlineData("<f2", ScalarType.Float16, new byte[] { 0, 0x3E }, 1.5)]
    [InlineData("|V2", ScalarType.BFloat16, new byte[] { 0xC0, 0x3F }, 1.5)]
    [InlineData("|i1", ScalarType.Int8, new byte[] { 0xFE }, -2)]
    [InlineData("|u1", ScalarType.Byte, new byte[] { 0xFE }, 254)]
    [InlineData("<i2", ScalarType.Int16, new byte[] { 0xFE, 0xFF }, -2)]
    [InlineData(">u2", ScalarType.Int32, new byte[] { 0xFF, 0xFE }, 65534)]
    [InlineData("<u2", ScalarType.Int32, new byte[] { 0xFE, 0xFF }, 65534)]
    [InlineData("<i4", ScalarType.Int32, new byte[] { 0xFE, 0xFF, 0xFF, 0xFF }, -2)]
    [InlineData("<u4", ScalarType.Int64, new byte[] { 0xFE, 0xFF, 0xFF, 0xFF }, 4294967294)]
    [InlineData("<i8", ScalarType.Int64, new byte[] { 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }, -2)]
    [InlineData("<u8", ScalarType.Int64, new byte[] { 7, 0, 0, 0, 0, 0, 0, 0 }, 7)]
    [InlineData("|b1", ScalarType.Bool, new byte[] { 1 }, 1)]
    public void Every_type_of_number_is_read_in_either_byte_order(
        string descr,
        ScalarType type,
        byte[] bytes,
        double expected
    )
    {
        File.WriteAllBytes(folder["x"], ZipBytes.Of(new ZipEntry("a.npy", Array(descr, "(2,)", [.. bytes, .. bytes]))));
        using var checkpoint = Checkpoint.Open(folder["x"]);
        using var tensor = checkpoint.Read("a");
        Assert.Equal(type, tensor.dtype);
        TensorValues.AssertValues(tensor, [2], [expected, expected], descr);

        File.WriteAllBytes(folder["x.npy"], Array(descr, "(2,)", [.. bytes, .. bytes]));
        Assert.Equal([expected, expected], Npy.ReadArray<double>(folder["x.npy"]).Values);
    }

    [Fact]
    public void Complex_numbers_are_read_in_either_byte_order()
    {
        byte[] little = [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40],
            big = [0x3F, 0x80, 0, 0, 0x40, 0, 0, 0];
        File.WriteAllBytes(
            folder["x"],
            ZipBytes.Of(new("l.npy", Array("<c8", "()", little)), new("b.npy", Array(">c8", "()", big)))
        );
        using var checkpoint = Checkpoint.Open(folder["x"]);
        using var l = checkpoint.Read("l");
        using var b = checkpoint.Read("b");
        TensorValues.AssertSame(l, b, "complex");
        Assert.Equal(ScalarType.ComplexFloat32, l.dtype);
        Assert.Equal(little, l.bytes.ToArray());
    }

    [Fact]
    public void A_boolean_byte_that_is_neither_0_nor_1_is_true()
    {
        File.WriteAllBytes(folder["x.npy"], Array("|b1", "(3,)", [0, 2, 255]));
        using var tensor = Npy.Read(folder["x.npy"]);
        Assert.Equal([0, 1, 1], tensor.bytes.ToArray());
    }

    [Fact]
    public void Sizes_and_places_in_the_zip64_field_are_read()
    {
        var array = Array("<f4", "(1,)", [0, 0, 0x80, 0x3F]);
        File.WriteAllBytes(folder["x"], ZipBytes.Of(new("a.npy", array), new("b.npy", array) { Zip64 = true }));
        using var checkpoint = Checkpoint.Open(folder["x"]);
        using var tensor = checkpoint.Read("b");
        TensorValues.AssertValues(tensor, [1], [1], "b");
    }

    [Fact]
    public void What_is_no_array_of_numbers_is_named_and_refused_and_the_rest_is_read()
    {
        File.WriteAllBytes(
            folder["x"],
            ZipBytes.Of(
                new("ok.npy", Array("<f4", "(1,)", [0, 0, 0x80, 0x3F])),
                new("text.npy", Array("<U2", "()", new byte[8])),
                new("when.npy", Array("<M8[ns]", "(1,)", new byte[8])),
                new("long.npy", Array("<f16", "(1,)", new byte[16])),
                new("fields.npy", Array("[('x', '<f4'), ('y', '<i4', (2,))]", "(1,)", new byte[12], quoted: false)),
                new("README.txt", "hello"u8.ToArray()),
                new("folder/", [])
            )
        );
        using var checkpoint = Checkpoint.Open(folder["x"]);
        Assert.Equal(["ok"], checkpoint.Tensors.Keys);
        Assert.Equal(
            [
                "README.txt: no array",
                "fields: records of several fields",
                "long: elements of type '<f16'",
                "text: text",
                "when: dates",
            ],
            checkpoint.PassedOver
        );
        Assert.Equal(
            $"{folder["x"]}, array text: holds text. Save it again as an array of numbers.",
            Assert.Throws<LitException>(() => checkpoint.Read("text")).Message
        );
    }

    public static IEnumerable<TheoryDataRow<string, byte[]>> LyingHeaders() =>
        [
            new("has 4 bytes of elements, where its shape (2) needs 8", Array("<f4", "(2,)", new byte[4])),
            new("has 12 bytes of elements, where its shape (2) needs 8", Array("<f4", "(2,)", new byte[12])),
            new("says that its shape is (-1)", Array("<f4", "(-1,)", [])),
            new("says that its shape is (4294967296, 4294967296)", Array("<f4", "(4294967296, 4294967296)", [])),
            new("says that its shape is (0, 9223372036854775807)", Array("<f4", "(0, 9223372036854775807)", [])),
            new("needs 4000000000000", Array("<f4", "(1000000000000,)", new byte[4])),
            new("a number is too large", Array("<f4", "(99999999999999999999,)", new byte[4])),
            new("has a header without descr, fortran_order and shape", Array("<f4", "None", new byte[4])),
            new("has a header without descr, fortran_order and shape", Array("<f4", "(1,), 'more': 1", new byte[4])),
            new("a list without end", Array("<f4", $"({string.Concat(Enumerable.Repeat("1,", 5000))})", new byte[4])),
            new(
                "nested too deeply",
                Array(new string('(', 100) + new string(')', 100), "(1,)", new byte[4], quoted: false)
            ),
            new("'descr' stands there twice", Array("<f4", "(1,), 'descr': '<f4'", new byte[4])),
            new("unexpected text", Array("<f4", "(1,), } __import__('os') {", new byte[4])),
            new("does not begin like one", "no array at all"u8.ToArray()),
            new("has format version 4.0, where 1 to 3 are known", [0x93, .. "NUMPY"u8, 4, 0, 0, 0, 0, 0]),
            new("says that its header has 4294967295 bytes", [0x93, .. "NUMPY"u8, 2, 0, 255, 255, 255, 255]),
            new("cut off or damaged", [0x93, .. "NUM"u8]),
        ];

    [Theory]
    [MemberData(nameof(LyingHeaders))]
    public void A_header_that_lies_is_found_out_before_anything_is_allocated(string expected, byte[] array)
    {
        foreach (var deflated in new[] { false, true })
        {
            File.WriteAllBytes(folder["x"], ZipBytes.Of(new ZipEntry("a.npy", array) { Deflated = deflated }));
            var refusal = Assert.Throws<LitException>(() => Checkpoint.Open(folder["x"])).Message;
            Assert.StartsWith($"{folder["x"]}, member a.npy: ", refusal);
            Assert.Contains(expected, refusal);
        }
    }

    public static IEnumerable<TheoryDataRow<string, byte[]>> WrongZips()
    {
        var array = Array("<f4", "(1,)", [0, 0, 0x80, 0x3F]);
        var right = new ZipEntry("a.npy", array);
        return
        [
            new("overlaps another one", ZipBytes.Of(right, new("b.npy", array) { SaysOffset = 0 })),
            new("has two names", ZipBytes.Of(right with { LocalName = "b.npy" })),
            new("is there twice", ZipBytes.Of(right, right)),
            new("is encrypted", ZipBytes.Of(right with { Flags = 1 })),
            new("is packed with zip method 12", ZipBytes.Of(right with { Method = 12 })),
            new(
                "says it has 4000000000 bytes in 132, which cannot be",
                ZipBytes.Of(right with { SaysSize = 4_000_000_000 })
            ),
            new("which cannot be", ZipBytes.Of(right with { Deflated = true, SaysSize = 4_000_000_000 })),
            new("cut off or damaged", ZipBytes.Of(right with { SaysCompressed = 100_000, SaysSize = 100_000 })),
            new("cut off or damaged", ZipBytes.Of(right with { Zip64 = true, SaysOffset = long.MaxValue })),
            new("cut off or damaged", ZipBytes.Of(right with { Zip64 = true, SaysSize = -5 })),
            new("cut off or damaged", ZipBytes.Of(right)[..^1]),
            new("cut off or damaged", ZipBytes.Of(right)[..40]),
            new("cut off or damaged", [.. "PK\x03\x04"u8, .. ZipBytes.Of(right)]), // offsets no longer fit
        ];
    }

    [Theory]
    [MemberData(nameof(WrongZips))]
    public void A_zip_file_that_contradicts_itself_is_refused(string expected, byte[] zip)
    {
        File.WriteAllBytes(folder["x"], zip);
        Assert.Contains(expected, Assert.Throws<LitException>(() => Checkpoint.Open(folder["x"])).Message);
    }

    [Theory]
    [InlineData(-1, "is longer than it says")]
    [InlineData(1, "ends early")]
    public void A_deflated_member_is_as_long_as_it_says(int more, string expected)
    {
        var floats = new byte[4 * 1000];
        var array = Array("<f4", $"({1000 - more},)", floats); // the header agrees with the directory, the data do not
        File.WriteAllBytes(
            folder["x"],
            ZipBytes.Of(
                new ZipEntry("a.npy", Array("<f4", $"({1000 + more},)", floats))
                {
                    Deflated = true,
                    SaysSize = array.Length + (4 * more),
                }
            )
        );
        using var checkpoint = Checkpoint.Open(folder["x"]);
        Assert.Contains(expected, Assert.Throws<LitException>(() => checkpoint.Read("a")).Message);
    }

    [Fact]
    public void A_zip_bomb_is_refused_by_what_its_directory_says()
    {
        // More than deflating can pack into 1,000 bytes; and what it could pack, but weights never are.
        var bomb = new ZipEntry("a.npy", new byte[1_000]) { Method = 8, SaysSize = 1_100_000 };
        File.WriteAllBytes(folder["x"], ZipBytes.Of(bomb));
        Assert.Contains(
            "says it has 1100000 bytes in 1000, which cannot be",
            Assert.Throws<LitException>(() => Checkpoint.Open(folder["x"])).Message
        );
        File.WriteAllBytes(
            folder["x"],
            ZipBytes.Of(bomb with { Content = new byte[1_000_000], SaysSize = 1_000_000_000 })
        );
        Assert.Contains(
            "grows to 1000000000 bytes from a file of",
            Assert.Throws<LitException>(() => Checkpoint.Open(folder["x"])).Message
        );
    }

    [Fact]
    public void The_same_arrays_give_the_same_file_and_stored_ones_are_aligned()
    {
        using var a = arange(5, ScalarType.Float64);
        using var b = arange(7).to(ScalarType.Bool);
        Npz.Write(folder["1"], [("a/kernel", a), ("b", b)]);
        Npz.Write(folder["2"], [("a/kernel", a), ("b", b)]);
        var bytes = File.ReadAllBytes(folder["1"]);
        Assert.Equal(bytes, File.ReadAllBytes(folder["2"]));
        Assert.Equal(0, bytes.AsSpan().IndexOf("NUMPY"u8) % 64 - 1);
        Assert.Throws<ArgumentException>(() => Npz.Write(folder["3"], [("a", a), ("a", b)]));
        Assert.False(File.Exists(folder["3"]));
    }

    [Fact]
    public void A_plain_array_is_converted_where_its_values_fit_and_refused_where_not()
    {
        Npy.Write(folder["x.npy"], [1f, 2.5f, -3f], 3);
        Assert.Equal([1.0, 2.5, -3.0], Npy.ReadArray<double>(folder["x.npy"]).Values);
        Npy.Write(folder["x.npy"], [1L, 300L], 1, 2);
        var (values, shape) = Npy.ReadArray<int>(folder["x.npy"]);
        Assert.Equal([1, 300], values);
        Assert.Equal([1, 2], shape);
        Assert.Equal(
            $"{folder["x.npy"]}: a value does not fit Byte. Save the array as such, or read it as another type.",
            Assert.Throws<LitException>(() => Npy.ReadArray<byte>(folder["x.npy"])).Message
        );
        Assert.Throws<ArgumentException>(() => Npy.Write(folder["x.npy"], [1f], 2));
    }

    /// <summary>A .npy array, header and elements as given.</summary>
    private static byte[] Array(string descr, string shape, byte[] elements, bool quoted = true)
    {
        var header = $"{{'descr': {(quoted ? $"'{descr}'" : descr)}, 'fortran_order': False, 'shape': {shape}, }}";
        header = header.PadRight((header.Length + 11 + 63) / 64 * 64 - 11) + "\n";
        return
        [
            0x93,
            .. "NUMPY"u8,
            1,
            0,
            .. ZipBytes.Little(header.Length, 2),
            .. Encoding.ASCII.GetBytes(header),
            .. elements,
        ];
    }
}
