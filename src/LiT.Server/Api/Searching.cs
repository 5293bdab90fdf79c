using System.Numerics.Tensors;
using LiT.Search;
using Microsoft.AspNetCore.Mvc;

namespace LiT.Server.Api;

/// <summary>The fields of a search in an address: /v1/search?words=a+red+bicycle&amp;top=20.</summary>
internal sealed record SearchParameters
{
    /// <summary>The store that is asked; the first where left out.</summary>
    [FromQuery(Name = "store")]
    public string? Store { get; init; }

    /// <summary>The language of the words, as a code; the model's own where left out.</summary>
    [FromQuery(Name = "language")]
    public string? Language { get; init; }

    /// <summary>What the pictures show; may be given several times.</summary>
    [FromQuery(Name = "words")]
    public string[]? Words { get; init; }

    /// <summary>Keys of pictures that the found ones are to be like.</summary>
    [FromQuery(Name = "like")]
    public string[]? Like { get; init; }

    /// <summary>Words of which pictures that match them are left out.</summary>
    [FromQuery(Name = "without")]
    public string[]? Without { get; init; }

    /// <summary>Words whose direction is taken away.</summary>
    [FromQuery(Name = "minus")]
    public string[]? Minus { get; init; }

    /// <summary>A filter over the store's columns.</summary>
    [FromQuery(Name = "where")]
    public string? Where { get; init; }

    /// <summary>Pictures at most; 10 where left out.</summary>
    [FromQuery(Name = "top")]
    public int? Top { get; init; }

    /// <summary>Pictures that are passed over first.</summary>
    [FromQuery(Name = "skip")]
    public int? Skip { get; init; }

    /// <summary>The least expected precision.</summary>
    [FromQuery(Name = "minPrecision")]
    public double? MinPrecision { get; init; }

    /// <summary>Whether no approximation is allowed.</summary>
    [FromQuery(Name = "exact")]
    public bool? Exact { get; init; }

    /// <summary>A column to order by.</summary>
    [FromQuery(Name = "order")]
    public string? Order { get; init; }

    /// <summary>The cosine of one scene.</summary>
    [FromQuery(Name = "distinct")]
    public double? Distinct { get; init; }

    /// <summary>The same as a body.</summary>
    public SearchRequest ToRequest() =>
        new()
        {
            Store = Store,
            Language = Language,
            Words = Words,
            Like = Like,
            Without = Without,
            Minus = Minus,
            Where = Where,
            Top = Top,
            Skip = Skip,
            MinPrecision = MinPrecision,
            Exact = Exact,
            Order = Order,
            Distinct = Distinct,
        };
}

/// <summary>Looks for pictures: what every way of asking comes to.</summary>
internal sealed class Searching(Served served, PictureInputs pictures, ServerSettings settings, ILogger<Searching> log)
{
    // No key holds a control character, so that nobody's key stands for a picture that was sent.
    private const char Sent = '\u0001';
    private long sent;

    /// <param name="request">What is looked for.</param>
    /// <param name="cancel">Gives it up.</param>
    /// <param name="embedding">What the pictures are to be like, where it was embedded by whoever asks.</param>
    /// <exception cref="LitException">It cannot be answered; the message says why.</exception>
    public Task<SearchResponse> FindAsync(
        SearchRequest request,
        CancellationToken cancel,
        IReadOnlyList<float>? embedding = null
    )
    {
        var store = served.Store(request.Store);
        Check(request);
        return served.Languages.AskAsync(
            request.Language,
            model => FindAsync(store, model, request, embedding, cancel),
            cancel
        );
    }

    private async Task<SearchResponse> FindAsync(
        ServedStore store,
        ServedModel model,
        SearchRequest request,
        IReadOnlyList<float>? embedding,
        CancellationToken cancel
    )
    {
        var (given, weights) = await SentAsync(model, request, cancel).ConfigureAwait(false);
        if (embedding is not null)
        {
            given.Add($"{Sent}embedding", Unit(embedding));
            weights.Add($"{Sent}embedding", 1);
        }
        Query query = new()
        {
            Words = Asks(request.Words),
            Like = LiT.Asks.Of([.. Asks(request.Like), .. given.Keys.Select(key => new Ask(key, weights[key]))]),
            Minus = Asks(request.Minus),
            Without = Asks(request.Without),
            Where = string.IsNullOrWhiteSpace(request.Where) ? null : request.Where,
            Top = request.Top ?? 10,
            Skip = request.Skip ?? 0,
            MinPrecision = request.MinPrecision,
            Exact = request.Exact ?? false,
            Order = string.IsNullOrWhiteSpace(request.Order) ? null : request.Order,
            Distinct = request.Distinct,
        };
        if (query.Words.Count + query.Like.Count == 0)
            throw RefusedException.TooMuch(
                "words",
                "nothing is looked for",
                "Give words, the key of a picture in like, or a picture"
            );
        query.Check();
        if (settings.LogWords)
            ServerLog.Words(log, store.Name, query.Words.ToString());
        var answer = await store.FindAsync(new(query, given, model), cancel).ConfigureAwait(false);
        served.PicturesOf(store).Show([.. answer.Results.Select(found => found.Key)]);
        return Response(store, answer, request.Language, given.Count);
    }

