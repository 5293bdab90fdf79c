using System.Globalization;
using LiT.Data;

namespace LiT.Stores;

/// <summary>
/// Rows that are to become a part of a store, in a folder of their own until then: a small store itself, so that what a
/// killed program has embedded is found again. Not safe for several threads, but for <see cref="Holds"/>.
/// </summary>
internal sealed class StoreAddition : IDisposable
{
    private const string Prefix = "rows-";
    private readonly StoreDescription description;
    private readonly ShardRows rows;
    private readonly StoreRepeats repeats;
    private readonly List<SegmentEntry> files = [];

    /// <param name="folder">An empty folder, or one that is not there.</param>
    /// <param name="description">What makes the rows.</param>
    public StoreAddition(string folder, StoreDescription description)
    {
        (Folder, this.description) = (folder, description);
        (rows, repeats) = (new(description), new(folder));
    }

    public string Folder { get; }

    /// <summary>Pictures so far.</summary>
    public long Pictures { get; private set; }

    /// <summary>The finished files.</summary>
    public IReadOnlyList<SegmentEntry> Files => files;

    /// <summary>What was begun in an update's folder and never became a part of the store, newest first.</summary>
    public static IEnumerable<string> LeftIn(string update) =>
        Directory.Exists(update)
            ? Directory.EnumerateDirectories(update, Prefix + "*").OrderDescending(StringComparer.Ordinal)
            : [];

    /// <summary>A place for the next rows in an update's folder.</summary>
    public static string NextIn(string update)
    {
        var last =
            LeftIn(update).Select(Path.GetFileName).FirstOrDefault() is { } name
            && int.TryParse(name.AsSpan(Prefix.Length), CultureInfo.InvariantCulture, out var number)
                ? number
                : 0;
        return Path.Combine(update, Prefix + (last + 1).ToString("0000", CultureInfo.InvariantCulture));
    }

    /// <inheritdoc cref="EmbeddingStoreWriter.Append"/>
    public bool Append(Sample sample, EmbeddedPicture picture, ReadOnlySpan<float> representations)
    {
        if (!rows.Append(sample, picture, representations))
            return false;
        repeats.Add(picture.Sha256, files.Count, rows.Count - description.Views);
        Added();
        return true;
    }

    /// <summary>Adds a picture with the rows that another store has of it.</summary>
    /// <param name="sample">Its words.</param>
    /// <param name="from">A store of the same tower, type and views.</param>
    /// <param name="row">Its first row there.</param>
    /// <param name="added">When it came, in seconds; null for now.</param>
    public void AppendAgain(Sample sample, EmbeddingStore from, long row, double? added = null)
    {
        rows.Append(sample, from, row, added);
        if (from.Sha256(row) is { Length: > 0 } sha256)
            repeats.Add(sha256, files.Count, rows.Count - description.Views);
        Added();
    }

    /// <summary>Whether a picture of these bytes is here. Safe from several threads.</summary>
    public bool Holds(ReadOnlySpan<byte> sha256) => repeats.Find(sha256) is not null;

    /// <summary>Adds a picture whose bytes are here already; false where they are not.</summary>
    public bool AppendRepeat(Sample sample, ReadOnlySpan<byte> sha256)
    {
        if (repeats.Find(sha256) is not var (shard, row))
            return false;
        if (shard == files.Count)
            rows.AppendAgain(sample, row);
        else
        {
            var (from, metadata) = repeats.Open(shard);
            rows.Append(sample, from, metadata, row);
        }
        Added();
        return true;
    }

    /// <summary>Writes what is not on the disk yet.</summary>
    /// <exception cref="LitException">The disk is full, or the folder cannot be written to.</exception>
    public void Flush()
    {
        if (rows.Count == 0)
            return;
        SegmentEntry entry = new(files.Count, rows.Count);
        rows.Write(Folder, entry.Number);
        files.Add(entry);
        StoreGrowth growth = new()
        {
            Generation = files.Count,
            Segments = [.. files],
            Next = files.Count,
        };
        new StoreFile(description, true, new(growth.Rows / description.Views, 0, 0), growth).Write(Folder);
    }

    /// <summary>Makes codes and columns of the finished files.</summary>
    /// <exception cref="LitException">A row is not finite, or the disk is full.</exception>
    public void Index()
    {
        if (files.Count == 0)
            return;
        using var store = EmbeddingStore.Open(Folder);
        foreach (var segment in StoreSegment.Of(store, []))
            using (segment)
                segment.Build();
    }

    /// <summary>Lets go of the files; they stay where they are.</summary>
    public void Dispose() => repeats.Dispose();

    private void Added()
    {
        Pictures++;
        if (rows.Count + description.Views > Math.Max(description.RowsPerShard, description.Views))
            Flush();
    }
}
