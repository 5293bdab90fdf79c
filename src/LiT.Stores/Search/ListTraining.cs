using System.Runtime.Intrinsics;
using LiT.Compute;
using LiT.Compute.Kernels;
using LiT.Stores;

namespace LiT.Search;

/// <summary>
/// The list that each row is nearest to, by codes of both in whole numbers: every processor, and any number of threads,
/// gives the same.
/// </summary>
internal sealed unsafe class ListAssignment : IDisposable
{
    private const int RowsAtOnce = 16;
    private readonly float[] steps;
    private readonly short[] numbers;
    private readonly ByteQueries? bytes;
    private readonly int width,
        count;

    /// <param name="centres">[count, size].</param>
    /// <param name="size">Numbers in a row.</param>
    public ListAssignment(ReadOnlySpan<float> centres, int size)
    {
        (width, count) = ((size + CodeSums.Step - 1) / CodeSums.Step * CodeSums.Step, centres.Length / size);
        var padded = (count + 15) / 16 * 16;
        var codes = new sbyte[padded * width];
        steps = new float[padded];
        for (var list = 0; list < count; list++)
            steps[list] = Rounded.Of(centres.Slice(list * size, size), codes.AsSpan(list * width, size)).Step;
        numbers = GC.AllocateUninitializedArray<short>(codes.Length, pinned: true);
        for (var i = 0; i < codes.Length; i++)
            numbers[i] = codes[i];
        if (ByteQueries.AreFast && width <= ByteQueries.LargestExact)
            bytes = new(codes, width);
    }

    /// <param name="codes">Rows, one after the other.</param>
    /// <param name="lists">Receives each row's list.</param>
    /// <param name="near">Receives how near, in what a code counts.</param>
    public void Of(sbyte* codes, Span<int> lists, Span<float> near)
    {
        fixed (int* list = lists)
        fixed (float* product = near)
        {
            var (to, how) = ((nint)list, (nint)product);
            if (bytes is not null)
                bytes.Sums(codes, lists.Length, (first, rows, sums) =>
                {
                    for (var row = 0; row < rows; row++)
                        (((int*)to)[first + row], ((float*)how)[first + row]) = Nearest(
                            new((float*)sums + (long)row * steps.Length, count)
                        );
                });
            else
                InPairs(codes, lists.Length, list, product);
        }
    }

    public void Dispose() => bytes?.Dispose();

    private void InPairs(sbyte* codes, int rows, int* list, float* product)
    {
        var sums = new int[RowsAtOnce * count];
        var own = new float[count];
        fixed (int* to = sums)
        fixed (short* queries = numbers)
            for (var first = 0; first < rows; first += RowsAtOnce)
            {
                var some = Math.Min(RowsAtOnce, rows - first);
                CodeSums.Of(codes + (long)first * width, width, null, some, queries, count, to);
                for (var row = 0; row < some; row++)
                {
                    for (var i = 0; i < count; i++)
                        own[i] = to[i * some + row];
                    (list[first + row], product[first + row]) = Nearest(own);
                }
            }
    }

    // The first of equally near ones.
    private (int List, float Near) Nearest(ReadOnlySpan<float> sums)
    {
        var (best, near, i) = (0, float.NegativeInfinity, 0);
        for (; i + 8 <= count; i += 8)
        {
            var product = Vector256.Create(sums[i..]) * Vector256.Create((ReadOnlySpan<float>)steps.AsSpan(i));
            if (Vector256.GreaterThanAny(product, Vector256.Create(near)))
                for (var lane = 0; lane < 8; lane++)
                    if (product[lane] > near)
                        (best, near) = (i + lane, product[lane]);
        }
        for (; i < count; i++)
            if (sums[i] * steps[i] is var product && product > near)
                (best, near) = (i, product);
        return (best, near);
    }
}

/// <summary>
/// k-means of a sample of a store's own rows, by their directions (Dhillon and Modha 2001, "Concept decompositions"):
/// the same for one seed, whatever processor and however many threads.
/// </summary>
internal sealed unsafe class ListTraining
{
    private const int RowsAList = 48,
        Rounds = 8;
    private readonly Collection collection;
    private readonly int width;
    private readonly sbyte[] codes; // of the sample
    private readonly float[] scales;

    private ListTraining(Collection collection, long[] sample)
    {
        this.collection = collection;
        width = collection.Parts[0].Codes!.Width;
        (codes, scales) = (GC.AllocateUninitializedArray<sbyte>(sample.Length * width, true), new float[sample.Length]);
        for (var i = 0; i < sample.Length; i++)
        {
            var (part, row) = collection[sample[i]];
            part.Codes!.Verify(row / CodeFile.Block);
            new ReadOnlySpan<sbyte>(part.Codes.Codes + (long)row * width, width).CopyTo(codes.AsSpan(i * width));
            scales[i] = part.Codes.Scales[row];
        }
    }

