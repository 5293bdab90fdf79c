namespace LiT.Text;

/// <summary>How the ids of one text become a row of fixed length.</summary>
/// <param name="Length">Ids in a row (16 for LiT).</param>
/// <param name="Start">Id put first ([CLS]), or none.</param>
/// <param name="End">Id put after the text ([SEP], &lt;/s&gt;), or none.</param>
/// <param name="Pad">Id that fills the row.</param>
/// <param name="StickyEnd">The last place keeps <paramref name="End"/> when the text is cut (big_vision, SigLIP,
/// T5).</param>
internal sealed record TokenLayout(int Length, int? Start, int? End, int Pad, bool StickyEnd = true)
{
    /// <summary>
    /// LiT with BERT: the start and the first pieces, filled with zeros; there is no [SEP] (vit_jax, preprocess.py).
    /// </summary>
    public static TokenLayout LitBert(int start, int length = 16, int pad = 0) => new(length, start, null, pad);

    /// <summary>
    /// The text and then the end, which the last place keeps when the text is cut. vit_jax fills with the end;
    /// big_vision with the id <paramref name="pad"/> (1 in its LiT and SigLIP configurations, whatever the end's id
    /// is).
    /// </summary>
    public static TokenLayout Sticky(int end, int length = 16, int? pad = null) => new(length, null, end, pad ?? end);

    /// <summary>T5 and mT5: the text, its end, zeros.</summary>
    public static TokenLayout T5(int end, int length = 16, int pad = 0) => new(length, null, end, pad);

    /// <summary>
    /// CLIP: start, text, end, zeros; the last place keeps the end. Hugging Face fills with the end instead.
    /// </summary>
    public static TokenLayout Clip(int start, int end, int length = 77, int pad = 0) => new(length, start, end, pad);

    /// <summary>
    /// The row of one text as the vocabulary's own file begins, ends and fills it; for one that says nothing of that,
    /// between [CLS] and [SEP], or before the end of texts.
    /// </summary>
    /// <param name="tokenizer">The vocabulary.</param>
    /// <param name="path">Where it lies.</param>
    /// <param name="length">Ids in a row.</param>
    /// <exception cref="LitException">It begins or ends texts with several pieces.</exception>
    public static TokenLayout AsSaid(ITokenizer tokenizer, string path, int length)
    {
        var (before, after) = tokenizer switch
        {
            HuggingFaceTokenizer whole => (whole.StartIds, whole.EndIds),
            WordPiece => (Ids("[CLS]"), Ids("[SEP]")),
            _ => (Ids("<|startoftext|>"), Ids("<|endoftext|>", "</s>")),
        };
        if (before.Count > 1 || after.Count > 1)
            throw new LitException(
                path,
                $"puts {before.Count} pieces before a text and {after.Count} behind it, and a row has room for "
                    + "one at each end",
                "Give a tokenizer that puts one"
            );
        int? start = before is [var first] ? first : null,
            end = after is [var last] ? last : null;
        return new(length, start, end, SpecialIds.Of(tokenizer, path, roberta: true).Pad ?? end ?? 0);

        IReadOnlyList<int> Ids(params string[] names) =>
            names.Select(tokenizer.IdOf).FirstOrDefault(id => id is not null) is { } id ? [id] : [];
    }

    /// <summary>One row of <see cref="Length"/> ids.</summary>
    /// <param name="ids">A text's ids, as <see cref="ITokenizer.Encode"/> gives them.</param>
    /// <param name="truncated">Whether ids were dropped to make the text fit.</param>
    public long[] Row(IReadOnlyList<int> ids, out bool truncated)
    {
        var row = new long[Length];
        truncated = Fill(row, ids);
        return row;
    }

    /// <summary>Writes one row into <paramref name="row"/>, which has <see cref="Length"/> places.</summary>
    /// <returns>Whether ids were dropped to make the text fit.</returns>
    public bool Fill(Span<long> row, IReadOnlyList<int> ids)
    {
        if (row.Length != Length)
            throw new ArgumentException($"A row of {row.Length} places, where the layout has {Length}.", nameof(row));
        var place = 0;
        if (Start is { } start && Length > 0)
            row[place++] = start;
        var room = Math.Max(0, Length - place - (End is not null && StickyEnd ? 1 : 0));
        var kept = Math.Min(room, ids.Count);
        for (var i = 0; i < kept; i++)
            row[place++] = ids[i];
        if (End is { } end && place < Length)
            row[place++] = end;
        row[place..].Fill(Pad);
        return kept < ids.Count;
    }
}
