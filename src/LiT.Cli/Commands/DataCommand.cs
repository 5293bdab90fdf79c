using System.CommandLine;

namespace LiT.Cli.Commands;

/// <summary>lit data: look at, clean, fetch and reshape data.</summary>
internal static class DataCommand
{
    public static Command Build() =>
        new("data", "Look at, clean, fetch, make and reshape data.")
        {
            DataStatsCommand.Build(),
            DataFilterCommand.Build(),
            DataDedupCommand.Build(),
            DataConvertCommand.Build(),
            DataDownloadCommand.Build(),
            DataDrawCommand.Build(),
            DataSetsCommand.Build(),
        };
}
