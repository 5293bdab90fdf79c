using System.Text;
using LiT.Files;
using LiT.Text.Characters;
using LiT.Text.SentencePieces;

namespace LiT.Text;

/// <summary>
/// Makes a SentencePiece model (Kudo and Richardson 2018, arXiv 1808.06226) from captions, for text towers from
/// scratch: byte-pair encoding within words or a unigram language model, in the form of the authors' own LiT vocabulary
/// (&lt;pad&gt; = 0, &lt;/s&gt; = 1, &lt;unk&gt; = 2, &lt;s&gt; = 3, then bytes). The same captions give the same file
/// in whatever order they come.
/// </summary>
internal sealed class SentencePieceTrainer
{
    private const string Space = "\u2581";
    private const int LongestWord = 200;

    private static readonly string[] Reserved = ["<pad>", "</s>", "<unk>", "<s>"];

    private readonly SentencePieceTraining options;
    private readonly bool bytes;
    private readonly Dictionary<string, long> words = new(StringComparer.Ordinal);

    /// <summary>A trainer that has seen nothing yet.</summary>
    /// <exception cref="UsageException">The size leaves no room for characters.</exception>
    public SentencePieceTrainer(SentencePieceTraining? options = null)
    {
        this.options = options ?? new();
        bytes = this.options.ByteFallback ?? this.options.Size >= 4 * 256;
        if (this.options.Size < FirstPiece + 8)
            throw new UsageException(
                $"vocabulary size {this.options.Size}: {FirstPiece} pieces are reserved "
                    + $"ones{(bytes ? " and bytes" : "")}. Give at least {FirstPiece + 8}."
            );
        if (this.options.CharacterCoverage is not (> 0 and <= 1))
            throw new UsageException(
                $"character coverage {this.options.CharacterCoverage}: give a share above 0, at most 1."
            );
    }

    private int FirstPiece => Reserved.Length + (bytes ? 256 : 0);

    /// <summary>A model of these captions, as the bytes of a <c>.model</c> file.</summary>
    public static byte[] Train(
        IEnumerable<string> captions,
        SentencePieceTraining? options = null,
        CancellationToken cancel = default
    )
    {
        var trainer = new SentencePieceTrainer(options);
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
        var text = Encoding.UTF8.GetString(Utf8.BytesOf(options.LowerCase ? LowerCase.OfAscii(caption) : caption));
        // Only the space parts words, as in a model whose normaliser changes nothing.
        foreach (
            var word in text.Replace(Space, " ", StringComparison.Ordinal)
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
        )
            if (word.Length <= LongestWord)
                words[Space + word] = words.GetValueOrDefault(Space + word) + 1;
    }

    /// <summary>The model of what was added so far, as the bytes of a <c>.model</c> file.</summary>
    /// <exception cref="LitException">There was no word.</exception>
    public byte[] Train(CancellationToken cancel = default)
    {
        if (words.Count == 0)
            throw new LitException(
                "No caption has a word, so there is nothing to make a vocabulary of. Give data with captions."
            );
        var characters = Characters();
        var known = characters.ToHashSet(StringComparer.Ordinal);
        var counted = words
            .OrderBy(word => word.Key, StringComparer.Ordinal)
            .Select(word => (Parts: Split(word.Key), word.Value))
            .Where(word => word.Parts.All(known.Contains))
            .ToList();
        var room = options.Size - FirstPiece;
        var learned = options.Unigram
            ? UnigramTraining.Pieces(counted, characters, room, cancel)
            : Merged(counted, characters, room, cancel);
        return File(learned);
    }

    /// <summary>
    /// Pieces in the order in which they were joined, their scores falling by 1 (bpe_model_trainer.cc), then the
    /// characters.
    /// </summary>
    private IReadOnlyList<(string Text, float Score)> Merged(
        List<(string[], long)> counted,
        List<string> characters,
        int room,
        CancellationToken cancel
    )
    {
        var merging = new PairMerging(characters, counted, continues: "");
        while (merging.PieceCount < room && merging.MergeMostFrequent(options.MinimumCount))
            cancel.ThrowIfCancellationRequested();
        return
        [
            .. merging.Pieces.Skip(characters.Count).Concat(characters).Select((text, rank) => (text, -(float)rank)),
        ];
    }

    /// <summary>
    /// The most frequent characters, the space first, as many as are to be covered and there is room for.
    /// </summary>
    private List<string> Characters()
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (word, count) in words)
        foreach (var character in Split(word))
            counts[character] = counts.GetValueOrDefault(character) + count;
        var all = counts.Values.Sum();
        var most = Math.Max(1, (options.Size - FirstPiece) / 2);
        var covered = 0L;
        List<string> kept = [];
        foreach (
            var (character, count) in counts
                .OrderByDescending(one => one.Key == Space)
                .ThenByDescending(one => one.Value)
                .ThenBy(one => one.Key, StringComparer.Ordinal)
        )
        {
            if (kept.Count == most || (kept.Count > 0 && covered >= options.CharacterCoverage * all))
                break;
            kept.Add(character);
            covered += count;
        }
        return kept;
    }

    private byte[] File(IReadOnlyList<(string Text, float Score)> learned)
    {
        var model = new ProtoWriter();
        for (var id = 0; id < Reserved.Length; id++)
            model.Message(1, Piece(Reserved[id], 0, Reserved[id] == "<unk>" ? PieceType.Unknown : PieceType.Control));
        if (bytes)
            for (var b = 0; b < 256; b++)
                model.Message(1, Piece($"<0x{b:X2}>", 0, PieceType.Byte));
        foreach (var (text, score) in learned)
            model.Message(1, Piece(text, score, PieceType.Normal));
        var size = FirstPiece + learned.Count;
        model.Message(
            2,
            new ProtoWriter()
                .Number(3, (ulong)(options.Unigram ? ModelType.Unigram : ModelType.Bpe))
                .Number(4, (ulong)size)
                .Float(10, (float)options.CharacterCoverage)
                .Number(35, bytes ? 1UL : 0)
                .Number(40, 2)
                .Number(41, 3)
                .Number(42, 1)
                .Number(43, 0)
        );
        model.Message(3, new ProtoWriter().Text(1, "identity").Number(3, 1).Number(4, 1).Number(5, 1));
        return model.ToArray();
    }

    private static ProtoWriter Piece(string text, float score, PieceType type) =>
        new ProtoWriter().Text(1, text).Float(2, score).Number(3, (ulong)type);

    private static string[] Split(string word) => [.. CodePoints.Of(word).Select(point => CodePoints.Text([point]))];
}
