using System.Numerics.Tensors;
using System.Text.Json;
using LiT.Data;
using LiT.Files;

namespace LiT.Stores;

/// <summary>
/// A folder of embedded pictures, open for reading: rows stay on the disk (mapped), what is said of them is in memory.
/// Made by <see cref="EmbeddingStoreWriter"/>, or elsewhere in the layout of clip-retrieval (img_emb, metadata).
/// Safe for use from several threads.
/// </summary>
internal sealed class EmbeddingStore : IDisposable
{
    private readonly List<MappedRows> shards;
    private readonly int[] numbers;
    private readonly int[]?[] present; // of a file of which pictures were removed: those that were not
    private readonly long[] firstRows, // of all that are in the files
        firstHere; // of those that were not removed
    private readonly Lazy<StoreMetadata> words;
    private readonly RewordedPictures reworded;
    private Dictionary<(UInt128, UInt128), long>? rowOfHash;

    private EmbeddingStore(string folder, StoreFile? file, StoreFiles files, Func<StoreMetadata> words)
    {
        Folder = folder;
        Description = file?.Description;
        Counts = file?.Counts;
        Generation = file?.Generation ?? 0;
        (shards, Removed, reworded) = (files.Rows, files.Removed, files.Reworded);
        numbers = [.. files.Numbers];
        this.words = new(words);
        EmbeddingSize = file?.Description.EmbeddingSize ?? shards[0].Head.Columns;
        firstRows = new long[shards.Count + 1];
        firstHere = new long[shards.Count + 1];
        present = new int[shards.Count][];
        for (var i = 0; i < shards.Count; i++)
        {
            var rows = shards[i].Head.Rows;
            firstRows[i + 1] = firstRows[i] + rows;
            if (Removed.Of(numbers[i]) is { } bits)
                present[i] =
                [
                    .. Enumerable
                        .Range(0, (int)rows / Views)
                        .Where(picture => (bits[picture >> 6] >> (picture & 63) & 1) == 0),
                ];
            firstHere[i + 1] = firstHere[i] + (present[i] is { } some ? (long)some.Length * Views : rows);
        }
        Rows = firstHere[^1];
    }

    private StoreMetadata metadata => words.Value;

    /// <summary>The folder as it was opened.</summary>
    public string Folder { get; }

    /// <summary>What made the store; null for one from elsewhere.</summary>
    public StoreDescription? Description { get; }

    /// <summary>What became of the source's samples; null for a store from elsewhere.</summary>
    public StoreCounts? Counts { get; }

    /// <summary>Hash of the tower's weights and preprocessing; null where the store comes from elsewhere.</summary>
    public string? Fingerprint => Description?.Fingerprint;

    /// <summary>
    /// Number of rows; with several views a picture, that many rows each. Those of removed pictures are not among them,
    /// whatever the files hold.
    /// </summary>
    public long Rows { get; }

    /// <summary>Which state of the store was opened: every change makes the next.</summary>
    public long Generation { get; }

    /// <summary>The pictures whose rows are in the files and that are not in the store any more.</summary>
    public RemovedPictures Removed { get; }

    /// <summary>Numbers in a row.</summary>
    public int EmbeddingSize { get; }

    /// <summary>Rows a picture, one after the other.</summary>
    public int Views => Description?.Views ?? 1;

    /// <summary>Whether a path is a folder with embeddings.</summary>
    public static bool IsStore(string path) =>
        Directory.Exists(path)
        && (
            File.Exists(Path.Combine(path, StoreFile.Name))
            || Directory.Exists(Path.Combine(path, "img_emb"))
            || Directory.EnumerateFiles(path, "img_emb*.npy").Any()
        );

    /// <summary>
    /// Opens a store as it is now, and checks that files, shapes and counts agree. Later changes are not seen: what is
    /// open stays as it was.
    /// </summary>
    /// <param name="folder">The store.</param>
    /// <param name="wordsLater">Reads what is said of the rows when it is first asked for; it is checked then.</param>
    /// <exception cref="LitException">No store, an unfinished or damaged one; the message says which file and what to
    /// do.</exception>
    public static EmbeddingStore Open(string folder, bool wordsLater = false) =>
        StoreFile.Undisturbed(folder, () => Opened(folder, ReadFinished(folder), wordsLater));

