using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;

namespace LiT.Curation;

/// <summary>Captions as words, for rules about their length and how often they come.</summary>
internal static class CaptionWords
{
    /// <summary>
    /// Words between blanks that hold a letter or digit. Scripts that put no blanks between words count two characters
    /// as one (the mean length of a Chinese word; Japanese, Thai, Lao and Khmer are treated alike).
    /// </summary>
    public static int Count(string caption)
    {
        var (words, unspaced, inWord) = (0, 0, false);
        foreach (var rune in caption.EnumerateRunes())
        {
            if (Rune.IsWhiteSpace(rune))
                inWord = false;
            else if (IsUnspaced(rune))
                (unspaced, inWord) = (unspaced + 1, false);
            else if (!inWord && Rune.IsLetterOrDigit(rune))
                (words, inWord) = (words + 1, true);
        }
        return words + (unspaced + 1) / 2;
    }

    /// <summary>Words in lower case without the marks around them.</summary>
    public static IEnumerable<string> Of(string caption) =>
        caption
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(word => Trimmed(word).ToLowerInvariant())
            .Where(word => word.Length > 0);

    /// <summary>
    /// A caption by which equal ones are told: lower case, one blank between words, no marks around them.
    /// </summary>
    public static string Plain(string caption) => string.Join(' ', Of(caption));

    /// <summary>128 bits that stand for a text.</summary>
    public static UInt128 Hash(string text) => XxHash128.HashToUInt128(MemoryMarshal.AsBytes(text.AsSpan()));

    public static bool IsUnspaced(Rune rune) =>
        rune.Value
            is (>= 0x0E00 and <= 0x0EFF)
                or (>= 0x1780 and <= 0x17FF)
                or (>= 0x3040 and <= 0x30FF)
                or (>= 0x3400 and <= 0x4DBF)
                or (>= 0x4E00 and <= 0x9FFF)
                or (>= 0xF900 and <= 0xFAFF)
                or (>= 0x20000 and <= 0x3FFFF);

    private static string Trimmed(string word)
    {
        var (from, to) = (0, word.Length);
        while (from < to && IsMark(word[from]))
            from++;
        while (to > from && IsMark(word[to - 1]))
            to--;
        return word[from..to];

        static bool IsMark(char c) => char.IsPunctuation(c) || char.IsSymbol(c);
    }
}
