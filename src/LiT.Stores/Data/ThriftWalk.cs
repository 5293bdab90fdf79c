namespace LiT.Data;

/// <summary>Goes through a Thrift structure in the compact protocol, and minds that it is what it should be.</summary>
internal sealed class ThriftWalk(byte[] bytes, int length)
{
    // v: a number of variable length; b: bytes; t: true or false; y: one byte; d: eight bytes; [x: a list of x; a name:
    // a structure.
    private static readonly Dictionary<string, string> Definition = new()
    {
        ["FileMetaData"] = "1v 2[SchemaElement 3v 4[RowGroup 5[KeyValue 6b 7[ColumnOrder 8EncryptionAlgorithm 9b",
        ["SchemaElement"] = "1v 2v 3v 4b 5v 6v 7v 8v 9v 10LogicalType",
        ["LogicalType"] =
            "1Empty 2Empty 3Empty 4Empty 5DecimalType 6Empty 7TimeType 8TimeType 10IntType 11Empty "
            + "12Empty 13Empty 14Empty 15Empty 16VariantType 17GeometryType 18GeometryType",
        ["Empty"] = "",
        ["DecimalType"] = "1v 2v",
        ["TimeType"] = "1t 2TimeUnit",
        ["TimeUnit"] = "1Empty 2Empty 3Empty",
        ["IntType"] = "1y 2t",
        ["VariantType"] = "1y",
        ["GeometryType"] = "1b 2v",
        ["RowGroup"] = "1[ColumnChunk 2v 3v 4[SortingColumn 5v 6v 7v",
        ["SortingColumn"] = "1v 2t 3t",
        ["ColumnChunk"] = "1b 2v 3ColumnMetaData 4v 5v 6v 7v 8ColumnCryptoMetaData 9b",
        ["ColumnMetaData"] =
            "1v 2[v 3[b 4v 5v 6v 7v 8[KeyValue 9v 10v 11v 12Statistics 13[PageEncodingStats 14v 15v "
            + "16SizeStatistics 17GeospatialStatistics",
        ["Statistics"] = "1b 2b 3v 4v 5b 6b 7t 8t",
        ["PageEncodingStats"] = "1v 2v 3v",
        ["SizeStatistics"] = "1v 2[v 3[v",
        ["GeospatialStatistics"] = "1BoundingBox 2[v",
        ["BoundingBox"] = "1d 2d 3d 4d 5d 6d 7d 8d",
        ["ColumnCryptoMetaData"] = "1Empty 2EncryptionWithColumnKey",
        ["EncryptionWithColumnKey"] = "1[b 2b",
        ["KeyValue"] = "1b 2b",
        ["ColumnOrder"] = "1Empty",
        ["EncryptionAlgorithm"] = "1Aes 2Aes",
        ["Aes"] = "1b 2b 3t",
        ["PageHeader"] = "1v 2v 3v 4v 5DataPageHeader 6Empty 7DictionaryPageHeader 8DataPageHeaderV2",
        ["DataPageHeader"] = "1v 2v 3v 4v 5Statistics",
        ["DictionaryPageHeader"] = "1v 2v 3t",
        ["DataPageHeaderV2"] = "1v 2v 3v 4v 5v 6v 7t 8Statistics",
    };

    private static readonly Dictionary<(string, long), string> Kinds = Definition
        .SelectMany(structure =>
            structure.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(field => (structure.Key, field))
        )
        .ToDictionary(
            f => (f.Key, long.Parse(f.field.TakeWhile(char.IsAsciiDigit).ToArray(), null)),
            f => f.field.TrimStart("0123456789".ToCharArray())
        );

    private const string Unknown = "?";

    private readonly Dictionary<(string, long), long> numbers = [];

    public ThriftWalk(byte[] bytes)
        : this(bytes, bytes.Length) { }

    public int Position { get; private set; }

    /// <summary>Number of children of every schema element, in order.</summary>
    public List<long> Children { get; } = [];

    /// <summary>The last number that a field held; 0 where it never came.</summary>
    public long Number(string structure, long field) => numbers.GetValueOrDefault((structure, field));

