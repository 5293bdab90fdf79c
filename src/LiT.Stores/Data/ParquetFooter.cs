using System.Buffers.Binary;

namespace LiT.Data;

/// <summary>
/// The description at the end of a Parquet file, without what this reader has no use for: fields of later versions,
/// statistics, kinds of columns that are not known. Parquet.Net refuses a whole file for any of these, and readers
/// are meant to pass over them (apache/parquet-format, "unknown logical types").
/// </summary>
internal sealed class ParquetFooter
{
    private const int Deepest = 24;

    /// <summary>A field of a structure: a structure, a list of structures, or the bytes of anything else.</summary>
    private sealed record Field(long Id, int Wire, object Value);

    private readonly List<Field> file;

    private ParquetFooter(List<Field> file) => this.file = file;

    /// <exception cref="InvalidDataException">It ends in the middle, or is no structure.</exception>
    public static ParquetFooter Read(byte[] bytes)
    {
        var at = 0;
        ParquetFooter footer = new(Struct(bytes, ref at, 0));
        footer.Keep(footer.file, [1, 2, 3, 4, 5, 6, 8, 9]);
        foreach (var group in Structs(footer.file, 4))
        {
            footer.Keep(group, [1, 2, 3, 5, 6, 7]);
            foreach (var column in Structs(group, 1))
            {
                footer.Keep(column, [1, 2, 3, 8, 9]);
                if (Inner(column, 3) is { } description)
                    footer.Keep(description, [1, 2, 3, 4, 5, 6, 7, 9, 10, 11]);
            }
        }
        foreach (var element in Structs(footer.file, 2))
        {
            footer.Keep(element, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
            // A kind of column that the format had not when this was written is read as what it is stored in.
            if (Inner(element, 10) is { } kind && !kind.Exists(one => one.Id is >= 1 and <= LatestKind))
                element.RemoveAll(field => field.Id == 10);
        }
        return footer;
    }

    private const int LatestKind = 14; // UUID; 15, half precision, and later ones are not known to Parquet.Net

    /// <summary>The names of the columns, in order.</summary>
    public IReadOnlyList<string> Columns => [.. Tops().Select(top => top.Name)];

    /// <summary>The same without some columns.</summary>
    public ParquetFooter Without(IReadOnlySet<string> columns)
    {
        var schema = Structs(file, 2);
        HashSet<int> gone = [];
        HashSet<int> leavesGone = [];
        var leaf = 0;
        var tops = Tops();
        foreach (var (name, first, after) in tops)
            for (var i = first; i < after; i++)
            {
                var isLeaf = Children(schema[i]) == 0;
                if (columns.Contains(name))
                {
                    gone.Add(i);
                    if (isLeaf)
                        leavesGone.Add(leaf);
                }
                leaf += isLeaf ? 1 : 0;
            }
        var left = schema.Where((_, i) => !gone.Contains(i)).ToList();
        left[0] =
        [
            .. left[0]
                .Select(field =>
                    field.Id == 5
                        ? field with
                        {
                            Value = Number(tops.Count(top => !columns.Contains(top.Name))),
                        }
                        : field
                ),
        ];
        var groups = Structs(file, 4)
            .Select(group =>
                group
                    .Select(field =>
                        field.Id == 1 && field.Value is List<List<Field>> chunks
                            ? field with
                            {
                                Value = chunks.Where((_, i) => !leavesGone.Contains(i)).ToList(),
                            }
                            : field
                    )
                    .ToList()
            )
            .ToList();
        return new([
            .. file.Select(field =>
                field.Id switch
                {
                    2 => field with { Value = left },
                    4 => field with { Value = groups },
                    _ => field,
                }
            ),
        ]);
    }

    /// <summary>The description as bytes of Thrift's compact protocol.</summary>
    public byte[] ToBytes()
    {
        MemoryStream to = new();
        Write(to, file);
        return to.ToArray();
    }

    /// <summary>The columns right below the root: name, place in the schema, place behind their last element.</summary>
    private List<(string Name, int First, int After)> Tops()
    {
        var schema = Structs(file, 2);
        List<(string, int, int)> tops = [];
        for (var at = 1; at < schema.Count; )
        {
            var after = Behind(schema, at, 0);
            var name = schema[at].Find(field => field is { Id: 4, Wire: 8 })?.Value is byte[] text
                ? System.Text.Encoding.UTF8.GetString(Text(text))
                : "";
            tops.Add((name, at, after));
            at = after;
        }
        return tops;
    }

    private static int Behind(List<List<Field>> schema, int at, int depth)
    {
        if (at >= schema.Count || depth > 64)
            throw new InvalidDataException("its schema does not hang together");
        var children = Children(schema[at++]);
        for (var i = 0L; i < children; i++)
            at = Behind(schema, at, depth + 1);
        return at;
    }

    private static long Children(List<Field> element)
    {
        if (element.Find(field => field is { Id: 5, Wire: 4 or 5 or 6 })?.Value is not byte[] number)
            return 0;
        var at = 0;
        return Signed(Varint(number, ref at));
    }

    private static byte[] Text(byte[] raw)
    {
        var at = 0;
        var length = (int)Varint(raw, ref at);
        return raw[at..(at + length)];
    }

    private static byte[] Number(long value)
    {
        MemoryStream to = new();
        Varint(to, (ulong)(value << 1 ^ value >> 63));
        return to.ToArray();
    }

    private void Keep(List<Field> structure, long[] ids) => structure.RemoveAll(field => !ids.Contains(field.Id));

    private static List<List<Field>> Structs(List<Field> structure, long id) =>
        structure.Find(field => field.Id == id)?.Value as List<List<Field>> ?? [];

    private static List<Field>? Inner(List<Field> structure, long id) =>
        structure.Find(field => field.Id == id)?.Value as List<Field>;

    private static List<Field> Struct(byte[] bytes, ref int at, int depth)
    {
        if (depth > Deepest)
            throw new InvalidDataException("its description is too deep");
        List<Field> fields = [];
        for (long id = 0; ; )
        {
            var header = Byte(bytes, ref at);
            if (header == 0)
                return fields;
            var wire = header & 15;
            id = header >> 4 == 0 ? Signed(Varint(bytes, ref at)) : id + (header >> 4);
            object value;
            if (wire == 12)
                value = Struct(bytes, ref at, depth + 1);
            else if (wire == 9 && at < bytes.Length && (bytes[at] & 15) == 12)
            {
                var count = Count(bytes, ref at);
                List<List<Field>> list = [];
                for (var i = 0; i < count; i++)
                    list.Add(Struct(bytes, ref at, depth + 1));
                value = list;
            }
            else
            {
                var start = at;
                Skip(bytes, ref at, wire, depth + 1, inList: false);
                value = bytes[start..at];
            }
            fields.Add(new(id, wire, value));
        }
    }

    private static int Count(byte[] bytes, ref int at)
    {
        var header = Byte(bytes, ref at);
        var count = header >> 4 == 15 ? Varint(bytes, ref at) : (ulong)(header >> 4);
        return count <= (ulong)(bytes.Length - at)
            ? (int)count
            : throw new InvalidDataException("a list is longer than the file");
    }

    private static void Skip(byte[] bytes, ref int at, int wire, int depth, bool inList)
    {
        if (depth > Deepest)
            throw new InvalidDataException("its description is too deep");
        switch (wire)
        {
            case 1 or 2:
                Past(bytes, ref at, inList ? 1UL : 0);
                break;
            case 3:
                Past(bytes, ref at, 1);
                break;
            case 4 or 5 or 6:
                Varint(bytes, ref at);
                break;
            case 7:
                Past(bytes, ref at, 8);
                break;
            case 8:
                Past(bytes, ref at, Varint(bytes, ref at));
                break;
            case 9 or 10:
                var of = at < bytes.Length ? bytes[at] & 15 : 0;
                for (var left = Count(bytes, ref at); left > 0; left--)
                    Skip(bytes, ref at, of, depth + 1, inList: true);
                break;
            case 11:
                var pairs = Varint(bytes, ref at);
                var kinds = pairs > 0 ? Byte(bytes, ref at) : 0;
                for (var i = 0UL; i < pairs; i++)
                {
                    Skip(bytes, ref at, kinds >> 4, depth + 1, inList: true);
                    Skip(bytes, ref at, kinds & 15, depth + 1, inList: true);
                }
                break;
            case 12:
                Struct(bytes, ref at, depth + 1);
                break;
            case 13:
                Past(bytes, ref at, 16);
                break;
            default:
                throw new InvalidDataException("its description has a type that is not known");
        }
    }

    private static void Write(MemoryStream to, List<Field> fields)
    {
        foreach (var field in fields)
        {
            to.WriteByte((byte)field.Wire);
            Varint(to, (ulong)(field.Id << 1 ^ field.Id >> 63));
            switch (field.Value)
            {
                case List<Field> structure:
                    Write(to, structure);
                    break;
                case List<List<Field>> list:
                    to.WriteByte(0xFC);
                    Varint(to, (ulong)list.Count);
                    foreach (var one in list)
                        Write(to, one);
                    break;
                case byte[] raw:
                    to.Write(raw);
                    break;
            }
        }
        to.WriteByte(0);
    }

    private static void Varint(MemoryStream to, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            to.WriteByte((byte)(value | 0x80));
        to.WriteByte((byte)value);
    }

    private static ulong Varint(byte[] bytes, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var part = Byte(bytes, ref at);
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
                return value;
        }
        throw new InvalidDataException("a number does not end");
    }

