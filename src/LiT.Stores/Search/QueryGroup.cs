using System.Runtime.Intrinsics;
using LiT.Compute;
using LiT.Compute.Kernels;
using LiT.Stores;

namespace LiT.Search;

/// <summary>Queries that pass over the rows together.</summary>
internal sealed unsafe class QueryGroup
{
    private const int RowsAtOnce = 256,
        DecidedAtOnce = 64,
        Lanes = 8;

    // From so many queries on, and where so few are looked for that wider bounds cost less than they save.
    private const int FewestInBytes = 8,
        MostKeptInBytes = 512;

    private readonly Collection collection;
    private readonly int kept,
        width;
    private readonly bool withCodes;
    private readonly Bits? allowed;
    private readonly AskedQuery[] asked;
    private readonly Rounded[] rounded;
    private readonly short[] numbers;

    /// <param name="collection">What is searched.</param>
    /// <param name="queries">Queries of unit length.</param>
    /// <param name="first">The first of them.</param>
    /// <param name="count">How many of them.</param>
    /// <param name="kept">How many are looked for.</param>
    /// <param name="allowed">A bit a picture; null allows all.</param>
    /// <param name="withCodes">Whether codes are used where there are any.</param>
    public QueryGroup(
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
        asked = [.. Enumerable.Range(first, count).Select(i => new AskedQuery(queries[i].ToArray(), kept))];
        rounded = [.. asked.Select((one, i) => Rounded.Of(one.Query, numbers.AsSpan(i * width, collection.Size)))];
    }

