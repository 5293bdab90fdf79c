using System.CommandLine;
using LiT.Classification;
using LiT.Reports;
using LiT.Search;

namespace LiT.Cli.Commands;

/// <summary>lit search: pictures that fit some words.</summary>
internal static class SearchCommand
{
    public static Command Build()
    {
        Argument<string[]> texts = new("text")
        {
            Description = "What to look for, a text each.",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string> model = new("--model")
        {
            Description = "A model: the folder that 'lit tune' wrote (RUN or RUN/model).",
            Required = true,
        };
        Option<int> top = new("--top") { Description = "Pictures for each text.", DefaultValueFactory = _ => 10 };
        Option<double?> precision = CutOffOptions.MinPrecision(
            "Leave pictures out below which the expected share that fits falls; where none is left, "
                + "nothing matches. Needs 'lit calibrate'."
        );
        Option<string?> report = new("--report") { Description = "Also write a page that shows the pictures." };
        Option<string?> pictures = new("--pictures")
        {
            Description = "Where the page's pictures are; by default where the store says that they came from.",
        };
        var decode = DecodeOption.Build();
        DataOptions data = new();
        Command command = new(
            "search",
            "Find pictures by words, in a store or in pictures that are embedded on the way."
        )
        {
            texts,
            model,
            top,
            precision,
            report,
            pictures,
            decode,
        };
        data.AddTo(command);
        Limits.Positive(top);
        command.Does(
            (parsed, cancel) =>
            {
                var compute = CommonOptions.ComputeOf(parsed);
                using var lit = LitModel.Load(parsed.GetRequiredValue(model), compute);
                if (
                    parsed
                        .GetRequiredValue(texts)
                        .Where(text => ClassPrompts.IsUnread(PromptTemplates.Canonicalise(text), lit.Tokenizer))
                        .ToList() is
                    { Count: > 0 } unread
                )
                    Terminal.Warn(ClassPrompts.UnreadInWords(unread));
                var background = parsed.GetValue(precision) is null
                    ? CutOffOptions.BackgroundIfAny(lit)
                    : CutOffOptions.BackgroundOf(lit);
                IReadOnlyList<SearchResult> results;
                using (ProgressLine progress = new())
                    results = PictureSearch.Find(
                        lit,
                        data.PathOf(parsed),
                        parsed.GetRequiredValue(texts),
                        background,
                        new()
                        {
                            Top = parsed.GetValue(top),
                            MinPrecision = parsed.GetValue(precision),
                            Images = new()
                            {
                                Samples = data.OptionsOf(parsed),
                                Decode = parsed.GetRequiredValue(decode)!.Value,
                            },
                        },
                        compute,
                        progress,
                        cancel
                    );
                foreach (var result in results.Where(result => result.UnseenWords is not null))
                    Terminal.Warn(
                        $"'{result.Text}': {UnseenWords.InWords(result.UnseenWords!)}, "
                            + "so no precision is promised for what is found."
                    );
                if (parsed.GetValue(report) is { } page)
                    SearchPage.Write(
                        page,
                        results,
                        data.PathOf(parsed),
                        parsed.GetValue(pictures),
                        data.OptionsOf(parsed),
                        cancel
                    );
                if (CommonOptions.IsJson(parsed))
                {
                    Terminal.Write(results);
                    return Task.FromResult(ExitCode.Done);
                }
                Terminal.Table(
                    ["text", "picture", "similarity", "expected precision"],
                    results.SelectMany(result =>
                        result.Pictures.Count == 0
                            ?
                            [
                                [
                                    result.Text,
                                    result.UnseenWords is null ? "nothing matches" : "nothing is promised",
                                    "",
                                    "",
                                ],
                            ]
                            : result.Pictures.Select(
                                (picture, i) =>
                                    new[]
                                    {
                                        i == 0 ? result.Text : "",
                                        picture.Key,
                                        FormattableString.Invariant($"{picture.Similarity:F3}"),
                                        picture.ExpectedPrecision is { } share ? EvalCommand.Percent(share) : "",
                                    }
                            )
                    )
                );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }
}
