using System.CommandLine;
using System.Text.RegularExpressions;

namespace LiT.Cli;

/// <summary>Options and verbs that do not exist, and the ones that were meant.</summary>
internal static partial class Spelling
{
    /// <summary>
    /// A line for each word that looks like an option and is none. Without it such a word would be taken for a text, a
    /// name or the value of the option before it. What follows "--" is never an option.
    /// </summary>
    public static IReadOnlyList<string> Misspelt(ParseResult parsed, string[] arguments)
    {
        var verb = parsed.CommandResult.Command;
        var verbs = verb.Subcommands.Where(one => !one.Hidden).Select(one => one.Name).ToList();
        var path = string.Join(' ', CommonOptions.Path(parsed).Prepend("lit"));
        if (verbs.Count > 0 && parsed.UnmatchedTokens is [var word, ..] && !word.StartsWith('-'))
            return
            [
                $"'{word}' is no verb of '{path}'. "
                    + (
                        Nearest(word, verbs) is { } near
                            ? $"Did you mean {near}?"
                            : $"Its verbs are {string.Join(", ", verbs)}."
                    ),
            ];
        var known = Options(parsed)
            .SelectMany(option => option.Aliases.Prepend(option.Name))
            .Distinct(StringComparer.Ordinal)
            .ToList();
        string[] wrong =
        [
            .. arguments
                .TakeWhile(argument => argument != "--")
                .Where(argument => LooksLikeAnOption().IsMatch(argument))
                .Select(argument => argument.Split('=', ':')[0])
                .Where(name => !known.Contains(name))
                .Select(name =>
                    $"{name}: there is no such option."
                    + (
                        Nearest("--" + name.TrimStart('-', '–', '—', '−'), known) is { } near
                            ? $" Did you mean {near}?"
                            : ""
                    )
                    + (verb.Arguments.Count > 0 ? " Words that begin with a dash stand behind --." : "")
                ),
        ];
        if (
            wrong.Length == 0
            && verbs.Count > 0
            && verb.Action is null // else it does something by itself, and its own errors say what is wrong
            && parsed.Action is not CommandTree.HelpOfVerb
            && parsed.Errors.Count > 0
            && parsed.UnmatchedTokens.Count == 0
        )
            return [$"'{path}' needs one of its verbs: {string.Join(", ", verbs)}."];
        return wrong;
    }

    /// <summary>The options of the verb that was asked for, and those of every verb.</summary>
    public static IEnumerable<Option> Options(ParseResult parsed)
    {
        var at = parsed.CommandResult;
        foreach (var option in at.Command.Options)
            yield return option;
        while (at.Parent is System.CommandLine.Parsing.CommandResult parent)
        {
            foreach (var option in parent.Command.Options.Where(option => option.Recursive))
                yield return option;
            at = parent;
        }
    }

    /// <summary>
    /// The word of a list that somebody who wrote another one may have meant; null where none is near.
    /// </summary>
    public static string? Nearest(string word, IReadOnlyList<string> known)
    {
        var bare = Bare(word);
        return known
            .Select(one => (Word: one, Distance: Distance(bare, Bare(one))))
            .Where(one =>
                one.Distance <= Math.Max(1, bare.Length / 3)
                || (bare.Length >= 3 && Bare(one.Word).StartsWith(bare, StringComparison.Ordinal))
            )
            .OrderBy(one => one.Distance)
            .Select(one => one.Word)
            .FirstOrDefault();

        static string Bare(string name) => name.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
    }

    /// <summary>Letters that have to be put in, taken out, changed or swapped with their neighbour.</summary>
    internal static int Distance(string one, string other)
    {
        var rows = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++)
        for (var j = 0; j <= other.Length; j++)
        {
            if (i == 0 || j == 0)
            {
                rows[i, j] = i + j;
                continue;
            }
            var same = one[i - 1] == other[j - 1] ? 0 : 1;
            rows[i, j] = Math.Min(Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1, rows[i - 1, j - 1] + same);
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
        }
        return rows[one.Length, other.Length];
    }

    // Numbers below zero are values, and so is a dash alone. Pages turn two hyphens into a long dash.
    [GeneratedRegex("^(?:--?|[–—−])[A-Za-z?]")]
    private static partial Regex LooksLikeAnOption();
}
