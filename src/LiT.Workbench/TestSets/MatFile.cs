using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using LiT.Files;

namespace LiT.TestSets;

/// <summary>
/// One array of a MATLAB file: numbers or text in column-major order, or arrays inside (cells, structures).
/// </summary>
internal sealed class MatValue
{
    /// <summary>Sizes, at least two.</summary>
    public required int[] Sizes { get; init; }

    /// <summary>The stored numbers' MATLAB type; 0 for cells and structures.</summary>
    public int Type { get; init; }

    /// <summary>The numbers as they lie in the file, little-endian, column-major.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>Whether the numbers are characters.</summary>
    public bool IsText { get; init; }

    /// <summary>Names of a structure's fields.</summary>
    public IReadOnlyList<string> Fields { get; init; } = [];

    /// <summary>Cells, or the fields of each structure in turn.</summary>
    public IReadOnlyList<MatValue> Inside { get; init; } = [];

    /// <summary>The text, or null where it is none.</summary>
    public string? Text => IsText ? string.Concat(Numbers().Select(number => (char)number)) : null;

    /// <summary>The first number.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public double Number => Numbers().First();

    /// <summary>Every number, column-major.</summary>
    public double[] Numbers()
    {
        var width = MatFile.WidthOf(Type);
        var values = new double[width == 0 ? 0 : Data.Length / width];
        var bytes = Data.Span;
        for (var i = 0; i < values.Length; i++)
        {
            var at = bytes[(i * width)..];
            values[i] = Type switch
            {
                1 => (sbyte)at[0],
                2 or 16 => at[0],
                3 => BinaryPrimitives.ReadInt16LittleEndian(at),
                4 or 17 => BinaryPrimitives.ReadUInt16LittleEndian(at),
                5 => BinaryPrimitives.ReadInt32LittleEndian(at),
                6 or 18 => BinaryPrimitives.ReadUInt32LittleEndian(at),
                7 => BinaryPrimitives.ReadSingleLittleEndian(at),
                9 => BinaryPrimitives.ReadDoubleLittleEndian(at),
                12 => BinaryPrimitives.ReadInt64LittleEndian(at),
                _ => BinaryPrimitives.ReadUInt64LittleEndian(at),
            };
        }
        return values;
    }
}

/// <summary>
/// MATLAB's .mat files of level 5 ("MAT-File Format", MathWorks): arrays of numbers and text, cells, structures,
/// compressed or not. Every length is held against what is there, and what a compressed part may become is limited.
/// </summary>
internal sealed class MatFile
{
    private const int Largest = 1 << 30,
        Deepest = 8,
        MostInside = 1_000_000;
    private const int Matrix = 14,
        Compressed = 15;

    private readonly string path;
    private readonly Dictionary<string, MatValue> values = new(StringComparer.Ordinal);
    private int inside;

    private MatFile(string path) => this.path = path;

    /// <exception cref="LitException">No such file, none of level 5, or a damaged one.</exception>
    public static MatFile Read(string path)
    {
        var file = Linked.Info(path);
        if (!file.Exists)
            throw new LitException(path, "there is no such file", "Unpack the whole data set there");
        if (file.Length > Largest)
            throw new LitException(
                path,
                $"{file.Length:N0} bytes, where at most {Largest:N0} are read",
                "Give the test part only"
            );
        var bytes = File.ReadAllBytes(path);
        if (bytes.AsSpan().StartsWith("MATLAB 7.3"u8) || bytes.AsSpan().StartsWith("\x89HDF"u8))
            throw new LitException(
                path,
                "a MATLAB 7.3 (HDF5) file, which is not read",
                "Save it with -v7, or take the published file"
            );
        if (bytes.Length < 128 || bytes[126] != 'I' || bytes[127] != 'M' || bytes[125] != 1)
            throw new LitException(path, "not a MATLAB file of level 5", "Download the file again");
        var mat = new MatFile(path);
        mat.ReadAll(bytes.AsMemory(128), 0);
        return mat;
    }

    /// <summary>An array by name.</summary>
    /// <exception cref="LitException">There is none of this name.</exception>
    public MatValue this[string name] =>
        values.TryGetValue(name, out var value)
            ? value
            : throw new LitException(
                path,
                $"holds no array '{name}' (it has {(values.Count == 0 ? "none" : string.Join(", ", values.Keys))})",
                "Take the published file"
            );

    /// <summary>A structure array as rows of fields.</summary>
    /// <exception cref="LitException">The array is no structure.</exception>
    public IReadOnlyList<IReadOnlyDictionary<string, MatValue>> Table(string name)
    {
        var value = this[name];
        if (value.Fields.Count == 0)
            throw new LitException(path, $"'{name}' is no structure", "Take the published file");
        return
        [
            .. Enumerable
                .Range(0, value.Inside.Count / value.Fields.Count)
                .Select(row =>
                    (IReadOnlyDictionary<string, MatValue>)
                        Enumerable
                            .Range(0, value.Fields.Count)
                            .ToDictionary(
                                field => value.Fields[field],
                                field => value.Inside[row * value.Fields.Count + field]
                            )
                ),
        ];
    }

    internal static int WidthOf(int type) =>
        type switch
        {
            1 or 2 or 16 => 1,
            3 or 4 or 17 => 2,
            5 or 6 or 7 or 18 => 4,
            9 or 12 or 13 => 8,
            _ => 0,
        };

