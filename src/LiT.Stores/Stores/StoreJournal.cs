using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using LiT.Data;
using LiT.Files;

namespace LiT.Stores;

/// <summary>What one finished shard of an unfinished store holds.</summary>
/// <param name="Digest">Hash of the keys, places and words of everything that the source gave for it.</param>
/// <param name="Embedded">Pictures whose rows are in its files; none, and there are no files.</param>
/// <param name="Skipped">What was skipped in it.</param>
/// <param name="Notes">What was used without a part.</param>
internal sealed record ShardRecord(
    string Digest,
    int Embedded,
    IReadOnlyList<Skipped> Skipped,
    IReadOnlyList<Skipped> Notes
)
{
    public StoreCounts Counts => new(Embedded, Skipped.Count, Notes.Count);
}

/// <summary>
/// The journal of an unfinished store, in its hidden folder .progress: a file for each finished shard, written after the
/// shard's own files, so that any number of processes can work on one store and any of them be killed.
/// </summary>
internal sealed class StoreJournal(string store)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
    private readonly string folder = Path.Combine(store, ".progress");

    /// <summary>The numbers of the finished shards, in order.</summary>
    public List<long> Shards() =>
        !Directory.Exists(folder)
            ? []
            :
            [
                .. Directory
                    .EnumerateFiles(folder, "shard-*.json")
                    .Select(path => Path.GetFileNameWithoutExtension(path)[6..])
                    .Select(name =>
                        long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var shard) ? shard : -1
                    )
                    .Where(shard => shard >= 0)
                    .Order(),
            ];

    /// <summary>A shard's record; null where there is none, or a damaged one: the shard is then made again.</summary>
    public ShardRecord? Read(long shard)
    {
        try
        {
            return
                JsonSerializer.Deserialize<ShardRecord>(File.ReadAllBytes(PathOf(shard)), Json)
                    is { Digest: not null, Skipped: not null, Notes: not null } record
                ? record
                : null;
        }
        catch (Exception trouble) when (trouble is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Notes a finished shard.</summary>
    /// <exception cref="LitException">The disk is full, or the folder cannot be written to.</exception>
    public void Write(long shard, ShardRecord record) =>
        AtomicFile.WriteAllBytes(PathOf(shard), JsonSerializer.SerializeToUtf8Bytes(record, Json));

    /// <summary>Forgets a shard, which is then made again.</summary>
    public void Remove(long shard) => File.Delete(PathOf(shard));

    /// <summary>Clears the journal away.</summary>
    public void Delete()
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>What the finished shards hold together.</summary>
    public StoreCounts Counts() =>
        Shards()
            .Select(Read)
            .OfType<ShardRecord>()
            .Aggregate(new StoreCounts(0, 0, 0), (sum, record) => sum + record.Counts);

    private string PathOf(long shard) =>
        Path.Combine(folder, $"shard-{shard.ToString("000000", CultureInfo.InvariantCulture)}.json");
}
