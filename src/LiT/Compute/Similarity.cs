using System.Numerics;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LiT.Compute;

/// <summary>Dot products of every row of one set with every row of another, a block of rows at a time.</summary>
internal static class Similarity
{
    private const int NumbersInBlock = 8 << 20; // 32 MB of similarities, however large the two sets are

    /// <summary>
    /// Called with one row's index and its similarities to all of the other set, in order of the index.
    /// </summary>
    public delegate void RowVisitor(int row, ReadOnlySpan<float> similarities);

    /// <param name="rows">N x E.</param>
    /// <param name="others">M x E.</param>
    /// <param name="visit">Sees N rows of M similarities.</param>
    public static void EachRow(Embeddings rows, Embeddings others, RowVisitor visit)
    {
        if (rows.Size != others.Size)
            throw new LitException(
                $"Embeddings of {rows.Size} numbers cannot be compared with embeddings of "
                    + $"{others.Size}: both must come from one model."
            );
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var columns = others.ToTensor();
        var block = Math.Clamp(NumbersInBlock / Math.Max(1, others.Count), 1, Math.Max(1, rows.Count));
        for (var first = 0; first < rows.Count; first += block)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(block, rows.Count - first);
            // Equal similarities are counted as such, so the number of threads must not change a bit of them.
            var products = empty(count, others.Count);
            Products.Write(products, rows.ToTensor(first, count), columns);
            var numbers = MemoryMarshal.Cast<byte, float>(products.bytes);
            for (var i = 0; i < count; i++)
                visit(first + i, numbers.Slice(i * others.Count, others.Count));
        }
    }

    /// <summary>
    /// How many entries come before <paramref name="index"/> when the row is sorted from most to least similar and
    /// equal ones keep their order (a stable sort, as the reference breaks ties).
    /// </summary>
    public static int RankOf(ReadOnlySpan<float> similarities, int index)
    {
        var (greater, equal) = Count(similarities, similarities[index]);
        return equal == 1 ? greater : greater + Count(similarities[..index], similarities[index]).Equal;
    }

    /// <summary>How many entries are greater than a value, and how many equal it.</summary>
    public static (int Greater, int Equal) Count(ReadOnlySpan<float> similarities, float value)
    {
        int greater = 0,
            equal = 0,
            at = 0;
        if (Vector.IsHardwareAccelerated)
        {
            var limit = new Vector<float>(value);
            Vector<int> above = Vector<int>.Zero,
                same = Vector<int>.Zero; // a comparison that holds is -1
            for (; at <= similarities.Length - Vector<float>.Count; at += Vector<float>.Count)
            {
                var some = new Vector<float>(similarities[at..]);
                above -= Vector.GreaterThan(some, limit);
                same -= Vector.Equals(some, limit);
            }
            (greater, equal) = (Vector.Sum(above), Vector.Sum(same));
        }
        for (; at < similarities.Length; at++)
        {
            if (similarities[at] > value)
                greater++;
            else if (similarities[at] == value)
                equal++;
        }
        return (greater, equal);
    }

    /// <summary>The best entry; of equal ones the lowest index.</summary>
    public static int ArgMax(ReadOnlySpan<float> similarities)
    {
        var best = 0;
        for (var j = 1; j < similarities.Length; j++)
            if (similarities[j] > similarities[best])
                best = j;
        return best;
    }

    /// <summary>The indices of the best entries, best first; of equal ones the lower index comes first.</summary>
    /// <param name="similarities">A row.</param>
    /// <param name="best">Receives as many indices as it has room for; the row has at least so many entries.</param>
    public static void Best(ReadOnlySpan<float> similarities, Span<int> best)
    {
        var found = 0;
        for (var j = 0; j < similarities.Length; j++)
        {
            if (found == best.Length && !(similarities[j] > similarities[best[^1]]))
                continue;
            var place = found < best.Length ? found++ : found - 1;
            for (; place > 0 && similarities[j] > similarities[best[place - 1]]; place--)
                best[place] = best[place - 1];
            best[place] = j;
        }
    }
}
