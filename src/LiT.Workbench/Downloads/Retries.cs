using System.Security.Cryptography;
using LiT.Data;
using LiT.Files;

namespace LiT.Downloads;

/// <summary>
/// A second try of a download's failed rows: which shards it has been through stands in a hidden folder, an empty file
/// each, so that a killed one goes on.
/// </summary>
internal sealed class Retries(string folder)
{
    private readonly string done = Path.Combine(folder, ".retried");

    /// <summary>Rows that were asked for again, in this run.</summary>
    public long Rows { get; private set; }

    /// <summary>
    /// What a shard's rows came to before; null where it has nothing to try again, or was tried already.
    /// </summary>
    /// <exception cref="LitException">Its file of verdicts is damaged.</exception>
    public TriedShard? Open(int shard, string verdicts, IReadOnlyList<UrlRow> rows)
    {
        var mark = Path.Combine(done, $"{shard:00000}");
        if (File.Exists(mark))
            return null;
        TriedShard before = new(Verdict.ReadAll(verdicts, rows), mark);
        Rows += before.Failed;
        return before.Failed > 0 ? before : null;
    }

    /// <summary>Forgets which shards were tried.</summary>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public void Clear()
    {
        try
        {
            if (Directory.Exists(done))
                Directory.Delete(done, recursive: true);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(done, trouble);
        }
    }
}

/// <summary>A shard that is there, before its failed rows are tried again.</summary>
internal sealed class TriedShard(Verdict[] verdicts, string mark)
{
    /// <summary>Rows that are tried again: those that have an address and no picture.</summary>
    public int Failed => verdicts.Count(verdict => !IsKept(verdict));

    /// <summary>The verdict of a row that is not tried again.</summary>
    public Verdict? Kept(int row) => IsKept(verdicts[row]) ? verdicts[row] : null;

    /// <summary>Gives the pictures of the archive, each with its row.</summary>
    /// <exception cref="LitException">One is missing or changed.</exception>
    public void Unpack(string archive, Action<int, byte[]> give)
    {
        var rows = verdicts
            .Index()
            .Where(one => one.Item.Is == Fetched.Ok)
            .ToDictionary(one => one.Item.Key, one => one.Index);
        if (rows.Count == 0)
            return;
        foreach (var sample in Read(archive))
            if (
                rows.TryGetValue(sample.Key, out var row)
                && sample.ReadImage?.Invoke() is { } picture
                && Convert.ToHexStringLower(SHA256.HashData(picture)) == verdicts[row].Sha256
                && rows.Remove(sample.Key)
            )
                give(row, picture);
        if (rows.Count > 0)
            throw new LitException(
                archive,
                $"lacks {rows.Count} pictures that its verdicts name",
                $"Delete {Path.ChangeExtension(archive, ".jsonl")}; the same command fetches the shard again"
            );
    }

    /// <summary>Notes that its rows were tried.</summary>
    /// <exception cref="LitException">The disk is full.</exception>
    public void Done() => AtomicFile.WriteAllBytes(mark, []);

    private static IEnumerable<Sample> Read(string archive)
    {
        if (!File.Exists(archive))
            yield break;
        using var samples = Samples.Open(archive).Read(_ => { }).GetEnumerator();
        while (Next())
            yield return samples.Current;

        bool Next()
        {
            try
            {
                return samples.MoveNext();
            }
            catch (LitException)
            {
                return false;
            } // it holds nothing
        }
    }

    private static bool IsKept(Verdict verdict) => verdict.Is == Fetched.Ok || verdict.Url is null;
}
