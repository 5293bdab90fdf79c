using LiT.Text.Characters;

namespace LiT.Text.HuggingFace;

/// <summary>The pre-tokenizers of a <c>tokenizer.json</c> (huggingface/tokenizers, src/pre_tokenizers).</summary>
internal static class PreTokenizers
{
    private const string Known =
        "BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, Metaspace, Punctuation, Sequence, Split, "
        + "Whitespace, WhitespaceSplit";

    // GPT-2, encoder.py.
    private static readonly Lazy<TextPattern> Gpt2 = new(() =>
        new TextPattern(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
    );

    internal static Func<TextPart, IEnumerable<TextPart>> Of(JsonPart part) =>
        part.Type switch
        {
            "Sequence" => Sequence([.. part.Member("pretokenizers").Items().Select(Of)]),
            "BertPreTokenizer" => Sequence([
                Splits(RustCharacters.IsWhiteSpace, SplitBehavior.Removed),
                Splits(RustCharacters.IsPunctuation, SplitBehavior.Isolated),
            ]),
            "WhitespaceSplit" => Splits(RustCharacters.IsWhiteSpace, SplitBehavior.Removed),
            "Whitespace" => WordsAndOthers,
            "Punctuation" => Splits(
                RustCharacters.IsPunctuation,
                part.Optional("behavior") is { } behavior ? Splitting.Behavior(behavior) : SplitBehavior.Isolated
            ),
            "Digits" => Splits(
                RustCharacters.IsNumber,
                part.Bool("individual_digits", false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous
            ),
            "CharDelimiterSplit" => Splits(Character(part.Member("delimiter")), SplitBehavior.Removed),
            "Split" => Split(part),
            "ByteLevel" => ByteLevel(part.Bool("add_prefix_space", true), part.Bool("use_regex", true)),
            "Metaspace" => Metaspace(part),
            var other => throw part.Unsupported($"the pre-tokenizer {other}", Known),
        };

    private static Func<TextPart, IEnumerable<TextPart>> Sequence(Func<TextPart, IEnumerable<TextPart>>[] steps) =>
        part => steps.Aggregate((IEnumerable<TextPart>)[part], (parts, step) => parts.SelectMany(step));

    private static Func<TextPart, IEnumerable<TextPart>> Splits(Func<int, bool> matches, SplitBehavior behavior) =>
        part => Splitting.Split(part, Splitting.Where(part.Text, matches), behavior);

    private static Func<TextPart, IEnumerable<TextPart>> Split(JsonPart part)
    {
        var pattern = new TextPattern(part.Member("pattern"));
        var (invert, behavior) = (part.Bool("invert", false), Splitting.Behavior(part.Member("behavior")));
        return part =>
        {
            var stretches = pattern.Stretches(part.Text);
            if (invert)
                stretches = [.. stretches.Select(stretch => stretch with { IsMatch = !stretch.IsMatch })];
            return Splitting.Split(part, stretches, behavior);
        };
    }

    // The regular expression \w+|[^\w\s]+ of Rust.
    private static IEnumerable<TextPart> WordsAndOthers(TextPart part)
    {
        var (start, at, kind) = (0, 0, 0);
        foreach (var rune in part.Text.EnumerateRunes())
        {
            var own =
                RustCharacters.IsWord(rune.Value) ? 1
                : RustCharacters.IsWhiteSpace(rune.Value) ? 0
                : 2;
            if (own != kind)
            {
                if (kind != 0)
                    yield return part.Slice(start, at - start);
                (start, kind) = (at, own);
            }
            at += rune.Utf16SequenceLength;
        }
        if (kind != 0)
            yield return part.Slice(start, at - start);
    }

    private static Func<TextPart, IEnumerable<TextPart>> ByteLevel(bool addPrefixSpace, bool useRegex) =>
        part =>
        {
            if (addPrefixSpace && !part.Text.StartsWith(' '))
                part = part with { Text = " " + part.Text };
            var parts = useRegex
                ? Splitting.Split(part, Gpt2.Value.Stretches(part.Text), SplitBehavior.Isolated)
                : [part];
            return parts.Select(word => word with { Text = ByteLevelAlphabet.Encode(word.Text) });
        };

    private static Func<TextPart, IEnumerable<TextPart>> Metaspace(JsonPart part)
    {
        var replacement = part.Member("replacement").Text;
        var isReplacement = Character(part.Member("replacement"));
        var scheme = part.Optional("prepend_scheme") is { } named ? named.Text : "always";
        if (!part.Bool("add_prefix_space", true))
            scheme = "never";
        if (scheme is not ("always" or "first" or "never"))
            throw part.Unsupported($"prepend_scheme \"{scheme}\"", "always, first, never");
        var split = part.Bool("split", true);
        return part =>
        {
            var text = part.Text.Replace(" ", replacement, StringComparison.Ordinal);
            var prepends = scheme == "always" || scheme == "first" && part.AtStart;
            if (prepends && !text.StartsWith(replacement, StringComparison.Ordinal))
                text = replacement + text;
            part = part with { Text = text };
            return split
                ? Splitting.Split(part, Splitting.Where(text, isReplacement), SplitBehavior.MergedWithNext)
                : [part];
        };
    }

    private static Func<int, bool> Character(JsonPart part)
    {
        var points = CodePoints.Of(part.Text);
        if (points.Count != 1)
            throw part.Wrong("one character");
        return c => c == points[0];
    }
}
