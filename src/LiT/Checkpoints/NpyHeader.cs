using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using static TorchSharp.torch;

namespace LiT.Checkpoints;

/// <summary>
/// The header of a .npy array (NEP 1; versions 1.0, 2.0, 3.0): what its elements are, in which order, of which shape.
/// Elements are null where they are no numbers; then <see cref="Refused"/> says what they are.
/// </summary>
internal sealed record NpyHeader(Elements? Elements, string? Refused, bool FortranOrder, long[] Shape)
{
    /// <summary>Bytes of the header itself.</summary>
    public int Size { get; private init; }

    /// <summary>Bytes of the elements.</summary>
    public long DataSize =>
        Elements is { } elements && LiT.Checkpoints.Elements.TryCount(Shape, out var count) ? count * elements.Size : 0;

    /// <exception cref="LitException">The stream does not begin with such a header.</exception>
    public static NpyHeader Read(Stream stream, string where)
    {
        try
        {
            Span<byte> start = stackalloc byte[12];
            stream.ReadExactly(start[..8]);
            if (!IsMagic(start))
                throw Bad(where, "does not begin like one");
            if (start[6] is not (1 or 2 or 3))
                throw Bad(where, $"has format version {start[6]}.{start[7]}, where 1 to 3 are known");
            var sizeBytes = start[6] == 1 ? 2 : 4;
            stream.ReadExactly(start.Slice(8, sizeBytes));
            var length = BinaryPrimitives.ReadUInt32LittleEndian(start[8..]); // the upper half stays zero in version 1
            if (length > Math.Min(1 << 20, stream.Length - stream.Position))
                throw Bad(where, $"says that its header has {length} bytes");
            var text = new byte[length];
            stream.ReadExactly(text);
            var literal = new PythonLiteral(Encoding.UTF8.GetString(text));
            return Parse(literal, where) with { Size = 8 + sizeBytes + (int)length };
        }
        catch (EndOfStreamException)
        {
            throw new LitException(where, "the file is cut off or damaged", "Download or copy it again");
        }
        catch (FormatException trouble)
        {
            throw Bad(where, $"has a header that cannot be read ({trouble.Message})");
        }
    }

    /// <summary>
    /// The header's bytes, padded so that the elements behind it are aligned as numpy does it (to 64 bytes).
    /// </summary>
    public static byte[] Bytes(ScalarType type, IReadOnlyList<long> shape)
    {
        var sizes = string.Join(", ", shape.Select(size => size.ToString(CultureInfo.InvariantCulture)));
        var text =
            $"{{'descr': '{Descr(type)}', 'fortran_order': False, 'shape': "
            + $"({sizes}{(shape.Count == 1 ? "," : "")}), }}";
        var padded = text.PadRight((text.Length + 10 + 1 + 63) / 64 * 64 - 10 - 1) + "\n";
        return
        [
            0x93,
            .. "NUMPY"u8,
            1,
            0,
            (byte)padded.Length,
            (byte)(padded.Length >> 8),
            .. Encoding.ASCII.GetBytes(padded),
        ];
    }

    private static bool IsMagic(ReadOnlySpan<byte> start) => start[0] == 0x93 && start[1..].StartsWith("NUMPY"u8);

    private static NpyHeader Parse(PythonLiteral literal, string where)
    {
        if (
            literal.Value is not Dictionary<object, object?> { Count: 3 } header
            || !header.TryGetValue("descr", out var descr)
            || !header.TryGetValue("fortran_order", out var order)
            || order is not bool fortran
            || !header.TryGetValue("shape", out var sizes)
            || sizes is not List<object?> list
            || list.Any(size => size is not long)
        )
            throw Bad(where, "has a header without descr, fortran_order and shape");
        var shape = list.Select(size => (long)size!).ToArray();
        if (!LiT.Checkpoints.Elements.TryCount(shape, out _))
            throw Bad(where, $"says that its shape is ({string.Join(", ", shape)})");
        if (descr is not string code)
            return new(null, "records of several fields", fortran, shape);
        return ElementsOf(code) is { } elements
            ? new(elements, null, fortran, shape)
            : new(null, Kind(code), fortran, shape);
    }

    public static Elements? ElementsOf(string descr)
    {
        if (descr.Length < 2)
            return null;
        var bigEndian = descr[0] == '>';
        (ScalarType Type, int Size, bool Unsigned)? known = descr.TrimStart('<', '>', '|', '=') switch
        {
            "f2" => (ScalarType.Float16, 2, false),
            "f4" => (ScalarType.Float32, 4, false),
            "f8" => (ScalarType.Float64, 8, false),
            "V2" => (ScalarType.BFloat16, 2, false), // numpy has no bfloat16: JAX checkpoints carry it as two raw bytes
            "i1" => (ScalarType.Int8, 1, false),
            "i2" => (ScalarType.Int16, 2, false),
            "i4" => (ScalarType.Int32, 4, false),
            "i8" => (ScalarType.Int64, 8, false),
            "u1" => (ScalarType.Byte, 1, false),
            "u2" => (ScalarType.Int32, 2, true),
            "u4" => (ScalarType.Int64, 4, true),
            "u8" => (ScalarType.Int64, 8, true),
            "b1" => (ScalarType.Bool, 1, false),
            "c8" => (ScalarType.ComplexFloat32, 8, false),
            "c16" => (ScalarType.ComplexFloat64, 16, false),
            _ => null,
        };
        return known is var (type, size, unsigned) ? new(type, size, bigEndian, unsigned) : null;
    }

    private static string Kind(string descr) =>
        descr.TrimStart('<', '>', '|', '=') switch
        {
            ['O', ..] => "pickled Python objects, which are never executed",
            ['U' or 'S' or 'a', ..] => "text",
            ['M' or 'm', ..] => "dates",
            _ => $"elements of type '{descr}'",
        };

    private static string Descr(ScalarType type) =>
        type switch
        {
            ScalarType.Float16 => "<f2",
            ScalarType.Float32 => "<f4",
            ScalarType.Float64 => "<f8",
            ScalarType.BFloat16 => "|V2",
            ScalarType.Int8 => "|i1",
            ScalarType.Int16 => "<i2",
            ScalarType.Int32 => "<i4",
            ScalarType.Int64 => "<i8",
            ScalarType.Byte => "|u1",
            ScalarType.Bool => "|b1",
            ScalarType.ComplexFloat32 => "<c8",
            ScalarType.ComplexFloat64 => "<c16",
            _ => throw new ArgumentOutOfRangeException(nameof(type), $"numpy has no arrays of {type}."),
        };

    private static LitException Bad(string where, string what) =>
        new($"{where}: is no .npy array: it {what}. Save it again with numpy.save or numpy.savez.");
}
