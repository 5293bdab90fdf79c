using System.CommandLine;
using LiT.Curation;

namespace LiT.Cli.Commands;

/// <summary>lit data filter: the rules by which a web set is cleaned.</summary>
internal static class DataFilterCommand
{
    public static Command Build()
    {
        FilterRules usual = new();
        Option<int> minWords = Number("--min-words", "Fewest words of a caption.", usual.MinWords);
        Option<int> maxWords = Number("--max-words", "Most words of a caption.", usual.MaxWords);
        Option<int> maxRepeats = Number("--max-repeats", "Most pictures that may share a caption.", usual.MaxRepeats);
        Option<int> minTokenCount = Number(
            "--min-token-count",
            "How often every word and pair of words of a caption must come in the whole source.",
            usual.MinTokenCount
        );
        Option<int> minSide = Number("--min-side", "Fewest pixels of a picture's shorter side.", usual.MinSide);
        Option<int> maxCaptions = Number("--max-captions", "Most captions of a picture.", usual.MaxCaptions);
        Option<double> maxAspect = new("--max-aspect")
        {
            Description = "Longer side over shorter side, at most; 0 turns the rule off.",
            DefaultValueFactory = _ => usual.MaxAspect,
        };
        Option<string?> boilerplate = new("--boilerplate")
        {
            Description = "Text file with a phrase a line; captions with one of them are dropped, too.",
        };
        Option<bool> noBoilerplate = new("--no-boilerplate")
        {
            Description = "Keep captions that say nothing about the picture (file names, 'click to enlarge' …).",
        };
        Option<bool> needsCaption = new("--needs-caption")
        {
            Description = "Leave out pictures that have no caption at all.",
        };
        DataOptions data = new();
        OutputOptions output = new();
        Command command = new(
            "filter",
            "Keep the samples that are fit to learn from, by ALIGN's rules (arXiv 2102.05918); a rule at 0 is off."
        )
        {
            minWords,
            maxWords,
            maxRepeats,
            minTokenCount,
            minSide,
            maxAspect,
            maxCaptions,
            boilerplate,
            noBoilerplate,
            needsCaption,
        };
        data.AddTo(command);
        output.AddTo(command);
        command.Does(
            (parsed, cancel) =>
            {
                var rules = new FilterRules
                {
                    MinWords = parsed.GetValue(minWords),
                    MaxWords = parsed.GetValue(maxWords),
                    MaxRepeats = parsed.GetValue(maxRepeats),
                    MinTokenCount = parsed.GetValue(minTokenCount),
                    MinSide = parsed.GetValue(minSide),
                    MaxAspect = parsed.GetValue(maxAspect),
                    MaxCaptions = parsed.GetValue(maxCaptions),
                    NeedsCaption = parsed.GetValue(needsCaption),
                    DropBoilerplate = !parsed.GetValue(noBoilerplate),
                    MoreBoilerplate = parsed.GetValue(boilerplate) is { } file ? Phrases(file) : [],
                };
                var source = data.Open(parsed);
                using ProgressLine progress = new();
                var result = DataSets.Filter(
                    source,
                    output.FolderOf(parsed),
                    output.FormOf(parsed),
                    rules,
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

    private static Option<int> Number(string name, string description, int usual)
    {
        Option<int> option = new(name)
        {
            Description = $"{description} 0 turns the rule off.",
            DefaultValueFactory = _ => usual,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out var value) && value < 0)
                result.AddError($"{name} {value}: give a whole number from 0.");
        });
        return option;
    }

    private static string[] Phrases(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw new LitException(
                $"{path}: cannot be read ({trouble.Message.TrimEnd('.')}). Give a text file with a phrase a line.",
                trouble
            );
        }
    }
}