    private static void Check(SearchRequest request)
    {
        Bounds.Check("words", request.Words);
        Bounds.Check("like", request.Like);
        Bounds.Check("without", request.Without);
        Bounds.Check("minus", request.Minus);
        Bounds.Check("where", request.Where);
        if (request.Like?.Any(key => key.Contains(Sent, StringComparison.Ordinal)) == true)
            throw RefusedException.TooMuch("like", "no key holds such a character", "Give a key that a search gave");
        if (request.Pictures?.Count > Bounds.Pictures)
            throw RefusedException.TooMuch(
                "pictures",
                $"{request.Pictures.Count:N0} pictures where at most {Bounds.Pictures} are read",
                "Give fewer"
            );
        if (request.Top > Bounds.Top)
            throw RefusedException.TooMuch(
                "top",
                $"{request.Top:N0} pictures where at most {Bounds.Top:N0} are given at once",
                "Ask for them in pieces, with skip"
            );
        if (request.Skip > Bounds.Deepest)
            throw RefusedException.TooMuch(
                "skip",
                $"{request.Skip:N0} pictures where at most {Bounds.Deepest:N0} are passed over",
                "Ask for something narrower"
            );
    }

    private async Task<(Dictionary<string, float[]> Given, Dictionary<string, double> Weights)> SentAsync(
        ServedModel model,
        SearchRequest request,
        CancellationToken cancel
    )
    {
        Dictionary<string, float[]> given = [];
        Dictionary<string, double> weights = [];
        foreach (var (i, one) in (request.Pictures ?? []).Index())
        {
            var field = $"pictures[{i}]";
            if (one is null)
                throw RefusedException.Unread(field, "is null", "Give a picture");
            var bytes = await pictures.ReadAsync(field, one.Image, one.ImageUrl, cancel).ConfigureAwait(false);
            var key = $"{Sent}{Interlocked.Increment(ref sent)}";
            given.Add(key, await model.EmbedAsync(bytes, asSeen: false, cancel).ConfigureAwait(false));
            weights.Add(key, one.Weight ?? 1);
        }
        return (given, weights);
    }

    private float[] Unit(IReadOnlyList<float> embedding)
    {
        float[] unit = [.. embedding];
        var length = TensorPrimitives.Norm<float>(unit);
        if (unit.Length != served.Model.Model.EmbeddingSize || !float.IsFinite(length) || length == 0)
            throw RefusedException.TooMuch(
                "embedding_input",
                $"{unit.Length} numbers, or none that say a direction",
                $"Give {served.Model.Model.EmbeddingSize}, as /v1/embed gives them"
            );
        TensorPrimitives.Divide(unit, length, unit);
        return unit;
    }

    private static Asks Asks(IReadOnlyList<string>? texts) =>
        LiT.Asks.Of([.. (texts ?? []).Where(text => !string.IsNullOrWhiteSpace(text)).Select(Ask.Parse)]);

    private static SearchResponse Response(ServedStore store, SearchAnswer answer, string? language, int sent)
    {
        var query = answer.Query;
        static string[]? Texts(IEnumerable<Ask> asks) => asks.Any() ? [.. asks.Select(one => one.ToString())] : null;
        return new()
        {
            Store = store.Name,
            Query = new()
            {
                Language = language,
                Words = Texts(query.Words),
                Like = Texts(query.Like.Where(one => !one.What.StartsWith(Sent))),
                Pictures = sent > 0 ? sent : null,
                Minus = Texts(query.Minus),
                Without = Texts(query.Without),
                Where = query.Where,
                Top = query.Top,
                Skip = query.Skip,
                MinPrecision = query.MinPrecision,
                Exact = query.Exact,
                Order = query.Order,
                Distinct = query.Distinct,
            },
            Results =
            [
                .. answer.Results.Select(found => new FoundResult
                {
                    Key = found.Key,
                    Origin = found.Origin,
                    Similarity = found.Similarity,
                    ExpectedPrecision = found.ExpectedPrecision,
                    Columns = found.Columns,
                }),
            ],
            NothingMatches = answer.NothingMatches,
            Searched = answer.Searched,
            Recall = answer.Recall,
            Seconds = answer.Seconds,
            UnseenWords = answer.UnseenWords,
            UnreadWords = answer.UnreadWords,
        };
    }
}
