using System.Text.Json.Serialization;

namespace LiT.Server.Api;

/// <summary>What clip-retrieval's clients send to /knn-service; what else they send is passed over.</summary>
internal sealed record KnnRequest
{
    /// <summary>Words.</summary>
    public string? Text { get; init; }

    /// <summary>A picture's file in base64.</summary>
    public string? Image { get; init; }

    /// <summary>A picture's address; refused unless the server may fetch pictures.</summary>
    [JsonPropertyName("image_url")]
    public string? ImageUrl { get; init; }

    /// <summary>An embedding of the model's size, of any length.</summary>
    [JsonPropertyName("embedding_input")]
    public IReadOnlyList<float>? EmbeddingInput { get; init; }

    /// <summary>image; a store has no index of texts.</summary>
    public string? Modality { get; init; }

    /// <summary>Pictures with what is said of them.</summary>
    [JsonPropertyName("num_images")]
    public int? NumImages { get; init; }

    /// <summary>Pictures in all; those beyond num_images come with id and similarity alone.</summary>
    [JsonPropertyName("num_result_ids")]
    public int? NumResultIds { get; init; }

    /// <summary>The store; the first where left out.</summary>
    [JsonPropertyName("indice_name")]
    public string? IndiceName { get; init; }

    /// <summary>Of pictures that are nearly the same, gives the first.</summary>
    public bool? Deduplicate { get; init; }
}

/// <summary>What clip-retrieval's clients send to /metadata.</summary>
internal sealed record MetadataRequest
{
    /// <summary>Numbers of pictures, as /knn-service gives them.</summary>
    public IReadOnlyList<long>? Ids { get; init; }

    /// <summary>The store; the first where left out.</summary>
    [JsonPropertyName("indice_name")]
    public string? IndiceName { get; init; }
}

/// <summary>What is said of one picture.</summary>
internal sealed record MetadataAnswer(long Id, IReadOnlyDictionary<string, object> Metadata);

/// <summary>
/// The three addresses that clip-retrieval's clients and pages ask (github.com/rom1504/clip-retrieval, clip_back.py),
/// over the same stores. A picture's id is its place in the store.
/// </summary>
internal static class ClipRetrieval
{
    private const double NearlyTheSame = 0.94; // theirs

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("").RequireRateLimiting(Routes.Worked).WithTags("clip-retrieval");
        group
            .MapGet("/indices-list", (Served served) => served.Stores.Select(store => store.Name).ToArray())
            .WithName("indicesList")
            .WithSummary("The names of the stores.");
        group
            .MapPost("/knn-service", KnnAsync)
            .WithMetadata(new Microsoft.AspNetCore.Mvc.ProducesResponseTypeAttribute(StatusCodes.Status200OK))
            .WithName("knnService")
            .WithSummary("The nearest pictures: [{id, similarity, caption, url, …}].");
        group
            .MapPost("/metadata", MetadataAsync)
            .WithName("metadata")
            .WithSummary("What is said of pictures: [{id, metadata}].");
    }

    private static async Task<IReadOnlyList<Dictionary<string, object>>> KnnAsync(
        HttpRequest http,
        Served served,
        Searching searching,
        CancellationToken cancel
    )
    {
        var request = await Body.ReadAsync<KnnRequest>(http, lenient: true).ConfigureAwait(false);
        if (request.Modality is not (null or "image"))
            throw RefusedException.TooMuch(
                "modality",
                $"a store has pictures, and no {request.Modality}",
                "Ask for image"
            );
        var images = request.NumImages ?? 100;
        var answer = await searching
            .FindAsync(
                new SearchRequest
                {
                    Store = request.IndiceName,
                    Words = request.Text is { } text ? [text] : null,
                    Pictures =
                        request.Image is null && request.ImageUrl is null
                            ? null
                            : [new PictureInput { Image = request.Image, ImageUrl = request.ImageUrl }],
                    Top = Math.Max(images, request.NumResultIds ?? images),
                    Distinct = request.Deduplicate == true ? NearlyTheSame : null,
                },
                cancel,
                request.EmbeddingInput
            )
            .ConfigureAwait(false);
        var store = served.Store(request.IndiceName);
        using var now = store.Hold();
        List<Dictionary<string, object>> all = [];
        foreach (var found in answer.Results)
        {
            if (now.Collection.Find(found.Key) is not { } picture)
                continue; // gone since
            Dictionary<string, object> one = all.Count < images ? Said(http, store, found) : [];
            (one["id"], one["similarity"]) = (picture, found.Similarity);
            all.Add(one);
        }
        return all;
    }

    private static async Task<IReadOnlyList<MetadataAnswer>> MetadataAsync(HttpRequest http, Served served)
    {
        var request = await Body.ReadAsync<MetadataRequest>(http, lenient: true).ConfigureAwait(false);
        var store = served.Store(request.IndiceName);
        var ids = request.Ids ?? [];
        if (ids.Count > Bounds.Top)
            throw RefusedException.TooMuch(
                "ids",
                $"{ids.Count:N0} where at most {Bounds.Top:N0} are read",
                "Give fewer"
            );
        using var now = store.Hold();
        foreach (var id in ids)
            if (!now.Collection.Holds(id))
                throw RefusedException.TooMuch("ids", $"there is no picture {id}", "Give ids that /knn-service gave");
        return
        [
            .. ids.Select(id => new MetadataAnswer(
                id,
                Said(http, store, now.Collection.Key(id), now.Collection.Origin(id), now.Collection.ColumnsOf(id))
            )),
        ];
    }

    private static Dictionary<string, object> Said(HttpRequest http, ServedStore store, FoundResult found) =>
        Said(http, store, found.Key, found.Origin, found.Columns);

    private static Dictionary<string, object> Said(
        HttpRequest http,
        ServedStore store,
        string key,
        string origin,
        IReadOnlyDictionary<string, object> columns
    )
    {
        Dictionary<string, object> said = new(columns) { ["key"] = key, ["image_path"] = origin };
        if (
            columns.GetValueOrDefault("captions") is IEnumerable<string> captions
            && captions.FirstOrDefault() is { } one
        )
            said.TryAdd("caption", one);
        said.TryAdd(
            "url",
            $"{http.Scheme}://{http.Host}/v1/pictures/{Uri.EscapeDataString(key)}"
                + $"?store={Uri.EscapeDataString(store.Name)}"
        );
        return said;
    }
}
