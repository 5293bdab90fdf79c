using LiT.Classification;
using LiT.Compute;
using LiT.Embedding;
using LiT.Stores;

namespace LiT.Search;

/// <summary>How pictures are looked for.</summary>
internal sealed record SearchOptions
{
    /// <summary>Pictures for each text.</summary>
    public int Top { get; init; } = 10;

    /// <summary>
    /// Pictures whose expected precision is below this are left out; needs a background. Null keeps all.
    /// </summary>
    public double? MinPrecision { get; init; }

    /// <summary>How pictures are read that are not embedded yet.</summary>
    public ImageSetOptions Images { get; init; } = new();
}

/// <summary>What was found for one text, best first.</summary>
internal sealed record SearchResult(string Text, IReadOnlyList<FoundPicture> Pictures)
{
    /// <summary>
    /// Words of the text that no caption had which the model was tuned on: no precision is promised for it. Null for
    /// none.
    /// </summary>
    public IReadOnlyList<string>? UnseenWords { get; init; }
}

/// <summary>Finds pictures by words: exact, a block of rows at a time.</summary>
internal static class PictureSearch
{
    private const int RowsInBlock = 16_384,
        MostJudged = 2_000;

    /// <param name="model">The model.</param>
    /// <param name="path">A store, or pictures, which are embedded first.</param>
    /// <param name="texts">What is looked for; a place for the name is not needed.</param>
    /// <param name="background">Tells what matches; null gives similarities alone.</param>
    /// <param name="options">How many.</param>
    /// <param name="compute">Where to compute.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="LitException">The data cannot be used with this model.</exception>
    public static IReadOnlyList<SearchResult> Find(
        LitModel model,
        string path,
        IReadOnlyList<string> texts,
        Background? background,
        SearchOptions options,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        if (EmbeddingStore.IsStore(path))
        {
            using var store = EmbeddingStore.Open(path);
            return Find(model, store, texts, background, options, progress, cancel);
        }
        var queries = Queries(model, texts, cancel);
        using var set = ImageSet.Load(
            path,
            model.Description.Image.Expected,
            () => model.Image,
            options.Images,
            compute,
            progress,
            cancel
        );
        return Find(
            queries,
            texts,
            Unseen(model, texts, background),
            set.Samples.Count,
            (first, count) => model.ProjectImages(set.Read([.. Enumerable.Range((int)first, count)])),
            row => (set.Samples[(int)row].Key, set.Samples[(int)row].Origin),
            background,
            options,
            progress,
            cancel
        );
    }

    /// <summary>The same over an open store.</summary>
    internal static IReadOnlyList<SearchResult> Find(
        LitModel model,
        EmbeddingStore store,
        IReadOnlyList<string> texts,
        Background? background,
        SearchOptions options,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var queries = Queries(model, texts, cancel);
        StoreFit.Check(store, model.Description.Image.Expected);
        return Find(
            queries,
            texts,
            Unseen(model, texts, background),
            store.Rows / store.Views,
            Block,
            row => (store.Key(row * store.Views), store.Origin(row * store.Views)),
            background,
            options,
            progress,
            cancel
        );

        Embeddings Block(long first, int count)
        {
            var values = new float[count * store.EmbeddingSize];
            store.ReadRows(
                [.. Enumerable.Range(0, count).Select(i => (first + i) * store.Views)],
                values,
                ownLength: true
            );
            return model.ProjectImages(new(values, store.EmbeddingSize));
        }
    }

    /// <summary>Words of each text that nothing can be promised for; none where nothing is promised at all.</summary>
    private static IReadOnlyList<string>[] Unseen(
        LitModel model,
        IReadOnlyList<string> texts,
        Background? background
    ) => [.. texts.Select(text => background is null ? [] : model.UnseenWords(text))];

    private static Embeddings Queries(LitModel model, IReadOnlyList<string> texts, CancellationToken cancel)
    {
        if (texts.FirstOrDefault(text => PromptTemplates.Canonicalise(text).Length == 0) is { } empty)
            throw new LitException($"The text '{empty}' leaves no word to look for. Give it letters or digits.");
        return model.EmbedTexts([.. texts.Select(text => PromptTemplates.Canonicalise(text))], null, cancel);
    }

    private static List<SearchResult> Find(
        Embeddings queries,
        IReadOnlyList<string> texts,
        IReadOnlyList<string>[] unseen,
        long pictures,
        Func<long, int, Embeddings> block,
        Func<long, (string Key, string Origin)> name,
        Background? background,
        SearchOptions options,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var kept = background is null ? options.Top : Math.Max(options.Top, MostJudged);
        var best = texts.Select(_ => new PriorityQueue<(long Row, float[] Zimg), (float, long)>()).ToArray();
        for (var first = 0L; first < pictures; first += RowsInBlock)
        {
            cancel.ThrowIfCancellationRequested();
            var rows = block(first, (int)Math.Min(RowsInBlock, pictures - first));
            var start = first;
            Similarity.EachRow(queries, rows, (query, similarities) =>
            {
                var heap = best[query];
                for (var i = 0; i < similarities.Length; i++)
                {
                    // Of equally similar pictures the first ones stay.
                    var rank = (similarities[i], -(start + i));
                    if (heap.Count == kept && (!heap.TryPeek(out _, out var least) || rank.CompareTo(least) <= 0))
                        continue;
                    if (heap.Count == kept)
                        heap.Dequeue();
                    heap.Enqueue((start + i, background is null ? [] : rows[i].ToArray()), rank);
                }
            });
            progress?.Report(new("searching", first + rows.Count, pictures, "pictures"));
        }
        var ofTexts = background?.OfTexts(queries);
        return
        [
            .. texts.Select(
                (text, query) =>
                {
                    List<(long Row, float[] Zimg, float Similarity)> found = [];
                    while (best[query].TryDequeue(out var one, out var rank))
                        found.Add((one.Row, one.Zimg, rank.Item1));
                    found.Reverse();
                    var judged =
                        background is null || found.Count == 0 || unseen[query].Count > 0
                            ? null
                            : Judge(background, ofTexts![query], found, pictures);
                    return new SearchResult(
                        text,
                        [
                            .. found
                                .Take(options.Top)
                                .Index()
                                .Where(one => options.MinPrecision is not { } least || judged?[one.Index] >= least)
                                .Select(one => new FoundPicture(
                                    name(one.Item.Row).Key,
                                    name(one.Item.Row).Origin,
                                    one.Item.Similarity,
                                    judged?[one.Index]
                                )),
                        ]
                    )
                    {
                        UnseenWords = unseen[query].Count > 0 ? unseen[query] : null,
                    };
                }
            ),
        ];
    }

    private static double[] Judge(
        Background background,
        ScoreScale text,
        List<(long Row, float[] Zimg, float Similarity)> found,
        long pictures
    )
    {
        var ofPictures = background.OfPictures(new([.. found.SelectMany(one => one.Zimg)], found[0].Zimg.Length));
        return FindingCutOff.Precision(
            background,
            [.. found.Select((one, i) => ScoreScale.Standard(one.Similarity, ofPictures[i], text))],
            pictures
        );
    }
}
