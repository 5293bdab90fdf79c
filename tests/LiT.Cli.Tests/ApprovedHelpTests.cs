using LiT.Tests;

namespace LiT.Cli.Tests;

/// <summary>The help of every verb, as somebody found it right.</summary>
[Collection(nameof(InThisProcess))]
public sealed class ApprovedHelpTests
{
    [Fact]
    public void The_help_of_every_verb_is_as_approved()
    {
        List<string> seen = [];
        Walk([], seen);
        Assert.Equal(seen.Order(StringComparer.Ordinal), Approved.Names("help"));
    }

    private static void Walk(string[] verb, List<string> seen)
    {
        var help = Here.Run(Environment.CurrentDirectory, [.. verb, "--help"]).Expect(0);
        Assert.Empty(help.Talk);
        seen.Add(string.Join('-', verb.Prepend("lit")));
        Approved.Check($"help/{seen[^1]}.txt", help.Output);
        foreach (var deeper in VerbsIn(help.Output))
            Walk([.. verb, deeper], seen);
    }

    /// <summary>First words of the lines under "Commands:".</summary>
    private static IEnumerable<string> VerbsIn(string help) =>
        help.Split('\n')
            .SkipWhile(line => line != "Commands:")
            .Skip(1)
            .TakeWhile(line => line.StartsWith("  ", StringComparison.Ordinal))
            .Where(line => line[2] != ' ')
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0]);
}