    private void ReadAll(ReadOnlyMemory<byte> bytes, int depth)
    {
        while (bytes.Length >= 8)
        {
            var (type, data, rest) = Element(bytes, pad: true);
            if (type == Compressed && depth == 0)
                ReadAll(Inflated(data), depth + 1);
            else if (type == Matrix)
            {
                var (name, value) = Array(data, 0);
                if (value is not null)
                    values[name] = value;
            }
            bytes = rest;
        }
    }

    private (int Type, ReadOnlyMemory<byte> Data, ReadOnlyMemory<byte> Left) Element(
        ReadOnlyMemory<byte> bytes,
        bool pad
    )
    {
        if (bytes.Length < 8)
            throw Damaged();
        var first = BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span);
        if (first >> 16 is > 0 and var small) // type and length in four bytes, data in the next four
            return small <= 4 ? ((int)(first & 0xFFFF), bytes.Slice(4, (int)small), bytes[8..]) : throw Damaged();
        var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span[4..]);
        if (length > bytes.Length - 8)
            throw Damaged();
        var padded = pad && first != Compressed ? Math.Min(bytes.Length - 8, ((int)length + 7) / 8 * 8) : (int)length;
        return ((int)first, bytes.Slice(8, (int)length), bytes[(8 + padded)..]);
    }

    private (string Name, MatValue? Value) Array(ReadOnlyMemory<byte> bytes, int depth)
    {
        if (depth > Deepest || ++inside > MostInside)
            throw new LitException(path, "nested too deeply or holds too many arrays", "Take the published file");
        if (bytes.Length == 0)
            return ("", new() { Sizes = [0, 0] }); // an empty cell may be written as nothing
        (_, var flags, bytes) = Element(bytes, pad: true);
        (_, var sizeBytes, bytes) = Element(bytes, pad: true);
        (_, var name, bytes) = Element(bytes, pad: true);
        if (flags.Length < 4 || sizeBytes.Length is < 8 or > 128)
            throw Damaged();
        var sizes = new int[sizeBytes.Length / 4];
        long count = 1;
        for (var i = 0; i < sizes.Length; i++)
        {
            sizes[i] = BinaryPrimitives.ReadInt32LittleEndian(sizeBytes.Span[(4 * i)..]);
            if (sizes[i] < 0 || (count *= sizes[i]) > Largest)
                throw Damaged();
        }
        var kind = flags.Span[0];
        var title = Encoding.UTF8.GetString(name.Span);
        switch (kind)
        {
            case 1:
                return (title, new() { Sizes = sizes, Inside = Several(ref bytes, count, depth) });
            case 2:
                (_, var widthBytes, bytes) = Element(bytes, pad: true);
                (_, var names, bytes) = Element(bytes, pad: true);
                var width = widthBytes.Length == 4 ? BinaryPrimitives.ReadInt32LittleEndian(widthBytes.Span) : 0;
                if (width is < 1 or > 64 || names.Length % width != 0)
                    throw Damaged();
                string[] fields =
                [
                    .. Enumerable
                        .Range(0, names.Length / width)
                        .Select(i => Encoding.ASCII.GetString(names.Span.Slice(i * width, width)).TrimEnd('\0')),
                ];
                return (
                    title,
                    new()
                    {
                        Sizes = sizes,
                        Fields = fields,
                        Inside = Several(ref bytes, count * fields.Length, depth),
                    }
                );
            case 4 or (>= 6 and <= 15):
                var (type, data, _) =
                    count == 0 && bytes.Length == 0 ? (2, default, default) : Element(bytes, pad: true);
                if (WidthOf(type) == 0 || data.Length / WidthOf(type) != count && type is not (16 or 17))
                    throw Damaged();
                return (
                    title,
                    new()
                    {
                        Sizes = sizes,
                        Type = type,
                        Data = data,
                        IsText = kind == 4,
                    }
                );
            default:
                return (title, null); // objects, sparse arrays, functions
        }
    }

    private List<MatValue> Several(ref ReadOnlyMemory<byte> bytes, long count, int depth)
    {
        var values = new List<MatValue>();
        for (var i = 0L; i < count; i++)
        {
            (var type, var data, bytes) = Element(bytes, pad: true);
            if (type != Matrix)
                throw Damaged();
            values.Add(Array(data, depth + 1).Value ?? new() { Sizes = [0, 0] });
        }
        return values;
    }

    private byte[] Inflated(ReadOnlyMemory<byte> packed)
    {
        using var into = new MemoryStream();
        try
        {
            using var zlib = new ZLibStream(new MemoryStream(packed.ToArray()), CompressionMode.Decompress);
            var buffer = new byte[1 << 16];
            int read;
            while ((read = zlib.Read(buffer)) > 0)
            {
                if (into.Length + read > Largest)
                    throw new LitException(
                        path,
                        $"a compressed part becomes larger than {Largest:N0} bytes",
                        "Take the published file"
                    );
                into.Write(buffer, 0, read);
            }
        }
        catch (InvalidDataException)
        {
            throw Damaged();
        }
        return into.ToArray();
    }

    private LitException Damaged() =>
        new($"{path}: damaged; a length does not fit what is there. Download the file again.");
}
