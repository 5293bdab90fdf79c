using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using LiT.Files;

namespace LiT.Stores;

/// <summary>
/// A file of a store's rows with what is made of it for searching, in the folder index: codes and columns. Both say
/// which rows and
/// metadata they were made of; those of others are as if they were not there.
/// </summary>
internal sealed class StoreSegment : IDisposable
{
    private const string Folder = "index";
    private readonly EmbeddingStore store;
    private readonly int shard;
    private readonly Lazy<ColumnFile> columns; // as their file has them
    private readonly Lazy<ColumnFile> said; // and as they are now

    private StoreSegment(EmbeddingStore store, int shard, ReadOnlySpan<byte> projection, bool whole)
    {
        (this.store, this.shard) = (store, shard);
        Pictures = (int)(store.Shards[shard].Head.Rows / store.Views);
        First = store.FirstRow(shard) / store.Views;
        var there = whole ? Undamaged(FindColumns, columns => columns.Verify()) : FindColumns();
        HasColumns = there is not null;
        columns = new(() => there ?? new ColumnFile(MadeColumns(), Rows.Path));
        said = new(() => store.Reworded.Of(Number) is { } other ? columns.Value.With(other) : columns.Value);
        try
        {
            var after = projection.ToArray();
            Codes = whole ? Undamaged(() => FindCodes(after), codes => codes.Verify()) : FindCodes(projection);
        }
        catch
        {
            there?.Dispose();
            throw;
        }
    }

    /// <summary>The rows.</summary>
    public MappedRows Rows => store.Shards[shard];

    /// <summary>The number of its first picture among all that are in the files, removed ones too.</summary>
    public long First { get; }

    public int Pictures { get; }

    /// <summary>The codes; null where there are none of these rows.</summary>
    public CodeFile? Codes { get; }

    /// <summary>Whether its columns are in a file.</summary>
    public bool HasColumns { get; }

    /// <summary>What is said of the pictures.</summary>
    public ColumnFile Columns => said.Value;

    /// <summary>The number in the name of its file of rows.</summary>
    public int Number => store.NumberOf(shard);

    /// <summary>A bit for each picture that is not in the store any more; null where all of them are.</summary>
    public ulong[]? Removed => store.Removed.Of(Number);

    /// <summary>The segments of a store.</summary>
    /// <param name="store">An open store.</param>
    /// <param name="projection">What the rows go through before they are compared; empty for nothing.</param>
    /// <param name="whole">Every byte is checked first, and a damaged file is as if it were not there.</param>
    public static List<StoreSegment> Of(EmbeddingStore store, ReadOnlySpan<byte> projection, bool whole = false)
    {
        List<StoreSegment> segments = [];
        try
        {
            for (var shard = 0; shard < store.Shards.Count; shard++)
                segments.Add(new(store, shard, projection, whole));
            return segments;
        }
        catch
        {
            segments.ForEach(segment => segment.Dispose());
            throw;
        }
    }

    /// <summary>Whether anybody has made codes in a store's folder.</summary>
    public static bool IsIndexed(string folder) => Directory.Exists(FolderOf(folder));

    /// <summary>Whether anybody has made codes of what the rows become by a projection.</summary>
    public static bool IsIndexed(string folder, ReadOnlySpan<byte> projection) =>
        Directory.Exists(Path.Combine(FolderOf(folder), Convert.ToHexStringLower(projection[..8])));

    /// <summary>Where a store's index is, or will be.</summary>
    public static string FolderOf(string store) => Path.Combine(store, Folder);

    /// <summary>Where the codes are, or will be.</summary>
    public string CodesPath(ReadOnlySpan<byte> projection) =>
        Path.Combine(
            store.Folder,
            Folder,
            projection.IsEmpty ? "" : Convert.ToHexStringLower(projection[..8]),
            $"codes_{Name}.bin"
        );

    /// <summary>Writes the codes and the columns that are missing.</summary>
    /// <param name="projection">What the rows go through; empty for nothing.</param>
    /// <param name="size">Numbers in a row behind it.</param>
    /// <param name="read">Reads pictures from the first, so many, as they are compared.</param>
    /// <exception cref="LitException">A row is not finite, or the disk is full.</exception>
    public void Build(ReadOnlySpan<byte> projection, int size, Action<int, int, Memory<float>> read)
    {
        if (Codes is null)
            CodeFile.Write(
                CodesPath(projection),
                Pictures,
                size,
                RowsFingerprint(),
                projection.IsEmpty ? new byte[CodeFile.FingerprintSize] : projection,
                read,
                NotFinite
            );
        if (!HasColumns)
            AtomicFile.WriteAllBytes(ColumnsPath, MadeColumns());
    }

    /// <summary>The error for a picture whose numbers are not finite.</summary>
    public LitException NotFinite(int picture) => store.NotFinite(shard, (long)picture * store.Views);

    /// <summary>Writes the codes of the rows as they are, and the columns.</summary>
    public void Build() => Build([], store.EmbeddingSize, (first, count, to) =>
        {
            for (var i = 0; i < count; i++)
                Rows.Read((long)(first + i) * store.Views, to.Span.Slice(i * store.EmbeddingSize));
        });

