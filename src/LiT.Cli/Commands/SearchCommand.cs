using System.CommandLine;
using LiT.Classification;
using LiT.Compute;
using LiT.Postgres;
using LiT.Reports;
using LiT.Search;

namespace LiT.Cli.Commands;

/// <summary>lit search: pictures that fit some words, or are like others.</summary>
internal sealed class SearchCommand
{
    private const double OneScene = 0.95;

    private readonly Argument<string[]> texts = new("text")
    {
        Description = "What the pictures show. Several texts count together; '2:at night' counts twice.",
        Arity = ArgumentArity.ZeroOrMore,
    };
    private readonly Option<string> model = new("--model")
    {
        Description = "A model: the folder that 'lit tune' wrote (RUN or RUN/model).",
        Required = true,
    };
    private readonly Option<bool> each = new("--each")
    {
        Description = "Ask each text for itself; all of them pass over the rows together.",
    };
    private readonly Option<string[]> like = Several(
        "--like",
        "A picture that they are like: its key in the store, or a file."
    );
    private readonly Option<string[]> minus = Several(
        "--minus",
        "Words whose direction is taken away from what is looked for."
    );
    private readonly Option<string[]> without = Several(
        "--without",
        "Leave out pictures that these words match, by the calibrated cut-off. Needs 'lit calibrate'."
    );
    private readonly Option<string?> where = new("--where")
    {
        Description =
            "A filter over the store's columns, evaluated first: \"label = 'dog' and width >= 1024 and taken > "
            + "2024-01-01\"; also or, not, in (...), like, contains, is null.",
    };
    private readonly Option<int> top = new("--top")
    {
        Description = "Pictures at most.",
        DefaultValueFactory = _ => 10,
    };
    private readonly Option<int> skip = new("--skip") { Description = "Pictures that are passed over first." };
    private readonly Option<bool> exact = new("--exact")
    {
        Description = "No approximation, whatever index is at hand.",
    };
    private readonly Option<string?> order = new("--order")
    {
        Description = "Order what was found by a column ('COLUMN desc': from the largest) and not by similarity.",
    };
    private readonly Option<double?> distinct = new("--distinct")
    {
        Description =
            "Of pictures that show one scene, show the first: those with at least this cosine, 0.95 where none is "
            + "given.",
        Arity = ArgumentArity.ZeroOrOne,
        CustomParser = result =>
            result.Tokens.Count == 0 ? OneScene
            : double.TryParse(result.Tokens[0].Value, System.Globalization.CultureInfo.InvariantCulture, out var cosine)
            && cosine is > 0 and <= 1
                ? cosine
            : Refused(result),
    };
    private readonly Option<double?> precision = CutOffOptions.MinPrecision(
        "Leave pictures out below which the expected share that fits falls; where none is left, "
            + "nothing matches. Needs 'lit calibrate'."
    );
    private readonly Option<string?> report = new("--report")
    {
        Description = "Also write a page that shows the pictures.",
    };
    private readonly Option<string?> pictures = new("--pictures")
    {
        Description = "Where the page's pictures are; by default where the store says that they came from.",
    };
    private readonly Option<LiT.Images.DecodePath?> decode = DecodeOption.Build();
    private readonly Option<string?> language = LanguageOption.Build();
    private readonly DataOptions data = new() { TakesCaptions = true, TakesLanguage = false };

    public static Command Build()
    {
        SearchCommand search = new();
        Command command = new(
            "search",
            "Find pictures by words or by pictures, in a store or in pictures that are embedded on the way."
        )
        {
            search.texts,
            search.model,
            search.each,
            search.like,
            search.minus,
            search.without,
            search.where,
            search.top,
            search.skip,
            search.exact,
            search.order,
            search.distinct,
            search.precision,
            search.report,
            search.pictures,
            search.decode,
            search.language,
        };
        search.data.AddTo(command);
        Limits.Positive(search.top);
        search.skip.Validators.Add(result =>
        {
            if (!result.Implicit && result.GetValue(search.skip) < 0)
                result.AddError("--skip: give 0 or more.");
        });
        command.Does((parsed, cancel) => Task.FromResult(search.Do(parsed, cancel)));
        return command;
    }

    private static Option<string[]> Several(string name, string description) =>
        new(name) { Description = $"{description} May be given several times.", DefaultValueFactory = _ => [] };

    private static double? Refused(System.CommandLine.Parsing.ArgumentResult result)
    {
        result.AddError($"--distinct {result.Tokens[0].Value}: give a cosine above 0, up to 1, such as 0.95.");
        return null;
    }

