using System.Text;
using System.Text.RegularExpressions;
using LiT.Text.Characters;

namespace LiT.Text.Clip;

/// <summary>
/// The cleaning of openai/CLIP (clip/simple_tokenizer.py): ftfy, HTML entities twice, white space, lower case. Of ftfy
/// 6 everything is done but the repair of text that was decoded with the wrong encoding ("cafÃ©").
/// </summary>
internal static partial class ClipText
{
    // ftfy repeats until nothing changes; entities of entities ("&amp;amp;amp;…") could make that as long as the
    // text.
    private const int MostPasses = 20;

    internal static string Clean(string text)
    {
        text = HtmlEntities.Unescape(HtmlEntities.Unescape(Fix(text)));
        return LowerCase.OfText(WhiteSpace().Replace(text, " ").Trim(' '));
    }

    /// <summary>ftfy's <c>fix_text</c> without <c>fix_encoding</c>: line by line.</summary>
    internal static string Fix(string text)
    {
        var whole = new StringBuilder(text.Length);
        var entities = true;
        for (var at = 0; at < text.Length; )
        {
            var end = text.IndexOf('\n', at) + 1;
            if (end == 0)
                end = text.Length;
            var line = text[at..end];
            entities &= !line.Contains('<'); // where there are tags, entities belong to them
            whole.Append(FixLine(line, entities));
            at = end;
        }
        return whole.ToString();
    }

    private static string FixLine(string line, bool entities)
    {
        for (var pass = 0; pass < MostPasses; pass++)
        {
            var before = line;
            if (entities)
                line = HtmlEntities.UnescapeComplete(line);
            line = Normalization.Nfc(WithoutControls(TerminalEscape().Replace(FixCharacters(line), "")));
            if (line == before)
                break;
        }
        return line;
    }

    // Controls that Windows-1252 has characters for, ligatures, widths, quotes, line ends and lone surrogates.
    private static string FixCharacters(string text)
    {
        var c1Fixed = text.AsSpan().ContainsAnyInRange('\u0080', '\u009f')
            ? string.Concat(text.Select(c => c is >= '\u0080' and <= '\u009f' ? HtmlEntities.Windows1252[c - 0x80] : c))
            : text;
        if (Ascii.IsValid(c1Fixed) && !c1Fixed.Contains('\r'))
            return c1Fixed;
        var ligaturesFixed = new StringBuilder(c1Fixed.Length);
        foreach (var rune in c1Fixed.EnumerateRunes())
            ligaturesFixed.Append(Ligature(rune.Value) ?? rune.ToString());
        var fixedText = new StringBuilder(ligaturesFixed.Length);
        foreach (var rune in ligaturesFixed.ToString().EnumerateRunes())
        {
            var c = rune.Value;
            if (c == 0x3000)
                fixedText.Append(' ');
            else if (c is >= 0xFF01 and < 0xFFF0)
                fixedText.Append(Normalization.Nfkc(rune.ToString()));
            else
                CodePoints.Append(
                    fixedText,
                    c is 0x85 or 0x2028 or 0x2029 ? '\n'
                        : c is 0x2BC or >= 0x2018 and <= 0x201B ? '\''
                        : c is >= 0x201C and <= 0x201F ? '"'
                        : c
                );
        }
        return fixedText.Replace("\r\n", "\n").Replace('\r', '\n').ToString();
    }

    private static string? Ligature(int c) =>
        c switch
        {
            0x132 => "IJ",
            0x133 => "ij",
            0x149 => "\u02bcn",
            0x1F1 => "DZ",
            0x1F2 => "Dz",
            0x1F3 => "dz",
            0x1C4 => "D\u017d",
            0x1C5 => "D\u017e",
            0x1C6 => "d\u017e",
            0x1C7 => "LJ",
            0x1C8 => "Lj",
            0x1C9 => "lj",
            0x1CA => "NJ",
            0x1CB => "Nj",
            0x1CC => "nj",
            0xFB00 => "ff",
            0xFB01 => "fi",
            0xFB02 => "fl",
            0xFB03 => "ffi",
            0xFB04 => "ffl",
            0xFB05 => "\u017ft",
            0xFB06 => "st",
            _ => null,
        };

    private static string WithoutControls(string text) =>
        text.Any(IsControl) ? string.Concat(text.Where(c => !IsControl(c))) : text;

    private static bool IsControl(char c) =>
        c < ' '
            ? c is not ('\t' or '\n' or '\f' or '\r')
            : c is '\u007f' or >= '\u206a' and <= '\u206f' or '\ufeff' or >= '\ufff9' and <= '\ufffc';

    [GeneratedRegex("\u001b\\[[\\d;]*[a-zA-Z]", RegexOptions.CultureInvariant)]
    private static partial Regex TerminalEscape();

    // Python counts U+001C to U+001F among white space.
    [GeneratedRegex(@"[\s\u001c-\u001f]+", RegexOptions.CultureInvariant)]
    private static partial Regex WhiteSpace();
}
