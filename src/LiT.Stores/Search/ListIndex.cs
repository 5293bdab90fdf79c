using LiT.Compute;
using LiT.Files;
using LiT.Stores;

namespace LiT.Search;

/// <summary>What is asked of lists.</summary>
internal sealed record ListSettings
{
    /// <summary>Share of the nearest pictures that is to be found.</summary>
    public double Recall { get; init; } = 0.99;

    /// <summary>How many lists; null takes about the square root of the pictures.</summary>
    public int? Lists { get; init; }

    /// <summary>Chooses the sample and the first centres.</summary>
    public int Seed { get; init; }

    /// <summary>Queries at most that the recall is measured with.</summary>
    public int Queries { get; init; } = 400;
}

/// <summary>Makes a store's lists, and measures how many of them a query has to visit.</summary>
internal static class ListIndex
{
    private static readonly int[] Depths = [10, 100, 1000, 4000];

    /// <summary>
    /// Makes centres of the rows, puts every segment's rows into lists, and measures with queries how many lists have
    /// to be visited: chosen with every second query, measured with the others, until both reach the recall.
    /// </summary>
    /// <param name="collection">Every segment has codes.</param>
    /// <param name="queries">Queries of unit length, such as captions.</param>
    /// <param name="captions">Whether that is what they are.</param>
    /// <param name="settings">What is asked.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The centres as they were written.</returns>
    /// <exception cref="LitException">A segment has no codes, or the disk is full.</exception>
    public static Centres Build(
        Collection collection,
        Embeddings queries,
        bool captions,
        ListSettings settings,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        if (!collection.IsIndexed)
            throw new LitException("Not every segment of the store has codes. Run `StoreIndex` on it first.");
        var path = Lists.PathOf(collection)!;
        using var writing = FolderLock.Take(Path.GetDirectoryName(path)!);
        var wanted = settings.Lists ?? ListTraining.ListsOf(collection.Pictures);
        var centres = ListTraining.Train(collection, wanted, settings.Seed, progress, cancel);
        Assign(collection, centres, progress, cancel);
        centres.Write(path); // without visits: everything is gone over until it is known how many
        using var lists = Lists.Open(collection)!;
        var visits = Measure(collection, lists, queries, settings.Recall, progress, cancel);
        centres = centres.With(settings.Recall, queries.Count, captions, visits);
        centres.Write(path);
        return centres;
    }

    /// <summary>The same for a store in a folder.</summary>
    /// <param name="folder">A finished store with codes.</param>
    /// <param name="model">Its text tower asks with captions of the store; without, rows of it are the queries.</param>
    /// <param name="settings">What is asked.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="LitException">As above, or the store is another tower's.</exception>
    public static Centres Build(
        string folder,
        LitModel? model,
        ListSettings settings,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        using var store = EmbeddingStore.Open(folder, wordsLater: true);
        if (model is not null)
            StoreFit.Check(store, model.Description.Image.Expected);
        using var collection = Collection.Of(model, store);
        var (queries, captions) = StoreIndex.Queries(model, collection, settings.Queries, 0.5, cancel);
        return Build(collection, queries, captions, settings, progress, cancel);
    }

    /// <summary>The same for a store in a folder.</summary>
    /// <exception cref="LitException">The disk is full.</exception>
    public static int Complete(
        string folder,
        LitModel? model,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        using var store = EmbeddingStore.Open(folder, wordsLater: true);
        using var collection = Collection.Of(model, store);
        return Complete(collection, progress, cancel);
    }

    /// <summary>Puts the rows of segments that are in no list into lists; none where there are no centres.</summary>
    /// <returns>Segments that were done now.</returns>
    /// <exception cref="LitException">The disk is full.</exception>
    public static int Complete(
        Collection collection,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        if (Lists.PathOf(collection) is not { } path || !File.Exists(path))
            return 0;
        using var writing = FolderLock.Take(Path.GetDirectoryName(path)!);
        return Centres.Read(path) is var centres && centres.Size == collection.Size
            ? Assign(collection, centres, progress, cancel)
            : 0;
    }

    /// <summary>Share of the nearest pictures that is found in as many lists as are visited.</summary>
    public static double Recall(
        Collection collection,
        Lists lists,
        Embeddings queries,
        Visits visits,
        CancellationToken cancel = default
    )
    {
        var depth = Math.Min(visits.Depth, 10);
        var exact = Nearest.Find(collection, queries, depth, null, null, cancel);
        var near = lists.Find(queries, depth, visits.Visited, null, cancel);
        return exact
            .Zip(near)
            .Average(both =>
                both.First.Select(one => one.Picture).Intersect(both.Second.Select(one => one.Picture)).Count()
                / (double)Math.Max(1, both.First.Length)
            );
    }

