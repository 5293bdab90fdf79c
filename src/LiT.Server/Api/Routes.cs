using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;

namespace LiT.Server.Api;

/// <summary>/v1: what the server can be asked.</summary>
internal static class Routes
{
    /// <summary>Requests that are worked on: so many at once, so many that wait, and no longer than that.</summary>
    public const string Worked = "worked";

    private const int SmallestSide = 32,
        LargestSide = 1024;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var v1 = routes
            .MapGroup("/v1")
            .RequireRateLimiting(Worked)
            .WithTags("v1")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .ProducesProblem(StatusCodes.Status429TooManyRequests)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        MapSearch(v1);
        MapClassify(v1);
        MapEmbed(v1);
        MapPictures(v1);
        Samples.Map(v1);
        MapThumbnails(v1);
        v1.MapGet("/stores", (Served served) =>
                TypedResults.Ok(
                    new StoresResponse([
                        .. served.Stores.Select(store => store.Describe(served.PicturesOf(store).AreAtHand)),
                    ])
                )
            )
            .WithName("stores")
            .WithSummary("The stores, with the columns that a filter may name, and the state of their index.");
        v1.MapGet("/models", (Served served) => TypedResults.Ok(new ModelsResponse([Describe(served)])))
            .WithName("models")
            .WithSummary("The model that is served.");
    }

    private static void MapSearch(RouteGroupBuilder v1)
    {
        v1.MapPost(
                "/search",
                async Task<Ok<SearchResponse>> (HttpRequest request, Searching searching, CancellationToken cancel) =>
                    TypedResults.Ok(await searching.FindAsync(await Body.ReadAsync<SearchRequest>(request), cancel))
            )
            .Accepts<SearchRequest>("application/json")
            .WithName("search")
            .WithSummary("Pictures that fit words, or are like others.");
        v1.MapGet(
                "/search",
                async Task<Ok<SearchResponse>> (
                    [AsParameters] SearchParameters asked,
                    Searching searching,
                    CancellationToken cancel
                ) => TypedResults.Ok(await searching.FindAsync(asked.ToRequest(), cancel))
            )
            .WithName("searchByAddress")
            .WithSummary("The same for what fits into an address.");
    }

    private static void MapClassify(RouteGroupBuilder v1) =>
        v1.MapPost(
                "/classify",
                async Task<Ok<ClassifyResponse>> (
                    HttpRequest request,
                    [FromQuery] string[]? labels,
                    [FromQuery] string? language,
                    Classifying classifying,
                    PictureInputs pictures,
                    CancellationToken cancel
                ) =>
                    TypedResults.Ok(
                        IsPicture(request)
                            ? await classifying.ClassifyAsync(
                                await pictures.ReadAsync(request.Body, cancel),
                                new ClassifyRequest { Labels = labels, Language = language },
                                cancel
                            )
                            : await classifying.ClassifyAsync(await Body.ReadAsync<ClassifyRequest>(request), cancel)
                    )
            )
            .Accepts<ClassifyRequest>("application/json", "image/*")
            .WithName("classify")
            .WithSummary(
                "Which of some labels fits a picture best: as JSON, or a picture with the labels in the address."
            );

    private static void MapEmbed(RouteGroupBuilder v1)
    {
        v1.MapPost(
                "/embed/text",
                async Task<Ok<EmbedResponse>> (HttpRequest request, Served served, CancellationToken cancel) =>
                {
                    var asked = await Body.ReadAsync<EmbedTextRequest>(request);
                    Bounds.Check("texts", asked.Texts, Bounds.Embedded);
                    if (asked.Texts is not { Count: > 0 } texts)
                        throw RefusedException.TooMuch("texts", "there is none", "Give the texts to embed");
                    var (rows, unseen) = await served.Languages.AskAsync(
                        asked.Language,
                        async model => (await model.EmbedAsync(texts, cancel), model.UnseenWords(texts)),
                        cancel
                    );
                    return Embedded(served, Enumerable.Range(0, rows.Count).Select(i => rows[i].ToArray()), unseen);
                }
            )
            .Accepts<EmbedTextRequest>("application/json")
            .WithName("embedText")
            .WithSummary("Embeddings of texts.");
        v1.MapPost(
                "/embed/image",
                async Task<Results<Ok<EmbedResponse>, ServerSentEventsResult<EmbeddedPicture>>> (
                    HttpRequest request,
                    Served served,
                    PictureInputs pictures,
                    CancellationToken cancel
                ) =>
                {
                    List<ReadOnlyMemory<byte>> all = [];
                    if (IsPicture(request))
                        all.Add(await pictures.ReadAsync(request.Body, cancel));
                    else
                        all.AddRange(
                            await AllAsync(await Body.ReadAsync<EmbedImageRequest>(request), pictures, cancel)
                        );
                    var rows = all.Select(one => served.Model.EmbedAsync(one, asSeen: false, cancel)).ToArray();
                    if (request.GetTypedHeaders().Accept.Any(one => one.MediaType == "text/event-stream"))
                        return TypedResults.ServerSentEvents(OneByOne(rows, served), "embedding");
                    return Embedded(served, await Task.WhenAll(rows));
                }
            )
            .Accepts<EmbedImageRequest>("application/json", "image/*")
            .Produces<EmbedResponse>(StatusCodes.Status200OK, "application/json", "text/event-stream")
            .WithName("embedImage")
            .WithSummary(
                "Embeddings of pictures: as JSON, or a picture itself. Who accepts text/event-stream gets each one as "
                    + "soon as it is made."
            );
    }

    private static async IAsyncEnumerable<EmbeddedPicture> OneByOne(Task<float[]>[] rows, Served served)
    {
        var done = 0;
        await foreach (var row in Task.WhenEach(rows).ConfigureAwait(false))
        {
            var index = Array.IndexOf(rows, row);
            done++;
            yield return row.IsCompletedSuccessfully
                ? new()
                {
                    Index = index,
                    Done = done,
                    Of = rows.Length,
                    Embedding = row.Result,
                }
                : new()
                {
                    Index = index,
                    Done = done,
                    Of = rows.Length,
                    Error = Said(row, served),
                };
        }
    }

    private static string Said(Task row, Served served) =>
        row.Exception?.InnerException is LitException trouble
            ? served.WithoutPaths(trouble.Message)
            : "It could not be embedded.";

    private static void MapPictures(RouteGroupBuilder v1)
    {
        v1.MapGet(
                "/pictures/{**key}",
                async Task<FileContentHttpResult> (
                    HttpContext context,
                    string key,
                    [FromQuery] string? store,
                    Served served,
                    CancellationToken cancel
                ) =>
                {
                    var pictures = served.PicturesOf(served.Store(store));
                    var picture = await pictures.ReadAsync(KeyOf(context, "/v1/pictures/", key), cancel);
                    return Sent(context, picture, pictures.Since());
                }
            )
            .Produces<byte[]>(StatusCodes.Status200OK, "image/jpeg", "image/png", "image/webp")
            .ProducesProblem(StatusCodes.Status404NotFound)
            .WithName("picture")
            .WithSummary("A picture's bytes, by its key.");
    }

    private static void MapThumbnails(RouteGroupBuilder v1)
    {
        v1.MapGet(
                "/thumbnails/{**key}",
                async Task<FileContentHttpResult> (
                    HttpContext context,
                    string key,
                    [FromQuery] string? store,
                    [FromQuery] int? size,
                    Served served,
                    CancellationToken cancel
                ) =>
                {
                    if (size is < SmallestSide or > LargestSide)
                        throw RefusedException.TooMuch(
                            "size",
                            $"{size} pixels",
                            $"Give {SmallestSide} to {LargestSide} for the longer side"
                        );
                    var pictures = served.PicturesOf(served.Store(store));
                    var webP = context
                        .Request.Headers.Accept.ToString()
                        .Contains("image/webp", StringComparison.Ordinal);
                    context.Response.Headers.Vary = "Accept";
                    var name = KeyOf(context, "/v1/thumbnails/", key);
                    return Sent(
                        context,
                        await pictures.ThumbnailAsync(name, size ?? 256, webP, cancel),
                        pictures.Since()
                    );
                }
            )
            .Produces<byte[]>(StatusCodes.Status200OK, "image/jpeg", "image/webp")
            .ProducesProblem(StatusCodes.Status404NotFound)
            .WithName("thumbnail")
            .WithSummary("A small picture, by its key.");
    }

    /// <summary>
    /// A key as it was sent: of an address that was read already nobody can tell whether a slash in it was one.
    /// </summary>
    private static string KeyOf(HttpContext context, string under, string read)
    {
        var raw = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()?.RawTarget ?? "";
        if (!raw.StartsWith(under, StringComparison.OrdinalIgnoreCase))
            return read;
        var end = raw.IndexOf('?', StringComparison.Ordinal);
        return Uri.UnescapeDataString(raw[under.Length..(end < 0 ? raw.Length : end)]);
    }

    private static FileContentHttpResult Sent(HttpContext context, EncodedPicture picture, DateTimeOffset since)
    {
        context.Response.Headers.CacheControl = "private, max-age=3600";
        // Of the bytes that are sent: another picture under the same key has another.
        var tag = System.IO.Hashing.XxHash3.HashToUInt64(picture.Bytes);
        return TypedResults.File(
            picture.Bytes,
            picture.MediaType,
            lastModified: since,
            entityTag: new EntityTagHeaderValue(string.Create(CultureInfo.InvariantCulture, $"\"{tag:x16}\""))
        );
    }

    private static bool IsPicture(HttpRequest request) =>
        request.ContentType is { } type
        && (
            type.StartsWith("image/", StringComparison.OrdinalIgnoreCase)
            || type.StartsWith("application/octet-stream", StringComparison.OrdinalIgnoreCase)
        );

    private static async Task<List<ReadOnlyMemory<byte>>> AllAsync(
        EmbedImageRequest asked,
        PictureInputs pictures,
        CancellationToken cancel
    )
    {
        if (asked.Images is not { Count: > 0 and <= Bounds.Pictures } images)
            throw RefusedException.TooMuch(
                "images",
                $"{asked.Images?.Count ?? 0} pictures",
                $"Give 1 to {Bounds.Pictures}"
            );
        List<ReadOnlyMemory<byte>> all = [];
        foreach (var (i, one) in images.Index())
            all.Add(await pictures.ReadAsync($"images[{i}]", one?.Image, one?.ImageUrl, cancel));
        return all;
    }

    private static Ok<EmbedResponse> Embedded(
        Served served,
        IEnumerable<float[]> rows,
        IReadOnlyList<IReadOnlyList<string>>? unseen = null
    ) =>
        TypedResults.Ok(
            new EmbedResponse
            {
                Model = served.Model.Model.Name,
                EmbeddingSize = served.Model.Model.EmbeddingSize,
                Embeddings = [.. rows],
                UnseenWords = unseen,
            }
        );

    private static ModelInfo Describe(Served all)
    {
        var served = all.Model;
        var (model, description) = (served.Model, served.Model.Description);
        return new()
        {
            Name = model.Name,
            Title = served.Title,
            ImageTower = description.Image.Architecture,
            ImageTowerLoaded = served.HasImageTower,
            EmbeddingSize = model.EmbeddingSize,
            Temperature = description.Temperature,
            Lock = description.Lock,
            Calibrated = served.Background is not null,
            Languages = all.Languages.Known(),
            Taught = model.TaughtWords is { Count: > 0 } words
                ? [.. words.Select(one => new TaughtInfo(one.Word, one.Pictures))]
                : null,
            Trouble = served.Trouble is { } trouble ? all.WithoutPaths(trouble) : null,
            Licences = description.Licences,
        };
    }
}
