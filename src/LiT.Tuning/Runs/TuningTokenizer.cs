using LiT.Bundles;
using LiT.Checkpoints;
using LiT.Text;
using LiT.Towers;
using LiT.Towers.Settings;

namespace LiT.Tuning.Runs;

/// <summary>
/// The tokenizer of a run with the row layout that its tower reads: one that is given, the one that came with a
/// pre-trained tower, or a vocabulary made from the captions.
/// </summary>
internal static class TuningTokenizer
{
    private const int PaperLength = 16,
        SentenceLength = 32,
        MadeLength = 24;

    /// <param name="request">What the user asks; its text tower is decided.</param>
    /// <param name="captions">All captions, for a vocabulary that is made of them.</param>
    /// <param name="say">Told where the vocabulary comes from.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="LitException">A pre-trained tower without its vocabulary, or one of another.</exception>
    internal static CaptionTokenizer Open(
        TuneRequest request,
        IEnumerable<string> captions,
        Action<string> say,
        CancellationToken cancel
    )
    {
        var spec = request.TextTower is { } given && !TextTowerSpec.Is(given) ? given : null;
        var pretrained = spec is null ? null : TowerPath.Split(spec).Path;
        if (pretrained is not null && !Path.Exists(pretrained))
            throw TowerPath.Missing(pretrained, "text tower", "bert:small or text:width=256,depth=4,heads=4");
        if (pretrained is not null && TextTowerLoader.FormOf(pretrained) is null)
            pretrained = SentenceModules.WeightsOf(pretrained);
        if (request.Tokenizer is null && pretrained is not null)
        {
            if (OfBundle(pretrained, request.TokenLength) is { } own)
                return own;
            var beside = Beside(pretrained)
                ?? throw new LitException(
                    pretrained,
                    "a pre-trained text tower needs the vocabulary that it was trained with, and none stands beside it",
                    "Name its files with `Tokenizer`"
                );
            say($"vocabulary {beside}, which stands beside the text tower");
            return Given(beside, spec, request.TokenLength, say);
        }
        if (request.Tokenizer is { } path)
            return Given(path, spec, request.TokenLength, say);
        var keep = WrittenMarks.Matter(captions, cancel);
        WordPieceTraining training = new()
        {
            Size = request.VocabularySize,
            Words = keep ? new() { StripAccents = false } : null,
        };
        var made = WordPieceTrainer.Train(captions, training, cancel);
        say(
            $"made a vocabulary of {made.VocabularySize} pieces from the captions"
                + (keep ? ", whose signs above and below letters stay" : "")
        );
        return CaptionTokenizer.LitBert(made, request.TokenLength ?? MadeLength);
    }

    private static CaptionTokenizer Given(string path, string? spec, int? length, Action<string> say)
    {
        TokenizerReading reading = new()
        {
            // A network in ONNX was exported from where BERT's own reading of a vocab.txt is used.
            Rules = spec is not null && TextTowerLoader.IsForeign(spec) ? WordPieceRules.BertRepository : null,
            Warn = sentence => say($"warning: {sentence}"),
        };
        var tokenizer = Tokenizers.Open(path, reading);
        if (spec is null)
            return new(tokenizer, Layout(tokenizer, length ?? PaperLength, path), CaseOf(tokenizer));
        var (pretrained, options) = TowerPath.Split(spec);
        if (TextTowerLoader.FormOf(pretrained) is { } form)
            return Foreign(tokenizer, path, pretrained, form.RowsOf(pretrained, options, spec), length, say);
        pretrained = SentenceModules.WeightsOf(pretrained);
        using var checkpoint = Checkpoint.Open(pretrained);
        var asked = new TextTowerOptions().With(options, spec);
        var found = RecognisedText.In(checkpoint, asked);
        var config = found.Config.Encoding();
        var letters = CaptionCase.AsWritten;
        if (found.LowerCase && tokenizer is WordPiece { LowerCase: false })
            tokenizer = Tokenizers.Open(path, reading with { LowerCase = true });
        else if (found.LowerCase && !tokenizer.Encode("A B C").SequenceEqual(tokenizer.Encode("a b c")))
            letters = CaptionCase.AsciiLower;
        var most = config switch
        {
            BertConfig bert => bert.MaxLength,
            TextTransformerConfig text => text.MaxLength,
            _ => int.MaxValue,
        };
        // A transformer that reads padding like any token wants the rows it was trained on.
        var usual = found.Config is SentenceConfig ? SentenceLength : PaperLength;
        var wanted = length ?? (config is TextTransformerConfig ? most : Math.Min(most, usual));
        if (wanted > most)
            throw SettingException.Of<TuneRequest>(
                s => s.TokenLength,
                wanted,
                $"{pretrained} has {most} text positions",
                $"Leave the option out, or give at most {most}"
            );
        if (config is BertConfig { FirstPosition: > 0 } && tokenizer is SentencePiece)
            throw new LitException(
                path,
                "RoBERTa's and XLM-R's ids are not those of a SentencePiece model alone",
                "Give the tower's tokenizer.json with `Tokenizer`"
            );
        var prefix = asked.Prefix ?? found.Prompts.Chosen(asked.Prompt, spec);
        if (prefix.Length > 0)
            say($"every text begins with \"{prefix}\"");
        return Laid(tokenizer, path, found, pretrained, wanted, letters, say) is var rows && prefix.Length > 0
            ? new(rows.Tokenizer, rows.Layout, rows.Case) { Prefix = prefix }
            : rows;
    }

