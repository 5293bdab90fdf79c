using System.Buffers.Binary;
using Parquet.Meta;
using Parquet.Schema;
using Encoding = Parquet.Meta.Encoding;
using Meta = Parquet.Meta;
using Type = System.Type;

namespace LiT.Data;

/// <summary>
/// Holds a Parquet file to what it says of itself before Parquet.Net reads it. Parquet.Net takes every type and length
/// on trust (a number that the file's end cuts off is read for ever), so types are compared with the format's own
/// definition (apache/parquet-format, parquet.thrift), lengths with what is there, and counts with each other.
/// </summary>
internal static class ParquetStructure
{
    private const int DeepestSchema = 64;
    private const int LargestHeader = 1 << 20;

    // A page of this many bytes is believed whatever it is packed into; above, only what a packer can do (deflate: 1032
    // to 1).
    private const long PlainPage = 4 << 20;
    private const long BestPacking = 1100;

    /// <summary>Checks the file's frame.</summary>
    /// <returns>Its description, and where that begins.</returns>
    /// <exception cref="InvalidDataException">What is wrong, in one phrase.</exception>
    public static (byte[] Footer, long Begins) Footer(Stream file)
    {
        Span<byte> end = stackalloc byte[8];
        if (file.Length < 12)
            throw new InvalidDataException("the file is too short");
        file.Position = file.Length - 8;
        file.ReadExactly(end);
        if (end[4..].SequenceEqual("PARE"u8))
            throw new InvalidDataException("the file is encrypted");
        if (!end[4..].SequenceEqual("PAR1"u8))
            throw new InvalidDataException("the end of the file is missing");
        var length = BinaryPrimitives.ReadInt32LittleEndian(end);
        if (length <= 0 || length > file.Length - 12)
            throw new InvalidDataException("its footer has a length that cannot be");
        var footer = new byte[length];
        file.Position = file.Length - 8 - length;
        file.ReadExactly(footer);
        file.Position = 0;
        return (footer, file.Length - 8 - length);
    }

    /// <summary>Checks the types and lengths of everything in a description.</summary>
    /// <exception cref="InvalidDataException">What is wrong, in one phrase.</exception>
    public static void CheckFooter(byte[] footer)
    {
        var walk = new ThriftWalk(footer);
        walk.Struct("FileMetaData");
        var next = 0;
        CheckSchema(walk.Children, ref next, 0);
        if (next != walk.Children.Count)
            throw new InvalidDataException("its schema does not hang together");
    }

    /// <summary>
    /// Checks the pages of one column of one row group: where they are, how long, how packed, how many values they
    /// have.
    /// </summary>
    /// <exception cref="InvalidDataException">What is wrong, in one phrase.</exception>
    public static void CheckPages(Stream file, DataField field, ColumnMetaData column, long rows)
    {
        if (column.NumValues < 0 || (field.MaxRepetitionLevel == 0 && column.NumValues != rows))
            throw new InvalidDataException("a column's number of values is not that of the rows");
        if (field.SchemaElement?.Type is { } type && type != column.Type)
            throw new InvalidDataException("a column's type is not that of the schema");
        var offset = new[] { column.DictionaryPageOffset ?? 0, column.DataPageOffset, column.IndexPageOffset ?? 0 }
            .Where(place => place != 0)
            .DefaultIfEmpty()
            .Min();
        long values = 0;
        while (values < column.NumValues)
        {
            if (offset < 4 || offset >= file.Length)
                throw new InvalidDataException("a page lies outside of the file");
            file.Position = offset;
            var header = ThriftWalk.First(file, new byte[Math.Min(LargestHeader, file.Length - offset)], "PageHeader");
            var (kind, unpacked, packed) = (
                (PageType)header.Number("PageHeader", 1),
                header.Number("PageHeader", 2),
                header.Number("PageHeader", 3)
            );
            offset += header.Position;
            if (packed < 0 || offset + packed > file.Length)
                throw new InvalidDataException("a page is longer than the file");
            var levels = kind == PageType.DATA_PAGE_V2 ? Levels(header, packed) : 0;
            if (
                unpacked < levels
                || unpacked > MostUnpacked(packed)
                || Claimed(file, column.Codec, offset + levels) > MostUnpacked(packed)
            )
                throw new InvalidDataException("a page has a length that cannot be");
            var name = kind == PageType.DATA_PAGE_V2 ? "DataPageHeaderV2" : "DataPageHeader";
            var count = kind switch
            {
                PageType.DATA_PAGE or PageType.DATA_PAGE_V2 => header.Number(name, 1),
                PageType.DICTIONARY_PAGE
                    when header.Number("DictionaryPageHeader", 1) is >= 0 and var entries && entries <= unpacked => 0,
                _ => -1,
            };
            if (count < 0 || count > column.NumValues - values)
                throw new InvalidDataException("a page has a number of values that cannot be");
            var encoding = (Encoding)header.Number(name, name == "DataPageHeader" ? 2 : 4);
            if (kind != PageType.DICTIONARY_PAGE && !Suits(encoding, column.Type, field.ClrType))
                throw new InvalidDataException(
                    $"a page is encoded as {encoding}, which does not go with {column.Type}"
                );
            values += count;
            offset += packed;
        }
    }