    /// <summary>Passes over every row that is allowed.</summary>
    public void Scan(IProgress<ProgressStep>? progress, CancellationToken cancel)
    {
        List<(CollectionPart Part, int Block)> blocks =
        [
            .. collection.Parts.SelectMany(part =>
                Enumerable.Range(0, (part.Count + CodeFile.Block - 1) / CodeFile.Block).Select(block => (part, block))
            ),
        ];
        using var bytes = InBytes();
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
                if (!withCodes || part.Codes is not { } codes)
                    ScanRows(part, rows ?? [.. Enumerable.Range(from, end - from)]);
                else if (rows is null)
                    ScanCodes(part, codes, from, end, bytes);
                else
                    ScanCodes(part, codes, rows);
            var sofar = Interlocked.Add(ref done, end - from);
            if (part.Codes is null)
                progress?.Report(new("searching", sofar, collection.Pictures, "pictures"));
        });
        if (bytes is not null)
            Parts.Run(asked.Length, Closer);
    }

    /// <summary>Passes over some rows of a segment.</summary>
    public void ScanSome(CollectionPart part, int[] rows)
    {
        if (withCodes && part.Codes is { } codes)
            ScanCodes(part, codes, rows);
        else
            ScanRows(part, rows);
    }

    // One row after the other: every block of the file is whole.
    private void ScanCodes(CollectionPart part, CodeFile codes, int from, int end, ByteGroup? bytes)
    {
        codes.Verify(from / CodeFile.Block);
        if (bytes is not null)
        {
            bytes.Take(asked, codes, from, end - from, part.First + from);
            return;
        }
        var large = new int[RowsAtOnce * asked.Length];
        fixed (int* sums = large)
        fixed (short* queries = numbers)
            for (var at = from; at < end; at += RowsAtOnce)
            {
                var count = Math.Min(RowsAtOnce, end - at);
                CodeSums.Of(codes.Codes + (long)at * width, width, null, count, queries, asked.Length, sums);
                for (var query = 0; query < asked.Length; query++)
                    asked[query]
                        .Take(
                            rounded[query],
                            sums + query * count,
                            codes.Scales + at,
                            codes.Errors + at,
                            count,
                            part.First + at,
                            null
                        );
            }
    }

    private void ScanCodes(CollectionPart part, CodeFile codes, int[] rows)
    {
        var large = new int[RowsAtOnce * asked.Length];
        fixed (int* sums = large)
            for (var at = 0; at < rows.Length; at += RowsAtOnce)
                Some(part, codes, rows.AsSpan(at, Math.Min(RowsAtOnce, rows.Length - at)), sums, 0, asked.Length);
    }

    // Some queries beside at most RowsAtOnce rows.
    private void Some(CollectionPart part, CodeFile codes, Span<int> rows, int* sums, int first, int queryCount)
    {
        float* scales = stackalloc float[RowsAtOnce],
            errors = stackalloc float[RowsAtOnce];
        for (var i = 0; i < rows.Length; i++)
        {
            codes.Verify(rows[i] / CodeFile.Block);
            (scales[i], errors[i]) = (codes.Scales[rows[i]], codes.Errors[rows[i]]);
        }
        fixed (int* chosen = rows)
        fixed (short* queries = numbers)
        {
            var from = queries + (long)first * width;
            CodeSums.Of(codes.Codes, width, chosen, rows.Length, from, queryCount, sums);
            for (var query = 0; query < queryCount; query++)
                asked[first + query]
                    .Take(
                        rounded[first + query],
                        sums + query * rows.Length,
                        scales,
                        errors,
                        rows.Length,
                        part.First,
                        chosen
                    );
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

    private ByteGroup? InBytes() =>
        withCodes && asked.Length >= FewestInBytes && kept <= MostKeptInBytes && ByteQueries.AreFast
            ? new(asked, collection.Size, width)
            : null;

    // What bytes leave is looked at in 16 bits, before rows are read.
    private void Closer(int query)
    {
        var pictures = asked[query].Again();
        var sums = stackalloc int[RowsAtOnce];
        Span<int> rows = stackalloc int[RowsAtOnce];
        for (var i = 0; i < pictures.Count; )
        {
            var (part, _) = collection[pictures[i]];
            var count = 0;
            for (; count < rows.Length && i < pictures.Count && pictures[i] < part.First + part.Count; i++)
                rows[count++] = (int)(pictures[i] - part.First);
            Some(part, part.Codes!, rows[..count], sums, query, 1);
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

    private List<Neighbour> Exact(AskedQuery one, List<Candidate> some)
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

    /// <summary>The queries in bytes, several beside each row.</summary>
    private sealed class ByteGroup : IDisposable
    {
        private readonly ByteQueries queries;
        private readonly float[] steps,
            each,
            always;

        public ByteGroup(AskedQuery[] asked, int size, int width)
        {
            var padded = (asked.Length + 2 * Lanes - 1) / (2 * Lanes) * (2 * Lanes);
            var numbers = new sbyte[padded * width];
            (steps, each, always) = (new float[padded], new float[padded], new float[padded]);
            for (var i = 0; i < asked.Length; i++)
                (steps[i], each[i], always[i]) = Rounded.Of(asked[i].Query, numbers.AsSpan(i * width, size));
            queries = new(numbers, width);
        }

        public void Take(AskedQuery[] asked, CodeFile codes, int from, int count, long picture) =>
            queries.Sums(codes.Codes + (long)from * codes.Width, count, (first, rows, sums) =>
            {
                var at = from + first;
                Near(asked, (float*)sums, codes.Scales + at, codes.Errors + at, rows, picture + first);
            });

        // Padding stands for queries that nothing is near.
        private void Near(AskedQuery[] asked, float* sums, float* scales, float* errors, int rows, long picture)
        {
            var padded = steps.Length;
            Span<float> floors = stackalloc float[padded];
            floors.Fill(float.PositiveInfinity);
            for (var query = 0; query < asked.Length; query++)
                floors[query] = asked[query].Least;
            for (var row = 0; row < rows; row++)
            {
                var (scale, error) = (Vector256.Create(scales[row]), Vector256.Create(errors[row]));
                for (var query = 0; query < padded; query += Lanes)
                {
                    var product = Vector256.Load(sums + (long)row * padded + query) * scale * Of(steps, query);
                    var bound = error * Of(each, query) + Of(always, query);
                    var floor = Vector256.Create((ReadOnlySpan<float>)floors[query..]);
                    var near = Vector256.GreaterThanOrEqual(product + bound, floor).ExtractMostSignificantBits();
                    for (; near != 0; near &= near - 1)
                    {
                        var lane = System.Numerics.BitOperations.TrailingZeroCount(near);
                        asked[query + lane].Add(product[lane], bound[lane], picture + row);
                        floors[query + lane] = asked[query + lane].Least;
                    }
                }
            }
        }

        private static Vector256<float> Of(float[] all, int at) => Vector256.LoadUnsafe(ref all[at]);

        public void Dispose() => queries.Dispose();
    }
}
