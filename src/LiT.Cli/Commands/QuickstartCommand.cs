using System.CommandLine;

namespace LiT.Cli.Commands;

internal static class QuickstartCommand
{
    public static Command Build() => new("quickstart", "The whole of LiT on the embedded data set.");
}
