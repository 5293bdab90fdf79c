namespace LiT.Data;

/// <summary>
/// What a source holds and does not read, counted by kind while it is read. For one reader at a time.
/// </summary>
internal sealed class PassedOver
{
    private readonly SortedDictionary<string, (long Count, string First)> kinds = new(StringComparer.Ordinal);

    /// <summary>Forgets everything: a reading begins.</summary>
    public void Clear() => kinds.Clear();

    /// <summary>Counts one.</summary>
    /// <param name="kind">What it is: ".json", "pictures without a row in metadata.csv".</param>
    /// <param name="name">Its name.</param>
    public void Add(string kind, string name) =>
        kinds[kind] = kinds.TryGetValue(kind, out var there) ? (there.Count + 1, there.First) : (1, name);

    /// <summary>Counts what a part of the source passed over.</summary>
    public void Add(PassedOver part)
    {
        foreach (var (kind, (count, first)) in part.kinds)
            kinds[kind] = kinds.TryGetValue(kind, out var there) ? (there.Count + count, there.First) : (count, first);
    }

    /// <summary>One phrase a kind: "captions.txt", "12 .json (first 000.json)".</summary>
    public IReadOnlyList<string> Phrases =>
        [
            .. kinds.Select(kind =>
                kind.Value.Count == 1 && kind.Key.StartsWith('.')
                    ? kind.Value.First
                    : $"{kind.Value.Count:N0} {kind.Key} (first {kind.Value.First})"
            ),
        ];
}
