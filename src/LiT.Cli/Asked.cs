using System.CommandLine;
using System.CommandLine.Parsing;

namespace LiT.Cli;

/// <summary>
/// What was asked for on the command line. It remembers which options a verb looked at: one that was given and that
/// nobody read had no effect, and its user is told so.
/// </summary>
internal sealed class Asked(ParseResult parsed)
{
    private readonly HashSet<Option> read = [];

    public T? GetValue<T>(Option<T> option)
    {
        read.Add(option);
        return parsed.GetValue(option);
    }

    public T? GetValue<T>(Argument<T> argument) => parsed.GetValue(argument);

    public T GetRequiredValue<T>(Option<T> option)
    {
        read.Add(option);
        return parsed.GetRequiredValue(option);
    }

    public T GetRequiredValue<T>(Argument<T> argument) => parsed.GetRequiredValue(argument);

    public OptionResult? GetResult(Option option)
    {
        read.Add(option);
        return parsed.GetResult(option);
    }

    /// <summary>Whether an option stands on the command line.</summary>
    public bool IsGiven(Option option) => GetResult(option) is { Implicit: false };

    /// <summary>Options that were given and not looked at.</summary>
    public IEnumerable<string> Unread =>
        Chain(parsed.CommandResult)
            .SelectMany(command => command.Children.OfType<OptionResult>())
            .Where(one => !one.Implicit && !read.Contains(one.Option) && !CommonOptions.IsForFailures(one.Option))
            .Select(one => one.Option.Name)
            .Distinct();

    private static IEnumerable<CommandResult> Chain(CommandResult verb)
    {
        for (var at = verb; at is not null; at = at.Parent as CommandResult)
            yield return at;
    }
}

/// <summary>How verbs are given what they do.</summary>
internal static class Verbs
{
    /// <summary>What a verb does with what was asked, to an exit code.</summary>
    public static void Does(this Command command, Func<Asked, CancellationToken, Task<int>> action) =>
        command.SetAction(
            async (parsed, cancel) =>
            {
                Asked asked = new(parsed);
                var code = await action(asked, cancel);
                if (code == ExitCode.Done)
                    foreach (var option in asked.Unread)
                        Terminal.Warn($"{option} had no effect on what was done here. Leave it out.");
                return code;
            }
        );

    /// <inheritdoc cref="Does(Command, Func{Asked, CancellationToken, Task{int}})"/>
    public static void Does(this Command command, Func<Asked, int> action) =>
        command.Does((asked, _) => Task.FromResult(action(asked)));
}