    /// <summary>Goes through a structure at the front of a file, reading no more of it than needed.</summary>
    public static ThriftWalk First(Stream file, byte[] room, string name)
    {
        for (var filled = 0; ; )
        {
            filled += file.ReadAtLeast(
                room.AsSpan(filled, Math.Min(Math.Max(filled, 256), room.Length - filled)),
                1,
                throwOnEndOfStream: false
            );
            var walk = new ThriftWalk(room, filled);
            try
            {
                walk.Struct(name);
                return walk;
            }
            catch (EndOfStreamException) when (filled < room.Length)
            {
                // The structure is longer than what was read so far.
            }
        }
    }

    public void Struct(string name)
    {
        if (name == "SchemaElement")
            numbers.Remove((name, 5));
        for (long id = 0; ; )
        {
            var header = Byte();
            if (header == 0)
                break;
            id = header >> 4 == 0 ? Signed(Varint()) : id + (header >> 4);
            Value(header & 15, Kinds.GetValueOrDefault((name, id)), (name, id), inList: false);
        }
        if (name == "SchemaElement")
            Children.Add(Number(name, 5));
    }

    private const int DeepestUnknown = 32;
    private int unknown;

    private void Value(int wire, string? kind, (string, long) field, bool inList)
    {
        // A later version's field is passed over, whatever it holds: readers of Thrift are made so.
        if (kind is null)
        {
            PassOver(wire, field, inList);
            return;
        }
        var fits = kind switch
        {
            "v" => wire is 4 or 5 or 6,
            "b" => wire == 8,
            "t" => wire is 1 or 2 && !inList,
            "y" => wire == 3,
            "d" => wire == 7,
            ['[', ..] => wire == 9,
            _ => wire == 12,
        };
        if (!fits || (inList && wire == 9))
            throw new InvalidDataException($"field {field.Item2} of {field.Item1} has a type that is not known");
        switch (wire)
        {
            case 3:
                Skip(1);
                break;
            case 4 or 5 or 6:
                numbers[field] = Signed(Varint());
                break;
            case 7:
                Skip(8);
                break;
            case 8:
                Skip(Varint());
                break;
            case 9:
                List(kind?[1..], field);
                break;
            case 12:
                Struct(kind!);
                break;
        }
    }

    /// <summary>Goes past a value of a kind that is not known.</summary>
    private void PassOver(int wire, (string, long) field, bool inList)
    {
        if (++unknown > DeepestUnknown)
            throw new InvalidDataException("a field that is not known is too deep");
        switch (wire)
        {
            case 1 or 2:
                if (inList)
                    Skip(1);
                break;
            case 3:
                Skip(1);
                break;
            case 4 or 5 or 6:
                Varint();
                break;
            case 7:
                Skip(8);
                break;
            case 8:
                Skip(Varint());
                break;
            case 9 or 10:
                List(null, field);
                break;
            case 11:
                var pairs = Varint();
                if (pairs == 0)
                    break;
                if (pairs > (ulong)(bytes.Length - Position))
                    throw new InvalidDataException("a map is longer than the file");
                var kinds = Byte();
                for (var i = 0UL; i < pairs; i++)
                {
                    PassOver(kinds >> 4, field, inList: true);
                    PassOver(kinds & 15, field, inList: true);
                }
                break;
            case 12:
                Struct(Unknown);
                break;
            case 13:
                Skip(16);
                break;
            default:
                throw new InvalidDataException($"field {field.Item2} of {field.Item1} has a type that is not known");
        }
        unknown--;
    }

    private void List(string? kind, (string, long) field)
    {
        var header = Byte();
        var count = header >> 4 == 15 ? Varint() : (ulong)(header >> 4);
        if (count > (ulong)(bytes.Length - Position))
            throw new InvalidDataException("a list is longer than the file");
        for (var i = 0UL; i < count; i++)
            Value(header & 15, kind, field, inList: true);
    }

    private int Byte() =>
        Position < length ? bytes[Position++] : throw new EndOfStreamException("it ends in the middle");

    private void Skip(ulong count)
    {
        if (count > (ulong)(length - Position))
            throw new EndOfStreamException("it ends in the middle");
        Position += (int)count;
    }

    private ulong Varint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var part = Byte();
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
                return value;
        }
        throw new InvalidDataException("a number does not end");
    }

    private static long Signed(ulong zigzag) => (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
}
