using System.CommandLine;
using System.Globalization;

namespace LiT.Cli;

/// <summary>Checks of option values that happen before anything is read.</summary>
internal static class Limits
{
    /// <summary>A line for each argument with nothing in it, as an unset shell variable leaves it.</summary>
    public static IEnumerable<string> EmptyValues(string[] arguments) =>
        arguments
            .Index()
            .Where(argument => string.IsNullOrWhiteSpace(argument.Item))
            .Select(argument =>
                $"{(argument.Index > 0 ? arguments[argument.Index - 1] : "the first argument")}: the value is empty. Give one, or leave the option out."
            );

    /// <summary>Whole numbers from 1.</summary>
    public static void Positive(params Option[] options)
    {
        foreach (var option in options)
            option.Validators.Add(result =>
            {
                if (
                    result.Tokens.Count == 1
                    && long.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var value)
                    && value < 1
                )
                    result.AddError($"{option.Name} {value}: give a whole number from 1.");
            });
    }

    /// <summary>
    /// No option of a command or its verbs takes "nan" or "inf" for a number, nor a number for the name of a choice.
    /// </summary>
    public static void OfTypes(Command command)
    {
        foreach (var option in command.Options)
        {
            var type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
            if (type == typeof(double))
                Numbers(option, double.IsFinite, "a number");
            else if (type.IsEnum)
                Named(option, type);
        }
        foreach (var verb in command.Subcommands)
            OfTypes(verb);
    }

    private static void Named(Option option, Type type) =>
        option.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
                if (!Enum.GetNames(type).Contains(token.Value, StringComparer.OrdinalIgnoreCase))
                    result.AddError($"{option.Name} {token.Value}: give {UsageWords.Wanted(type, token.Value)}.");
        });

    /// <summary>Numbers from 0.</summary>
    public static void NotNegative(params Option[] options)
    {
        foreach (var option in options)
            Numbers(option, value => value >= 0, "a number from 0");
    }

    /// <summary>Numbers above 0.</summary>
    public static void AboveZero(params Option[] options)
    {
        foreach (var option in options)
            Numbers(option, value => !(value <= 0), "a number above 0");
    }

    /// <summary>Numbers from 0 to 1.</summary>
    public static void Share(params Option[] options)
    {
        foreach (var option in options)
            Numbers(option, value => value is >= 0 and <= 1, "a share from 0 to 1");
    }

    /// <summary>Numbers of which something holds.</summary>
    /// <param name="option">Takes one number.</param>
    /// <param name="holds">Whether a number may be given.</param>
    /// <param name="wanted">What to give instead, in words.</param>
    public static void Numbers(Option option, Func<double, bool> holds, string wanted) =>
        option.Validators.Add(result =>
        {
            if (
                result.Tokens.Count == 1
                && double.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var value)
                && !holds(value)
            )
                result.AddError($"{option.Name} {result.Tokens[0].Value}: give {wanted}.");
        });
}
