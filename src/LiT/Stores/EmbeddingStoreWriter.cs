using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using LiT.Data;
using LiT.Files;

namespace LiT.Stores;

/// <summary>
/// Writes an embedding store, a shard at a time, so that a kill at any moment loses no complete shard: opened again with
/// the same description it goes on after the last one, and the finished folder holds the same bytes as without the kill.
/// Everything that the source yields is given to <see cref="Append"/> or <see cref="Skip"/> in the source's order
/// (<see cref="SampleSource.ReadAll"/>), leaving out the first <see cref="Resumed"/>. Not safe for several threads.
/// </summary>
public sealed class EmbeddingStoreWriter : IDisposable
{
    private const string LockName = ".writing", SkippedName = "skipped.jsonl", NotesName = "notes.jsonl";
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string folder;
    private readonly StoreDescription description;
    private readonly int rowsPerShard;
    private readonly List<StoreRow> rows = [];
    private readonly FileStream? folderLock;
    private FileStream? skippedLines, noteLines;
    private readonly float[] unit;
    private byte[] numbers = [];
    private int shard;
    private long embedded, skipped, noted;

    private EmbeddingStoreWriter(string folder, StoreDescription description, StoreFile file, FileStream? folderLock)
    {
        this.folder = folder;
        this.description = description;
        this.folderLock = folderLock;
        unit = new float[description.EmbeddingSize];
        rowsPerShard = Math.Max(1, description.RowsPerShard / description.Views) * description.Views;
        IsComplete = file.Complete;
        (embedded, skipped, noted) = file.Counts;
        Resumed = embedded + skipped + noted;
        if (IsComplete) return;
        shard = (int)(file.Rows / rowsPerShard);
        RemoveUncounted();
        skippedLines = Lines(SkippedName, file.SkippedBytes);
        noteLines = Lines(NotesName, file.NotesBytes);
    }

    /// <summary>Whether the store is finished already: there is nothing left to do.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>How many things of the source's order (samples, skipped ones and notes) the folder already holds.</summary>
    public long Resumed { get; }

    /// <summary>What has been given so far, the resumed ones included.</summary>
    public StoreCounts Counts => new(embedded, skipped, noted);

    /// <summary>
    /// Pictures until the shard is full. A batch that ends there makes the batches of a resumed run the same as those of
    /// an undisturbed one, and with them the last bits of the numbers.
    /// </summary>
    public int PicturesToShardEnd => (rowsPerShard - rows.Count) / description.Views;

    /// <summary>Begins a store in a new or empty folder, goes on with an unfinished one, or finds a finished one.</summary>
    /// <exception cref="LitException">The folder holds something else, another tower's store, or is being written to.</exception>
    public static EmbeddingStoreWriter Open(string folder, StoreDescription description)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(description.EmbeddingSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(description.Views, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(description.RowsPerShard, 1);
        if (File.Exists(folder)) throw new LitException($"{folder}: is a file, where a store needs a folder. Choose another name.");
        var file = StoreFile.Read(folder);
        if (file is not null) Check(folder, file.Description, description);
        else if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any(entry => !Path.GetFileName(entry).StartsWith('.')))
            throw new LitException($"{folder}: holds files that are no embedding store. Choose a new or empty folder.");
        if (file is { Complete: true })
        {
            RemoveLock(folder);                   // a kill between the last file and the end leaves it
            return new(folder, description, file, null);
        }

        var folderLock = Lock(folder);
        try
        {
            file = StoreFile.Read(folder) ?? new(description, false, new(0, 0, 0), 0, 0);
            if (!File.Exists(Path.Combine(folder, StoreFile.Name))) file.Write(folder);
            return new(folder, description, file, folderLock);
        }
        catch
        {
            folderLock.Dispose();
            throw;
        }
    }

