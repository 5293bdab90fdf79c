using System.CommandLine;
using LiT.Curation;

namespace LiT.Cli.Commands;

/// <summary>lit data convert: any form of data in another.</summary>
internal static class DataConvertCommand
{
    public static Command Build()
    {
        DataOptions data = new();
        OutputOptions output = new();
        Command command = new(
            "convert",
            "Write any form of data as WebDataset, Parquet, or a folder with metadata.jsonl; pictures stay as they are."
        );
        data.AddTo(command);
        output.AddTo(command);
        command.Does(
            (parsed, cancel) =>
            {
                var source = data.Open(parsed);
                using ProgressLine progress = new();
                var result = DataSets.Convert(
                    source,
                    output.FolderOf(parsed),
                    output.FormOf(parsed),
                    output.PerShardOf(parsed),
                    progress,
                    cancel
                );
                progress.Dispose();
                output.Report(parsed, result);
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }
}
