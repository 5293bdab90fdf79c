namespace LiT.Text;

/// <summary>
/// The ids that begin, end and fill a row of a BERT, RoBERTa or T5: as the files beside the vocabulary name their
/// pieces, else as the vocabulary's own file puts them, else by their usual names.
/// </summary>
/// <param name="Start">[CLS] or &lt;s&gt;.</param>
/// <param name="End">[SEP] or &lt;/s&gt;.</param>
/// <param name="Pad">[PAD] or &lt;pad&gt;.</param>
internal sealed record SpecialIds(int? Start, int? End, int? Pad)
{
    /// <param name="tokenizer">The open vocabulary.</param>
    /// <param name="path">Where it lies.</param>
    /// <param name="roberta">Whether the tower is a RoBERTa, whose pieces are called &lt;s&gt; and &lt;/s&gt;.</param>
    public static SpecialIds Of(ITokenizer tokenizer, string path, bool roberta)
    {
        var settings = TokenizerSettings.Beside(path);
        var whole = tokenizer as HuggingFaceTokenizer;
        return new(
            Id("cls_token") ?? Single(whole?.StartIds) ?? Usual("[CLS]", "<s>"),
            Id("sep_token") ?? Single(whole?.EndIds) ?? Usual("[SEP]", "</s>"),
            Id("pad_token") ?? whole?.PadId ?? Usual("[PAD]", "<pad>")
        );

        int? Id(string key) => settings.Piece(key) is { } piece ? tokenizer.IdOf(piece) : null;
        int? Usual(string bert, string other) =>
            roberta ? tokenizer.IdOf(other) ?? tokenizer.IdOf(bert) : tokenizer.IdOf(bert);
        static int? Single(IReadOnlyList<int>? ids) => ids is [var id] ? id : null;
    }

    /// <summary>What fills rows: the id that the tower masks. Told where the vocabulary has another for it.</summary>
    public int PadFor(int masked, string path, string tower, Action<string> say)
    {
        if (Pad is { } own && own != masked)
            say(
                $"warning: {path} fills rows with the id {own}, and {tower} masks {masked} "
                    + "(pad_token_id), which is taken. Check that the vocabulary belongs to the tower."
            );
        return masked;
    }
}
