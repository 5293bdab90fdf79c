namespace LiT.Classification;

/// <summary>Similarities become probabilities.</summary>
internal static class Probabilities
{
    /// <summary>Softmax over exp(t) · zimg · ztxt, or a sigmoid for each where there is a bias.</summary>
    /// <param name="zimg">One image's embedding of unit length.</param>
    /// <param name="ztxt">Embeddings of unit length, one a text.</param>
    /// <param name="temperature">exp(t).</param>
    /// <param name="bias">b of the sigmoid loss, or null for softmax.</param>
    public static double[] Of(ReadOnlySpan<float> zimg, Embeddings ztxt, double temperature, double? bias = null)
    {
        var similarities = new double[ztxt.Count];
        for (var i = 0; i < similarities.Length; i++)
        {
            var row = ztxt[i];
            for (var j = 0; j < row.Length; j++)
                similarities[i] += (double)zimg[j] * row[j];
        }
        return Of(similarities, temperature, bias);
    }

    /// <summary>The same from similarities.</summary>
    public static double[] Of(IReadOnlyList<double> similarities, double temperature, double? bias = null)
    {
        if (bias is { } b)
            return [.. similarities.Select(similarity => 1 / (1 + Math.Exp(-(temperature * similarity + b))))];
        if (similarities.Count == 0)
            return [];
        var largest = similarities.Max();
        var exponentials = similarities.Select(similarity => Math.Exp(temperature * (similarity - largest))).ToArray();
        var total = exponentials.Sum();
        return [.. exponentials.Select(exponential => exponential / total)];
    }
}