    private static EmbeddingStore Opened(string folder, StoreFile? file, bool wordsLater)
    {
        var files = StoreFiles.Open(folder, file);
        try
        {
            EmbeddingStore store = new(folder, file, files, () => ReadWords(folder, files));
            if (!wordsLater)
                _ = store.metadata;
            if (file is not null)
                CheckShape(folder, file, files);
            return store;
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    private static StoreFile? ReadFinished(string folder)
    {
        if (!Directory.Exists(folder))
            throw new LitException(
                folder,
                "there is no such folder",
                "Make the store with `EmbedRun`, or check the path"
            );
        var file = StoreFile.Read(folder);
        if (file is { Complete: false })
            throw new LitException(
                folder,
                $"the store is not finished ({new StoreJournal(folder).Counts().Embedded:N0} pictures so far)",
                "Run the same `EmbedRun` again; it goes on where it stopped"
            );
        if (StoreFolder.SwitchIsUnderWay(folder))
            throw new LitException(
                folder,
                "an update was stopped while it put its files in place",
                "Run the same `EmbedRun(Update)` again; it ends at once"
            );
        return file;
    }

    private static StoreMetadata ReadWords(string folder, StoreFiles files)
    {
        var (shards, metadataPaths) = (files.Rows, StoreFiles.Numbered(folder, "metadata", ".parquet"));
        var captions = metadataPaths.Count == 0 ? StrayCaptions(folder) : null;
        var metadata = new StoreMetadata();
        var rows = 0L;
        foreach (var (number, shard) in files.Numbers.Zip(shards))
        {
            var count = (int)shard.Head.Rows;
            if (metadataPaths.Count == 0)
            {
                if (captions is not null && captions.Count < rows + count)
                    throw new LitException(
                        folder,
                        $"{captions.Count:N0} captions where there are at least {rows + count:N0} embeddings",
                        "Give one caption a row"
                    );
                metadata.AddCaptions(captions?.GetRange((int)rows, count), count, rows);
            }
            else
            {
                var beside = metadataPaths.FirstOrDefault(m => m.Number == number).Path
                    ?? throw new LitException(
                        shard.Path,
                        $"no metadata file of the number {number} stands beside it",
                        "Copy it, or embed again"
                    );
                if (metadata.AddParquet(beside, rows) is var said && said != count)
                    throw new LitException(
                        beside,
                        $"{said:N0} rows where {shard.Path} has {count:N0}",
                        "Copy both again, or embed again"
                    );
            }
            rows += count;
        }
        if (captions is not null && captions.Count != rows)
            throw new LitException(
                folder,
                $"{captions.Count:N0} captions where there are {rows:N0} embeddings",
                "Give one caption a row"
            );
        return metadata;
    }

    private static void CheckShape(string folder, StoreFile file, StoreFiles files)
    {
        var shards = files.Rows;
        var rows = shards.Sum(shard => shard.Head.Rows);
        if (file.Rows != rows)
            throw new LitException(
                folder,
                $"{rows:N0} rows where store.json says {file.Rows:N0}; a shard is missing or from another store",
                "Copy the folder again, or embed again"
            );
        if (shards.Any(shard => shard.Head.Type != file.Description.Type))
            throw new LitException(
                folder,
                $"the rows are not of the type that store.json says, {file.Description.Type}",
                "Copy the folder again, or embed again"
            );
        if (shards.Count > 0 && file.Description.EmbeddingSize != shards[0].Head.Columns)
            throw new LitException(
                folder,
                $"rows of {shards[0].Head.Columns} numbers where store.json says {file.Description.EmbeddingSize}",
                "Copy the folder again, or embed again"
            );
        if (file.Growth is not { } growth)
            return;
        foreach (var (entry, shard) in growth.Segments.Zip(shards))
            if (entry.Rows != shard.Head.Rows || entry.Rows % file.Description.Views != 0)
                throw new LitException(
                    shard.Path,
                    $"{shard.Head.Rows:N0} rows where store.json says {entry.Rows:N0}",
                    "Copy the folder again, or embed again"
                );
        if (
            (file.Counts.Embedded + growth.Removed) * file.Description.Views != rows
            || files.Removed.Count != growth.Removed
        )
            throw new LitException(
                folder,
                $"{files.Removed.Count:N0} pictures are removed where store.json says {growth.Removed:N0}",
                "Copy the folder again, or embed again"
            );
    }

    /// <summary>The files of rows, in their order.</summary>
    internal IReadOnlyList<MappedRows> Shards => shards;

    /// <summary>The number in a file's name.</summary>
    internal int NumberOf(int shard) => numbers[shard];

    /// <summary>The number of a file's first row among all that are in the files, removed pictures' too.</summary>
    internal long FirstRow(int shard) => firstRows[shard];

    /// <summary>What the files of metadata say of all the rows that are in the files.</summary>
    internal StoreMetadata Metadata => metadata;

    /// <summary>Pictures of which something else is said now than their file of metadata does.</summary>
    internal RewordedPictures Reworded => reworded;

    /// <summary>Where a row's picture lies.</summary>
    internal PicturePlace PlaceOf(long row)
    {
        var (shard, r) = Locate(row);
        return new(numbers[shard], r / Views);
    }

    /// <summary>Rows that are spread evenly over all, as unit vectors or as the tower gave them.</summary>
    /// <param name="most">How many at most.</param>
    /// <param name="ownLength">As for <see cref="ReadRows"/>.</param>
    internal Embeddings Some(int most, bool ownLength)
    {
        var rows = new long[Math.Min(Rows, most)];
        for (var i = 0L; i < rows.Length; i++)
            rows[i] = i * Rows / rows.Length;
        var values = new float[rows.LongLength * EmbeddingSize];
        ReadRows(rows, values, ownLength);
        return new(values, EmbeddingSize);
    }

    /// <summary>Copies rows into one block, [rows, size], as unit vectors or as the tower gave them.</summary>
    /// <param name="rows">Row numbers, in any order, also repeated.</param>
    /// <param name="destination">Room for rows x <see cref="EmbeddingSize"/> numbers.</param>
    /// <param name="ownLength">False: unit length. True: the tower's own representation (unit row times norm; a store
    /// from elsewhere as it is stored).</param>
    public void ReadRows(ReadOnlySpan<long> rows, Span<float> destination, bool ownLength = false)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            var (shard, row) = Locate(rows[i]);
            var place = destination.Slice(i * EmbeddingSize, EmbeddingSize);
            shards[shard].Read(row, place);
            if (!AreFinite(place))
                throw NotFinite(shard, row);
            if (Description is null ? !ownLength : shards[shard].Head.Type == StoredType.Int8)
                TensorPrimitives.Multiply(place, 1 / Length(place), place);
            if (Description is not null && ownLength)
                TensorPrimitives.Multiply(place, metadata.Norms[At(shard, row)], place);
        }
    }

