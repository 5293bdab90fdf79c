namespace LiT.Stores;

/// <summary>
/// The files of one state of a store, open: rows, which pictures of them were removed, and other words.
/// </summary>
internal sealed class StoreFiles : IDisposable
{
    private StoreFiles() { }

    /// <summary>The files of rows, in their order.</summary>
    public List<MappedRows> Rows { get; } = [];

    /// <summary>The numbers in their names.</summary>
    public List<int> Numbers { get; } = [];

    public RemovedPictures Removed { get; private set; } = RemovedPictures.None;

    public RewordedPictures Reworded { get; private set; } = new([]);

    /// <param name="folder">The store.</param>
    /// <param name="file">Its manifest; null for one from elsewhere.</param>
    /// <exception cref="LitException">A file is missing or damaged, or there are none.</exception>
    public static StoreFiles Open(string folder, StoreFile? file)
    {
        StoreFiles files = new();
        try
        {
            if (file?.Growth is { } growth)
            {
                foreach (var (number, _) in growth.Segments)
                    files.Add(number, StoreFolder.RowsPath(folder, number));
                if (growth.RemovedFile is { } removed)
                    files.Removed = RemovedPictures.Read(StoreFolder.ChangesPath(folder, removed));
                files.Reworded = new(growth.WordsFiles.Select(name => StoreFolder.ChangesPath(folder, name)));
                return files;
            }
            foreach (var (number, path) in Numbered(folder, "img_emb", ".npy"))
                files.Add(number, path);
            return files.Rows.Count > 0
                ? files
                : throw new LitException(
                    folder,
                    "holds no embeddings (img_emb/img_emb_0000.npy …)",
                    "Give the folder of a store"
                );
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>name/name_N.ext, or name_N.ext in the folder itself, by number.</summary>
    public static List<(int Number, string Path)> Numbered(string folder, string name, string extension)
    {
        var inside = Path.Combine(folder, name);
        return
        [
            .. Directory
                .EnumerateFiles(Directory.Exists(inside) ? inside : folder, $"{name}*{extension}")
                .Select(path => (Number: StoreFolder.ShardOf(Path.GetFileName(path)) ?? 0, path))
                .OrderBy(file => file.Number)
                .ThenBy(file => file.path, StringComparer.Ordinal),
        ];
    }

    public void Dispose()
    {
        Rows.ForEach(rows => rows.Dispose());
        Reworded.Dispose();
    }

    private void Add(int number, string path)
    {
        try
        {
            Rows.Add(new(path));
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new LitException(
                path,
                "is not there, though store.json names it",
                "Copy the folder again, or embed again",
                missing
            );
        }
        Numbers.Add(number);
        if (Rows[^1].Head.Columns != Rows[0].Head.Columns)
            throw new LitException(
                path,
                $"rows of {Rows[^1].Head.Columns} numbers, where {Rows[0].Path} has {Rows[0].Head.Columns}",
                "Keep one tower's embeddings in a folder"
            );
    }
}