    /// <summary>Clears away what belongs to no segment of a store as it is now.</summary>
    public static void Tidy(string store)
    {
        if (!IsIndexed(store))
            return;
        // Files of a later number may be those of a change that is being made.
        var growth = StoreFile.Read(store)?.Growth;
        HashSet<int> numbers = growth is null
            ? [.. StoreFiles.Numbered(store, "img_emb", ".npy").Select(one => one.Number)]
            : [.. growth.Segments.Select(one => one.Number)];
        foreach (var path in Directory.EnumerateFiles(FolderOf(store), "*.bin", SearchOption.AllDirectories))
            if (NumberIn(path) is { } number && !numbers.Contains(number) && !(number >= growth?.Next))
                File.Delete(path);
    }

    /// <summary>The files of an index that are about one file of rows.</summary>
    public static IEnumerable<string> FilesOf(string store, IReadOnlySet<int> numbers) =>
        IsIndexed(store)
            ? Directory
                .EnumerateFiles(FolderOf(store), "*.bin", SearchOption.AllDirectories)
                .Where(path => NumberIn(path) is { } number && numbers.Contains(number))
            : [];

    /// <summary>The name of a file that is about another file of rows.</summary>
    public static string Renumbered(string path, int number) =>
        Path.GetFileName(path).Split('_', 2)[0] + $"_{number.ToString("0000", CultureInfo.InvariantCulture)}.bin";

    private static int? NumberIn(string path) =>
        Path.GetFileNameWithoutExtension(path).Split('_', 2) is [_, var name]
        && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    public void Dispose()
    {
        Codes?.Dispose();
        if (HasColumns || columns.IsValueCreated)
            columns.Value.Dispose();
    }

    private string Name => NameOf(store, shard);

    private string ColumnsPath => Path.Combine(store.Folder, Folder, $"columns_{Name}.bin");

    private static string NameOf(EmbeddingStore store, int shard) =>
        Path.GetFileNameWithoutExtension(store.Shards[shard].Path)
            .Replace("img_emb", "", StringComparison.Ordinal)
            .Trim('_')
            is { Length: > 0 } number
            ? number
            : shard.ToString("0000", CultureInfo.InvariantCulture);

    private CodeFile? FindCodes(ReadOnlySpan<byte> projection)
    {
        if (MappedFile.IfThere(CodesPath(projection), path => new CodeFile(path)) is not { } codes)
            return null;
        if (
            codes.Rows == Pictures
            && codes.Fingerprint.SequenceEqual(RowsFingerprint())
            && (
                projection.IsEmpty
                    ? !codes.Projection.ContainsAnyExcept((byte)0)
                    : codes.Projection.SequenceEqual(projection)
            )
        )
            return codes;
        codes.Dispose();
        return null;
    }

    private static T? Undamaged<T>(Func<T?> find, Action<T> verify)
        where T : class, IDisposable
    {
        T? found = null;
        try
        {
            found = find();
            if (found is not null)
                verify(found);
            return found;
        }
        catch (LitException)
        {
            found?.Dispose();
            return null;
        }
    }

    private ColumnFile? FindColumns()
    {
        if (MappedFile.IfThere(ColumnsPath, path => new ColumnFile(path)) is not { } file)
            return null;
        if (file.Rows == Pictures && file.Fingerprint.SequenceEqual(MetadataFingerprint()))
            return file;
        file.Dispose();
        return null;
    }

    private byte[] MadeColumns() =>
        ColumnFile.Of(
            store.Metadata,
            shard,
            store.FirstRow(shard),
            (int)Rows.Head.Rows,
            store.Views,
            File.GetLastWriteTimeUtc(Rows.Path),
            MetadataFingerprint()
        );

    /// <summary>
    /// Of the shape, the time the file was written and sixteen rows: one that was written again, or another one, has
    /// another.
    /// </summary>
    public byte[] RowsFingerprint()
    {
        const int Sampled = 16;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var head = Rows.Head;
        hash.AppendData(NpyFile.Head(head.Type, head.Rows, head.Columns));
        hash.AppendData(BitConverter.GetBytes(store.Views));
        hash.AppendData(BitConverter.GetBytes(File.GetLastWriteTimeUtc(Rows.Path).Ticks));
        for (var i = 0; i < Sampled && head.Rows > 0; i++)
            hash.AppendData(Rows.Stored((head.Rows - 1) * i / (Sampled - 1)));
        return hash.GetHashAndReset();
    }

    /// <summary>Of the metadata file's length, and of the time it was written.</summary>
    private byte[] MetadataFingerprint()
    {
        FileInfo file = new(
            StoreFolder.MetadataPath(store.Folder, StoreFolder.ShardOf(Path.GetFileName(Rows.Path)) ?? 0)
        );
        return SHA256.HashData(
            JsonSerializer.SerializeToUtf8Bytes(file.Exists ? [file.Length, file.LastWriteTimeUtc.Ticks] : new long[2])
        );
    }
}