    private static void Past(byte[] bytes, ref int at, ulong count)
    {
        if (count > (ulong)(bytes.Length - at))
            throw new InvalidDataException("it ends in the middle");
        at += (int)count;
    }

    private static int Byte(byte[] bytes, ref int at) =>
        at < bytes.Length ? bytes[at++] : throw new InvalidDataException("it ends in the middle");

    private static long Signed(ulong zigzag) => (long)(zigzag >> 1) ^ -(long)(zigzag & 1);

    /// <summary>A Parquet file's pages with another description behind them.</summary>
    internal sealed class Overlay : Stream
    {
        private readonly Stream pages;
        private readonly long pagesEnd;
        private readonly byte[] end;

        /// <param name="pages">The file.</param>
        /// <param name="pagesEnd">Where its own description begins.</param>
        /// <param name="footer">The description to be read in its place.</param>
        public Overlay(Stream pages, long pagesEnd, byte[] footer)
        {
            (this.pages, this.pagesEnd) = (pages, pagesEnd);
            end = new byte[footer.Length + 8];
            footer.CopyTo(end, 0);
            BinaryPrimitives.WriteInt32LittleEndian(end.AsSpan(footer.Length), footer.Length);
            "PAR1"u8.CopyTo(end.AsSpan(footer.Length + 4));
        }

        public override bool CanRead => true;
        public override bool CanSeek => true;
        public override bool CanWrite => false;
        public override long Length => pagesEnd + end.Length;
        public override long Position { get; set; }

        public override int Read(Span<byte> into)
        {
            int read;
            if (Position < pagesEnd)
            {
                pages.Position = Position;
                read = pages.Read(into[..(int)Math.Min(into.Length, pagesEnd - Position)]);
            }
            else
            {
                var from = end.AsSpan((int)Math.Min(Position - pagesEnd, end.Length));
                read = Math.Min(from.Length, into.Length);
                from[..read].CopyTo(into);
            }
            Position += read;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancel = default) =>
            ValueTask.FromResult(Read(buffer.Span));

        public override long Seek(long offset, SeekOrigin origin) =>
            Position =
                offset
                + origin switch
                {
                    SeekOrigin.Begin => 0,
                    SeekOrigin.Current => Position,
                    _ => Length,
                };

        public override void Flush() { }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
