using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LiT.Data;
using LiT.Text;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// Numbers the token rows of captions as they come; equal rows have one number, whatever texts they are of. Rows are
/// kept without the padding at their end, and texts by the first half of their SHA-256: millions of them are some
/// hundred megabytes.
/// </summary>
internal sealed class TokenRowTable(CaptionTokenizer tokenizer)
{
    private readonly long[] ids = new long[tokenizer.Layout.Length];
    private readonly int[] row = new int[tokenizer.Layout.Length];
    private readonly List<int> tokens = [],
        ends = [];
    private readonly List<(ulong First, ulong Second, int Row)> texts = [];
    private readonly NumberSlots numbersOfTexts = new(),
        numbersOfRows = new();

    /// <summary>Distinct texts so far.</summary>
    internal int Texts => texts.Count;

    /// <summary>What became of them.</summary>
    internal CaptionCounts Counts { get; private set; }

    internal int RowOf(string caption)
    {
        Span<byte> sha256 = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(caption.AsSpan()), sha256);
        var (first, second, _) = MemoryMarshal.Read<(ulong, ulong, ulong)>(sha256);
        foreach (var text in numbersOfTexts.Of(first))
            if (texts[text].First == first && texts[text].Second == second)
                return texts[text].Row;
        var number = Numbered(caption);
        texts.Add((first, second, number));
        numbersOfTexts.Add(first, text => texts[text].First);
        return number;
    }

    /// <summary>The number of a caption's row.</summary>
    private int Numbered(string caption)
    {
        Counts += tokenizer.Rows([caption], ids);
        var written = Math.Max(1, ids.AsSpan().LastIndexOfAnyExcept((long)tokenizer.Layout.Pad) + 1);
        for (var place = 0; place < written; place++)
            row[place] = (int)ids[place];
        ReadOnlySpan<int> own = row.AsSpan(0, written);
        var hash = Hash(own);
        foreach (var other in numbersOfRows.Of(hash))
            if (Row(other).SequenceEqual(own))
                return other;
        tokens.AddRange(own);
        ends.Add(tokens.Count);
        numbersOfRows.Add(hash, other => Hash(Row(other)));
        return ends.Count - 1;
    }

    /// <summary>
    /// All rows one after the other without the padding at their ends, of which an empty one keeps one id, and where
    /// each ends.
    /// </summary>
    internal (int[] Tokens, int[] Ends) Finish() => ([.. tokens], [.. ends]);

    private ReadOnlySpan<int> Row(int number) =>
        CollectionsMarshal.AsSpan(tokens)[(number == 0 ? 0 : ends[number - 1])..ends[number]];

    private static ulong Hash(ReadOnlySpan<int> row)
    {
        var hash = 0UL;
        foreach (var id in row)
            hash = SplitMix64.Mixed(hash ^ ((ulong)id + SplitMix64.Step));
        return hash;
    }
}
