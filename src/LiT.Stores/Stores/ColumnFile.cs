using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using LiT.Data;

namespace LiT.Stores;

/// <summary>What a column's values are.</summary>
internal enum ColumnKind
{
    /// <summary>A text, or nothing.</summary>
    Text,

    /// <summary>Several texts.</summary>
    Texts,

    /// <summary>A number, or nothing.</summary>
    Number,

    /// <summary>A day or a point in time, or nothing.</summary>
    Date,

    /// <summary>Nothing anywhere.</summary>
    Empty,
}

/// <summary>
/// A segment's columns in a file that is mapped: what is said of each picture, a column's values together, each
/// column with a
/// checksum that is verified when it is first read. Texts are UTF-8 behind the places where they end; numbers are
/// float64. Columns
/// of the user's own are texts; whether all of them read as numbers, or as dates, is known.
/// </summary>
internal sealed class ColumnFile : IDisposable
{
    /// <summary>The length of the tower's own representation.</summary>
    public const string Norm = "norm";
    private const int Version = 1,
        HeadSize = 72,
        MostOwn = 200;
    private const int VersionAt = 8,
        RowsAt = 12,
        DirectorySizeAt = 16,
        FingerprintAt = 24,
        ChecksumAt = 56,
        DirectoryChecksumAt = 64;
    private const byte Null = 0xff; // never a byte of UTF-8
    public const char Between = '\u001e'; // several texts of one picture
    private const string OfAnIndex = "Run `StoreIndex` on the store; its metadata are not touched";
    private static readonly string[] OfTheRows = ["width", "height", Norm, "added"];

    private readonly MappedFile? file;
    private readonly byte[] memory = [];
    private readonly string name,
        remedy;
    private readonly Dictionary<string, Place> places = new(StringComparer.Ordinal);
    private readonly IReadOnlyDictionary<int, (ColumnFile File, int Row)>? reworded;
    private readonly ColumnFile? beside; // its columns take the place of those of their names

