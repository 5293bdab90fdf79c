using LiT.Data;
using LiT.Images;
using LiT.Search;
using LiT.Stores;

namespace LiT.Reports;

/// <summary>What a search found, as a page with the pictures.</summary>
internal static class SearchPage
{
    /// <param name="path">The page.</param>
    /// <param name="results">What was found.</param>
    /// <param name="data">What was searched.</param>
    /// <param name="pictures">Where the pictures are; null takes the data, or what a store says of its source.</param>
    /// <param name="options">How the pictures are read.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="LitException">The pictures' source cannot be opened, or the page cannot be written.</exception>
    public static void Write(
        string path,
        IReadOnlyList<SearchResult> results,
        string data,
        string? pictures,
        SampleOptions options,
        CancellationToken cancel = default
    )
    {
        var source = pictures ?? SourceOf(data);
        var found = source is null
            ? new Dictionary<string, byte[]>()
            : PictureFinder.Find(
                source,
                results
                    .SelectMany(result => result.Pictures)
                    .Select(picture => picture.Key)
                    .ToHashSet(StringComparer.Ordinal),
                options,
                cancel
            );
        new HtmlReport
        {
            Title = "Pictures found by words",
            Lead = source is null ? $"The pictures of {data} are not at hand; name their place with --pictures." : null,
            Facts = [("searched", data), ("texts", $"{results.Count}")],
            Sections =
            [
                .. results.Select(result => new Section(
                    result.Text,
                    Words(result),
                    new PictureGrid
                    {
                        Pictures =
                        [
                            .. result
                                .Pictures.Where(picture => found.ContainsKey(picture.Key))
                                .Select(picture => Named(picture, found[picture.Key]))
                                .OfType<NamedPicture>(),
                        ],
                    }.Render()
                )),
            ],
            Foot = "Written by lit search. The page needs no network and no script.",
        }.Save(path);
    }

    private static string Words(SearchResult result) =>
        result.Pictures switch
        {
            [] => "Nothing matches.",
            [{ ExpectedPrecision: null }, ..] => "With the similarity of text and picture.",
            _ => "With the expected share of pictures that fit among those found down to here.",
        };

    /// <summary>
    /// Where a store's pictures came from, if that is still there; data that are no store are their own source.
    /// </summary>
    internal static string? SourceOf(string data)
    {
        if (!EmbeddingStore.IsStore(data))
            return data;
        using var store = EmbeddingStore.Open(data);
        if (store.Description?.Source is not { } source)
            return null;
        try
        {
            _ = Samples.Open(source);
            return source;
        }
        catch (LitException)
        {
            return null;
        }
    }

    /// <summary>The first caption that is said of a picture; null where there is none.</summary>
    internal static string? CaptionOf(FoundPicture picture) =>
        picture.Columns.GetValueOrDefault("captions") is IEnumerable<string> captions
            ? captions.FirstOrDefault()
            : null;

    private static NamedPicture? Named(FoundPicture picture, byte[] bytes)
    {
        try
        {
            return new(
                Decoding.Decode(bytes, DecodingOptions.Upright),
                CaptionOf(picture),
                [new Guess(picture.Key, picture.ExpectedPrecision ?? picture.Similarity)]
            )
            {
                IsJudged = false,
            };
        }
        catch (LitException)
        {
            return null;
        }
    }
}