    private int Do(Asked parsed, CancellationToken cancel)
    {
        var queries = QueriesOf(parsed);
        var compute = CommonOptions.ComputeOf(parsed);
        using var lit = LitModel.Load(parsed.GetRequiredValue(model), compute, language: parsed.GetValue(language));
        var background =
            parsed.GetValue(precision) is null && parsed.GetValue(without)!.Length == 0
                ? CutOffOptions.BackgroundIfAny(lit)
                : CutOffOptions.BackgroundOf(lit);
        var answers = Answers(parsed, lit, queries, background, compute, cancel);
        foreach (var one in answers.SelectMany(answer => answer.Unknown).DistinctBy(one => one.Text))
            Terminal.Warn($"'{one.Text}': {one.Why}, so no precision is promised for what is found.");
        if (parsed.GetValue(report) is { } page)
            SearchPage.Write(
                page,
                [.. answers.Select(answer => new SearchResult(InWords(answer.Query), answer.Results))],
                data.PathOf(parsed),
                parsed.GetValue(pictures),
                data.OptionsOf(parsed),
                cancel
            );
        if (!CommonOptions.IsJson(parsed))
            Print(answers, withCaptions: data.GivesCaptions(parsed));
        else if (parsed.GetValue(each))
            Terminal.Write(answers.Select(Json));
        else
            Terminal.Write(Json(answers[0]));
        return ExitCode.Done;
    }

    private IReadOnlyList<SearchAnswer> Answers(
        Asked parsed,
        LitModel lit,
        IReadOnlyList<Query> queries,
        Background? background,
        ComputeDevice compute,
        CancellationToken cancel
    )
    {
        if (PostgresAddress.Is(data.PathOf(parsed)))
            return PostgresSearch
                .FindAsync(PostgresAddress.Parse(data.PathOf(parsed)), lit, queries, cancel: cancel)
                .GetAwaiter()
                .GetResult();
        using ProgressLine progress = new();
        return SearchedData.Find(
            lit,
            data.PathOf(parsed),
            queries,
            background,
            new()
            {
                Samples = data.OptionsOf(parsed) with { CaptionLanguage = parsed.GetValue(language) },
                Decode = parsed.GetRequiredValue(decode)!.Value,
            },
            compute,
            progress,
            cancel,
            Terminal.Say
        );
    }

    private IReadOnlyList<Query> QueriesOf(Asked parsed)
    {
        string[] words = parsed.GetValue(texts) ?? [];
        Query query = new()
        {
            Words = All(words),
            Like = All(parsed.GetValue(like)!),
            Minus = All(parsed.GetValue(minus)!),
            Without = All(parsed.GetValue(without)!),
            Where = parsed.GetValue(where),
            Top = parsed.GetValue(top),
            Skip = parsed.GetValue(skip),
            MinPrecision = parsed.GetValue(precision),
            Exact = parsed.GetValue(exact),
            Order = parsed.GetValue(order),
            Distinct = parsed.GetValue(distinct),
        };
        if (query.Words.Count + query.Like.Count == 0)
            throw new UsageException("say what is looked for: a text, or --like with a picture.");
        return parsed.GetValue(each) ? [.. query.Words.Select(one => query with { Words = Asks.Of([one]) })] : [query];
    }

    private static Asks All(string[] texts) => Asks.Of([.. texts.Select(Ask.Parse)]);

    private static string InWords(Query query) =>
        string.Join(
            ", ",
            new[]
            {
                query.Words.ToString(),
                query.Like.Count > 0 ? $"like {query.Like}" : "",
                query.Minus.Count > 0 ? $"minus {query.Minus}" : "",
                query.Without.Count > 0 ? $"without {string.Join(", ", query.Without)}" : "",
                query.Where is { } filter ? $"where {filter}" : "",
            }.Where(part => part.Length > 0)
        );

    private static object Json(SearchAnswer answer)
    {
        var query = answer.Query;
        static string[]? Texts(Asks asks) => asks.Count == 0 ? null : [.. asks.Select(one => one.ToString())];
        return new
        {
            Query = new
            {
                Words = Texts(query.Words),
                Like = Texts(query.Like),
                Minus = Texts(query.Minus),
                Without = Texts(query.Without),
                query.Where,
                query.Top,
                query.Skip,
                query.MinPrecision,
                query.Exact,
                query.Order,
                query.Distinct,
            },
            answer.Results,
            answer.NothingMatches,
            answer.Searched,
            answer.Recall,
            answer.Seconds,
            answer.UnseenWords,
            answer.UnreadWords,
        };
    }

    private static void Print(IReadOnlyList<SearchAnswer> answers, bool withCaptions) =>
        Terminal.Table(
            [
                "text",
                "picture",
                "similarity",
                "expected precision",
                .. withCaptions ? ["caption"] : Array.Empty<string>(),
            ],
            answers.SelectMany(answer =>
                answer.Results.Count == 0
                    ?
                    [
                        [
                            InWords(answer.Query),
                            SearchAnswer.SaysNothing(answer.Query, answer.Unknown) ? "no word of it is known"
                            : answer.UnseenWords is not null ? "nothing is promised"
                            : answer.NothingMatches ? "nothing matches"
                            : "no more pictures",
                            "",
                            "",
                            .. withCaptions ? [""] : Array.Empty<string>(),
                        ],
                    ]
                    : answer.Results.Select(
                        (picture, i) =>
                            (string[])
                                [
                                    i == 0 ? InWords(answer.Query) : "",
                                    picture.Key,
                                    FormattableString.Invariant($"{picture.Similarity:F3}"),
                                    picture.ExpectedPrecision is { } share ? EvalCommand.Percent(share)
                                    : i == 0 && answer.Unknown.Count > 0 ? "none is promised"
                                    : "",
                                    .. withCaptions ? [SearchPage.CaptionOf(picture) ?? ""] : Array.Empty<string>(),
                                ]
                    )
            )
        );
}