    /// <summary>A file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="remedy">What helps where it is damaged; null for one of an index.</param>
    /// <exception cref="LitException">It is damaged, or of a later version.</exception>
    public ColumnFile(string path, string? remedy = null)
    {
        (file, name, this.remedy) = (new(path), path, remedy ?? OfAnIndex);
        try
        {
            ReadHead(file.Length);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The same in memory.</summary>
    public ColumnFile(byte[] bytes, string name)
    {
        (memory, this.name, remedy) = (bytes, name, OfAnIndex);
        ReadHead(bytes.Length);
    }

    private ColumnFile(
        ColumnFile of,
        IReadOnlyDictionary<int, (ColumnFile File, int Row)>? reworded,
        ColumnFile? beside
    )
    {
        (file, memory, name, remedy) = (of.file, of.memory, of.name, of.remedy);
        (places, Rows, this.reworded, this.beside) = (of.places, of.Rows, reworded, beside);
    }

    /// <summary>The file.</summary>
    public string Name => name;

    /// <summary>The same, with other words for some rows. Valid as long as this is open.</summary>
    public ColumnFile With(IReadOnlyDictionary<int, (ColumnFile File, int Row)> other) => new(this, other, beside);

    /// <summary>The same, with another's columns in the place of those of their names. Valid as long as both are
    /// open.</summary>
    public ColumnFile Beside(ColumnFile other) => new(this, reworded, other);

    public int Rows { get; private set; }

    /// <summary>Of the metadata that the columns were made of.</summary>
    public ReadOnlySpan<byte> Fingerprint => Bytes(FingerprintAt, CodeFile.FingerprintSize);

    public IEnumerable<string> Names =>
        (
            reworded is null
                ? places.Keys
                : places.Keys.Concat(Rewording.SelectMany(one => one.places.Keys.Where(Rewords))).Distinct()
        ).Union(beside?.Names ?? []);

    private bool IsBeside(string column) => beside?.places.ContainsKey(column) == true;

    private IEnumerable<ColumnFile> Rewording => reworded!.Values.Select(one => one.File).Distinct();

    private static bool Rewords(string column) => !OfTheRows.Contains(column) && column is not [Between, ..];

    /// <summary>What a column's values are; null where there is no such column.</summary>
    public ColumnKind? KindOf(string column)
    {
        if (IsBeside(column))
            return beside!.KindOf(column);
        ColumnKind? own = places.TryGetValue(column, out var place) ? place.Kind : null;
        if (reworded is null || !Rewords(column))
            return own;
        var kinds = Rewording.Select(one => one.KindOf(column)).Append(own).OfType<ColumnKind>().Distinct().ToList();
        var known = kinds.FindAll(kind => kind != ColumnKind.Empty);
        return known is [var only] ? only
            : known.Count > 1 ? ColumnKind.Text
            : kinds.Count > 0 ? ColumnKind.Empty
            : null;
    }

    /// <summary>Where a value is: in what stands beside, in the words that were given later, or here.</summary>
    private bool Later(string column, int row, out (ColumnFile File, int Row) at)
    {
        if (IsBeside(column))
        {
            at = (beside!, row);
            return true;
        }
        at = default;
        return reworded is not null && reworded.TryGetValue(row, out at) && Rewords(column);
    }

    /// <summary>One value as text; null where there is none. Several texts have a line each.</summary>
    public string? Text(string column, int row)
    {
        if (Later(column, row, out var later))
            return later.File.Text(column, later.Row);
        if (!places.TryGetValue(column, out var place))
            return null;
        if (place.Stored == ColumnKind.Number)
            return Numbers(place)[row] is var number && double.IsNaN(number)
                ? null
                : number.ToString(CultureInfo.InvariantCulture);
        if (place.Stored == ColumnKind.Date)
            return Numbers(place)[row] is var seconds && double.IsNaN(seconds) ? null : Dates.Text(seconds);
        return TextAt(place, row) is [Null] ? null : Encoding.UTF8.GetString(TextAt(place, row));
    }

    /// <summary>One value of a column of numbers; NaN where there is none.</summary>
    public double Number(string column, int row) => // of the rows only
        places.TryGetValue(column, out var place) ? Numbers(place)[row] : double.NaN;

    /// <summary>Several texts.</summary>
    public string[] Texts(string column, int row) => Text(column, row)?.Split(Between) ?? [];

    /// <summary>A value as it goes into JSON: a text, a list of texts, a number, or null.</summary>
    public object? Value(string column, int row) =>
        KindOf(column) switch
        {
            ColumnKind.Texts => Texts(column, row),
            ColumnKind.Number
                when double.TryParse(
                    Text(column, row),
                    NumberStyles.Float,
                    CultureInfo.InvariantCulture,
                    out var number
                ) => number,
            _ => Text(column, row),
        };

    /// <summary>Copies numbers, or points in time in seconds; NaN where there are none.</summary>
    public void CopyNumbers(string column, Span<double> to)
    {
        CopyOwnNumbers(column, to);
        if (reworded is null || !Rewords(column))
            return;
        foreach (var (row, (other, at)) in reworded)
            to[row] = other.AsNumber(column, at);
    }

    private void CopyOwnNumbers(string column, Span<double> to)
    {
        to.Fill(double.NaN);
        if (!places.TryGetValue(column, out var place))
            return;
        if (place.Stored is ColumnKind.Number or ColumnKind.Date)
        {
            Numbers(place).CopyTo(to);
            return;
        }
        for (var row = 0; row < Rows; row++)
            to[row] = AsNumber(place, row);
    }

    private double AsNumber(string column, int row) =>
        places.TryGetValue(column, out var place) ? AsNumber(place, row) : double.NaN;

    private double AsNumber(Place place, int row) =>
        TextAt(place, row) is var text && text is [Null] ? double.NaN
        : place.Kind == ColumnKind.Date ? Dates.Seconds(Encoding.UTF8.GetString(text))
        : Number(text);

    /// <summary>A text's bytes; null where there is none. Several texts have U+001E between them.</summary>
    public bool TryGetBytes(string column, int row, out ReadOnlySpan<byte> text)
    {
        text = [];
        if (Later(column, row, out var later))
            return later.File.TryGetBytes(column, later.Row, out text);
        if (!places.TryGetValue(column, out var place) || place.Stored is ColumnKind.Number or ColumnKind.Date)
            return false;
        text = TextAt(place, row);
        return text is not [Null];
    }

    /// <summary>Checks every column.</summary>
    /// <exception cref="LitException">One is damaged.</exception>
    public void Verify()
    {
        foreach (var place in places.Values)
            Column(place);
    }

    public void Dispose() => file?.Dispose();

    /// <summary>A segment's columns as bytes.</summary>
    /// <param name="metadata">What the store says of its rows.</param>
    /// <param name="shard">The segment's number in it.</param>
    /// <param name="firstRow">Its first row's number in it.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="views">Rows a picture.</param>
    /// <param name="added">When its pictures came, where the metadata do not say.</param>
    /// <param name="fingerprint">Of the metadata.</param>
    public static byte[] Of(
        StoreMetadata metadata,
        int shard,
        long firstRow,
        int rows,
        int views,
        DateTime added,
        ReadOnlySpan<byte> fingerprint
    )
    {
        int Row(int picture) => picture * views;
        int Number(int picture) => (int)firstRow + picture * views;
        return Written(
            Columns(
                rows / views,
                i => metadata.Key(shard, Row(i)),
                i => metadata.Origin(shard, Row(i)),
                i => metadata.Captions(shard, Row(i)),
                i => metadata.Label(Number(i)),
                i => metadata.Fields(shard, Row(i)),
                [
                    ("width", i => metadata.Widths[Number(i)] is > 0 and var width ? width : double.NaN),
                    ("height", i => metadata.Heights[Number(i)] is > 0 and var height ? height : double.NaN),
                    (Norm, i => metadata.Norms[Number(i)]),
                ],
                i => metadata.Added[Number(i)] is var own && double.IsNaN(own) ? Dates.Seconds(added) : own
            ),
            rows / views,
            fingerprint
        );
    }

    /// <summary>The columns of pictures that are in no store.</summary>
    public static byte[] Of(IReadOnlyList<Sample> samples) =>
        Written(
            Columns(
                samples.Count,
                i => samples[i].Key,
                i => samples[i].Origin,
                i => samples[i].Captions,
                i => samples[i].Label,
                i => samples[i].Fields,
                [],
                null
            ),
            samples.Count,
            new byte[CodeFile.FingerprintSize]
        );

    /// <summary>Columns of several texts each, by themselves.</summary>
    public static ColumnFile OfTexts(string name, int rows, IEnumerable<(string Column, string[]?[] Texts)> columns) =>
        new(
            Written(
                [
                    .. columns.Select(one =>
                        (
                            one.Column,
                            ColumnKind.Texts,
                            (object)
                                Array.ConvertAll(one.Texts, texts =>
                                    texts is { Length: > 0 } ? string.Join(Between, texts.Select(Plain)) : null
                                )
                        )
                    ),
                ],
                rows,
                new byte[CodeFile.FingerprintSize]
            ),
            name
        );

    private static List<(string Name, ColumnKind Kind, object Values)> Columns(
        int count,
        Func<int, string?> key,
        Func<int, string?> origin,
        Func<int, IReadOnlyList<string>> captions,
        Func<int, string?> label,
        Func<int, IReadOnlyDictionary<string, string>> fields,
        IReadOnlyList<(string Name, Func<int, double> Value)> numbers,
        Func<int, double>? added
    )
    {
        T[] Each<T>(Func<int, T> value) => [.. Enumerable.Range(0, count).Select(value)];
        List<(string Name, ColumnKind Kind, object Values)> columns =
        [
            ("key", ColumnKind.Text, Each(key)),
            ("origin", ColumnKind.Text, Each(origin)),
            (
                "captions",
                ColumnKind.Texts,
                Each(i => captions(i) is { Count: > 0 } some ? string.Join(Between, some.Select(Plain)) : null)
            ),
            ("label", ColumnKind.Text, Each(label)),
            .. numbers.Select(one => (one.Name, ColumnKind.Number, (object)Each(one.Value))),
        ];
        if (added is not null)
            columns.Add(("added", ColumnKind.Date, Each(added)));
        var own = Each(fields);
        foreach (var name in own.SelectMany(one => one.Keys).Distinct().Order(StringComparer.Ordinal).Take(MostOwn))
            if (columns.TrueForAll(column => column.Name != name))
                columns.Add((name, ColumnKind.Text, Each(i => own[i].GetValueOrDefault(name))));
        return columns;
    }

    private static string Plain(string text) => text.Replace(Between, ' ');

    private static byte[] Written(
        List<(string Name, ColumnKind Kind, object Values)> columns,
        int rows,
        ReadOnlySpan<byte> fingerprint
    )
    {
        using MemoryStream body = new();
        List<Entry> entries = [];
        foreach (var (name, stored, values) in columns)
        {
            body.Write(new byte[(8 - body.Length % 8) % 8]);
            var at = body.Length;
            if (values is double[] numbers)
                body.Write(MemoryMarshal.AsBytes(numbers.AsSpan()));
            else
                WriteTexts(body, (string?[])values);
            var kind = values is string?[] texts && stored == ColumnKind.Text && Own(name) ? KindOf(texts) : stored;
            var bytes = body.GetBuffer().AsSpan((int)at, (int)(body.Length - at));
            entries.Add(new(name, stored, kind, at, bytes.Length, Checksum.Of(bytes)));
        }
        var directory = JsonSerializer.SerializeToUtf8Bytes(entries);
        var head = new byte[HeadSize];
        "LiTwords"u8.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(VersionAt), Version);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(RowsAt), rows);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(DirectorySizeAt), directory.Length);
        fingerprint.CopyTo(head.AsSpan(FingerprintAt));
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(ChecksumAt), Checksum.Of(head.AsSpan(0, ChecksumAt)));
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(DirectoryChecksumAt), Checksum.Of(directory));
        using MemoryStream all = new();
        all.Write(head);
        all.Write(directory);
        all.Write(new byte[(int)(BodyAt(directory.Length) - all.Length)]);
        body.WriteTo(all);
        return all.ToArray();
    }

    private static bool Own(string name) => name is not ("key" or "origin" or "label");

    private static void WriteTexts(Stream to, string?[] texts)
    {
        using MemoryStream bytes = new();
        var ends = new int[texts.Length];
        for (var i = 0; i < texts.Length; i++)
        {
            bytes.Write(texts[i] is { } text ? Encoding.UTF8.GetBytes(text) : [Null]);
            ends[i] = checked((int)bytes.Length);
        }
        to.Write(MemoryMarshal.AsBytes(ends.AsSpan()));
        bytes.WriteTo(to);
    }

    private static ColumnKind KindOf(string?[] texts)
    {
        var some = texts.OfType<string>().Where(text => text.Length > 0).ToList();
        return some.Count == 0 ? ColumnKind.Empty
            : some.TrueForAll(text => !double.IsNaN(Number(Encoding.UTF8.GetBytes(text)))) ? ColumnKind.Number
            : some.TrueForAll(text => !double.IsNaN(Dates.Seconds(text))) ? ColumnKind.Date
            : ColumnKind.Text;
    }

    private static double Number(ReadOnlySpan<byte> text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : double.NaN;

    private void ReadHead(long length)
    {
        if (length < HeadSize || !Bytes(0, 8).SequenceEqual("LiTwords"u8))
            throw new LitException(name, "not a file of columns, or cut", remedy);
        if (BinaryPrimitives.ReadInt32LittleEndian(Bytes(VersionAt, 4)) is > Version and var later)
            throw new LitException(
                name,
                $"version {later} of the format, where this program knows {Version}",
                "Use a newer program, or run `StoreIndex` with this one"
            );
        var size = BinaryPrimitives.ReadInt32LittleEndian(Bytes(DirectorySizeAt, 4));
        Rows = BinaryPrimitives.ReadInt32LittleEndian(Bytes(RowsAt, 4));
        if (
            BinaryPrimitives.ReadUInt64LittleEndian(Bytes(ChecksumAt, 8)) != Checksum.Of(Bytes(0, ChecksumAt))
            || size < 0
            || HeadSize + (long)size > length
            || BinaryPrimitives.ReadUInt64LittleEndian(Bytes(DirectoryChecksumAt, 8))
                != Checksum.Of(Bytes(HeadSize, size))
        )
            throw new LitException(name, "its head is damaged", remedy);
        foreach (var one in JsonSerializer.Deserialize<Entry[]>(Bytes(HeadSize, size))!)
        {
            if (BodyAt(size) + one.At + one.Length > length)
                throw new LitException(name, "is cut", remedy);
            places[one.Name] = new(one, BodyAt(size) + one.At);
        }
    }

    private ReadOnlySpan<double> Numbers(Place place) => MemoryMarshal.Cast<byte, double>(Column(place));

    private ReadOnlySpan<byte> TextAt(Place place, int row)
    {
        var column = Column(place);
        var ends = MemoryMarshal.Cast<byte, int>(column[..(4 * Rows)]);
        return column[(4 * Rows)..][(row == 0 ? 0 : ends[row - 1])..ends[row]];
    }

    private ReadOnlySpan<byte> Column(Place place)
    {
        var bytes = Bytes(place.At, place.Entry.Length);
        if (!Volatile.Read(ref place.Verified))
        {
            if (Checksum.Of(bytes) != place.Entry.Checksum)
                throw new LitException(name, $"the column {place.Entry.Name} is damaged", remedy);
            Volatile.Write(ref place.Verified, true);
        }
        return bytes;
    }

    private ReadOnlySpan<byte> Bytes(long at, int count) =>
        file is null ? memory.AsSpan((int)at, count) : file.Bytes(at, count);

    private static long BodyAt(int directory) => (HeadSize + (long)directory + 63) / 64 * 64;

    private sealed record Entry(string Name, ColumnKind Stored, ColumnKind Kind, long At, int Length, ulong Checksum);

    private sealed class Place(Entry entry, long at)
    {
        public bool Verified;

        public Entry Entry => entry;

        public long At => at;

        public ColumnKind Stored => entry.Stored;

        public ColumnKind Kind => entry.Kind;
    }
}
