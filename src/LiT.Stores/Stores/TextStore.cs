using System.Numerics.Tensors;

namespace LiT.Stores;

/// <summary>
/// A folder of texts that a locked text tower has read, open for reading: rows stay on the disk (mapped), what is said
/// of them is in memory. Safe for use from several threads.
/// </summary>
internal sealed class TextStore : IDisposable
{
    private readonly List<MappedRows> shards = [];
    private readonly List<float[]> norms = [];
    private readonly TextColumn keys = new(),
        texts = new(),
        languages = new();
    private readonly long[] firstRows;

    private TextStore(string folder, TextStoreFile file)
    {
        (Folder, File) = (folder, file);
        firstRows = new long[file.Segments.Count + 1];
        for (var i = 0; i < file.Segments.Count; i++)
            firstRows[i + 1] = firstRows[i] + file.Segments[i].Rows;
    }

    /// <summary>The folder as it was opened.</summary>
    public string Folder { get; }

    /// <summary>What made the rows.</summary>
    public TextStoreFile File { get; }

    /// <summary>Number of rows, one a caption.</summary>
    public long Rows => firstRows[^1];

    /// <summary>Numbers in a row.</summary>
    public int EmbeddingSize => File.EmbeddingSize;

    /// <summary>Whether a path is a folder of embedded texts.</summary>
    public static bool IsStore(string path) => Directory.Exists(path) && TextStoreFile.IsThere(path);

    /// <summary>Opens a store, and checks that files, shapes and counts agree.</summary>
    /// <exception cref="LitException">No text store, an unfinished or damaged one; the message says which file and what
    /// to do.</exception>
    public static TextStore Open(string folder)
    {
        if (!Directory.Exists(folder))
            throw new LitException(
                folder,
                "there is no such folder",
                "Make it with `TextRun(Texts)`, or check the path"
            );
        var file = TextStoreFile.Read(folder)
            ?? throw new LitException(
                folder,
                "holds no embedded texts (no store.json)",
                "Give the folder that `TextRun(Texts)` wrote"
            );
        if (!file.Complete)
            throw new LitException(
                folder,
                "the texts are not all embedded yet",
                "Run the same `TextRun(Texts)` again; it makes what is missing"
            );
        TextStore store = new(folder, file);
        try
        {
            foreach (var (number, rows) in file.Segments)
                store.Add(number, rows);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>The picture that a row's text is of.</summary>
    public string Key(long row) => Text(keys, row)!;

    /// <summary>A row's text.</summary>
    public string Words(long row) => Text(texts, row)!;

    /// <summary>A row's language; null where nobody said it.</summary>
    public string? Language(long row) => Text(languages, row);

    /// <summary>Length of what the tower gave for a row.</summary>
    public float Norm(long row)
    {
        var (shard, at) = Place(row);
        return norms[shard][at];
    }

    /// <summary>Copies a row, of unit length or as the tower gave it.</summary>
    /// <param name="row">From 0 to below <see cref="Rows"/>.</param>
    /// <param name="destination"><see cref="EmbeddingSize"/> numbers.</param>
    /// <param name="ownLength">As the tower gave it.</param>
    public void Read(long row, Span<float> destination, bool ownLength)
    {
        var (shard, at) = Place(row);
        shards[shard].Read(at, destination);
        var length = RowNumbers.Norm(destination);
        var scale = (ownLength ? norms[shard][at] : 1) / length;
        if (!float.IsFinite(scale) || scale == 0)
            throw new LitException(
                shards[shard].Path,
                $"row {at} has numbers that are not finite, or all zero",
                "Embed the texts again"
            );
        TensorPrimitives.Multiply(destination, scale, destination);
    }

    private (int Shard, int Row) Place(long row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Rows);
        var at = Array.BinarySearch(firstRows, row);
        var shard = at >= 0 ? at : ~at - 1;
        return (shard, (int)(row - firstRows[shard]));
    }

    private string? Text(TextColumn column, long row)
    {
        var (shard, at) = Place(row);
        return column[shard, at];
    }

    private void Add(int number, int rows)
    {
        var path = TextShard.RowsPath(Folder, number);
        try
        {
            shards.Add(new(path));
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new LitException(path, "is missing", "Copy or embed the texts again", missing);
        }
        var head = shards[^1].Head;
        if (head.Rows != rows || head.Columns != EmbeddingSize || head.Type != File.Type)
            throw new LitException(
                path,
                $"has {head.Rows} rows of {head.Columns} numbers ({head.Type.Word()}), where store.json says {rows} of "
                    + $"{EmbeddingSize} ({File.Type.Word()})",
                "Copy or embed the texts again"
            );
        var (said, lengths) = TextShard.Read(Folder, number);
        if (said.Length != rows)
            throw new LitException(
                TextShard.MetadataPath(Folder, number),
                $"has {said.Length} rows, and there are {rows} of numbers",
                "Copy or embed the texts again"
            );
        keys.AddShard([.. said.Select(one => one.Key)]);
        texts.AddShard([.. said.Select(one => one.Text)]);
        languages.AddShard([.. said.Select(one => one.Language)]);
        norms.Add(lengths);
    }

    /// <inheritdoc/>
    public void Dispose() => shards.ForEach(shard => shard.Dispose());
}
