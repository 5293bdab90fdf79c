using System.Runtime.InteropServices;
using System.Security.Cryptography;
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
    private int[] slotOfText = [],
        slotOfRow = []; // a number and one, 0 for none; a power of two of them

    /// <summary>Distinct texts so far.</summary>
    internal int Texts => texts.Count;

    /// <summary>What became of them.</summary>
    internal CaptionCounts Counts { get; private set; }

    internal int RowOf(string caption)
    {
        Span<byte> sha256 = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(caption.AsSpan()), sha256);
        var (first, second, _) = MemoryMarshal.Read<(ulong, ulong, ulong)>(sha256);
        slotOfText = Roomy(slotOfText, texts.Count, text => texts[text].First);
        ref var known = ref Slot(slotOfText, first, text => texts[text].First == first && texts[text].Second == second);
        if (known != 0)
            return texts[known - 1].Row;
        var number = Numbered(caption);
        texts.Add((first, second, number));
        known = texts.Count;
        return number;
    }

    /// <summary>The number of a caption's row.</summary>
    private int Numbered(string caption)
    {
        Counts += tokenizer.Rows([caption], ids);
        var written = Math.Max(1, ids.AsSpan().LastIndexOfAnyExcept((long)tokenizer.Layout.Pad) + 1);
        for (var place = 0; place < written; place++)
            row[place] = (int)ids[place];
        slotOfRow = Roomy(slotOfRow, ends.Count, other => Hash(Row(other)));
        ref var known = ref Slot(slotOfRow, Hash(row.AsSpan(0, written)), other =>
            Row(other).SequenceEqual(row.AsSpan(0, written))
        );
        if (known == 0)
        {
            tokens.AddRange(row.AsSpan(0, written));
            ends.Add(tokens.Count);
            known = ends.Count;
        }
        return known - 1;
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

    /// <summary>The slots, with room for one more.</summary>
    private static int[] Roomy(int[] slots, int count, Func<int, ulong> hashOf)
    {
        if (2 * (count + 1) <= slots.Length)
            return slots;
        slots = new int[Math.Max(1024, 2 * slots.Length)];
        for (var number = 0; number < count; number++)
            Slot(slots, hashOf(number), _ => false) = number + 1;
        return slots;
    }

    /// <summary>The slot of what is looked for, or the free one where it would be.</summary>
    private static ref int Slot(int[] slots, ulong hash, Func<int, bool> isIt)
    {
        var slot = (int)(hash & (ulong)(slots.Length - 1));
        while (slots[slot] != 0 && !isIt(slots[slot] - 1))
            slot = (slot + 1) & (slots.Length - 1);
        return ref slots[slot];
    }
}
