namespace LiT.Text.SentencePieces;

/// <summary>
/// The most probable segmentation under a unigram language model (Kudo 2018, arXiv 1804.10959), found with the
/// reference's own rounding: sums are kept as float32, and candidates compared before they are rounded to it
/// (sentencepiece, src/unigram_model.cc, Model::EncodeOptimized).
/// </summary>
internal sealed class UnigramSegmentation : ISegmentation
{
    private const float UnknownPenalty = 10;

    private readonly ByteTrie trie;
    private readonly IReadOnlyList<Piece> pieces;
    private readonly int unknown;
    private readonly float unknownScore,
        largestScore;

    internal UnigramSegmentation(IReadOnlyList<Piece> pieces, ByteTrie trie, int unknown)
    {
        (this.pieces, this.trie, this.unknown) = (pieces, trie, unknown);
        var (smallest, largest) = (float.MaxValue, 1.17549435e-38f); // the reference starts from FLT_MIN
        foreach (var piece in pieces.Where(piece => piece.Type == PieceType.Normal))
            (smallest, largest) = (Math.Min(smallest, piece.Score), Math.Max(largest, piece.Score));
        (unknownScore, largestScore) = (smallest - UnknownPenalty, largest);
    }

    public void Segment(ReadOnlySpan<byte> text, List<(int Id, int Length)> into)
    {
        var best = new (float Score, int Start, int Id)[text.Length + 1];
        for (var i = 1; i < best.Length; i++)
            best[i].Start = -1;
        for (var start = 0; start < text.Length; )
        {
            var before = best[start].Score;
            var character = Utf8.CharacterLength(text[start..]);
            var characterIsPiece = false;
            var node = ByteTrie.Root;
            for (var end = start; end < text.Length; )
            {
                node = trie.Child(node, text[end++]);
                if (node == ByteTrie.None)
                    break;
                var id = trie.ValueAt(node);
                if (id == ByteTrie.None || pieces[id].Type == PieceType.Unused)
                    continue;
                var score =
                    pieces[id].Type == PieceType.UserDefined ? (end - start) * largestScore - 0.1 : pieces[id].Score;
                var candidate = score + before;
                ref var target = ref best[end];
                if (target.Start == -1 || candidate > target.Score)
                    target = ((float)candidate, start, id);
                characterIsPiece |= end - start == character;
            }
            if (!characterIsPiece)
            {
                var candidate = unknownScore + before;
                ref var target = ref best[start + character];
                if (target.Start == -1 || candidate > target.Score)
                    target = (candidate, start, unknown);
            }
            start += character;
        }

        var first = into.Count;
        for (var end = text.Length; end > 0; end = best[end].Start)
            into.Add((best[end].Id, end - best[end].Start));
        into.Reverse(first, into.Count - first);
    }
}
