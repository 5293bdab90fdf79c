using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace LiT.Data;

/// <summary>
/// The keys met so far, each as half of its SHA-256: about 40 bytes a key, however long the keys are.
/// </summary>
internal sealed class SeenKeys
{
    private readonly Dictionary<UInt128, int> shardOf = [];

    /// <summary>Notes a key; false where it was there already, and then in which shard.</summary>
    public bool TryAdd(string key, int shard, out int earlierShard)
    {
        var hash = Hash(key);
        if (shardOf.TryGetValue(hash, out earlierShard))
            return false;
        shardOf.Add(hash, shard);
        return true;
    }

    /// <summary>128 bits that stand for a text: two of 10^12 texts share them with a chance below 10^-14.</summary>
    public static UInt128 Hash(string text)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
