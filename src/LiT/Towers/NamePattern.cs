using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace LiT.Towers;

/// <summary>
/// A name with places for numbers: <c>{i}</c> a number, <c>{i+1}</c> one that counts from one, <c>{i+1:00}</c> with
/// leading zeros, <c>{a|b}</c> either text, <c>{*}</c> anything. It reads the numbers out of a name and writes a name
/// with them.
/// </summary>
internal sealed partial class NamePattern
{
    private readonly string pattern;
    private readonly Regex regex;
    private readonly Dictionary<char, int> firsts = [];

    public NamePattern(string pattern)
    {
        this.pattern = pattern;
        var text = new StringBuilder("^");
        foreach (Match token in Token().Matches(pattern))
        {
            if (token.Groups["letter"] is { Success: true, Value: var letter })
            {
                text.Append(firsts.ContainsKey(letter[0]) ? $@"\k<{letter}>" : $@"(?<{letter}>\d{{1,6}})");
                firsts[letter[0]] = FirstOf(token);
            }
            else if (token.Groups["any"].Success)
                text.Append(".*");
            else if (token.Groups["either"] is { Success: true, Value: var either })
                text.Append("(?:").AppendJoin('|', either.Split('|').Select(Regex.Escape)).Append(')');
            else
                text.Append(Regex.Escape(token.Value));
        }
        regex = new Regex(text.Append('$').ToString(), RegexOptions.CultureInvariant);
    }

    /// <summary>The letters of its numbers.</summary>
    public IEnumerable<char> Letters => firsts.Keys;

    /// <summary>The numbers in a name, all counted from zero, or null where the name is another.</summary>
    public Dictionary<char, int>? NumbersIn(string name)
    {
        var match = regex.Match(name);
        if (!match.Success)
            return null;
        var numbers = new Dictionary<char, int>();
        foreach (var (letter, first) in firsts)
        {
            numbers[letter] =
                int.Parse(match.Groups[letter.ToString()].ValueSpan, CultureInfo.InvariantCulture) - first;
            if (numbers[letter] < 0)
                return null;
        }
        return numbers;
    }

    /// <summary>
    /// The name with these numbers; a number that is not given stays a letter, the first of two texts is taken.
    /// </summary>
    public string NameWith(IReadOnlyDictionary<char, int> numbers) =>
        Token()
            .Replace(pattern, token => token.Groups["letter"] is { Success: true, Value: var letter }
                && numbers.TryGetValue(letter[0], out var number)
                    ? (number + FirstOf(token)).ToString(
                        token.Groups["digits"].Success ? token.Groups["digits"].Value : "0",
                        CultureInfo.InvariantCulture
                    )
                : token.Groups["any"].Success ? ""
                : token.Groups["either"] is { Success: true, Value: var either } ? either.Split('|')[0]
                : token.Value);

    private static int FirstOf(Match token) =>
        token.Groups["first"] is { Success: true, ValueSpan: var first }
            ? int.Parse(first, CultureInfo.InvariantCulture)
            : 0;

    [GeneratedRegex(
        @"\{(?:(?<letter>[a-z])(?:\+(?<first>\d+))?(?::(?<digits>0+))?|(?<any>\*)|(?<either>[^{}]*\|[^{}]*))\}|[^{}]+"
    )]
    private static partial Regex Token();
}
