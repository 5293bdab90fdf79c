using System.Runtime.Intrinsics;
using LiT.Compute;
using LiT.Compute.Kernels;
using LiT.Stores;

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
/// code's product
/// is off by no more than is known for its row, so what is left out cannot be an answer; the number of threads, the
/// processor and
/// whether there are codes change nothing of it.
/// </summary>
internal static unsafe class Nearest
{
    private const int RowsAtOnce = 256,
        QueriesAtOnce = 64,
        DecidedAtOnce = 64;

    // What float32 arithmetic may add to a product of codes, lengths being 1.
    private const float Rounding = 3e-6f;

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
        kept = (int)Math.Clamp(kept, 1, Math.Max(1, collection.Pictures));
        if (queries.Size != collection.Size)
            throw new LitException(
                $"Embeddings of {queries.Size} numbers cannot be compared with embeddings of "
                    + $"{collection.Size}: both must come from one model."
            );
        if (collection.Live is { } live && allowed != live)
            allowed = allowed is null ? live : allowed.And(live);
        var found = new Neighbour[queries.Count][];
        for (var first = 0; first < queries.Count; first += QueriesAtOnce)
        {
            var count = Math.Min(QueriesAtOnce, queries.Count - first);
            Group group = new(collection, queries, first, count, kept, allowed, withCodes);
            group.Scan(progress, cancel);
            for (var i = 0; i < count; i++)
                found[first + i] = group.Decide(i, cancel);
        }
        return found;
    }

    /// <summary>Queries that pass over the rows together.</summary>
    private sealed class Group
    {
        private readonly Collection collection;
        private readonly int kept,
            width;
        private readonly bool withCodes;
        private readonly Bits? allowed;
        private readonly Asked[] asked;
        private readonly short[] numbers;

        public Group(
            Collection collection,
            Embeddings queries,
            int first,
            int count,
            int kept,
            Bits? allowed,
            bool withCodes
        )
        {
            (this.collection, this.kept, this.allowed, this.withCodes) = (collection, kept, allowed, withCodes);
            width = (collection.Size + CodeSums.Step - 1) / CodeSums.Step * CodeSums.Step;
            numbers = GC.AllocateArray<short>(count * width, pinned: true);
            asked =
            [
                .. Enumerable
                    .Range(0, count)
                    .Select(i => new Asked(
                        queries[first + i].ToArray(),
                        numbers.AsSpan(i * width, collection.Size),
                        kept
                    )),
            ];
        }

        public void Scan(IProgress<ProgressStep>? progress, CancellationToken cancel)
        {
            List<(CollectionPart Part, int Block)> blocks =
            [
                .. collection.Parts.SelectMany(part =>
                    Enumerable
                        .Range(0, (part.Count + CodeFile.Block - 1) / CodeFile.Block)
                        .Select(block => (part, block))
                ),
            ];
            var done = 0L;
            Parts.Run(blocks.Count, i =>
            {
                cancel.ThrowIfCancellationRequested();
                var (part, block) = blocks[i];
                var (from, end) = (block * CodeFile.Block, Math.Min(part.Count, (block + 1) * CodeFile.Block));
                var rows = allowed?.In(part.First, from, end);
                if (rows?.Length == end - from)
                    rows = null;
                if (rows is not { Length: 0 })
                    if (withCodes && part.Codes is { } codes)
                        ScanCodes(part, codes, block, from, end, rows);
                    else
                        ScanRows(part, rows ?? [.. Enumerable.Range(from, end - from)]);
                var sofar = Interlocked.Add(ref done, end - from);
                if (part.Codes is null)
                    progress?.Report(new("searching", sofar, collection.Pictures, "pictures"));
            });
        }

        private void ScanCodes(CollectionPart part, CodeFile codes, int block, int from, int end, int[]? rows)
        {
            codes.Verify(block);
            var all = rows?.Length ?? end - from;
            var sums = stackalloc int[RowsAtOnce * Math.Min(asked.Length, 4)];
            var many = asked.Length > 4 ? new int[RowsAtOnce * asked.Length] : null;
            float* scales = stackalloc float[RowsAtOnce],
                errors = stackalloc float[RowsAtOnce];
            fixed (
                int* chosen = rows,
                    large = many
            )
            fixed (short* queries = numbers)
                for (var at = 0; at < all; at += RowsAtOnce)
                {
                    var count = Math.Min(RowsAtOnce, all - at);
                    var to = large == null ? sums : large;
                    if (chosen == null)
                    {
                        CodeSums.Of(
                            codes.Codes + (long)(from + at) * codes.Width,
                            width,
                            null,
                            count,
                            queries,
                            asked.Length,
                            to
                        );
                        for (var query = 0; query < asked.Length; query++)
                            asked[query]
                                .Take(
                                    to + query * count,
                                    codes.Scales + from + at,
                                    codes.Errors + from + at,
                                    count,
                                    part.First + from + at,
                                    null
                                );
                        continue;
                    }
                    CodeSums.Of(codes.Codes, width, chosen + at, count, queries, asked.Length, to);
                    for (var i = 0; i < count; i++)
                        (scales[i], errors[i]) = (codes.Scales[chosen[at + i]], codes.Errors[chosen[at + i]]);
                    for (var query = 0; query < asked.Length; query++)
                        asked[query].Take(to + query * count, scales, errors, count, part.First, chosen + at);
                }
        }

        private void ScanRows(CollectionPart part, int[] rows)
        {
            var values = new float[Math.Min(rows.Length, RowsAtOnce) * collection.Size];
            for (var at = 0; at < rows.Length; at += RowsAtOnce)
            {
                var some = rows.AsSpan(at, Math.Min(RowsAtOnce, rows.Length - at));
                part.Read(some, values);
                for (var i = 0; i < some.Length; i++)
                {
                    ReadOnlySpan<float> row = values.AsSpan(i * collection.Size, collection.Size);
                    foreach (var one in asked)
                        if (!one.Take(part.First + some[i], row))
                            throw collection.NotFinite(part.First + some[i]);
                }
            }
        }

        /// <summary>Looks at the rows of those that may be among the nearest, likely ones first, until no other can
        /// be.</summary>
        public Neighbour[] Decide(int query, CancellationToken cancel)
        {
            var one = asked[query];
            var candidates = one.Candidates();
            SortedSet<Neighbour> best = [];
            for (var at = 0; at < candidates.Count; at += DecidedAtOnce)
            {
                cancel.ThrowIfCancellationRequested();
                if (best.Count == kept && candidates[at].Upper < best.Min.Similarity)
                    break;
                var some = candidates.GetRange(at, Math.Min(DecidedAtOnce, candidates.Count - at));
                some.Sort((a, b) => a.Picture.CompareTo(b.Picture));
                foreach (var neighbour in Exact(one, some))
                {
                    if (best.Count == kept && neighbour.CompareTo(best.Min) <= 0)
                        continue;
                    best.Add(neighbour);
                    if (best.Count > kept)
                        best.Remove(best.Min);
                }
            }
            return [.. best.Reverse()];
        }

        private List<Neighbour> Exact(Asked one, List<Candidate> some)
        {
            List<Neighbour> exact = [];
            foreach (var bySegment in some.GroupBy(candidate => collection[candidate.Picture].Part))
            {
                int[] rows =
                [
                    .. bySegment
                        .Where(candidate => candidate.Exact is null)
                        .Select(candidate => (int)(candidate.Picture - bySegment.Key.First)),
                ];
                var values = new float[rows.Length * collection.Size];
                bySegment.Key.Read(rows, values);
                for (var i = 0; i < rows.Length; i++)
                {
                    var picture = bySegment.Key.First + rows[i];
                    var similarity = Exactly.Cosine(one.Query, values.AsSpan(i * collection.Size, collection.Size));
                    exact.Add(float.IsNaN(similarity) ? throw collection.NotFinite(picture) : new(picture, similarity));
                }
                exact.AddRange(
                    bySegment
                        .Where(candidate => candidate.Exact is not null)
                        .Select(candidate => new Neighbour(candidate.Picture, candidate.Exact!.Value))
                );
            }
            return exact;
        }
    }

    /// <param name="Picture">Its number.</param>
    /// <param name="Upper">It is no more similar than this.</param>
    /// <param name="Exact">Its similarity, where its row was looked at.</param>
    private readonly record struct Candidate(long Picture, float Upper, float? Exact);

    /// <summary>One query while it passes over the rows, told by many threads.</summary>
    private sealed class Asked
    {
        private readonly Lock guard = new();
        private readonly PriorityQueue<float, float> lowers = new(); // the best lower bounds so far
        private readonly List<Candidate> candidates = [];
        private readonly int kept;
        private readonly float scale, // what a sum of products counts
            fixedError, // of the query's own rounding
            length;
        private float least = float.NegativeInfinity; // so many are at least this similar

        public Asked(float[] query, Span<short> numbers, int kept)
        {
            (Query, this.kept) = (query, kept);
            var most = query.Max(Math.Abs);
            var sum = query.Sum(Math.Abs);
            // Sums of products with codes of up to 127 stay below 2^31.
            var step = Math.Max(most / short.MaxValue, sum * 127 / 2.1e9f);
            var off = 0.0;
            for (var k = 0; k < query.Length; k++)
            {
                var whole = step > 0 ? MathF.Round(query[k] / step) : 0;
                numbers[k] = (short)whole;
                off += Math.Pow(query[k] - (double)step * whole, 2);
            }
            (scale, length) = (step, (float)Math.Sqrt(Exactly.Dot(query, query)));
            fixedError = (float)Math.Sqrt(off) + Rounding * length;
        }

        public float[] Query { get; }

        /// <summary>Takes products of codes: similarity = sum · scale · this scale, give or take a bound.</summary>
        public void Take(int* sums, float* scales, float* errors, int count, long first, int* rows)
        {
            var i = 0;
            var floor = Vector256.Create(Volatile.Read(ref least));
            var (step, each, always) = (
                Vector256.Create(scale),
                Vector256.Create(length + fixedError),
                Vector256.Create(fixedError)
            );
            for (; i + 8 <= count; i += 8)
            {
                var product = Vector256.ConvertToSingle(Vector256.Load(sums + i)) * Vector256.Load(scales + i) * step;
                var bound = Vector256.Load(errors + i) * each + always;
                var near = Vector256.GreaterThanOrEqual(product + bound, floor).ExtractMostSignificantBits();
                if (near == 0)
                    continue;
                for (var lane = 0; lane < 8; lane++)
                    if ((near >> lane & 1) != 0)
                        Add(product[lane], bound[lane], first + (rows == null ? i + lane : rows[i + lane]));
                floor = Vector256.Create(Volatile.Read(ref least));
            }
            for (; i < count; i++)
                Add(
                    sums[i] * scales[i] * scale,
                    errors[i] * (length + fixedError) + fixedError,
                    first + (rows == null ? i : rows[i])
                );
        }

        /// <summary>Takes a row itself; false where it is not finite.</summary>
        public bool Take(long picture, ReadOnlySpan<float> row)
        {
            var similarity = Exactly.Cosine(Query, row);
            if (float.IsNaN(similarity))
                return false;
            Add(similarity, 0, picture, similarity);
            return true;
        }

        /// <summary>Those that may be among the nearest, the most likely first.</summary>
        public List<Candidate> Candidates()
        {
            candidates.RemoveAll(candidate => candidate.Upper < least);
            candidates.Sort(
                (a, b) => b.Upper.CompareTo(a.Upper) is not 0 and var order ? order : a.Picture.CompareTo(b.Picture)
            );
            return candidates;
        }

        private void Add(float product, float bound, long picture, float? exact = null)
        {
            if (product + bound < Volatile.Read(ref least))
                return;
            lock (guard)
            {
                candidates.Add(new(picture, product + bound, exact));
                var lower = product - bound;
                if (lowers.Count < kept)
                    lowers.Enqueue(lower, lower);
                else if (lower > lowers.Peek())
                    lowers.EnqueueDequeue(lower, lower);
                if (lowers.Count == kept)
                    Volatile.Write(ref least, lowers.Peek());
            }
        }
    }
}
