namespace LiT.Duplicates;

/// <summary>
/// 64-bit hashes that are found by nearness: cut into one part more than bits may differ, so that a near hash has at least one
/// part in common (Norouzi et al. 2012, multi-index hashing). Some 10 to 30 bytes a hash and part.
/// </summary>
/// <param name="farthest">The largest distance that is asked for, 0 to <see cref="Most"/> bits.</param>
internal sealed class HammingIndex(int farthest)
{
    /// <summary>Beyond this, unrelated pictures would be found, and the parts be too short to find anything quickly.</summary>
    public const int Most = 12;

    private readonly Dictionary<ulong, List<int>>[] parts =
    [
        .. Enumerable
            .Range(
                0,
                (farthest is >= 0 and <= Most ? farthest : throw new ArgumentOutOfRangeException(nameof(farthest))) + 1
            )
            .Select(_ => new Dictionary<ulong, List<int>>()),
    ];

    private readonly Dictionary<int, ulong> hashes = [];

    /// <summary>Adds a hash under a number.</summary>
    public void Add(int number, ulong hash)
    {
        hashes.Add(number, hash);
        for (var part = 0; part < parts.Length; part++)
        {
            ref var list = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(
                parts[part],
                PartOf(hash, part),
                out _
            );
            (list ??= []).Add(number);
        }
    }

    /// <summary>The nearest hash within the distance, of equally near ones that with the lowest number; null where there is none.</summary>
    public (int Number, int Distance)? Nearest(ulong hash)
    {
        (int Number, int Distance)? nearest = null;
        foreach (var (number, distance) in Within(hash))
            if (
                nearest is not { } best
                || distance < best.Distance
                || (distance == best.Distance && number < best.Number)
            )
                nearest = (number, distance);
        return nearest;
    }

    /// <summary>Every hash within the distance; one may come several times.</summary>
    public IEnumerable<(int Number, int Distance)> Within(ulong hash)
    {
        for (var part = 0; part < parts.Length; part++)
        {
            if (!parts[part].TryGetValue(PartOf(hash, part), out var list))
                continue;
            foreach (var number in list)
                if (PerceptualHash.Distance(hash, hashes[number]) is var distance && distance <= farthest)
                    yield return (number, distance);
        }
    }

    private ulong PartOf(ulong hash, int part)
    {
        var (from, to) = (part * 64 / parts.Length, (part + 1) * 64 / parts.Length);
        return to - from == 64 ? hash : (hash >> from) & ((1UL << (to - from)) - 1);
    }
}
