using System.Text;
using System.Text.RegularExpressions;

namespace LiT.Text.HuggingFace;

/// <summary>
/// A literal or a regular expression of a <c>tokenizer.json</c>. The reference matches whole code points, .NET UTF-16
/// units. So a text is matched in a copy in which every supplementary character is replaced by one unit of the same
/// general category.
/// </summary>
internal sealed class TextPattern
{
    // One character of each category that changes no case and that patterns do not name, in the order of
    // UnicodeCategory.
    private const string StandIns =
        "\u03d2\u0138\u01c5\u02b0\ua000\ua66f\u0903\u0488\u0660\u2160\u2460\u3000\u2028\u2029"
        + "\u0080\u2061\ue000\ue000\u203f\u2e3a\u2e28\u2e29\u2e20\u2e21\ua4fe\u2200\u20a0\u02c2\u2400\u0378";

    // A pattern that backtracks without end on some text must not hold everything up.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string? literal;
    private readonly Regex? regex;
    private readonly string where;

    internal TextPattern(JsonPart part)
    {
        where = part.Where;
        if (part.Optional("String") is { } text)
        {
            literal = text.Text;
            return;
        }
        var pattern = part.Member("Regex").Text;
        if (pattern.Any(char.IsSurrogate))
            throw part.Unsupported(
                $"the pattern {pattern} (characters beyond U+FFFF)",
                "patterns of the Basic Multilingual Plane"
            );
        regex = Compile(part, pattern);
    }

    /// <summary>A pattern that the reference has in its code.</summary>
    internal TextPattern(string pattern)
    {
        where = pattern;
        regex = new(pattern, RegexOptions.CultureInvariant, Patience);
    }

    /// <summary>Stretches that cover the text.</summary>
    internal List<Stretch> Stretches(string text)
    {
        var stretches = new List<Stretch>();
        var last = 0;
        foreach (var (start, end) in literal is null ? Matches(text) : Literals(text))
        {
            if (last < start)
                stretches.Add(new(last, start, false));
            stretches.Add(new(start, end, true));
            last = end;
        }
        if (last < text.Length)
            stretches.Add(new(last, text.Length, false));
        return stretches;
    }

    private static Regex Compile(JsonPart part, string pattern)
    {
        try
        {
            return new(pattern, RegexOptions.CultureInvariant, Patience);
        }
        catch (ArgumentException trouble)
        {
            throw part.Unsupported($"the pattern {pattern}", $"what .NET reads ({trouble.Message.TrimEnd('.')})");
        }
    }

    private IEnumerable<(int Start, int End)> Literals(string text)
    {
        if (literal!.Length == 0)
            yield break;
        for (var at = 0; (at = text.IndexOf(literal, at, StringComparison.Ordinal)) >= 0; at += literal.Length)
            yield return (at, at + literal.Length);
    }

    private List<(int Start, int End)> Matches(string text)
    {
        var (copy, places) = StoodIn(text);
        var matches = new List<(int Start, int End)>();
        try
        {
            foreach (var match in regex!.EnumerateMatches(copy))
            {
                var (start, end) = (match.Index, match.Index + match.Length);
                matches.Add(places is null ? (start, end) : (places[start], places[end]));
            }
        }
        catch (RegexMatchTimeoutException trouble)
        {
            throw new LitException(
                where,
                $"the pattern takes more than {Patience.TotalSeconds} s on a text of {text.Length:N0} characters",
                "Give shorter captions",
                trouble
            );
        }
        return matches;
    }

    // The copy, and for each of its units and its end the place in the text (null where they are the same).
    private static (string Copy, int[]? Places) StoodIn(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\ud800', '\udfff'))
            return (text, null);
        var copy = new StringBuilder(text.Length);
        var places = new int[text.Length + 1];
        var at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            places[copy.Length] = at;
            copy.Append(rune.IsBmp ? (char)rune.Value : StandIns[(int)Rune.GetUnicodeCategory(rune)]);
            at += rune.Utf16SequenceLength;
        }
        places[copy.Length] = text.Length;
        return (copy.ToString(), places);
    }
}