    /// <summary>About as many lists as there are pictures in one: what is compared with centres and with rows is then
    /// equally much.</summary>
    public static int ListsOf(long pictures) => (int)Math.Clamp((long)Math.Sqrt(pictures) / 16 * 16, 16, 1 << 16);

    /// <param name="collection">Every segment has codes.</param>
    /// <param name="lists">How many centres.</param>
    /// <param name="seed">Chooses the sample and the first centres.</param>
    /// <param name="progress">Told after every round.</param>
    /// <param name="cancel">Stops between two rounds.</param>
    public static Centres Train(
        Collection collection,
        int lists,
        int seed,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        lists = (int)Math.Min(lists, collection.Pictures);
        var state = (ulong)seed;
        var sample = Sample(collection.Pictures, (long)lists * RowsAList, ref state);
        ListTraining training = new(collection, sample);
        var centres = training.First(lists, ref state);
        for (var round = 0; round < Rounds; round++)
        {
            cancel.ThrowIfCancellationRequested();
            centres = training.Round(centres);
            progress?.Report(new("lists", round + 1, Rounds, "rounds"));
        }
        return new(centres, collection.Size, seed, collection.Pictures);
    }

    // One of every so many pictures, somewhere among them.
    private static long[] Sample(long pictures, long wanted, ref ulong state)
    {
        var count = Math.Min(pictures, wanted);
        var sample = new long[count];
        for (var i = 0L; i < count; i++)
        {
            var (from, end) = ((long)((Int128)pictures * i / count), (long)((Int128)pictures * (i + 1) / count));
            sample[i] = from + (long)(SplitMix64.Next(ref state) % (ulong)(end - from));
        }
        return sample;
    }

    private float[] First(int lists, ref ulong state)
    {
        int[] rows = [.. Enumerable.Range(0, scales.Length)];
        var centres = new float[lists * collection.Size];
        for (var list = 0; list < lists; list++)
        {
            var at = list + (int)(SplitMix64.Next(ref state) % (ulong)(rows.Length - list));
            (rows[list], rows[at]) = (rows[at], rows[list]);
            Put([rows[list]], centres.AsSpan(list * collection.Size, collection.Size));
        }
        return centres;
    }

    private float[] Round(float[] before)
    {
        var size = collection.Size;
        var (own, near) = (new int[scales.Length], new float[scales.Length]);
        using (ListAssignment assignment = new(before, size))
            Parts.For(scales.Length, CodeFile.Block, (from, end) =>
            {
                var (at, count) = ((int)from, (int)(end - from));
                fixed (sbyte* rows = codes)
                    assignment.Of(rows + from * width, own.AsSpan(at, count), near.AsSpan(at, count));
            });
        var lists = before.Length / size;
        List<int>[] members = [.. Enumerable.Range(0, lists).Select(_ => new List<int>())];
        for (var row = 0; row < own.Length; row++)
            members[own[row]].Add(row);
        FillEmpty(members, own, near);
        var centres = new float[before.Length];
        Parts.For(lists, 16, (from, end) =>
        {
            for (var list = (int)from; list < end; list++)
                Put(members[list], centres.AsSpan(list * size, size));
        });
        return centres;
    }

    // A list of none takes the row that fits worst where it is, of those that are left.
    private void FillEmpty(List<int>[] members, int[] own, float[] near)
    {
        var empty = Enumerable.Range(0, members.Length).Where(list => members[list].Count == 0).ToArray();
        if (empty.Length == 0)
            return;
        var worst = Enumerable.Range(0, own.Length).OrderBy(row => near[row] * scales[row]).ThenBy(row => row);
        foreach (var (list, row) in empty.Zip(worst.Where(row => members[own[row]].Count > 1)))
        {
            members[own[row]].Remove(row);
            members[list].Add(row);
        }
    }

    // Their sum, made as long as 1.
    private void Put(List<int> rows, Span<float> centre)
    {
        var sum = new double[centre.Length];
        foreach (var row in rows)
            for (var k = 0; k < sum.Length; k++)
                sum[k] += (double)scales[row] * codes[(long)row * width + k];
        var square = 0.0;
        foreach (var number in sum)
            square += number * number;
        for (var k = 0; k < sum.Length; k++)
            centre[k] = square > 0 ? (float)(sum[k] / Math.Sqrt(square)) : 0;
    }
}