    /// <summary>Goes through every row of a store whose numbers nobody has looked at: one from elsewhere.</summary>
    /// <exception cref="LitException">
    /// A number is not finite, or all of a row are zero and it has no direction; the message names file and row.
    /// </exception>
    public void CheckNumbers()
    {
        var place = new float[EmbeddingSize];
        for (var shard = 0; shard < shards.Count; shard++)
        for (var row = 0L; row < shards[shard].Head.Rows; row++)
        {
            shards[shard].Read(row, place);
            if (!AreFinite(place))
                throw NotFinite(shard, row);
            if (!place.AsSpan().ContainsAnyExcept(0f))
                throw new LitException(
                    $"{shards[shard].Path}, row {row}: all its numbers are zero, which is no direction. Embed this "
                        + "picture again, or take the row out of the file and its words out of the metadata."
                );
        }
    }

    /// <summary>The error for a row of a file that has numbers that are not finite.</summary>
    internal LitException NotFinite(int shard, long row) =>
        new(
            $"{shards[shard].Path}, row {row}: holds numbers that are not finite (NaN or infinity). Embed this "
                + $"picture again, or take the row out of the file and its words out of the metadata."
        );

    // A sum of products with zero is NaN as soon as one of the numbers is not finite, and 0 otherwise.
    private static bool AreFinite(ReadOnlySpan<float> row) => !float.IsNaN(TensorPrimitives.Sum(row) * 0) || All(row);

    private static bool All(ReadOnlySpan<float> row)
    {
        foreach (var number in row)
            if (!float.IsFinite(number))
                return false;
        return true;
    }

    /// <summary>Pictures that have a caption, and that have a label.</summary>
    public (long Captioned, long Labelled) Words()
    {
        long captioned = 0,
            labelled = 0;
        for (var row = 0L; row < Rows; row += Views)
        {
            var (shard, r) = Locate(row);
            captioned += (Later(shard, r)?.Captions.Count ?? (metadata.HasCaption(shard, r) ? 1 : 0)) > 0 ? 1 : 0;
            labelled += Label(row) is null ? 0 : 1;
        }
        return (captioned, labelled);
    }

    /// <summary>A row's bytes as they lie in the file.</summary>
    internal ReadOnlySpan<byte> Stored(long row)
    {
        var (shard, r) = Locate(row);
        return shards[shard].Stored(r);
    }

    /// <summary>The picture's key.</summary>
    public string Key(long row)
    {
        var (shard, r) = Locate(row);
        return Later(shard, r)?.Key ?? metadata.Key(shard, r);
    }

    /// <summary>Where the picture came from.</summary>
    public string Origin(long row)
    {
        var (shard, r) = Locate(row);
        return Later(shard, r)?.Origin ?? metadata.Origin(shard, r);
    }

    /// <summary>The picture's captions, in their order.</summary>
    public IReadOnlyList<string> Captions(long row)
    {
        var (shard, r) = Locate(row);
        return Later(shard, r)?.Captions ?? metadata.Captions(shard, r);
    }

