namespace LiT.Stores;

/// <summary>
/// Where the pictures of an unfinished store lie, by the hash of their bytes, so that one that comes again is not embedded again.
/// Knows the shards of one part. Asked from several threads, told by one.
/// </summary>
internal sealed class StoreRepeats(string folder) : IDisposable
{
    private const int OpenAtOnce = 16;
    private readonly Lock guard = new();
    private readonly Dictionary<UInt128, (int Shard, int Row)> places = []; // half of a SHA-256 tells pictures apart
    private readonly Dictionary<int, (MappedRows Rows, StoreMetadata Metadata)> open = [];

    /// <summary>Where the first row of a picture lies, or null.</summary>
    public (int Shard, int Row)? Find(ReadOnlySpan<byte> sha256)
    {
        var half = StoreMetadata.Hash(sha256).First;
        lock (guard)
            return places.TryGetValue(half, out var place) ? place : null;
    }

    /// <summary>Notes a picture's first row; an earlier place of the same bytes stays.</summary>
    public void Add(ReadOnlySpan<byte> sha256, int shard, int row)
    {
        var half = StoreMetadata.Hash(sha256).First;
        lock (guard)
            places.TryAdd(half, (shard, row));
    }

    /// <summary>Notes the pictures of a finished shard. Of one that cannot be read nothing is taken.</summary>
    public void AddShard(int shard, int views)
    {
        StoreMetadata metadata = new();
        try
        {
            metadata.AddParquet(StoreFolder.MetadataPath(folder, shard), 0, only: "sha256");
        }
        catch (LitException)
        {
            return;
        }
        lock (guard)
            for (var row = 0; row < metadata.Hashes.Count; row += views)
                places.TryAdd(metadata.Hashes[row].First, (shard, row));
    }

    /// <summary>Forgets a shard that is given up.</summary>
    public void Remove(int shard)
    {
        lock (guard)
            foreach (var half in places.Where(place => place.Value.Shard == shard).Select(place => place.Key).ToList())
                places.Remove(half);
        if (open.Remove(shard, out var files))
            files.Rows.Dispose();
    }

    /// <summary>A finished shard's rows, to copy from.</summary>
    public (MappedRows Rows, StoreMetadata Metadata) Open(int shard)
    {
        if (open.TryGetValue(shard, out var files))
            return files;
        if (open.Count == OpenAtOnce)
            Dispose();
        StoreMetadata metadata = new();
        metadata.AddParquet(StoreFolder.MetadataPath(folder, shard), 0);
        return open[shard] = (new MappedRows(StoreFolder.RowsPath(folder, shard)), metadata);
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        foreach (var (rows, _) in open.Values)
            rows.Dispose();
        open.Clear();
    }
}
