using LiT.Compute;
using LiT.Stores;

namespace LiT.Search;

/// <summary>What was found, and how much of what is nearest.</summary>
/// <param name="Nearest">For each query, the most similar first.</param>
/// <param name="Recall">1 where it is exact.</param>
internal readonly record struct FoundNearest(Neighbour[][] Nearest, double Recall);

/// <summary>
/// A collection's rows by lists of near ones, of which a query visits as many as were measured to be enough. What is in
/// a list that is visited is found as exactly as without. Safe for use from several threads.
/// </summary>
internal sealed class Lists : IDisposable
{
    private const string FileName = "centres.bin",
        Prefix = "lists_";

    // Rows here and there take so many times as long as rows one after the other.
    private const double HereAndThere = 4;
    private const int RowsOfAPart = 4096;
    private readonly Collection collection;
    private readonly ListFile?[] files;

    private Lists(Collection collection, Centres centres, ListFile?[] files) =>
        (this.collection, Centres, this.files) = (collection, centres, files);

    public Centres Centres { get; }

    /// <summary>Segments whose rows are in lists; the others are gone over whole.</summary>
    public int Listed => files.Count(file => file is not null);

    /// <summary>Where a collection's centres are, or will be; null for one without codes.</summary>
    public static string? PathOf(Collection collection) =>
        collection.Parts.FirstOrDefault(part => part.Codes is not null) is { } part
            ? Path.Combine(Path.GetDirectoryName(part.Codes!.Path)!, FileName)
            : null;

    /// <summary>Where a segment's lists are, or will be.</summary>
    public static string PathOf(CodeFile codes) =>
        Path.Combine(
            Path.GetDirectoryName(codes.Path)!,
            Prefix + Path.GetFileName(codes.Path).Replace("codes_", "", StringComparison.Ordinal)
        );

    /// <summary>The lists of a collection; null where there are none.</summary>
    /// <exception cref="LitException">A file of them is damaged.</exception>
    public static Lists? Open(Collection collection)
    {
        if (PathOf(collection) is not { } path || !File.Exists(path))
            return null;
        var centres = Centres.Read(path);
        if (centres.Size != collection.Size)
            return null;
        var files = new ListFile?[collection.Parts.Count];
        Lists lists = new(collection, centres, files);
        try
        {
            for (var i = 0; i < files.Length; i++)
                files[i] = FileOf(collection.Parts[i], centres);
            return lists;
        }
        catch
        {
            lists.Dispose();
            throw;
        }
    }

    /// <summary>A segment's file; null where it has none of these rows and centres.</summary>
    /// <exception cref="LitException">It is damaged.</exception>
    public static ListFile? FileOf(CollectionPart part, Centres centres)
    {
        if (
            part.Codes is not { } codes
            || MappedFile.IfThere(PathOf(codes), path => new ListFile(path)) is not { } file
        )
            return null;
        if (
            file.Rows == part.Count
            && file.Lists == centres.Count
            && file.Fingerprint.SequenceEqual(codes.Fingerprint)
            && file.CentresFingerprint.SequenceEqual(centres.Fingerprint)
        )
            return file;
        file.Dispose();
        return null;
    }

    /// <summary>
    /// How many lists to visit, and the recall that was measured for it; null where going over everything is exact and
    /// takes no longer.
    /// </summary>
    /// <param name="queries">How many pass together.</param>
    /// <param name="kept">How many pictures each looks for.</param>
    /// <param name="allowed">Those that a filter leaves; null for all.</param>
    public Visits? Plan(int queries, int kept, Bits? allowed)
    {
        var depth = DepthOf(collection, kept, allowed);
        foreach (var visits in Centres.Visits.Where(visits => visits.Depth >= depth))
        {
            var (share, together) = ((double)visits.Visited / Centres.Count, 1 + queries / 8.0);
            return queries * share * (allowed is null ? HereAndThere : 1) < together ? visits : null;
        }
        return null;
    }

    /// <summary>Among how many of the nearest those are that are looked for.</summary>
    public static double DepthOf(Collection collection, int kept, Bits? allowed)
    {
        // Where a filter leaves one in ten, the ten nearest are among the hundred nearest of all, about.
        var left = allowed is null ? 1 : (double)allowed.Set / Math.Max(1, collection.Count);
        return left > 0 ? kept / left : double.PositiveInfinity;
    }

    /// <summary>The nearest pictures in the lists that are nearest to each query.</summary>
    public Neighbour[][] Find(Embeddings queries, int kept, int visited, Bits? allowed, CancellationToken cancel)
    {
        kept = Nearest.Kept(collection, queries, kept);
        allowed = Nearest.Here(collection, allowed);
        var found = new Neighbour[queries.Count][];
        for (var query = 0; query < queries.Count; query++)
        {
            QueryGroup group = new(collection, queries, query, 1, kept, allowed, withCodes: true);
            Scan(group, Centres.Order(queries[query]).AsSpan(0, visited), allowed, cancel);
            found[query] = group.Decide(0, cancel);
        }
        return found;
    }

    /// <summary>Each picture's list, in a segment; null where it has none.</summary>
    public int[]? ListOfRows(int part)
    {
        if (files[part] is not { } file)
            return null;
        var lists = new int[file.Rows];
        for (var list = 0; list < file.Lists; list++)
            foreach (var row in file[list])
                lists[row] = list;
        return lists;
    }

    public void Dispose()
    {
        foreach (var file in files)
            file?.Dispose();
    }

    private void Scan(QueryGroup group, ReadOnlySpan<int> visited, Bits? allowed, CancellationToken cancel)
    {
        List<(int Part, int[] Lists)> work = [];
        for (var i = 0; i < files.Length; i++)
        {
            var rows = (double)collection.Parts[i].Count * visited.Length / Centres.Count;
            var pieces = files[i] is null ? 1 : (int)Math.Clamp(rows / RowsOfAPart, 1, visited.Length);
            for (var piece = 0; piece < pieces; piece++)
                work.Add(
                    (
                        i,
                        visited[
                            (int)((long)visited.Length * piece / pieces)..(int)(
                                (long)visited.Length * (piece + 1) / pieces
                            )
                        ]
                            .ToArray()
                    )
                );
        }
        Parts.Run(work.Count, i =>
        {
            cancel.ThrowIfCancellationRequested();
            var part = collection.Parts[work[i].Part];
            var rows = files[work[i].Part] is { } file
                ? RowsOf(file, work[i].Lists, part.First, allowed)
                : allowed?.In(part.First, 0, part.Count) ?? [.. Enumerable.Range(0, part.Count)];
            if (rows.Length > 0)
                group.ScanSome(part, rows);
        });
    }

    // One after the other, as far as may be, is as memory likes it.
    private static int[] RowsOf(ListFile file, int[] lists, long first, Bits? allowed)
    {
        Bits visited = new(file.Rows);
        foreach (var list in lists)
        foreach (var row in file[list])
            visited.Add(row);
        var rows = visited.In(0, 0, file.Rows);
        return allowed is null ? rows : [.. rows.Where(row => allowed[first + row])];
    }
}
