using System.Globalization;
using System.Text;
using LiT.Text.Characters;

namespace LiT.Text;

/// <summary>The words of a text: a cleaned text, and where each word stands in it.</summary>
internal readonly record struct Words(string Text, List<(int Start, int Length)> Places)
{
    internal static Words Of(string text, WordPieceRules rules, bool lowerCase, WordPieceOptions? options = null) =>
        rules switch
        {
            WordPieceRules.TensorFlowText => OfTensorFlowText(text, lowerCase, options ?? WordPieceOptions.Default),
            WordPieceRules.BertRepository => OfBertRepository(text, lowerCase, options ?? WordPieceOptions.Default),
            _ => throw new ArgumentOutOfRangeException(nameof(rules)),
        };

    // tensorflow_text, bert_tokenizer.py: BasicTokenizer.tokenize_with_offsets and its two delimiter patterns.
    private static Words OfTensorFlowText(string text, bool lowerCase, WordPieceOptions options)
    {
        var strip = options.StripAccents ?? lowerCase;
        var tables = UnicodeTables.Version15;
        var words = new Splitter(text.Length);
        var cased =
            lowerCase ? Normalization.NfkcCasefoldInNfd(text)
            : strip ? Normalization.Nfd(text)
            : text;
        // Accents that stay are where vocabularies have them: on their letters.
        foreach (var rune in (lowerCase && !strip ? Normalization.Nfc(cased) : cased).EnumerateRunes())
        {
            var c = rune.Value;
            var category = tables.Category(c);
            if (strip && category == UnicodeCategory.NonSpacingMark)
                continue;
            // Of the white space, RE2's \s and the control characters are all that tensorflow_text splits at.
            if (c == ' ' || category is UnicodeCategory.Control or UnicodeCategory.Format)
                words.End();
            else if (IsPunctuation(c, category) || (options.SplitChinese && IsCjk(c)))
                words.Single(c);
            else
                words.Add(c);
        }
        return words.Done();
    }

    // google-research/bert, tokenization.py: BasicTokenizer.tokenize, its five passes.
    private static Words OfBertRepository(string text, bool lowerCase, WordPieceOptions options)
    {
        var strip = options.StripAccents ?? lowerCase;
        var tables = UnicodeTables.Version15;
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var c = rune.Value;
            if (c is '\t' or '\n' or '\r' || tables.Category(c) == UnicodeCategory.SpaceSeparator)
                clean.Append(' ');
            else if (c == 0xFFFD || IsControl(c, tables))
                continue;
            else if (options.SplitChinese && IsCjk(c))
                CodePoints.Append(clean.Append(' '), c).Append(' ');
            else
                CodePoints.Append(clean, c);
        }
        var cleaned = clean.ToString();
        var words = new Splitter(cleaned.Length);
        var cased = lowerCase ? LowerCase.OfText(cleaned) : cleaned;
        foreach (var rune in (strip ? Normalization.Nfd(cased) : cased).EnumerateRunes())
        {
            var c = rune.Value;
            // The reference fixes no version of Unicode; its expectations were made with version 14.
            var category = tables.Category(c, UnicodeAge.Version14);
            if (strip && category == UnicodeCategory.NonSpacingMark)
                continue;
            if (c is ' ' or 0x2028 or 0x2029)
                words.End(); // all that is left of what str.split() splits at
            else if (IsPunctuation(c, category))
                words.Single(c);
            else
                words.Add(c);
        }
        return words.Done();
    }

    private static bool IsControl(int c, UnicodeTables tables) =>
        tables.Category(c, UnicodeAge.Version14) is UnicodeCategory.Control or UnicodeCategory.Format;

    internal static bool IsPunctuation(int c, UnicodeCategory category) =>
        c < 0x80
            ? c is >= '!' and <= '/' or >= ':' and <= '@' or >= '[' and <= '`' or >= '{' and <= '~'
            : category is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation;

    // The eight ranges that both references write out; later extensions of CJK are not among them.
    internal static bool IsCjk(int c) =>
        c >= 0x3400
        && c
            is >= 0x4E00
                and <= 0x9FFF
                or >= 0x3400
                and <= 0x4DBF
                or >= 0x20000
                and <= 0x2A6DF
                or >= 0x2A700
                and <= 0x2B73F
                or >= 0x2B740
                and <= 0x2B81F
                or >= 0x2B820
                and <= 0x2CEAF
                or >= 0xF900
                and <= 0xFAFF
                or >= 0x2F800
                and <= 0x2FA1F;

    private sealed class Splitter(int length)
    {
        private readonly StringBuilder text = new(length);
        private readonly List<(int Start, int Length)> places = [];
        private int start;

        internal void Add(int c) => CodePoints.Append(text, c);

        internal void Single(int c)
        {
            End();
            Add(c);
            End();
        }

        internal void End()
        {
            if (text.Length > start)
                places.Add((start, text.Length - start));
            start = text.Length;
        }

        internal Words Done()
        {
            End();
            return new(text.ToString(), places);
        }
    }
}
