using System.CommandLine;
using LiT.Curation;

namespace LiT.Cli;

/// <summary>Where and how a data set is written.</summary>
internal sealed class OutputOptions
{
    private readonly Option<string> folder = new("--out")
    {
        Description = "New folder for the data set; run again, an interrupted run is continued.",
        Required = true,
    };

    private readonly Option<string?> form = new("--to")
    {
        Description =
            "webdataset (.tar shards), parquet (Hugging Face's image column), or folder (pictures and metadata.jsonl). Default: webdataset.",
    };

    private readonly Option<int?> perShard = new("--samples-per-shard")
    {
        Description =
            "Samples in a shard; an interrupted run goes on after the last whole one. Default: 10,000, of parquet 1,000.",
    };

    public void AddTo(Command command)
    {
        form.AcceptOnlyFromAmong("webdataset", "parquet", "folder");
        Limits.Positive(perShard);
        foreach (Option option in new Option[] { folder, form, perShard })
            command.Options.Add(option);
    }

    public string FolderOf(Asked parsed) => parsed.GetRequiredValue(folder);

    public SampleForm FormOf(Asked parsed) =>
        Enum.Parse<SampleForm>(parsed.GetValue(form) ?? "webdataset", ignoreCase: true);

    public int PerShardOf(Asked parsed) =>
        Math.Min(parsed.GetValue(perShard) ?? (FormOf(parsed) == SampleForm.Parquet ? 1000 : 10_000), 100_000);

    /// <summary>Prints what was written.</summary>
    public void Report(Asked parsed, DataSetResult result)
    {
        var (counts, output) = (result.Counts, FolderOf(parsed));
        if (result.WasComplete)
            Terminal.Say($"{output} is complete already; nothing was written again.");
        if (CommonOptions.IsJson(parsed))
        {
            Terminal.Write(
                new
                {
                    Out = output,
                    counts.Found,
                    counts.Written,
                    counts.Rejected,
                    counts.Noted,
                    result.Rules,
                }
            );
            return;
        }
        Terminal.Line($"{output}: {counts.Written} samples of {counts.Found} found");
        if (result.Rules.Count == 0)
            return;
        Terminal.Table(
            ["left out because", "samples", "captions", "for example"],
            result.Rules.Select(rule =>
                new[]
                {
                    rule.Rule,
                    $"{rule.Samples}",
                    $"{rule.Captions}",
                    rule.Examples.Count > 0 ? rule.Examples[0] : "",
                }
            )
        );
        Terminal.Say($"{Path.Combine(output, "rejected.jsonl")} names each sample that was left out, and the rule.");
    }
}
