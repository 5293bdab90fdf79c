namespace LiT.Text;

/// <summary>Joins the most frequent pair of neighbouring pieces over a list of counted words.</summary>
internal sealed class PairMerging
{
    private readonly List<string> pieces;
    private readonly string continues;
    private readonly Dictionary<string, int> ids;
    private readonly List<(int[] Pieces, int Length, long Count)> words = [];
    private readonly Dictionary<(int Left, int Right), Pair> pairs = [];
    private readonly PriorityQueue<(int Left, int Right), (long MinusCount, int Left, int Right)> queue = new();

    /// <param name="pieces">Pieces at their ids; joined ones are added at the end.</param>
    /// <param name="words">Words split into pieces; those with a piece that is not among <paramref name="pieces"/> are
    /// left out.</param>
    /// <param name="continues">What pieces begin with that continue a word, "##" or nothing; joining takes it
    /// away.</param>
    internal PairMerging(
        IEnumerable<string> pieces,
        IEnumerable<(string[] Pieces, long Count)> words,
        string continues = "##"
    )
    {
        this.continues = continues;
        this.pieces = [.. pieces];
        ids = this
            .pieces.Select((piece, id) => (piece, id))
            .ToDictionary(p => p.piece, p => p.id, StringComparer.Ordinal);
        foreach (var (parts, count) in words)
        {
            var word = new int[parts.Length];
            var known = true;
            for (var i = 0; i < parts.Length && known; i++)
                known = ids.TryGetValue(parts[i], out word[i]);
            if (!known)
                continue;
            for (var i = 1; i < word.Length; i++)
                Change((word[i - 1], word[i]), count, this.words.Count);
            this.words.Add((word, word.Length, count));
        }
        foreach (var pair in pairs.Keys)
            Enqueue(pair);
    }

    internal int PieceCount => pieces.Count;

    internal IReadOnlyList<string> Pieces => pieces;

    /// <summary>Joins one pair everywhere; false where none was seen <paramref name="minimum"/> times.</summary>
    internal bool MergeMostFrequent(long minimum)
    {
        while (queue.TryDequeue(out var pair, out var priority))
        {
            if (!pairs.TryGetValue(pair, out var seen) || seen.Count < minimum)
                continue;
            if (seen.Count != -priority.MinusCount)
                Enqueue(pair); // it has become rarer since it was queued
            else
            {
                Merge(pair, seen);
                return true;
            }
        }
        return false;
    }

    private void Merge((int Left, int Right) pair, Pair seen)
    {
        pairs.Remove(pair);
        var joined = Joined(pair);
        var grown = new HashSet<(int, int)>();
        foreach (var at in seen.Words.Distinct())
        {
            var (word, length, count) = words[at];
            var written = 0;
            for (var i = 0; i < length; i++)
            {
                if (i + 1 == length || word[i] != pair.Left || word[i + 1] != pair.Right)
                {
                    word[written++] = word[i];
                    continue;
                }
                if (written > 0)
                {
                    Change((word[written - 1], pair.Left), -count, at);
                    Grow((word[written - 1], joined));
                }
                if (i + 2 < length)
                {
                    Change((pair.Right, word[i + 2]), -count, at);
                    Grow((joined, word[i + 2]));
                }
                word[written++] = joined;
                i++;

                void Grow((int, int) neighbours)
                {
                    Change(neighbours, count, at);
                    grown.Add(neighbours);
                }
            }
            words[at] = (word, written, count);
        }
        foreach (var neighbours in grown)
            Enqueue(neighbours);
    }

    private int Joined((int Left, int Right) pair)
    {
        var right = pieces[pair.Right];
        var text =
            pieces[pair.Left]
            + (right.StartsWith(continues, StringComparison.Ordinal) ? right[continues.Length..] : right);
        if (ids.TryGetValue(text, out var id))
            return id;
        ids[text] = pieces.Count;
        pieces.Add(text);
        return pieces.Count - 1;
    }

    private void Change((int Left, int Right) pair, long by, int word)
    {
        if (!pairs.TryGetValue(pair, out var seen))
        {
            if (by < 0)
                return; // the pair that is being joined
            pairs[pair] = seen = new Pair();
        }
        seen.Count += by;
        if (by > 0 && (seen.Words.Count == 0 || seen.Words[^1] != word))
            seen.Words.Add(word);
        if (seen.Count == 0)
            pairs.Remove(pair);
    }

    private void Enqueue((int Left, int Right) pair)
    {
        if (pairs.TryGetValue(pair, out var seen))
            queue.Enqueue(pair, (-seen.Count, pair.Left, pair.Right));
    }

    private sealed class Pair
    {
        internal long Count;
        internal readonly List<int> Words = [];
    }
}