    /// <summary>
    /// Rows for a network of another runtime, which says no more than how long they are: begun and ended as the
    /// vocabulary's own file says.
    /// </summary>
    private static CaptionTokenizer Foreign(
        ITokenizer tokenizer,
        string path,
        string tower,
        ForeignRows rows,
        int? length,
        Action<string> say
    )
    {
        if (rows is { Length: null, MasksPadding: false } && length is null)
            throw new LitException(
                tower,
                "takes rows of any length and no mask, so that it reads padding like any token",
                "Say with `TokenLength` how many ids a row had when it was trained"
            );
        if (length > rows.Length)
            throw SettingException.Of<TuneRequest>(
                s => s.TokenLength,
                length,
                $"{tower} is fixed to rows of {rows.Length} ids",
                $"Leave the option out, or give at most {rows.Length}"
            );
        // Without a mask every place is read, and the rows are as long as the network was made for.
        var places = rows is { MasksPadding: false, Length: { } whole }
            ? whole
            : length ?? rows.Length ?? SentenceLength;
        if (rows.Prefix.Length > 0)
            say($"every text begins with \"{rows.Prefix}\"");
        var lower = rows.LowerCase && !tokenizer.Encode("A B C").SequenceEqual(tokenizer.Encode("a b c"));
        return new(
            tokenizer,
            TokenLayout.AsSaid(tokenizer, path, places),
            lower ? CaptionCase.AsciiLower : CaptionCase.AsWritten
        )
        {
            Prefix = rows.Prefix,
        };
    }

    private static CaptionTokenizer Laid(
        ITokenizer tokenizer,
        string path,
        RecognisedText found,
        string pretrained,
        int wanted,
        CaptionCase letters,
        Action<string> say
    )
    {
        var config = found.Config.Encoding();
        if (config is TextTransformerConfig contrastive && found.Contrastive is { } kind)
            return kind == ContrastiveText.Clip
                ? TowerTokenizers.Clip(contrastive, tokenizer, path, wanted)
                : TowerTokenizers.Siglip(contrastive, tokenizer, path, wanted);
        var special = SpecialIds.Of(tokenizer, path, config is BertConfig { FirstPosition: > 0 });
        return config switch
        {
            BertConfig bert when special.Start is { } start => new(
                tokenizer,
                new(
                    wanted,
                    start,
                    found.EndedRows ? special.End : null,
                    special.PadFor(bert.Padding, path, pretrained, say)
                ),
                letters
            ),
            T5Config t5 when EndOf(tokenizer) is { } end => new(
                tokenizer,
                TokenLayout.T5(end, wanted, special.PadFor(t5.Padding, path, pretrained, say)),
                letters
            ),
            TextTransformerConfig { MaskPadding: null } when EndOf(tokenizer) is { } end => new(
                tokenizer,
                TokenLayout.Sticky(end, wanted)
            ),
            TextTransformerConfig => new(tokenizer, Layout(tokenizer, wanted, path)),
            _ => throw new LitException(
                path,
                $"lacks the pieces that {pretrained} needs "
                    + "("
                    + (
                        config is BertConfig { FirstPosition: > 0 } ? "<s>"
                        : config is BertConfig ? "[CLS]"
                        : "</s>"
                    )
                    + ")",
                "Give the vocabulary that the text tower was trained with"
            ),
        };
    }

    /// <summary>
    /// A layout for a tower from scratch: whatever begins or ends a text in this vocabulary, and a padding that no text
    /// has.
    /// </summary>
    private static TokenLayout Layout(ITokenizer tokenizer, int length, string path)
    {
        if (tokenizer.IdOf("[CLS]") is { } start)
            return TokenLayout.LitBert(start, length, tokenizer.IdOf("[PAD]") ?? 0);
        var end = EndOf(tokenizer)
            ?? throw new LitException(
                path,
                "has neither [CLS] nor </s>, so that no row of ids has a mark to read",
                "Give another vocabulary"
            );
        var padding = (tokenizer as SentencePiece)?.PadId
            ?? tokenizer.IdOf("<pad>")
            ?? (tokenizer as SentencePiece)?.StartId
            ?? tokenizer.IdOf("<s>")
            ?? tokenizer.IdOf("<|startoftext|>")
            ?? end;
        return TokenLayout.Sticky(end, length, padding);
    }

    private static int? EndOf(ITokenizer tokenizer) =>
        (tokenizer as SentencePiece)?.EndId
        ?? tokenizer.IdOf("</s>")
        ?? tokenizer.IdOf("<|endoftext|>")
        ?? tokenizer.IdOf("[SEP]");

    // A SentencePiece model keeps capitals apart; prompts are lower case (big_vision's tokenize does the same).
    private static CaptionCase CaseOf(ITokenizer tokenizer) =>
        tokenizer is SentencePiece ? CaptionCase.AsciiLower : CaptionCase.AsWritten;

    /// <summary>The tokenizer of a bundle that holds the tower.</summary>
    private static CaptionTokenizer? OfBundle(string tower, int? length)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(tower))!;
        if (!File.Exists(Path.Combine(folder, ModelDescription.FileName)))
            return null;
        var description = ModelDescription.Read(folder).Text.Tokenizer;
        return CaptionTokenizer.Load(
            folder,
            length is { } other ? description with { Layout = description.Layout with { Length = other } } : description
        );
    }

    private static string? Beside(string tower)
    {
        if (TowerTokenizers.Beside(tower) is { } found)
            return found;
        var folder = TowerPath.FolderOf(tower);
        if (TowerTokenizers.Beside(folder) is { } ofModel)
            return ofModel;
        try
        {
            Tokenizers.Open(folder);
            return folder;
        }
        catch (LitException)
        {
            return null;
        }
    }
}