    private static int Assign(
        Collection collection,
        Centres centres,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        using ListAssignment assignment = new(Values(centres), centres.Size);
        var (made, done) = (0, 0L);
        foreach (var part in collection.Parts)
        {
            cancel.ThrowIfCancellationRequested();
            if (part.Codes is { } codes && !IsDone(part, centres))
            {
                ListFile.Write(
                    Lists.PathOf(codes),
                    Assigned(part, codes, assignment),
                    centres.Count,
                    codes.Fingerprint,
                    centres.Fingerprint
                );
                made++;
            }
            done += part.Count;
            progress?.Report(new("into lists", done, collection.Pictures, "pictures"));
        }
        return made;
    }

    private static bool IsDone(CollectionPart part, Centres centres)
    {
        try
        {
            using var there = Lists.FileOf(part, centres);
            return there is not null;
        }
        catch (LitException) // a damaged one is made anew
        {
            return false;
        }
    }

    private static unsafe int[] Assigned(CollectionPart part, CodeFile codes, ListAssignment assignment)
    {
        var lists = new int[part.Count];
        Parts.For(part.Count, CodeFile.Block, (from, end) =>
        {
            codes.Verify((int)(from / CodeFile.Block));
            var own = lists.AsSpan((int)from, (int)(end - from));
            assignment.Of(codes.Codes + from * codes.Width, own, new float[own.Length]);
        });
        return lists;
    }

    private static float[] Values(Centres centres)
    {
        var values = new float[centres.Count * centres.Size];
        for (var list = 0; list < centres.Count; list++)
            centres[list].CopyTo(values.AsSpan(list * centres.Size));
        return values;
    }

    private static List<Visits> Measure(
        Collection collection,
        Lists lists,
        Embeddings queries,
        double target,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        int[][] listOf = [.. collection.Parts.Select((_, i) => lists.ListOfRows(i)!)];
        int[] depths = [.. Depths.Where(depth => depth <= Math.Max(10, collection.Pictures / 20))];
        progress?.Report(new("measuring", 0, queries.Count, "queries"));
        var exact = Nearest.Find(collection, queries, depths[^1], null, null, cancel);
        var ranks = new int[queries.Count][];
        Parts.Run(queries.Count, i => ranks[i] = Ranks(collection, lists.Centres, listOf, queries[i], exact[i]));
        progress?.Report(new("measuring", queries.Count, queries.Count, "queries"));
        List<Visits> visits = [];
        foreach (var depth in depths)
        {
            int[][] near = [.. ranks.Select(one => one[..Math.Min(depth, one.Length)])];
            int[][] even = [.. near.Where((_, i) => i % 2 == 0)],
                odd = [.. near.Where((_, i) => i % 2 != 0)];
            var enough = Math.Max(Enough(even, target, lists.Centres.Count), Enough(odd, target, lists.Centres.Count));
            visits.Add(new(depth, enough, Math.Min(Share(even, enough), Share(odd, enough))));
        }
        return visits;
    }

    // Of each neighbour, how many lists are nearer to the query than its own.
    private static int[] Ranks(
        Collection collection,
        Centres centres,
        int[][] listOf,
        ReadOnlySpan<float> query,
        Neighbour[] neighbours
    )
    {
        var order = centres.Order(query);
        var rank = new int[order.Length];
        for (var i = 0; i < order.Length; i++)
            rank[order[i]] = i;
        var ranks = new int[neighbours.Length];
        for (var i = 0; i < ranks.Length; i++)
        {
            var (part, row) = collection[neighbours[i].Picture];
            ranks[i] = rank[listOf[IndexOf(collection, part)][row]];
        }
        return ranks;
    }

    private static int IndexOf(Collection collection, CollectionPart part)
    {
        var (low, high) = (0, collection.Parts.Count - 1);
        while (low < high)
            if (collection.Parts[(low + high + 1) / 2].First <= part.First)
                low = (low + high + 1) / 2;
            else
                high = (low + high + 1) / 2 - 1;
        return low;
    }

    // The fewest lists that hold so large a share.
    private static int Enough(int[][] ranks, double target, int lists)
    {
        var (low, high) = (1, lists);
        while (low < high)
            if (Share(ranks, (low + high) / 2) >= target)
                high = (low + high) / 2;
            else
                low = (low + high) / 2 + 1;
        return low;
    }

    private static double Share(int[][] ranks, int visited) =>
        ranks.Length == 0
            ? 1
            : ranks.Average(one => one.Length == 0 ? 1 : one.Count(rank => rank < visited) / (double)one.Length);
}
