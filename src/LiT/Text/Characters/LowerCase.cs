using System.Text;

namespace LiT.Text.Characters;

/// <summary>Lower case as the reference tokenizers make it. None of these depends on a culture.</summary>
internal static class LowerCase
{
    private const int CapitalSigma = 0x3A3,
        Sigma = 0x3C3,
        FinalSigma = 0x3C2;

    /// <summary>A to Z only, as <c>tf.strings.lower</c> without an encoding.</summary>
    internal static string OfAscii(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('A', 'Z'))
            return text;
        return string.Create(text.Length, text, static (lower, text) =>
        {
            for (var i = 0; i < lower.Length; i++)
                lower[i] = char.IsAsciiLetterUpper(text[i]) ? (char)(text[i] | 0x20) : text[i];
        });
    }

    /// <summary>Full lower case character by character: Rust's <c>char::to_lowercase</c>.</summary>
    internal static string OfEach(string text) => Of(text, static (_, _) => false);

    /// <summary>Full lower case with the final sigma where a word ends: Python's <c>str.lower</c>.</summary>
    internal static string OfText(string text) => Of(text, EndsWord);

    private static string Of(string text, Func<List<int>, int, bool> endsWord)
    {
        if (Ascii.IsValid(text))
            return OfAscii(text);
        var tables = UnicodeTables.Version15;
        var points = CodePoints.Of(text);
        var lower = new StringBuilder(text.Length);
        for (var i = 0; i < points.Count; i++)
        {
            if (points[i] == CapitalSigma)
                lower.Append((char)(endsWord(points, i) ? FinalSigma : Sigma));
            else if (tables.Lower.TryGetValue(points[i], out var mapped))
                foreach (var c in mapped)
                    CodePoints.Append(lower, c);
            else
                CodePoints.Append(lower, points[i]);
        }
        return lower.ToString();
    }

    // Final_Sigma of SpecialCasing.txt: a cased letter before, none after, case-ignorable characters passed over.
    private static bool EndsWord(List<int> points, int at)
    {
        var tables = UnicodeTables.Version15;
        var before = at - 1;
        while (before >= 0 && tables.IsCaseIgnorable(points[before]))
            before--;
        if (before < 0 || !tables.IsCased(points[before]))
            return false;
        var after = at + 1;
        while (after < points.Count && tables.IsCaseIgnorable(points[after]))
            after++;
        return after == points.Count || !tables.IsCased(points[after]);
    }
}
