namespace LiT.Text.SentencePieces;

/// <summary>
/// Byte-pair encoding as SentencePiece does it: of all neighbouring pieces whose union is a piece, those with the best
/// score are joined first, the leftmost of equal ones; what ends as an unused piece is taken apart again
/// (sentencepiece, src/bpe_model.cc, Model::SampleEncode).
/// </summary>
/// <param name="pieces">Every piece, at its id.</param>
/// <param name="trie">The pieces that text may be made of.</param>
/// <param name="reserved">The others, which win where a finished piece has the text of one.</param>
/// <param name="userDefined">Pieces that are never joined with others.</param>
/// <param name="unknown">The id of what is no piece.</param>
internal sealed class BpeSegmentation(
    IReadOnlyList<Piece> pieces,
    ByteTrie trie,
    ByteTrie reserved,
    ByteTrie? userDefined,
    int unknown
) : ISegmentation
{
    private static readonly Comparer<(float Score, int Left)> BestFirst = Comparer<(float Score, int Left)>.Create(
        (a, b) => a.Score != b.Score ? b.Score.CompareTo(a.Score) : a.Left.CompareTo(b.Left)
    );

    public void Segment(ReadOnlySpan<byte> text, List<(int Id, int Length)> into)
    {
        var symbols = Split(text);
        var agenda = new PriorityQueue<(int Left, int Right, int Length), (float Score, int Left)>(BestFirst);
        Dictionary<int, int>? leftParts = null; // of unused pieces: how long the left of the two was
        for (var right = 1; right < symbols.Length; right++)
            Propose(text, right - 1, right);
        while (agenda.TryDequeue(out var pair, out _))
        {
            ref var left = ref symbols[pair.Left];
            ref var right = ref symbols[pair.Right];
            if (left.Length == 0 || right.Length == 0 || left.Length + right.Length != pair.Length)
                continue;
            left.Length = pair.Length;
            left.Next = right.Next;
            right.Length = 0;
            if (left.Next >= 0)
                symbols[left.Next].Previous = pair.Left;
            Propose(text, left.Previous, pair.Left);
            Propose(text, pair.Left, left.Next);
        }
        for (var at = symbols.Length == 0 ? -1 : 0; at >= 0; at = symbols[at].Next)
            Resegment(text, symbols[at].Start, symbols[at].Length);

        void Propose(ReadOnlySpan<byte> text, int left, int right)
        {
            if (left < 0 || right < 0 || symbols[left].Frozen || symbols[right].Frozen)
                return;
            var (start, length) = (symbols[left].Start, symbols[left].Length + symbols[right].Length);
            var id = trie.Find(text.Slice(start, length));
            if (id == ByteTrie.None)
                return;
            agenda.Enqueue((left, right, length), (pieces[id].Score, left));
            if (pieces[id].Type == PieceType.Unused)
                (leftParts ??= [])[id] = symbols[left].Length;
        }

        void Resegment(ReadOnlySpan<byte> text, int start, int length)
        {
            var id = IdOf(text.Slice(start, length));
            if (pieces[id].Type == PieceType.Unused && leftParts is not null && leftParts.TryGetValue(id, out var left))
            {
                Resegment(text, start, left);
                Resegment(text, start + left, length - left);
                return;
            }
            into.Add((id, length));
        }
    }

    private int IdOf(ReadOnlySpan<byte> piece)
    {
        var id = reserved.Find(piece);
        if (id == ByteTrie.None)
            id = trie.Find(piece);
        return id == ByteTrie.None ? unknown : id;
    }

    private Symbol[] Split(ReadOnlySpan<byte> text)
    {
        var symbols = new List<Symbol>(text.Length);
        for (var start = 0; start < text.Length; )
        {
            var frozen = userDefined?.LongestPrefix(text[start..]) ?? 0;
            var length = frozen > 0 ? frozen : Utf8.CharacterLength(text[start..]);
            var (index, isLast) = (symbols.Count, start + length == text.Length);
            symbols.Add(
                new()
                {
                    Start = start,
                    Length = length,
                    Previous = index - 1,
                    Next = isLast ? -1 : index + 1,
                    Frozen = frozen > 0,
                }
            );
            start += length;
        }
        return [.. symbols];
    }

    private struct Symbol
    {
        internal int Start,
            Length,
            Previous,
            Next;
        internal bool Frozen;
    }
}