    /// <summary>Adds a picture's rows, one a view, as the tower gave them; unit length and norm are made here.</summary>
    /// <param name="sample">The picture's words and names.</param>
    /// <param name="picture">Its size and hash.</param>
    /// <param name="representations">[views, size] numbers.</param>
    /// <returns>False where the numbers have no direction (not finite, or all zero): the sample then counts as skipped.</returns>
    /// <exception cref="LitException">The disk is full or the folder cannot be written; complete shards stay.</exception>
    public bool Append(Sample sample, EmbeddedPicture picture, ReadOnlySpan<float> representations)
    {
        Writable();
        var size = description.EmbeddingSize;
        if (representations.Length != description.Views * size)
            throw new ArgumentException($"{representations.Length} numbers where {description.Views} x {size} are needed.", nameof(representations));
        Span<float> norms = stackalloc float[Math.Min(description.Views, 64)];
        if (description.Views > 64) norms = new float[description.Views];
        for (var view = 0; view < description.Views; view++)
        {
            norms[view] = Norm(representations.Slice(view * size, size));
            if (float.IsFinite(norms[view]) && norms[view] > 0) continue;
            Skip(new(sample.Key, sample.Origin, "the tower's numbers are not finite, or all zero"));
            return false;
        }
        for (var view = 0; view < description.Views; view++)
        {
            Store(representations.Slice(view * size, size), norms[view]);
            rows.Add(new(sample with { ReadImage = null }, picture, norms[view], view));
        }
        Embedded();
        return true;
    }

    /// <summary>
    /// Adds a picture whose bytes were embedded before, with the rows of that store as they are: no tower runs, and the
    /// numbers are the same to the bit.
    /// </summary>
    /// <param name="sample">The picture's words and names here.</param>
    /// <param name="from">A store of the same tower, type and number of views.</param>
    /// <param name="row">The picture's first row there (<see cref="EmbeddingStore.RowOf"/>).</param>
    /// <exception cref="LitException">The other store is another tower's, or the disk is full.</exception>
    public void AppendAgain(Sample sample, EmbeddingStore from, long row)
    {
        Writable();
        if (!CanReuse(from)) throw new LitException($"{from.Folder}: its rows are not those of {description.Tower}. Reuse a store of the same tower, type and number of views.");
        for (var view = 0; view < description.Views; view++)
        {
            from.Stored(row + view).CopyTo(Place());
            var (width, height) = from.PictureSize(row + view);
            rows.Add(new(sample with { ReadImage = null }, new(width, height, from.Sha256(row + view)), from.Norm(row + view), view));
        }
        Embedded();
    }

    /// <summary>Whether another store's rows can be taken over as they are.</summary>
    public bool CanReuse(EmbeddingStore from) =>
        from.Description is { } there && (there.Fingerprint, there.EmbeddingSize, there.Type, there.Views) ==
            (description.Fingerprint, description.EmbeddingSize, description.Type, description.Views);

    /// <summary>Notes a sample that is not in the store (or, <see cref="Skipped.InPart"/>, not with all its parts), and why.</summary>
    /// <exception cref="LitException">The disk is full or the folder cannot be written.</exception>
    public void Skip(Skipped what)
    {
        Writable();
        var line = JsonSerializer.SerializeToUtf8Bytes(new { key = what.Key, origin = what.Origin, reason = what.Reason }, Plain);
        try
        {
            var lines = (what.InPart ? noteLines : skippedLines)!;
            lines.Write(line);
            lines.WriteByte((byte)'\n');
        }
        catch (IOException trouble)
        {
            throw AtomicFile.Explained(Path.Combine(folder, what.InPart ? NotesName : SkippedName), trouble);
        }
        if (what.InPart) noted++;
        else skipped++;
    }

    /// <summary>Writes the last shard and marks the store complete: everything of the source has been given.</summary>
    /// <exception cref="LitException">The disk is full or the folder cannot be written.</exception>
    public StoreCounts Finish()
    {
        if (IsComplete) return Counts;
        Commit(complete: true);
        IsComplete = true;
        Dispose();
        return Counts;
    }

    /// <summary>Lets go of the folder. Unless it is finished, the rows since the last complete shard are given up.</summary>
    public void Dispose()
    {
        skippedLines?.Dispose();
        noteLines?.Dispose();
        (skippedLines, noteLines) = (null, null);
        folderLock?.Dispose();
    }

    private void Embedded()
    {
        embedded++;
        if (rows.Count == rowsPerShard) Commit();
    }

    private void Commit(bool complete = false)
    {
        if (rows.Count > 0)
        {
            AtomicFile.Write(EmbeddingStore.RowsPath(folder, shard), stream =>
            {
                stream.Write(NpyFile.Head(description.Type, rows.Count, description.EmbeddingSize));
                stream.Write(numbers.AsSpan(0, rows.Count * RowBytes));
            });
            StoreRow.Write(EmbeddingStore.MetadataPath(folder, shard), rows);
            shard++;
            rows.Clear();
        }
        try
        {
            skippedLines!.Flush(flushToDisk: true);
            noteLines!.Flush(flushToDisk: true);
        }
        catch (IOException trouble) { throw AtomicFile.Explained(Path.Combine(folder, SkippedName), trouble); }
        new StoreFile(description, complete, Counts, skippedLines.Length, noteLines.Length).Write(folder);
    }

