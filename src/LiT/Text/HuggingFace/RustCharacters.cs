using System.Globalization;
using LiT.Text.Characters;

namespace LiT.Text.HuggingFace;

/// <summary>
/// Classes of characters as Rust and the crates that huggingface/tokenizers 0.23 uses have them. The crates are of old
/// versions of Unicode; characters that came later are not of the class.
/// </summary>
internal static class RustCharacters
{
    /// <summary><c>char::is_whitespace</c>.</summary>
    internal static bool IsWhiteSpace(int c) => c < 0x10000 && char.IsWhiteSpace((char)c);

    /// <summary><c>char::is_numeric</c>.</summary>
    internal static bool IsNumber(int c) =>
        Category(c)
            is UnicodeCategory.DecimalDigitNumber
                or UnicodeCategory.LetterNumber
                or UnicodeCategory.OtherNumber;

    /// <summary>ASCII punctuation and symbols, and punctuation beyond (unicode_categories, Unicode 8).</summary>
    internal static bool IsPunctuation(int c) =>
        Words.IsPunctuation(c, UnicodeTables.Version15.Category(c, UnicodeAge.Version8)) || c is 0x166D or 0x111C9;

    /// <summary>A non-spacing mark (unicode_categories, Unicode 8; five characters have changed since).</summary>
    internal static bool IsNonSpacingMark(int c) =>
        c == 0x1734
        || c is not (0x1885 or 0x1886 or 0xA9BD or 0x111C9)
            && UnicodeTables.Version15.Category(c, UnicodeAge.Version8) == UnicodeCategory.NonSpacingMark;

    /// <summary>Control, format and private-use characters (unicode_categories, Unicode 8).</summary>
    internal static bool IsOther(int c) =>
        UnicodeTables.Version15.Category(c, UnicodeAge.Version8)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.PrivateUse;

    /// <summary>
    /// A combining mark of any kind (unicode-normalization-alignments, Unicode 9; three have changed since).
    /// </summary>
    internal static bool IsMark(int c) =>
        c is 0x1CF2 or 0x1CF3
        || c != 0x111C9
            && UnicodeTables.Version15.Category(c, UnicodeAge.Version9)
                is UnicodeCategory.NonSpacingMark
                    or UnicodeCategory.SpacingCombiningMark
                    or UnicodeCategory.EnclosingMark;

    /// <summary>
    /// <c>\w</c> of the regex crate: alphabetic characters, marks, decimal digits, connectors and the two joiners.
    /// </summary>
    internal static bool IsWord(int c) =>
        Category(c) switch
        {
            <= UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation => true,
            // Circled and squared letters are alphabetic symbols.
            UnicodeCategory.OtherSymbol => c
                is >= 0x24B6
                    and <= 0x24E9
                    or >= 0x1F130
                    and <= 0x1F149
                    or >= 0x1F150
                    and <= 0x1F169
                    or >= 0x1F170
                    and <= 0x1F189,
            _ => c is 0x200C or 0x200D,
        };

    // Rust itself and its regex crate are at a version of Unicode that is near that of .NET.
    private static UnicodeCategory Category(int c) => CharUnicodeInfo.GetUnicodeCategory(c);
}
