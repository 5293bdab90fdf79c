using System.Globalization;
using System.Text;
using LiT.Text.Characters;

namespace LiT.Text;

/// <summary>
/// Whether the signs above and below letters are letters themselves. Taking accents away, as BERT does to find "café"
/// by "cafe", also takes the vowels of Devanagari and Thai and the voicing of kana, and takes Hangul syllables apart.
/// </summary>
internal static class WrittenMarks
{
    private const double Share = 0.01;

    /// <summary>Whether more than a hundredth of the letters of texts would be harmed.</summary>
    public static bool Matter(IEnumerable<string> texts, CancellationToken cancel = default)
    {
        var tables = UnicodeTables.Version15;
        var (letters, harmed) = (0L, 0L);
        foreach (var text in texts)
        {
            cancel.ThrowIfCancellationRequested();
            if (Ascii.IsValid(text))
            {
                letters += text.Length;
                continue;
            }
            foreach (var rune in Normalization.Nfd(text).EnumerateRunes())
            {
                letters++;
                if (IsJamo(rune.Value) || IsSign(rune.Value, tables))
                    harmed++;
            }
        }
        return harmed > Share * letters;
    }

    // The accents of Latin, Greek and Cyrillic stand in one block.
    private static bool IsSign(int c, UnicodeTables tables) =>
        c is not (>= 0x300 and <= 0x36F) && tables.Category(c) == UnicodeCategory.NonSpacingMark;

    private static bool IsJamo(int c) => c is >= 0x1100 and <= 0x11FF;
}