    private int RowBytes => description.EmbeddingSize * (description.Type == StoredType.Float16 ? 2 : 4);

    /// <summary>Room for the next row's bytes.</summary>
    private Span<byte> Place()
    {
        var offset = rows.Count * RowBytes;
        if (numbers.Length < offset + RowBytes)
            Array.Resize(ref numbers, (int)Math.Min(Math.Max(2L * numbers.Length, 64L * RowBytes), (long)rowsPerShard * RowBytes));
        return numbers.AsSpan(offset, RowBytes);
    }

    private void Store(ReadOnlySpan<float> row, float norm)
    {
        var place = Place();
        if (description.Type == StoredType.Float32) TensorPrimitives.Divide(row, norm, MemoryMarshal.Cast<byte, float>(place));
        else
        {
            TensorPrimitives.Divide(row, norm, unit);
            TensorPrimitives.ConvertToHalf(unit, MemoryMarshal.Cast<byte, Half>(place));
        }
    }

    /// <summary>Euclidean length, summed in double precision so that it does not depend on the machine's vector width.</summary>
    private static float Norm(ReadOnlySpan<float> row)
    {
        var sum = 0.0;
        foreach (var value in row) sum += (double)value * value;
        return (float)Math.Sqrt(sum);
    }

    private void Writable()
    {
        if (skippedLines is null) throw new InvalidOperationException("The store is finished or closed.");
    }

    /// <summary>Clears what a killed run left behind the last complete shard.</summary>
    private void RemoveUncounted()
    {
        try
        {
            foreach (var place in new[] { "", "img_emb", "metadata" }.Select(sub => Path.Combine(folder, sub)).Where(Directory.Exists))
            {
                AtomicFile.RemoveLeft(place);
                foreach (var path in Directory.EnumerateFiles(place))
                    if (EmbeddingStore.ShardOf(Path.GetFileName(path)) >= shard) File.Delete(path);
            }
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException) { throw AtomicFile.Explained(folder, trouble); }
    }

    private FileStream Lines(string name, long length)
    {
        var path = Path.Combine(folder, name);
        try
        {
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
            if (file.Length < length)
            {
                file.Dispose();
                throw new LitException($"{path}: shorter than store.json says. Delete the folder and embed again.");
            }
            file.SetLength(length);
            file.Position = length;
            return file;
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException) { throw AtomicFile.Explained(path, trouble); }
    }

    private static FileStream Lock(string folder)
    {
        var path = Path.Combine(folder, LockName);
        try
        {
            Directory.CreateDirectory(folder);
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException trouble) when (File.Exists(path))
        {
            throw new LitException($"{folder}: another program is writing this store. Wait for it, or choose another folder.", trouble);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException) { throw AtomicFile.Explained(folder, trouble); }
    }

    private static void RemoveLock(string folder)
    {
        try { File.Delete(Path.Combine(folder, LockName)); }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            // The store is whole and is only read; where nothing can be deleted, an empty hidden file may stay.
        }
    }

    private static void Check(string folder, StoreDescription there, StoreDescription given)
    {
        const string Remedy = "Choose another folder, or delete this one";
        if (there.Fingerprint != given.Fingerprint)
            throw new LitException($"{folder}: made with another tower, {there.Tower} (fingerprint {Short(there.Fingerprint)}, not {Short(given.Fingerprint)}). {Remedy}.");
        if (there.Source != given.Source)
            throw new LitException($"{folder}: made from other data, {there.Source}, not {given.Source}. {Remedy}.");
        if ((there.EmbeddingSize, there.Type, there.Views, there.RowsPerShard) != (given.EmbeddingSize, given.Type, given.Views, given.RowsPerShard))
            throw new LitException($"{folder}: made with other settings ({Settings(there)}, not {Settings(given)}). {Remedy}.");
    }

    private static string Settings(StoreDescription d) => $"{d.EmbeddingSize} numbers of {d.Type.ToString().ToLowerInvariant()}, {d.Views} views, {d.RowsPerShard} rows a shard";

    private static string Short(string fingerprint) => fingerprint.Length > 12 ? fingerprint[..12] : fingerprint;
}
