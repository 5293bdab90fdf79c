using System.CommandLine;
using LiT.Curation;
using LiT.Reports;
using LiT.Text;

namespace LiT.Cli.Commands;

/// <summary>lit data stats: what a data set holds, in numbers and pictures.</summary>
internal static class DataStatsCommand
{
    public static Command Build()
    {
        Option<string?> report = new("--report") { Description = "Page with charts and pictures to write (.html)." };
        Option<string?> tokenizer = new("--tokenizer")
        {
            Description =
                "Tokenizer whose rows the captions must fit: tokenizer.json, a SentencePiece .model, vocab.txt, or a folder with one.",
        };
        Option<int> tokens = new("--tokens")
        {
            Description = "Places in a row, of which one is taken by the start.",
            DefaultValueFactory = _ => 16,
        };
        Option<string?> model = new("--model")
        {
            Description = "Model bundle whose tokenizer and row length are meant.",
        };
        DataOptions data = new();
        Command command = new(
            "stats",
            "Count samples, sizes, caption lengths, duplicates, languages and what a tokenizer cuts."
        )
        {
            report,
            tokenizer,
            tokens,
            model,
        };
        data.AddTo(command);
        Limits.Positive(tokens);
        command.Does(
            (parsed, cancel) =>
            {
                if (parsed.GetValue(tokenizer) is not null && parsed.GetValue(model) is not null)
                    throw new UsageException("--tokenizer and --model: give one of them.");
                var rows =
                    parsed.GetValue(model) is { } bundle ? LitModel.TokenizerOf(bundle)
                    : parsed.GetValue(tokenizer) is { } path
                        ? Rows(
                            Tokenizers.Open(path, new TokenizerReading { Warn = Terminal.Warn }),
                            parsed.GetValue(tokens)
                        )
                    : null;
                var source = data.Open(parsed);
                SourceStatistics statistics;
                using (ProgressLine progress = new())
                    statistics = StatisticsRun.Run(source, rows, parsed.GetValue(report) is not null, progress, cancel);
                if (parsed.GetValue(report) is { } page)
                {
                    StatisticsReport.Build(statistics).Save(page);
                    Terminal.Say($"{page} shows it in pictures.");
                }
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(statistics);
                else
                    Print(statistics);
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    /// <summary>A row of a start and so many pieces, whatever the vocabulary calls its start.</summary>
    private static CaptionTokenizer Rows(ITokenizer tokenizer, int length) =>
        tokenizer.IdOf("[CLS]") is not null
            ? CaptionTokenizer.LitBert(tokenizer, length)
            : new(tokenizer, TokenLayout.LitBert(0, length, 0));

    private static void Print(SourceStatistics of)
    {
        List<string[]> rows =
        [
            ["samples found", $"{of.Found}"],
            ["used", $"{of.Used}"],
            ["skipped", $"{of.Skipped}"],
            ["bytes of pictures", $"{of.ImageBytes}"],
            ["pictures with an unreadable header", $"{of.UnreadablePictures}"],
            ["pictures that came before, byte for byte", $"{of.DuplicatePictures}"],
            ["pictures without a caption", $"{of.WithoutCaption}"],
            ["pictures without a label", $"{of.WithoutLabel}"],
            ["captions", $"{of.Captions}"],
            ["captions that came before", $"{of.DuplicateCaptions}"],
            ["labels", $"{of.LabelCount}"],
        ];
        if (of.Tokens is { } tokens)
        {
            rows.Add([$"captions cut at {tokens.Length} tokens", $"{tokens.Truncated}"]);
            rows.Add(["pieces the vocabulary lacks", $"{tokens.Unknown} of {tokens.Pieces}"]);
        }
        Terminal.Table(["", "value"], rows, $"{of.Source}: {of.Form}");
        (string Name, Distribution? Of)[] distributions =
        [
            ("encoded size in bytes", of.FileSize),
            ("shorter side in pixels", of.ShorterSide),
            ("captions a picture", of.CaptionsPerPicture),
            ("words a caption", of.Words),
            ("characters a caption", of.Characters),
            ("tokens a caption", of.Tokens?.PerCaption),
        ];
        Terminal.Table(
            ["", "mean", "least", "5%", "median", "95%", "most"],
            distributions
                .Where(one => one.Of is not null)
                .Select(one =>
                    new[]
                    {
                        one.Name,
                        FormattableString.Invariant($"{one.Of!.Mean:0.##}"),
                        $"{one.Of.Least}",
                        $"{one.Of.Percent5}",
                        $"{one.Of.Median}",
                        $"{one.Of.Percent95}",
                        $"{one.Of.Most}",
                    }
                )
        );
        Names("formats", of.Formats);
        Names("languages", of.Languages);
        Names("most frequent captions", of.FrequentCaptions);
        Names("most frequent labels", of.Labels);
        Names("skipped because", of.SkippedBecause);
    }

    private static void Names(string title, IReadOnlyList<Named> names)
    {
        if (names.Count > 0)
            Terminal.Table([title, "count"], names.Select(name => new[] { name.Name, $"{name.Count}" }));
    }
}
