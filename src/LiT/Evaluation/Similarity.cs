using static TorchSharp.torch;

namespace LiT.Evaluation;

/// <summary>Dot products of every row of one set with every row of another, a block of rows at a time.</summary>
internal static class Similarity
{
    private const int NumbersInBlock = 8 << 20;      // 32 MB of similarities, however large the two sets are

    /// <summary>Called with one row's index and its similarities to all of the other set, in order of the index.</summary>
    public delegate void RowVisitor(int row, ReadOnlySpan<float> similarities);

    /// <param name="rows">N x E.</param>
    /// <param name="others">M x E.</param>
    /// <param name="visit">Sees N rows of M similarities.</param>
    public static void EachRow(Embeddings rows, Embeddings others, RowVisitor visit)
    {
        if (rows.Size != others.Size)
            throw new LitException($"Embeddings of {rows.Size} numbers cannot be compared with embeddings of {others.Size}: both must come from one model.");
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var columns = others.ToTensor().t();
        var buffer = Array.Empty<float>();
        var block = Math.Clamp(NumbersInBlock / Math.Max(1, others.Count), 1, Math.Max(1, rows.Count));
        for (var first = 0; first < rows.Count; first += block)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(block, rows.Count - first);
            var products = rows.ToTensor(first, count).matmul(columns);
            if (buffer.Length < count * others.Count) buffer = new float[count * others.Count];
            products.data<float>().CopyTo(buffer.AsSpan());
            for (var i = 0; i < count; i++) visit(first + i, buffer.AsSpan(i * others.Count, others.Count));
        }
    }

    /// <summary>
    /// How many entries come before <paramref name="index"/> when the row is sorted from most to least similar and
    /// equal ones keep their order (a stable sort, as the reference breaks ties).
    /// </summary>
    public static int RankOf(ReadOnlySpan<float> similarities, int index)
    {
        var own = similarities[index];
        var rank = 0;
        for (var j = 0; j < index; j++) if (similarities[j] >= own) rank++;
        for (var j = index + 1; j < similarities.Length; j++) if (similarities[j] > own) rank++;
        return rank;
    }
}
