using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LiT.Data;

namespace LiT.Stores;

/// <summary>
/// Cuts what a source finds into shards of so many things each (samples, skipped ones and notes), whatever becomes of them,
/// so that every process knows a shard's pictures without having decoded those before it. Hashes what it passes, so that
/// a shard made from other data is noticed.
/// </summary>
internal sealed class ShardOrder(int length)
{
    private readonly List<string> digests = [];

    /// <summary>The digest of every shard that has been read to its end.</summary>
    public IReadOnlyList<string> Digests => digests;

    /// <summary>The things of the shards that are wanted, each with its shard's number.</summary>
    /// <param name="found">All that the source finds, in its order.</param>
    /// <param name="wanted">Asked at the beginning of each shard.</param>
    /// <param name="passed">Told at the end of each.</param>
    public IEnumerable<(long Shard, Found Found)> Cut(
        IEnumerable<Found> found,
        Func<long, bool> wanted,
        Action<long, string> passed
    )
    {
        digests.Clear();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (at, take) = (0, false);
        void End()
        {
            digests.Add(Convert.ToHexStringLower(hash.GetHashAndReset()));
            passed(digests.Count - 1, digests[^1]);
            at = 0;
        }
        foreach (var one in found)
        {
            if (at++ == 0)
                take = wanted(digests.Count);
            Add(hash, one);
            if (take)
                yield return (digests.Count, one);
            if (at == length)
                End();
        }
        if (at > 0)
            End();
    }

    private static void Add(IncrementalHash hash, Found one)
    {
        if (one.Sample is { } sample)
        {
            Add(hash, "sample", sample.Key, sample.Origin, sample.Label);
            foreach (var caption in sample.Captions)
                Add(hash, caption);
            foreach (var (name, value) in sample.Fields.OrderBy(field => field.Key, StringComparer.Ordinal))
                Add(hash, name, value);
        }
        else
            Add(hash, "skipped", one.Skipped!.Key, one.Skipped.Origin, one.Skipped.InPart ? "in part" : "");
    }

    private static void Add(IncrementalHash hash, params ReadOnlySpan<string?> texts)
    {
        foreach (var text in texts)
        {
            hash.AppendData(MemoryMarshal.AsBytes((text ?? "").AsSpan()));
            hash.AppendData([0xff, 0xff]); // no character of a text: ends it
        }
    }
}
