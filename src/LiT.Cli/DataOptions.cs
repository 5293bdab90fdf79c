using System.CommandLine;
using LiT.Data;

namespace LiT.Cli;

/// <summary>--data and how it is read: the same options wherever a verb takes data.</summary>
internal sealed class DataOptions
{
    private readonly Option<string> data = new("--data")
    {
        Description =
            "Pictures and words: a folder of class folders, a folder with metadata.jsonl or metadata.csv, "
            + "WebDataset archives "
            + "(x.tar, x-{000..011}.tar.gz, globs), a .tsv, .csv or .parquet, an embedding store, or "
            + "NAME=DIR for a public test set (see 'lit data sets').",
    };

    /// <summary>Whether --data has to be given; set before <see cref="AddTo"/>.</summary>
    public bool IsRequired { get; init; } = true;

    /// <summary>Whether captions are read and may come from a file of their own; set before
    /// <see cref="AddTo"/>.</summary>
    public bool TakesCaptions { get; init; }

    /// <summary>Whether --language chooses among those captions here, or is the verb's own option.</summary>
    public bool TakesLanguage { get; init; } = true;

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

    private readonly Option<string?> captions = new("--captions")
    {
        Description =
            "Captions in a file of their own, which take the place of the data's: KEY, tab, text; .csv, .jsonl or "
            + ".parquet with key, text and, where they come in several, language.",
    };
    private readonly Option<string?> language = new("--language")
    {
        Description =
            "The captions' language, a code such as de: of a file with several, those of others are left out.",
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
        if (!TakesCaptions)
            return;
        command.Options.Add(captions);
        if (TakesLanguage)
            command.Options.Add(language);
    }

    /// <summary>Whether captions come from a file of their own.</summary>
    public bool GivesCaptions(Asked parsed) => TakesCaptions && parsed.GetValue(captions) is not null;

    public string PathOf(Asked parsed) => parsed.GetValue(data)!;

    public SampleOptions OptionsOf(Asked parsed) =>
        new()
        {
            ImageColumn = parsed.GetValue(imageColumn),
            CaptionColumn = parsed.GetValue(captionColumn),
            LabelColumn = parsed.GetValue(labelColumn),
            ImageRoot = parsed.GetValue(imageRoot),
            Captions = TakesCaptions ? parsed.GetValue(captions) : null,
            CaptionLanguage = TakesCaptions && TakesLanguage ? parsed.GetValue(language) : null,
        };

    /// <summary>
    /// Says what a source holds before long work starts, and warns where it lacks what is mostly wanted.
    /// </summary>
    public void Say(Asked parsed, SourceGlance glance)
    {
        var column = parsed.GetValue(captionColumn);
        Terminal.Say(glance.InWords());
        if ((glance.MayMissCaptions || column is not null) && glance.WhyNoCaptions(column) is { } why)
            Terminal.Warn(why);
    }

    public SampleSource Open(Asked parsed) => Samples.Open(PathOf(parsed), OptionsOf(parsed));
}
