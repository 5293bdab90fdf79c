using System.Collections.Concurrent;
using System.Text;

namespace LiT.Text.HuggingFace;

/// <summary>What a byte-pair model does beside merging, as its file says.</summary>
internal sealed record BytePairOptions
{
    internal string ContinuingPrefix { get; init; } = "";
    internal string EndOfWord { get; init; } = "";
    internal bool FuseUnknown { get; init; }
    internal bool ByteFallback { get; init; }
    internal bool IgnoreMerges { get; init; }
}

/// <summary>
/// Byte-pair encoding by ranked merges: of all neighbouring pieces that have a merge, those of the lowest rank are
/// joined first, the leftmost of equal ones (huggingface/tokenizers, src/models/bpe; CLIP's simple_tokenizer.py).
/// </summary>
internal sealed class BytePairModel : ITokenModel
{
    private const int LongestCached = 64,
        MostCached = 1 << 16;

    private readonly Dictionary<string, int> ids;
    private readonly Dictionary<(int Left, int Right), (int Rank, int Joined)> merges = [];
    private readonly BytePairOptions options;
    private readonly int? unknown;
    private readonly int[]? byteIds;
    private readonly ConcurrentDictionary<string, int[]> cache = new(StringComparer.Ordinal);
    private int cached;

    /// <param name="ids">Pieces and their ids.</param>
    /// <param name="merges">Pairs of pieces, the first to be joined first.</param>
    /// <param name="unknownPiece">The piece for what is lacking; without it, what is lacking vanishes.</param>
    /// <param name="options">What else the model does.</param>
    /// <param name="where">The file, for messages.</param>
    internal BytePairModel(
        Dictionary<string, int> ids,
        IEnumerable<(string Left, string Right)> merges,
        string? unknownPiece,
        BytePairOptions options,
        string where
    )
    {
        (this.ids, this.options) = (ids, options);
        var rank = 0;
        foreach (var (left, right) in merges)
        {
            var joined =
                left
                + (
                    right.StartsWith(options.ContinuingPrefix, StringComparison.Ordinal)
                        ? right[options.ContinuingPrefix.Length..]
                        : right
                );
            this.merges[(IdOfPart(left), IdOfPart(right))] = (rank, IdOfPart(joined));
            rank++;

            int IdOfPart(string piece) =>
                ids.TryGetValue(piece, out var id)
                    ? id
                    : throw new LitException(
                        where,
                        $"merge {rank} needs the piece \"{piece}\", which the vocabulary lacks",
                        "Give vocabulary and merges of the same model"
                    );
        }
        if (unknownPiece is not null && ids.TryGetValue(unknownPiece, out var found))
            unknown = found;
        if (!options.ByteFallback)
            return;
        byteIds = [.. Enumerable.Range(0, 256).Select(b => ids.GetValueOrDefault($"<0x{b:X2}>", -1))];
    }

    public IReadOnlyDictionary<string, int> Vocabulary => ids;

    public int? UnknownId => unknown;

    internal static BytePairModel Of(JsonPart part)
    {
        if (
            part.Optional("dropout") is { } dropout
            && (dropout.Element.ValueKind != System.Text.Json.JsonValueKind.Number || dropout.Element.GetDouble() != 0)
        )
            throw dropout.Unsupported("dropout", "models without");
        var options = new BytePairOptions
        {
            ContinuingPrefix = part.Optional("continuing_subword_prefix")?.Text ?? "",
            EndOfWord = part.Optional("end_of_word_suffix")?.Text ?? "",
            FuseUnknown = part.Bool("fuse_unk", false),
            ByteFallback = part.Bool("byte_fallback", false),
            IgnoreMerges = part.Bool("ignore_merges", false),
        };
        return new(
            part.Member("vocab").Vocabulary(),
            part.Member("merges").Items().Where(IsMerge).Select(Merge),
            part.Optional("unk_token")?.Text,
            options,
            part.Where
        );
    }

    public void Tokenize(string word, List<int> into)
    {
        if (options.IgnoreMerges && ids.TryGetValue(word, out var whole))
            into.Add(whole);
        else if (word.Length > LongestCached)
            into.AddRange(Merged(word));
        else
        {
            if (!cache.TryGetValue(word, out var merged))
            {
                merged = Merged(word);
                if (cached < MostCached && cache.TryAdd(word, merged))
                    Interlocked.Increment(ref cached);
            }
            into.AddRange(merged);
        }
    }

    private static bool IsMerge(JsonPart part) =>
        part.Element.ValueKind != System.Text.Json.JsonValueKind.String
        || !part.Text.StartsWith("#version", StringComparison.Ordinal);

    // "left right" in older files, ["left", "right"] in newer ones.
    private static (string Left, string Right) Merge(JsonPart part)
    {
        string[] pair =
            part.Element.ValueKind == System.Text.Json.JsonValueKind.String
                ? part.Text.Split(' ')
                : [.. part.Items().Select(piece => piece.Text)];
        return pair.Length == 2 ? (pair[0], pair[1]) : throw part.Wrong("two pieces");
    }

    private int[] Merged(string word)
    {
        var symbols = Symbols(word);
        var queue = new PriorityQueue<(int At, int Joined), (int Rank, int At)>();
        for (var i = 0; i + 1 < symbols.Length; i++)
            Propose(i);
        while (queue.TryDequeue(out var merge, out _))
        {
            ref var left = ref symbols[merge.At];
            if (left.Gone || left.Next < 0)
                continue;
            ref var right = ref symbols[left.Next];
            if (!merges.TryGetValue((left.Id, right.Id), out var current) || current.Joined != merge.Joined)
                continue;
            left.Id = merge.Joined;
            right.Gone = true;
            left.Next = right.Next;
            if (left.Next >= 0)
                symbols[left.Next].Previous = merge.At;
            if (left.Previous >= 0)
                Propose(left.Previous);
            Propose(merge.At);
        }
        return [.. symbols.Where(symbol => !symbol.Gone).Select(symbol => symbol.Id)];

        void Propose(int at)
        {
            var next = symbols[at].Next;
            if (next >= 0 && merges.TryGetValue((symbols[at].Id, symbols[next].Id), out var merge))
                queue.Enqueue((at, merge.Joined), (merge.Rank, at));
        }
    }

    private Symbol[] Symbols(string word)
    {
        var found = new List<int>(word.Length);
        int? pending = null; // an unknown that the next one may join
        var at = 0;
        foreach (var rune in word.EnumerateRunes())
        {
            var piece = at == 0 ? rune.ToString() : options.ContinuingPrefix + rune.ToString();
            at += rune.Utf16SequenceLength;
            if (at == word.Length)
                piece += options.EndOfWord;
            if (ids.TryGetValue(piece, out var id))
            {
                Flush();
                found.Add(id);
            }
            else if (byteIds is not null && Encoding.UTF8.GetBytes(piece).All(b => byteIds[b] >= 0))
            {
                found.AddRange(Encoding.UTF8.GetBytes(piece).Select(b => byteIds[b]));
            }
            else if (unknown is not null)
            {
                if (!options.FuseUnknown)
                    Flush();
                pending = unknown;
            }
        }
        Flush();
        return
        [
            .. found.Select(
                (id, i) =>
                    new Symbol
                    {
                        Id = id,
                        Previous = i - 1,
                        Next = i + 1 < found.Count ? i + 1 : -1,
                    }
            ),
        ];

        void Flush()
        {
            if (pending is { } lacking)
                found.Add(lacking);
            pending = null;
        }
    }

    private struct Symbol
    {
        internal int Id,
            Previous,
            Next;
        internal bool Gone;
    }
}
