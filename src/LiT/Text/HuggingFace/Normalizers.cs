using System.Globalization;
using System.Text;
using LiT.Text.Characters;
using LiT.Text.SentencePieces;

namespace LiT.Text.HuggingFace;

/// <summary>The normalizers of a <c>tokenizer.json</c> (huggingface/tokenizers, src/normalizers).</summary>
internal static class Normalizers
{
    private const string Known =
        "BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Prepend, Replace, "
        + "Sequence, Strip, StripAccents";

    // The version of Unicode that the reference normalises by (its crate unicode-normalization-alignments).
    private const UnicodeAge Crates = UnicodeAge.Version9;

    internal static Func<TextPart, TextPart> Of(JsonPart part) =>
        part.Type switch
        {
            "Sequence" => Sequence([.. part.Member("normalizers").Items().Select(Of)]),
            "NFC" => Rewriting(text => Normalization.Nfc(text, Crates)),
            "NFD" => Rewriting(text => Normalization.Nfd(text, Crates)),
            "NFKC" => Rewriting(text => Normalization.Nfkc(text, Crates)),
            "NFKD" => Rewriting(text => Normalization.Nfkd(text, Crates)),
            "Lowercase" => Rewriting(LowerCase.OfEach),
            "ByteLevel" => Rewriting(ByteLevelAlphabet.Encode),
            "StripAccents" => Filtering(c => !RustCharacters.IsMark(c)),
            "Strip" => Strip(part.Bool("strip_left", true), part.Bool("strip_right", true)),
            "Prepend" => Prepend(part.Member("prepend").Text),
            "Replace" => Replace(new(part.Member("pattern")), part.Member("content").Text),
            "BertNormalizer" => Bert(part),
            "Nmt" => Nmt,
            "Precompiled" => Precompiled(part.Member("precompiled_charsmap")),
            var other => throw part.Unsupported($"the normalizer {other}", Known),
        };

    private static Func<TextPart, TextPart> Sequence(Func<TextPart, TextPart>[] steps) =>
        part => steps.Aggregate(part, (current, step) => step(current));

    private static Func<TextPart, TextPart> Rewriting(Func<string, string> rewrite) =>
        part => part with { Text = rewrite(part.Text) };

    private static Func<TextPart, TextPart> Filtering(Func<int, bool> keep) =>
        part =>
        {
            if (part.Text.Length == 0)
                return part;
            var kept = new StringBuilder(part.Text.Length);
            var (atStart, first) = (part.AtStart, true);
            foreach (var rune in part.Text.EnumerateRunes())
            {
                if (keep(rune.Value))
                    CodePoints.Append(kept, rune.Value);
                else if (first)
                    atStart = false;
                first = false;
            }
            return new(kept.ToString(), atStart);
        };

    private static Func<TextPart, TextPart> Strip(bool left, bool right) =>
        part =>
        {
            var text = part.Text;
            if (right)
                text = text.TrimEnd();
            var stripped = left ? text.TrimStart() : text;
            return new(stripped, part.AtStart && stripped.Length == text.Length);
        };

    private static Func<TextPart, TextPart> Prepend(string prefix) =>
        part => part.Text.Length == 0 ? part : part with { Text = prefix + part.Text };

    private static Func<TextPart, TextPart> Replace(TextPattern pattern, string content) =>
        part =>
        {
            var stretches = pattern.Stretches(part.Text);
            var text = new StringBuilder(part.Text.Length);
            foreach (var stretch in stretches)
            {
                if (stretch.IsMatch)
                    text.Append(content);
                else
                    text.Append(part.Text, stretch.Start, stretch.End - stretch.Start);
            }
            var startReplaced = stretches.Count > 0 && stretches[0].IsMatch && content.Length == 0;
            return new(text.ToString(), part.AtStart && !startReplaced);
        };

    // src/normalizers/bert.rs. It counts more as control characters than BERT itself does, and its third range of CJK
    // extensions begins 256 characters later.
    private static Func<TextPart, TextPart> Bert(JsonPart part)
    {
        var lowerCase = part.Bool("lowercase", true);
        var stripAccents = part.Bool("strip_accents", lowerCase);
        var steps = new List<Func<TextPart, TextPart>>();
        if (part.Bool("clean_text", true))
        {
            steps.Add(Filtering(c => c is '\t' or '\n' or '\r' || c != 0xFFFD && !RustCharacters.IsOther(c)));
            steps.Add(Rewriting(text => Mapped(text, c => c == ' ' || !RustCharacters.IsWhiteSpace(c) ? c : ' ')));
        }
        if (part.Bool("handle_chinese_chars", true))
            steps.Add(Rewriting(SpacesAroundCjk));
        if (stripAccents)
        {
            steps.Add(Rewriting(text => Normalization.Nfd(text, Crates)));
            steps.Add(Filtering(c => !RustCharacters.IsNonSpacingMark(c)));
        }
        if (lowerCase)
            steps.Add(Rewriting(LowerCase.OfEach));
        return Sequence([.. steps]);
    }

    private static readonly Func<TextPart, TextPart> Nmt = Sequence([
        Filtering(c => c is not (>= 0x1 and <= 0x8 or 0xB or >= 0xE and <= 0x1F or 0x7F or 0x8F or 0x9F)),
        Rewriting(text =>
            Mapped(text, c =>
                c
                    is 0x9
                        or 0xA
                        or 0xC
                        or 0xD
                        or 0x1680
                        or >= 0x200B
                        and <= 0x200F
                        or 0x2028
                        or 0x2029
                        or 0x2581
                        or 0xFEFF
                        or 0xFFFD
                    ? ' '
                    : c
            )
        ),
    ]);

    // src/normalizers/precompiled.rs: clusters of less than six bytes are looked up whole, and the shortest prefix that
    // is known decides for all of it; longer ones are looked up character by character.
    private static Func<TextPart, TextPart> Precompiled(JsonPart part)
    {
        byte[] bytes;
        try
        {
            bytes = Convert.FromBase64String(part.Text);
        }
        catch (FormatException)
        {
            throw part.Wrong("base64");
        }
        if (CharacterMap.Read(bytes, part.Where) is not { } map)
            return part => part;
        return part =>
        {
            var text = new StringBuilder(part.Text.Length);
            for (var at = 0; at < part.Text.Length; )
            {
                var length = StringInfo.GetNextTextElementLength(part.Text, at);
                var cluster = part.Text.AsSpan(at, length);
                if (Encoding.UTF8.GetByteCount(cluster) < 6 && map.Replacement(cluster) is { } whole)
                    text.Append(whole);
                else
                    foreach (var rune in cluster.EnumerateRunes())
                        text.Append(map.Replacement(rune.ToString()) ?? rune.ToString());
                at += length;
            }
            return part with { Text = text.ToString() };
        };
    }

    private static string SpacesAroundCjk(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange('\0', '\u33ff'))
            return text;
        var spaced = new StringBuilder(text.Length + 8);
        foreach (var rune in text.EnumerateRunes())
        {
            if (Words.IsCjk(rune.Value) && rune.Value is not (>= 0x2B820 and <= 0x2B91F))
                spaced.Append(' ').Append(rune.ToString()).Append(' ');
            else
                CodePoints.Append(spaced, rune.Value);
        }
        return spaced.ToString();
    }

    private static string Mapped(string text, Func<int, int> map)
    {
        var mapped = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            CodePoints.Append(mapped, map(rune.Value));
        return mapped.ToString();
    }
}
