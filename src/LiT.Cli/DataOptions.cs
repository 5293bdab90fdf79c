using System.CommandLine;
using LiT.Data;

namespace LiT.Cli;

/// <summary>--data and how it is read: the same options wherever a verb takes data.</summary>
internal sealed class DataOptions
{
    private readonly Option<string> data = new("--data")
    {
        Description =
            "Pictures and words: a folder of class folders, a folder with metadata.jsonl or metadata.csv, WebDataset archives "
            + "(x.tar, x-{000..011}.tar.gz, globs), a .tsv, .csv or .parquet, an embedding store, or NAME=DIR for a public test set (see 'lit data sets').",
    };

    /// <summary>Whether --data has to be given; set before <see cref="AddTo"/>.</summary>
    public bool IsRequired { get; init; } = true;

    /// <summary>--data itself.</summary>
    public Option Option => data;

    private readonly Option<string?> imageColumn = new("--image-column")
    {
        Description = "Column with the picture, by name or number from 1.",
    };
    private readonly Option<string?> captionColumn = new("--caption-column")
    {
        Description = "Column with the caption, by name or number from 1.",
    };
    private readonly Option<string?> labelColumn = new("--label-column")
    {
        Description = "Column with the label, by name or number from 1.",
    };

    private readonly Option<string?> imageRoot = new("--image-root")
    {
        Description = "Folder that a table's picture paths are relative to. Default: the table's own.",
    };

    public void AddTo(Command command)
    {
        data.Required = IsRequired;
        foreach (Option option in new Option[] { data, imageColumn, captionColumn, labelColumn, imageRoot })
            command.Options.Add(option);
    }

    public string PathOf(Asked parsed) => parsed.GetValue(data)!;

    public SampleOptions OptionsOf(Asked parsed) =>
        new()
        {
            ImageColumn = parsed.GetValue(imageColumn),
            CaptionColumn = parsed.GetValue(captionColumn),
            LabelColumn = parsed.GetValue(labelColumn),
            ImageRoot = parsed.GetValue(imageRoot),
        };

    public SampleSource Open(Asked parsed) => Samples.Open(PathOf(parsed), OptionsOf(parsed));
}
