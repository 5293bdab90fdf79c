namespace LiT.Text;

/// <summary>Covers a word from the left by the longest pieces of a vocabulary.</summary>
internal sealed class PieceMatcher
{
    private readonly Dictionary<string, int> ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> starts,
        continuations;
    private readonly int longest;

    /// <param name="pieces">Pieces at their ids; of equal ones the last counts.</param>
    /// <param name="prefix">What a piece begins with that continues a word.</param>
    internal PieceMatcher(IReadOnlyList<string> pieces, string prefix)
        : this(pieces.Select((piece, id) => KeyValuePair.Create(piece, id)), prefix) { }

    internal PieceMatcher(IEnumerable<KeyValuePair<string, int>> pieces, string prefix)
    {
        ids = new(StringComparer.Ordinal);
        var continuing = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (piece, id) in pieces)
        {
            ids[piece] = id;
            if (piece.StartsWith(prefix, StringComparison.Ordinal))
                continuing[piece[prefix.Length..]] = id;
            longest = Math.Max(longest, piece.Length);
        }
        starts = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        continuations = continuing.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    internal int? IdOf(string piece) => ids.TryGetValue(piece, out var id) ? id : null;

    /// <summary>
    /// Adds the ids that cover the word; adds nothing and says false where the word cannot be covered.
    /// </summary>
    internal bool Cover(ReadOnlySpan<char> word, List<int> into)
    {
        var before = into.Count;
        for (var start = 0; start < word.Length; )
        {
            var lookup = start == 0 ? starts : continuations;
            var end = Math.Min(word.Length, start + longest);
            int id;
            while (!lookup.TryGetValue(word[start..end], out id))
            {
                if (--end > start)
                    continue;
                into.RemoveRange(before, into.Count - before);
                return false;
            }
            into.Add(id);
            start = end;
        }
        return true;
    }
}
