using System.Runtime.Intrinsics;
using LiT.Stores;

namespace LiT.Search;

/// <summary>A picture that may be among the nearest.</summary>
/// <param name="Picture">Its number.</param>
/// <param name="Upper">It is no more similar than this.</param>
/// <param name="Exact">Its similarity, where its row was looked at.</param>
internal readonly record struct Candidate(long Picture, float Upper, float? Exact);

/// <summary>
/// A query in whole numbers: query ≈ step · numbers, and what is lost by it. A product of codes is then the
/// similarity, give or take row error · <paramref name="Each"/> + <paramref name="Always"/>.
/// </summary>
/// <param name="Step">What a sum of products counts.</param>
/// <param name="Each">What a row's own error counts.</param>
/// <param name="Always">Of the query's own rounding.</param>
internal readonly record struct Rounded(float Step, float Each, float Always)
{
    // What float32 arithmetic may add to a product of codes, lengths being 1.
    private const float Arithmetic = 3e-6f;

    /// <summary>In 16 bits.</summary>
    public static Rounded Of(ReadOnlySpan<float> query, Span<short> numbers)
    {
        var (most, sum) = Sizes(query);
        // Sums of products with codes of up to 127 stay below 2^31.
        var step = Math.Max(most / short.MaxValue, sum * 127 / 2.1e9f);
        var off = 0.0;
        for (var k = 0; k < query.Length; k++)
        {
            numbers[k] = (short)(step > 0 ? MathF.Round(query[k] / step) : 0);
            off += Math.Pow(query[k] - (double)step * numbers[k], 2);
        }
        return Of(query, step, off);
    }

    /// <summary>In 8 bits.</summary>
    public static Rounded Of(ReadOnlySpan<float> query, Span<sbyte> numbers)
    {
        var step = Sizes(query).Most / sbyte.MaxValue;
        var off = 0.0;
        for (var k = 0; k < query.Length; k++)
        {
            numbers[k] = (sbyte)(step > 0 ? Math.Clamp(MathF.Round(query[k] / step), -127, 127) : 0);
            off += Math.Pow(query[k] - (double)step * numbers[k], 2);
        }
        return Of(query, step, off);
    }

    private static (float Most, float Sum) Sizes(ReadOnlySpan<float> query)
    {
        var (most, sum) = (0f, 0f);
        foreach (var number in query)
            (most, sum) = (Math.Max(most, Math.Abs(number)), sum + Math.Abs(number));
        return (most, sum);
    }

    private static Rounded Of(ReadOnlySpan<float> query, float step, double off)
    {
        var length = (float)Math.Sqrt(Exactly.Dot(query, query));
        var always = (float)Math.Sqrt(off) + Arithmetic * length;
        return new(step, length + always, always);
    }
}

/// <summary>One query while it passes over the rows, told by many threads.</summary>
/// <param name="query">Of unit length.</param>
/// <param name="kept">How many are looked for.</param>
internal sealed unsafe class AskedQuery(float[] query, int kept)
{
    private readonly Lock guard = new();
    private readonly PriorityQueue<float, float> lowers = new(); // the best lower bounds so far
    private List<Candidate> candidates = [];
    private float least = float.NegativeInfinity; // so many are at least this similar

    public float[] Query => query;

    /// <summary>Below this nothing can be among the nearest; it only grows.</summary>
    public float Least => Volatile.Read(ref least);

    /// <summary>Takes products of codes.</summary>
    /// <param name="rounded">How the query was rounded.</param>
    /// <param name="sums">Of the rows.</param>
    /// <param name="scales">Theirs.</param>
    /// <param name="errors">Theirs.</param>
    /// <param name="count">Rows.</param>
    /// <param name="first">The first picture, or the one that <paramref name="rows"/> are counted from.</param>
    /// <param name="rows">Which rows; null for one after the other.</param>
    public void Take(Rounded rounded, int* sums, float* scales, float* errors, int count, long first, int* rows)
    {
        var i = 0;
        var floor = Vector256.Create(Least);
        var (step, each, always) = (
            Vector256.Create(rounded.Step),
            Vector256.Create(rounded.Each),
            Vector256.Create(rounded.Always)
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
            floor = Vector256.Create(Least);
        }
        for (; i < count; i++)
            Add(
                sums[i] * scales[i] * rounded.Step,
                errors[i] * rounded.Each + rounded.Always,
                first + (rows == null ? i : rows[i])
            );
    }

    /// <summary>Takes a row itself; false where it is not finite.</summary>
    public bool Take(long picture, ReadOnlySpan<float> row)
    {
        var similarity = Exactly.Cosine(query, row);
        if (float.IsNaN(similarity))
            return false;
        Add(similarity, 0, picture, similarity);
        return true;
    }

    /// <summary>Takes a picture whose similarity is the product, give or take the bound.</summary>
    public void Add(float product, float bound, long picture, float? exact = null)
    {
        if (product + bound < Least)
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

    /// <summary>Those that may be among the nearest, the most likely first.</summary>
    public List<Candidate> Candidates()
    {
        candidates.RemoveAll(candidate => candidate.Upper < least);
        candidates.Sort(
            (a, b) => b.Upper.CompareTo(a.Upper) is not 0 and var order ? order : a.Picture.CompareTo(b.Picture)
        );
        return candidates;
    }

    /// <summary>Begins again, for closer bounds of those that are given back here; what is exact stays.</summary>
    public List<long> Again()
    {
        var before = Candidates();
        (candidates, least) = ([], float.NegativeInfinity);
        lowers.Clear();
        foreach (var known in before)
            if (known.Exact is { } exact)
                Add(exact, 0, known.Picture, exact);
        return [.. before.Where(one => one.Exact is null).Select(one => one.Picture).Order()];
    }
}
