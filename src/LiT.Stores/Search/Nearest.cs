using LiT.Compute;

namespace LiT.Search;

/// <summary>A picture that was found.</summary>
internal readonly record struct Neighbour(long Picture, float Similarity) : IComparable<Neighbour>
{
    /// <summary>The more similar one comes later; of equally similar ones the one with the lower number.</summary>
    public int CompareTo(Neighbour other) =>
        Similarity.CompareTo(other.Similarity) is not 0 and var order ? order : other.Picture.CompareTo(Picture);
}

/// <summary>
/// The pictures nearest to some queries, exactly: codes say which may be among them, the rows themselves decide. A
/// code's product is off by no more than is known for its row, so what is left out cannot be an answer; the number of
/// threads, the processor and whether there are codes change nothing of it.
/// </summary>
internal static class Nearest
{
    private const int QueriesAtOnce = 64;

    /// <summary>
    /// The same by the index that somebody has brought, or by the collection's lists, where they are faster: then as
    /// good as was measured of them.
    /// </summary>
    /// <exception cref="LitException">As below, or a file of lists is damaged.</exception>
    public static FoundNearest FindFast(
        Collection collection,
        Embeddings queries,
        int kept,
        Bits? allowed,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        FoundNearest? found = null;
        var wanted = Kept(collection, queries, kept);
        if (collection.Index is { } index)
        {
            if (index.Plan(collection, wanted, allowed) is { } asked)
                found = new(index.Find(collection, queries, kept, asked.Visited, allowed, cancel), asked.Recall);
        }
        else if (collection.Lists is { } lists && lists.Plan(queries.Count, wanted, allowed) is { } visits)
            found = new(lists.Find(queries, kept, visits.Visited, allowed, cancel), visits.Recall);
        // A filter may leave what lies elsewhere: nobody is told of fewer pictures than there are.
        return
            found is { } some
            && some.Nearest.Min(near => near.Length) is var least
            && (least == wanted || least == (Here(collection, allowed)?.Set ?? collection.Count))
            ? some
            : new(Find(collection, queries, kept, allowed, progress, cancel), 1);
    }

    /// <param name="collection">What is searched.</param>
    /// <param name="queries">Queries of unit length.</param>
    /// <param name="kept">How many for each.</param>
    /// <param name="allowed">A bit a picture; null allows all.</param>
    /// <param name="progress">Told how many blocks are done.</param>
    /// <param name="cancel">Stops between two blocks.</param>
    /// <param name="withCodes">False goes over the rows themselves, as if there were no codes.</param>
    /// <returns>For each query, the most similar first.</returns>
    /// <exception cref="LitException">A row is not finite, or a file of codes is damaged.</exception>
    public static Neighbour[][] Find(
        Collection collection,
        Embeddings queries,
        int kept,
        Bits? allowed,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default,
        bool withCodes = true
    )
    {
        kept = Kept(collection, queries, kept);
        allowed = Here(collection, allowed);
        var found = new Neighbour[queries.Count][];
        for (var first = 0; first < queries.Count; first += QueriesAtOnce)
        {
            var (from, count) = (first, Math.Min(QueriesAtOnce, queries.Count - first));
            QueryGroup group = new(collection, queries, from, count, kept, allowed, withCodes);
            group.Scan(progress, cancel);
            Parts.Run(count, i => found[from + i] = group.Decide(i, cancel));
        }
        return found;
    }

    /// <summary>Those that are allowed and were not removed; null for all.</summary>
    public static Bits? Here(Collection collection, Bits? allowed) =>
        collection.Live is not { } live || allowed == live ? allowed
        : allowed is null ? live
        : allowed.And(live);

    /// <summary>How many a query can find.</summary>
    /// <exception cref="LitException">The queries are of another size.</exception>
    public static int Kept(Collection collection, Embeddings queries, int kept) =>
        queries.Size == collection.Size
            ? (int)Math.Clamp(kept, 1, Math.Max(1, collection.Pictures))
            : throw new LitException(
                $"Embeddings of {queries.Size} numbers cannot be compared with embeddings of "
                    + $"{collection.Size}: both must come from one model."
            );
}
