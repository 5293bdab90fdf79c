using LiT.Stores;

namespace LiT.Studies;

/// <summary>How well one image tower and one text tower fit.</summary>
/// <param name="Images">The store of pictures.</param>
/// <param name="ImageTower">What made it, where it says so.</param>
/// <param name="Texts">The store of texts.</param>
/// <param name="TextTower">What made it.</param>
/// <param name="MutualNeighbours">Share of nearest neighbours that both agree on, 0 to 1.</param>
/// <param name="Cka">Linear centred kernel alignment, 0 to 1.</param>
internal sealed record TowerPair(
    string Images,
    string ImageTower,
    string Texts,
    string TextTower,
    double MutualNeighbours,
    double Cka
);

/// <summary>What a study of towers found, the best pair first.</summary>
/// <param name="Pictures">Pictures that were compared, no two of them with the same text.</param>
/// <param name="Matched">Pictures that are in every store.</param>
/// <param name="Neighbours">Neighbours of each.</param>
/// <param name="Chance">The share of them that towers agree on which have nothing to do with each other.</param>
/// <param name="Pairs">Every image tower with every text tower.</param>
internal sealed record TowerStudyResult(
    int Pictures,
    int Matched,
    int Neighbours,
    double Chance,
    IReadOnlyList<TowerPair> Pairs
);

/// <summary>
/// Which image tower and which text tower fit, before anything is tuned: from stores of the same pictures and of their
/// texts. Texts that stand at several pictures would make neighbours of all of these; one picture of each is compared.
/// </summary>
internal static class TowerStudy
{
    /// <param name="images">Stores of the same pictures by different towers.</param>
    /// <param name="texts">Stores of their texts by different towers.</param>
    /// <param name="most">At most so many pictures, spread over all.</param>
    /// <param name="neighbours">Neighbours that are compared.</param>
    /// <param name="cancel">Stops between two pairs of towers.</param>
    /// <exception cref="LitException">A store cannot be read, or they have too few pictures in common.</exception>
    public static TowerStudyResult Run(
        IReadOnlyList<string> images,
        IReadOnlyList<string> texts,
        int most,
        int neighbours,
        CancellationToken cancel = default
    )
    {
        List<EmbeddingStore> pictures = [];
        List<TextStore> words = [];
        try
        {
            pictures.AddRange(images.Select(folder => EmbeddingStore.Open(folder)));
            words.AddRange(texts.Select(TextStore.Open));
            var (different, matched, rows) = Common(pictures, words, texts[0], neighbours);
            var count = Math.Min(most, different.Count);
            List<string> chosen =
            [
                .. Enumerable.Range(0, count).Select(i => different[(int)((long)i * different.Count / count)]),
            ];
            List<Embeddings> seen = [.. pictures.Select((store, at) => Of(store, chosen, rows[at]))];
            List<Embeddings> read = [.. words.Select((store, at) => Of(store, chosen, rows[pictures.Count + at]))];
            List<TowerPair> pairs = [];
            for (var image = 0; image < pictures.Count; image++)
            for (var text = 0; text < words.Count; text++)
            {
                cancel.ThrowIfCancellationRequested();
                pairs.Add(
                    new(
                        images[image],
                        pictures[image].Description?.Tower ?? "made elsewhere",
                        texts[text],
                        words[text].File.Tower,
                        TowerFit.MutualNeighbours(seen[image], read[text], neighbours),
                        TowerFit.Cka(seen[image], read[text])
                    )
                );
            }
            var chance = neighbours / (count - 1.0);
            return new(count, matched, neighbours, chance, [.. pairs.OrderByDescending(one => one.MutualNeighbours)]);
        }
        finally
        {
            pictures.ForEach(store => store.Dispose());
            words.ForEach(store => store.Dispose());
        }
    }

    /// <summary>The pictures that are in every store, one of each text, and the first row of each in each.</summary>
    private static (List<string> Different, int Matched, List<Dictionary<string, long>> Rows) Common(
        List<EmbeddingStore> pictures,
        List<TextStore> words,
        string where,
        int neighbours
    )
    {
        List<Dictionary<string, long>> rows = [.. pictures.Select(Rows), .. words.Select(Rows)];
        List<string> matched = [.. rows[0].Keys.Where(key => rows.TrueForAll(one => one.ContainsKey(key)))];
        HashSet<string> said = new(StringComparer.Ordinal);
        List<string> different = [.. matched.Where(key => said.Add(words[0].Words(rows[pictures.Count][key])))];
        return different.Count >= neighbours + 2
            ? (different, matched.Count, rows)
            : throw new LitException(
                where,
                FormattableString.Invariant(
                    $"{matched.Count:N0} of its pictures are in every store, with {different.Count:N0} different "
                ) + $"texts, and {neighbours} neighbours of each are compared",
                "Give stores of the same pictures, or fewer `Neighbours`"
            );
    }

    /// <summary>The first row of each picture.</summary>
    private static Dictionary<string, long> Rows(EmbeddingStore store)
    {
        Dictionary<string, long> rows = new(StringComparer.Ordinal);
        for (var row = 0L; row < store.Rows; row += store.Views)
            rows.TryAdd(store.Key(row), row);
        return rows;
    }

    private static Dictionary<string, long> Rows(TextStore store)
    {
        Dictionary<string, long> rows = new(StringComparer.Ordinal);
        for (var row = 0L; row < store.Rows; row++)
            rows.TryAdd(store.Key(row), row);
        return rows;
    }

    private static Embeddings Of(EmbeddingStore store, List<string> keys, Dictionary<string, long> rows)
    {
        var values = new float[(long)keys.Count * store.EmbeddingSize];
        store.ReadRows([.. keys.Select(key => rows[key])], values, ownLength: true);
        return new(values, store.EmbeddingSize);
    }

    private static Embeddings Of(TextStore store, List<string> keys, Dictionary<string, long> rows)
    {
        var values = new float[(long)keys.Count * store.EmbeddingSize];
        for (var i = 0; i < keys.Count; i++)
            store.Read(rows[keys[i]], values.AsSpan(i * store.EmbeddingSize, store.EmbeddingSize), ownLength: true);
        return new(values, store.EmbeddingSize);
    }
}
