using LiT.Stores;

namespace LiT.Duplicates;

/// <summary>Finds the pictures that two sets have in common, and those that a set has twice.</summary>
internal static class DuplicateSearch
{
    /// <summary>What two sets have in common, seen from either: the surest match of each picture that has one, the nearest at that level.</summary>
    public static (SortedDictionary<int, Match> OfFirst, SortedDictionary<int, Match> OfSecond) Between(
        PictureSet first,
        PictureSet second,
        DuplicateRules rules,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        SortedDictionary<int, Match> ofFirst = [],
            ofSecond = [];
        void Both(int a, int b, DuplicateLevel level, int? distance = null, double? cosine = null)
        {
            Better(ofFirst, new(a, b, level, distance, cosine));
            Better(ofSecond, new(b, a, level, distance, cosine));
        }
        if (rules.Levels.Contains(DuplicateLevel.Bytes))
        {
            var numbers = new Dictionary<(UInt128, UInt128), List<int>>();
            for (var b = 0; b < second.Count; b++)
                if (second.Sha256(b) is var hash && hash != default)
                    ListIn(numbers, hash).Add(b);
            for (var a = 0; a < first.Count; a++)
                if (first.Sha256(a) is var hash && hash != default && numbers.TryGetValue(hash, out var same))
                    foreach (var b in same)
                        Both(a, b, DuplicateLevel.Bytes);
        }
        if (rules.Levels.Contains(DuplicateLevel.Picture))
        {
            var index = new HammingIndex(rules.Hamming);
            for (var b = 0; b < second.Count; b++)
                if (second.Shape(b) is { } shape)
                    index.Add(b, shape);
            for (var a = 0; a < first.Count; a++)
            {
                if (a % 4096 == 0)
                    cancel.ThrowIfCancellationRequested();
                if (first.Shape(a) is not { } shape)
                    continue;
                foreach (var (b, distance) in index.Within(shape))
                    Both(a, b, DuplicateLevel.Picture, distance);
            }
        }
        if (rules.Levels.Contains(DuplicateLevel.Scene) && first.Store is { } left && second.Store is { } right)
        {
            CheckSameTower(left, right);
            var (leftPictures, rightPictures) = (WithRows(first), WithRows(second));
            // The shorter list is the one that is kept in memory.
            if (leftPictures.Length <= rightPictures.Length)
                SimilarRows.Between(
                    left,
                    Rows(first, leftPictures),
                    right,
                    Rows(second, rightPictures),
                    rules.Cosine,
                    pair =>
                        Both(
                            leftPictures[pair.Left],
                            rightPictures[pair.Right],
                            DuplicateLevel.Scene,
                            cosine: pair.Cosine
                        ),
                    Told(rightPictures.Length),
                    cancel
                );
            else
                SimilarRows.Between(
                    right,
                    Rows(second, rightPictures),
                    left,
                    Rows(first, leftPictures),
                    rules.Cosine,
                    pair =>
                        Both(
                            leftPictures[pair.Right],
                            rightPictures[pair.Left],
                            DuplicateLevel.Scene,
                            cosine: pair.Cosine
                        ),
                    Told(leftPictures.Length),
                    cancel
                );
        }
        return (ofFirst, ofSecond);

        Action<long>? Told(long total) =>
            progress is null ? null : done => progress.Report(new("comparing embeddings", done, total, "rows"));
    }

    /// <summary>
    /// The pictures that repeat an earlier one which is kept: the first of those that are alike stays. Each is matched at the
    /// surest level, to the nearest kept one.
    /// </summary>
    public static SortedDictionary<int, Match> Within(
        PictureSet set,
        IReadOnlySet<int> without,
        DuplicateRules rules,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var repeats = new SortedDictionary<int, Match>();
        var firstOf = new Dictionary<(UInt128, UInt128), int>();
        var index = new HammingIndex(rules.Hamming);
        for (var picture = 0; picture < set.Count; picture++)
        {
            if (picture % 4096 == 0)
                cancel.ThrowIfCancellationRequested();
            if (without.Contains(picture))
                continue;
            var hash = set.Sha256(picture);
            if (rules.Levels.Contains(DuplicateLevel.Bytes) && hash != default && !firstOf.TryAdd(hash, picture))
            {
                repeats.Add(picture, new(picture, firstOf[hash], DuplicateLevel.Bytes));
                continue;
            }
            if (!rules.Levels.Contains(DuplicateLevel.Picture) || set.Shape(picture) is not { } shape)
                continue;
            if (index.Nearest(shape) is var (earlier, distance))
                repeats.Add(picture, new(picture, earlier, DuplicateLevel.Picture, distance));
            else
                index.Add(picture, shape);
        }
        if (!rules.Levels.Contains(DuplicateLevel.Scene) || set.Store is not { } store)
            return repeats;

        int[] left = [.. WithRows(set).Where(picture => !without.Contains(picture) && !repeats.ContainsKey(picture))];
        SimilarRows.Within(
            store,
            Rows(set, left),
            rules.Cosine,
            pairs =>
            {
                foreach (var group in pairs.GroupBy(pair => pair.Left))
                    if (
                        group
                            .Where(pair => !repeats.ContainsKey(left[pair.Right]))
                            .OrderByDescending(pair => pair.Cosine)
                            .ThenBy(pair => pair.Right)
                            .FirstOrDefault() is
                        { Cosine: > 0 } best
                    )
                        repeats.Add(
                            left[best.Left],
                            new(left[best.Left], left[best.Right], DuplicateLevel.Scene, Cosine: best.Cosine)
                        );
            },
            earlier => repeats.ContainsKey(left[earlier]),
            progress is null ? null : done => progress.Report(new("comparing embeddings", done, left.Length, "rows")),
            cancel
        );
        return repeats;
    }

    /// <summary>Refuses stores whose embeddings cannot be compared.</summary>
    /// <exception cref="LitException">They are of two towers.</exception>
    internal static void CheckSameTower(EmbeddingStore a, EmbeddingStore b)
    {
        if (a.EmbeddingSize != b.EmbeddingSize)
            throw new LitException(
                $"{b.Folder}: rows of {b.EmbeddingSize} numbers where {a.Folder} has {a.EmbeddingSize}. Embed both with one tower."
            );
        if (a.Fingerprint is { } one && b.Fingerprint is { } other && one != other)
            throw new LitException(
                $"{b.Folder}: embedded by {b.Description!.Tower}, and {a.Folder} by {a.Description!.Tower}; their numbers say nothing about each other. Embed both with one tower."
            );
    }

    private static void Better(SortedDictionary<int, Match> matches, Match found)
    {
        if (!matches.TryGetValue(found.Picture, out var known) || Order(found).CompareTo(Order(known)) < 0)
            matches[found.Picture] = found;

        static (DuplicateLevel, int, double, int) Order(Match match) =>
            (match.Level, match.Distance ?? 0, -(match.Cosine ?? 0), match.Of);
    }

    private static List<int> ListIn(Dictionary<(UInt128, UInt128), List<int>> lists, (UInt128, UInt128) hash)
    {
        if (!lists.TryGetValue(hash, out var list))
            lists.Add(hash, list = []);
        return list;
    }

    private static int[] WithRows(PictureSet set) =>
        [.. Enumerable.Range(0, set.Count).Where(picture => set.Row(picture) >= 0)];

    private static long[] Rows(PictureSet set, int[] pictures) => [.. pictures.Select(set.Row)];
}