    private static long MostUnpacked(long packed) => PlainPage + BestPacking * packed;

    /// <summary>Bytes of levels before the values of a page of version 2.</summary>
    private static long Levels(ThriftWalk header, long packed)
    {
        var (definition, repetition) = (header.Number("DataPageHeaderV2", 5), header.Number("DataPageHeaderV2", 6));
        return definition >= 0 && repetition >= 0 && definition + repetition <= packed
            ? definition + repetition
            : throw new InvalidDataException("a page has levels of a length that cannot be");
    }

    /// <summary>
    /// Parquet.Net writes what it decodes over memory of the column's type, so an encoding of another type must not
    /// come to it.
    /// </summary>
    private static bool Suits(Encoding encoding, Meta.Type type, Type clr) =>
        encoding switch
        {
            Encoding.PLAIN => true,
            Encoding.PLAIN_DICTIONARY or Encoding.RLE_DICTIONARY => type != Meta.Type.BOOLEAN,
            Encoding.RLE => type == Meta.Type.BOOLEAN,
            Encoding.DELTA_BINARY_PACKED => type is Meta.Type.INT32 or Meta.Type.INT64,
            Encoding.DELTA_LENGTH_BYTE_ARRAY or Encoding.DELTA_BYTE_ARRAY => type == Meta.Type.BYTE_ARRAY
                && (clr == typeof(ReadOnlyMemory<char>) || clr == typeof(ReadOnlyMemory<byte>)),
            Encoding.BYTE_STREAM_SPLIT => type
                is Meta.Type.FLOAT
                    or Meta.Type.DOUBLE
                    or Meta.Type.INT32
                    or Meta.Type.INT64,
            _ => false,
        };

    /// <summary>
    /// How many bytes packed data says it unpacks to, where its packer notes that and the reader believes it.
    /// </summary>
    private static long Claimed(Stream file, CompressionCodec codec, long offset)
    {
        Span<byte> start = stackalloc byte[18];
        file.Position = offset;
        start = start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        if (codec == CompressionCodec.SNAPPY)
        {
            long length = 0;
            for (var i = 0; i < Math.Min(5, start.Length); i++)
            {
                length |= (long)(start[i] & 0x7f) << (7 * i);
                if (start[i] < 0x80)
                    break;
            }
            return length;
        }
        if (codec != CompressionCodec.ZSTD || start.Length < 18)
            return 0;
        var descriptor = start[4]; // RFC 8878, section 3.1.1.1
        var single = (descriptor & 0x20) != 0;
        var field = start[(5 + (single ? 0 : 1) + new[] { 0, 1, 2, 4 }[descriptor & 3])..];
        return (descriptor >> 6) switch
        {
            0 => single ? field[0] : 0,
            1 => BinaryPrimitives.ReadUInt16LittleEndian(field) + 256,
            2 => BinaryPrimitives.ReadUInt32LittleEndian(field),
            _ => (long)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(field), long.MaxValue),
        };
    }

    private static void CheckSchema(List<long> children, ref int next, int depth)
    {
        if (next >= children.Count || depth > DeepestSchema)
            throw new InvalidDataException("its schema does not hang together");
        var count = children[next++];
        for (var i = 0L; i < count; i++)
            CheckSchema(children, ref next, depth + 1);
    }
}