    /// <summary>The picture's label, or null.</summary>
    public string? Label(long row)
    {
        var (shard, r) = Locate(row);
        return Later(shard, r) is { } later ? later.Label : metadata.Label(At(shard, r));
    }

    /// <summary>Further columns of the picture's source.</summary>
    public IReadOnlyDictionary<string, string> Fields(long row)
    {
        var (shard, r) = Locate(row);
        return Later(shard, r)?.Fields ?? metadata.Fields(shard, r);
    }

    /// <summary>Length of the tower's own representation; 1 for a store from elsewhere.</summary>
    public float Norm(long row) => Description is null ? 1 : metadata.Norms[At(row)];

    /// <summary>Which view of its picture a row is, from 0.</summary>
    public int View(long row) => metadata.Views[At(row)];

    /// <summary>Width and height of the picture in pixels; 0 where the store does not say.</summary>
    public (int Width, int Height) PictureSize(long row) => (metadata.Widths[At(row)], metadata.Heights[At(row)]);

    /// <summary>When the picture came, in seconds.</summary>
    internal double Added(long row)
    {
        var (shard, r) = Locate(row);
        return metadata.Added[At(shard, r)] is var own && !double.IsNaN(own)
            ? own
            : Dates.Seconds(File.GetLastWriteTimeUtc(shards[shard].Path));
    }

    /// <summary>SHA-256 of the picture's encoded bytes, 32 bytes; empty where the store does not say.</summary>
    public byte[] Sha256(long row) => StoreMetadata.Bytes(metadata.Hashes[At(row)]);

    /// <summary>
    /// The first row of the picture with these bytes, or null: its embedding need not be computed again.
    /// </summary>
    /// <param name="sha256">SHA-256 of the encoded bytes, 32 bytes.</param>
    public long? RowOf(ReadOnlySpan<byte> sha256)
    {
        var byHash = LazyInitializer.EnsureInitialized(ref rowOfHash, () =>
        {
            var map = new Dictionary<(UInt128, UInt128), long>();
            for (var row = 0L; row < Rows; row += Views)
                if (metadata.Hashes[At(row)] is var hash && hash != default)
                    map.TryAdd(hash, row);
            return map;
        });
        return byHash.TryGetValue(StoreMetadata.Hash(sha256), out var found) ? found : null;
    }

    /// <summary>
    /// The embedded pictures as samples without pixels, one a picture: keys, captions, labels, fields. Needs no rows,
    /// so it can be read after the store is closed.
    /// </summary>
    public SampleSource Samples() => new StoreSamples(this) { Path = Folder };

    /// <summary>Unmaps the files.</summary>
    public void Dispose()
    {
        foreach (var shard in shards)
            shard.Dispose();
        reworded.Dispose();
    }

    /// <summary>What is said of a row's picture in place of what its file of metadata says.</summary>
    private Sample? Later(int shard, int row) =>
        reworded.IsEmpty ? null : reworded.Find(new(numbers[shard], row / Views));

    /// <summary>A row's number among all that are in the files.</summary>
    private int At(long row)
    {
        var (shard, r) = Locate(row);
        return At(shard, r);
    }

    private int At(int shard, int row) => (int)(firstRows[shard] + row);

    /// <summary>The file of a row, and which of the file's rows it is.</summary>
    private (int Shard, int Row) Locate(long row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Rows);
        var shard = Array.BinarySearch(firstHere, row);
        if (shard < 0)
            shard = ~shard - 1;
        while (firstHere[shard + 1] == row)
            shard++; // a shard without rows
        var at = (int)(row - firstHere[shard]);
        return (shard, present[shard] is { } some ? some[at / Views] * Views + at % Views : at);
    }

    private static float Length(ReadOnlySpan<float> row)
    {
        var length = TensorPrimitives.Norm(row);
        return length > 0 ? length : 1;
    }

    /// <summary>captions.json: a list with a caption, or a list of captions, a row.</summary>
    private static List<string?>? StrayCaptions(string folder)
    {
        var path = Path.Combine(folder, "captions.json");
        if (!File.Exists(path))
            return null;
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return
            [
                .. json
                    .RootElement.EnumerateArray()
                    .Select(row =>
                        row.ValueKind switch
                        {
                            JsonValueKind.String => JsonSerializer.Serialize(new[] { row.GetString() }),
                            JsonValueKind.Array => row.GetRawText(),
                            _ => null,
                        }
                    ),
            ];
        }
        catch (Exception damage) when (damage is JsonException or InvalidOperationException)
        {
            throw new LitException(
                path,
                $"not a JSON list of captions ({JsonTrouble.Words(damage)})",
                "Write one caption, or one list of captions, a row",
                damage
            );
        }
    }
}
