using LiT.Text.Characters;

namespace LiT.Text;

/// <summary>
/// Makes a WordPiece vocabulary from captions, for text towers that start from scratch: the special pieces, every
/// character seen, then the most frequent pair of neighbouring pieces joined again and again (byte-pair encoding,
/// Sennrich et al. 2016, arXiv 1508.07909, within words), equal counts in the order of the pieces. The same captions
/// give the same vocabulary in whatever order they come, as long as <see cref="WordPieceTraining.MostWords"/> holds
/// them.
/// </summary>
internal sealed class WordPieceTrainer
{
    /// <summary>The pieces at ids 0 to 4.</summary>
    public static IReadOnlyList<string> Specials { get; } = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    private readonly WordPieceTraining options;
    private readonly Dictionary<string, long> words = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> wordsBySpan;
    private readonly Dictionary<int, (long Count, bool Joins)> characters = [];

    /// <summary>A trainer that has seen nothing yet.</summary>
    /// <exception cref="LitException">The size leaves no room for characters.</exception>
    public WordPieceTrainer(WordPieceTraining? options = null)
    {
        this.options = options ?? new WordPieceTraining();
        if (this.options.Size <= Specials.Count)
            throw new LitException(
                $"vocabulary size {this.options.Size}: {Specials.Count} pieces are special ones. Give a larger size."
            );
        wordsBySpan = words.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>
    /// Characters seen that the vocabulary had no room for, known after <see cref="Train(CancellationToken)"/>.
    /// </summary>
    public int CharactersLeftOut { get; private set; }

    /// <summary>A vocabulary of these captions.</summary>
    public static WordPiece Train(
        IEnumerable<string> captions,
        WordPieceTraining? options = null,
        CancellationToken cancel = default
    )
    {
        var trainer = new WordPieceTrainer(options);
        foreach (var caption in captions)
        {
            cancel.ThrowIfCancellationRequested();
            trainer.Add(caption);
        }
        return trainer.Train(cancel);
    }

    /// <summary>Counts the words of one caption.</summary>
    public void Add(string caption)
    {
        var split = Words.Of(caption, options.Rules, options.LowerCase, options.Words);
        foreach (var (start, length) in split.Places)
        {
            var word = split.Text.AsSpan(start, length);
            var joins = CodePoints.Count(word) > 1;
            foreach (var rune in word.EnumerateRunes())
            {
                var seen = characters.GetValueOrDefault(rune.Value);
                characters[rune.Value] = (seen.Count + 1, seen.Joins || joins);
            }
            // A word that tokenizers give up on teaches nothing.
            if (joins && !WordPiece.IsTooLong(word, options.Rules))
                wordsBySpan[word] = wordsBySpan.TryGetValue(word, out var count) ? count + 1 : 1;
        }
        if (words.Count > options.MostWords)
            ForgetRarest();
    }

    /// <summary>The vocabulary of what was added so far.</summary>
    public WordPiece Train(CancellationToken cancel = default)
    {
        var pieces = new List<string>(Specials);
        pieces.AddRange(Alphabet());
        var merging = new PairMerging(pieces, Split());
        while (merging.PieceCount < options.Size && merging.MergeMostFrequent(options.MinimumCount))
            cancel.ThrowIfCancellationRequested();
        return new WordPiece(merging.Pieces, options.Rules, options.LowerCase, options.Words);
    }

    private void ForgetRarest()
    {
        for (var most = 1; words.Count > options.MostWords / 4 * 3; most++)
            foreach (var (word, count) in words)
                if (count <= most)
                    words.Remove(word);
    }

    // A character begins words and, unless it always stood alone as punctuation does, continues them, so that any word
    // made of characters that were seen has pieces. Where they do not fit, the rarest are left out, to half the size.
    private List<string> Alphabet()
    {
        var room = options.Size - Specials.Count;
        var needed = characters.Values.Sum(seen => seen.Joins ? 2 : 1);
        if (needed > room)
            room = Math.Max(1, options.Size / 2 - Specials.Count);
        var kept = new List<int>();
        CharactersLeftOut = 0;
        foreach (var (c, seen) in characters.OrderByDescending(seen => seen.Value.Count).ThenBy(seen => seen.Key))
        {
            room -= seen.Joins ? 2 : 1;
            if (room >= 0)
                kept.Add(c);
            else
                CharactersLeftOut++;
        }
        kept.Sort();
        var alphabet = kept.Select(c => CodePoints.Text([c])).ToList();
        alphabet.AddRange(kept.Where(c => characters[c].Joins).Select(c => "##" + CodePoints.Text([c])));
        return alphabet;
    }

    private IEnumerable<(string[] Pieces, long Count)> Split() =>
        words.Select(word =>
        {
            var characters = CodePoints.Of(word.Key).Select(c => CodePoints.Text([c])).ToArray();
            for (var i = 1; i < characters.Length; i++)
                characters[i] = "##" + characters[i];
            return (characters, word.Value);
        });
}
