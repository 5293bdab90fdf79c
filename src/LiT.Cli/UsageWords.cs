using System.CommandLine.Parsing;
using System.Text.RegularExpressions;

namespace LiT.Cli;

/// <summary>What the parser says about wrong values, in the words that the rest of the program uses.</summary>
internal static partial class UsageWords
{
    public static string Of(ParseError error)
    {
        var (name, type) = error.SymbolResult switch
        {
            OptionResult option => (option.Option.Name, option.Option.ValueType),
            ArgumentResult { Argument: var argument } => (
                OwnerOf(error.SymbolResult) ?? argument.Name,
                argument.ValueType
            ),
            _ => (null, null),
        };
        if (name is null || type is null)
            return error.Message;
        if (NotOfType().Match(error.Message) is { Success: true } wrong)
            return $"{name} {wrong.Groups[1].Value}: give {Wanted(type, wrong.Groups[1].Value)}.";
        if (NotAmong().Match(error.Message) is { Success: true } other)
            return $"{name}: '{other.Groups[1].Value}' not recognized; give one of "
                + $"{string.Join(", ", Quoted().Matches(other.Groups[2].Value).Select(word => word.Groups[1].Value))}.";
        return error.Message;
    }

    /// <summary>What may be given for a type of value.</summary>
    public static string Wanted(Type type, string given)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsEnum)
            return $"one of {string.Join(", ", Enum.GetNames(type).Select(one => one.ToLowerInvariant()))}";
        if (type == typeof(int) || type == typeof(long))
            return given.Length > 9 && given.TrimStart('-').All(char.IsAsciiDigit)
                ? "a number that is not as large"
                : "a whole number";
        return type == typeof(double) ? "a number"
            : type == typeof(bool) ? "true or false, or leave the value out"
            : "another value";
    }

    // The value of an option is an argument of the option's own.
    private static string? OwnerOf(SymbolResult result) =>
        result.Parent is OptionResult option ? option.Option.Name : null;

    [GeneratedRegex("^Cannot parse argument '(.*?)'(?: for (?:option|command) '[^']*')? as expected type")]
    private static partial Regex NotOfType();

    [GeneratedRegex("^Argument '(.*)' not recognized\\. Must be one of:(.*)$", RegexOptions.Singleline)]
    private static partial Regex NotAmong();

    [GeneratedRegex("'([^']*)'")]
    private static partial Regex Quoted();
}
