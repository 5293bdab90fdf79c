using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace LiT.Cli;

/// <summary>Options that take several values, in one way everywhere: 1,5 or 1 5 or the option again.</summary>
internal static class Lists
{
    /// <summary>Whole numbers from <paramref name="least"/>.</summary>
    /// <param name="name">The option.</param>
    /// <param name="description">What it means; the way to write several is added.</param>
    /// <param name="least">The smallest that may be given.</param>
    /// <param name="usual">What holds where the option is left out; null for none.</param>
    public static Option<int[]?> Numbers(string name, string description, int least, int[]? usual = null)
    {
        Option<int[]?> option = new(name)
        {
            Description = $"{description} Several: with commas between them.",
            AllowMultipleArgumentsPerToken = true,
            Arity = ArgumentArity.OneOrMore,
            CustomParser = result =>
            {
                List<int> numbers = [];
                foreach (var part in Parts(result))
                    if (
                        int.TryParse(part, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                        && number >= least
                    )
                        numbers.Add(number);
                    else
                        result.AddError(
                            $"{name} {part}: give a whole number from {least}; several with commas, "
                                + $"as in {least},{least + 1}."
                        );
                return [.. numbers];
            },
        };
        if (usual is not null)
            option.DefaultValueFactory = _ => usual;
        return option;
    }

    /// <summary>Words out of a few.</summary>
    public static Option<string[]> Words(string name, string description, params string[] among)
    {
        Option<string[]> option = new(name)
        {
            Description = $"{description} Several: with commas between them.",
            HelpName = string.Join('|', among),
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [],
            CustomParser = result =>
            {
                string[] words = [.. Parts(result)];
                if (words.FirstOrDefault(word => !among.Contains(word)) is { } other)
                    result.AddError($"{name} {other}: give one of {string.Join(", ", among)}.");
                return words;
            },
        };
        option.CompletionSources.Add(among);
        return option;
    }

    private static IEnumerable<string> Parts(ArgumentResult result) =>
        result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.TrimEntries));
}
