using System.Text.Json;
using LiT.Text.SentencePieces;

namespace LiT.Text.HuggingFace;

/// <summary>
/// The most probable segmentation of a word. Unlike SentencePiece it sums in double precision, knows no kinds of pieces,
/// and looks joined runs of unknown characters up once more (huggingface/tokenizers, src/models/unigram/model.rs).
/// </summary>
internal sealed class UnigramModel : ITokenModel
{
    private const double UnknownPenalty = 10;

    private readonly Dictionary<string, int> ids;
    private readonly double[] scores;
    private readonly ByteTrie trie;
    private readonly int? unknown;
    private readonly int[]? byteIds;
    private readonly double unknownScore;

    private UnigramModel(Dictionary<string, int> ids, double[] scores, int? unknown, int[]? byteIds)
    {
        (this.ids, this.scores, this.unknown, this.byteIds) = (ids, scores, unknown, byteIds);
        trie = new(ids.Where(piece => piece.Key.Length > 0));
        unknownScore = scores.DefaultIfEmpty(0).Min() - UnknownPenalty;
    }

    public IReadOnlyDictionary<string, int> Vocabulary => ids;

    public int? UnknownId => unknown;

    internal static UnigramModel Of(JsonPart part)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        var scores = new List<double>();
        var list = part.Member("vocab");
        foreach (var entry in list.Items())
        {
            if (
                entry.Element.ValueKind != JsonValueKind.Array
                || entry.Element.GetArrayLength() != 2
                || entry.Element[1].ValueKind != JsonValueKind.Number
                || !entry.Element[1].TryGetDouble(out var score)
                || !double.IsFinite(score)
            )
                throw entry.Wrong("a piece and its score");
            ids[entry.Items().First().Text] = scores.Count;
            scores.Add(score);
        }
        var unknown = part.Optional("unk_id")?.Id;
        if (unknown >= scores.Count)
            throw new LitException(
                $"{part.Where}.unk_id: {unknown} is not among the {scores.Count:N0} pieces. Give a tokenizer.json as it was published."
            );
        int[]? byteIds = null;
        if (part.Bool("byte_fallback", false))
            byteIds = [.. Enumerable.Range(0, 256).Select(b => ids.GetValueOrDefault($"<0x{b:X2}>", -1))];
        if (unknown is null && byteIds?.Contains(-1) != false)
            throw new LitException(
                $"{part.Where}: has neither an unk_id nor a piece for every byte, so some texts have no ids. Give a tokenizer.json as it was published."
            );
        return new(ids, [.. scores], unknown, byteIds);
    }

    public void Tokenize(string word, List<int> into)
    {
        var text = Utf8.BytesOf(word);
        foreach (var (start, end) in Segments(text))
        {
            var piece = text.AsSpan(start, end - start);
            var id = trie.Find(piece);
            if (id != ByteTrie.None)
                into.Add(id);
            else if (byteIds is not null && HasAll(piece))
                foreach (var b in piece)
                    into.Add(byteIds[b]);
            else if (unknown is { } lacking)
                into.Add(lacking);
        }
    }

    // Only the bytes of this stretch are needed: a vocabulary may have pieces for some.
    private bool HasAll(ReadOnlySpan<byte> piece)
    {
        foreach (var b in piece)
            if (byteIds![b] < 0)
                return false;
        return true;
    }

    private List<(int Start, int End)> Segments(byte[] text)
    {
        var best = new (double Score, int Start, int Id)[text.Length + 1];
        for (var i = 1; i < best.Length; i++)
            best[i].Start = -1;
        for (var start = 0; start < text.Length; )
        {
            var before = best[start].Score;
            var character = Utf8.CharacterLength(text.AsSpan(start));
            var (node, characterIsPiece) = (ByteTrie.Root, false);
            for (var end = start; end < text.Length; )
            {
                node = trie.Child(node, text[end++]);
                if (node == ByteTrie.None)
                    break;
                var id = trie.ValueAt(node);
                if (id == ByteTrie.None)
                    continue;
                Offer(ref best[end], scores[id] + before, start, id);
                characterIsPiece |= end - start == character;
            }
            if (!characterIsPiece)
                Offer(ref best[start + character], unknownScore + before, start, unknown ?? -1);
            start += character;
        }

        var segments = new List<(int Start, int End)>();
        var afterUnknown = false;
        for (var end = text.Length; end > 0; end = best[end].Start)
        {
            var isUnknown = best[end].Id == unknown;
            if (isUnknown && afterUnknown)
                segments[^1] = (best[end].Start, segments[^1].End);
            else
                segments.Add((best[end].Start, end));
            afterUnknown = isUnknown;
        }
        segments.Reverse();
        return segments;
    }

    private static void Offer(ref (double Score, int Start, int Id) target, double score, int start, int id)
    {
        if (target.Start == -1 || score > target.Score)
            target = (score, start, id);
    }
}
