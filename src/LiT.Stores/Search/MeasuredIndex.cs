using LiT.Compute;

namespace LiT.Search;

/// <summary>
/// An index that somebody has brought, and how many rows it has to be asked for so that a share of the nearest is among
/// them, as was measured with queries. For one thread.
/// </summary>
/// <param name="index">Names rows.</param>
/// <param name="target">The share that is to be found.</param>
internal sealed class MeasuredIndex(IVectorIndex index, double target)
{
    private const int MostAsked = 1 << 14,
        Queries = 200;
    private const double Grown = 0.1; // what was measured holds until the store is so much larger or smaller

    private static readonly int[] Depths = [10, 100, 1000, 4000];
    private long measuredOn = -1;

    /// <summary>How many to ask for, by depth; depths at which the share was not reached are not there.</summary>
    public IReadOnlyList<Visits> Visits { get; private set; } = [];

    /// <summary>The share of the nearest ten that was found; 1 where all rows are gone over.</summary>
    public double Recall { get; private set; } = 1;

    /// <summary>Brings it to a collection, and measures where the last time says nothing of it any more.</summary>
    /// <param name="model">Reads captions of the store, which ask; null, or without any, rows ask.</param>
    /// <param name="collection">What is searched from now on.</param>
    /// <param name="cancel">Gives it up.</param>
    public void Update(LitModel? model, Collection collection, CancellationToken cancel)
    {
        index.Update(new(collection), cancel);
        if (measuredOn < 0 || Math.Abs(collection.Count - measuredOn) > Grown * measuredOn)
        {
            var (queries, _) = StoreIndex.Queries(model, collection, Queries, 0.25, cancel);
            Measure(collection, queries, cancel);
            measuredOn = collection.Count;
        }
    }

    /// <summary>How many to ask for; null where that was not measured and everything is gone over.</summary>
    /// <param name="collection">What is searched.</param>
    /// <param name="kept">How many pictures are looked for.</param>
    /// <param name="allowed">Those that a filter leaves; null for all.</param>
    public Visits? Plan(Collection collection, int kept, Bits? allowed) =>
        Lists.DepthOf(collection, kept, allowed) is var depth
        && Visits.FirstOrDefault(visits => visits.Depth >= depth) is { Depth: > 0 } enough
            ? enough
            : null;

    /// <summary>What is nearest of the rows that the index names.</summary>
    public Neighbour[][] Find(
        Collection collection,
        Embeddings queries,
        int kept,
        int asked,
        Bits? allowed,
        CancellationToken cancel
    )
    {
        kept = Nearest.Kept(collection, queries, kept);
        allowed = Nearest.Here(collection, allowed);
        var found = new Neighbour[queries.Count][];
        for (var query = 0; query < queries.Count; query++)
        {
            cancel.ThrowIfCancellationRequested();
            var rows = Named(collection, queries[query], asked, allowed)!;
            QueryGroup group = new(collection, queries, query, 1, kept, allowed, withCodes: true);
            Parts.Run(rows.Length, i => group.ScanSome(rows[i].Part, rows[i].Rows));
            found[query] = group.Decide(0, cancel);
        }
        return found;
    }

    private void Measure(Collection collection, Embeddings queries, CancellationToken cancel)
    {
        (Visits, Recall) = ([], 1);
        if (queries.Count == 0 || index.Find(queries[0], 1) is null)
            return;
        int[] depths = [.. Depths.Where(depth => depth <= Math.Max(10, collection.Count / 20))];
        var exact = Nearest.Find(collection, queries, depths[^1], null, null, cancel);
        List<Visits> visits = [];
        foreach (var depth in depths)
        {
            var (asked, recall) = (0, 0.0);
            for (var next = depth; next <= MostAsked && recall < target; next *= 2)
                (asked, recall) = (next, Share(collection, queries, exact, depth, next, cancel));
            if (depth == depths[0])
                Recall = recall;
            if (recall >= target)
                visits.Add(new(depth, asked, recall));
        }
        Visits = visits;
    }

    // Of the pictures that are nearest, the share that is among those that the index names.
    private double Share(
        Collection collection,
        Embeddings queries,
        Neighbour[][] exact,
        int depth,
        int asked,
        CancellationToken cancel
    )
    {
        var (found, all) = (0L, 0L);
        for (var query = 0; query < queries.Count; query++)
        {
            cancel.ThrowIfCancellationRequested();
            HashSet<long> named = [.. index.Find(queries[query], asked)!.Select(collection.PictureOf).OfType<long>()];
            var nearest = exact[query].AsSpan(0, Math.Min(depth, exact[query].Length));
            all += nearest.Length;
            foreach (var near in nearest)
                found += named.Contains(near.Picture) ? 1 : 0;
        }
        return all == 0 ? 1 : (double)found / all;
    }

    // One after the other, as far as may be, is as memory likes it.
    private (CollectionPart Part, int[] Rows)[] Named(
        Collection collection,
        ReadOnlySpan<float> query,
        int asked,
        Bits? allowed
    ) =>
        [
            .. (index.Find(query, asked) ?? throw new InvalidOperationException("The index named rows before."))
                .Select(collection.PictureOf)
                .OfType<long>()
                .Where(picture => allowed?[picture] != false)
                .Distinct()
                .GroupBy(picture => collection[picture].Part)
                .Select(rows => (rows.Key, rows.Select(picture => (int)(picture - rows.Key.First)).Order().ToArray())),
        ];
}
