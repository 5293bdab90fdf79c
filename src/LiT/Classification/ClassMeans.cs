using System.Numerics.Tensors;

namespace LiT.Classification;

/// <summary>
/// The embedding of a class: the mean of its prompts, brought to unit length (CLIP, section 3.1.4). A class whose
/// prompts are not of unit length is a taught word (<see cref="WordTeaching"/>) and keeps the length that it has.
/// </summary>
internal static class ClassMeans
{
    private const double Epsilon = 1e-8,
        NotUnit = 1e-2;

    /// <param name="prompts">Embeddings of unit length, one a prompt; those of taught words of their own.</param>
    /// <param name="classOf">The class of each prompt.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="rows">The prompts that count; null for all of them.</param>
    /// <returns>One embedding a class: mean / (1e-8 + length of the mean).</returns>
    /// <exception cref="LitException">A class has no prompt.</exception>
    public static Embeddings Of(
        Embeddings prompts,
        IReadOnlyList<int> classOf,
        int classes,
        IEnumerable<int>? rows = null
    )
    {
        var chosen = (rows ?? Enumerable.Range(0, prompts.Count)).ToArray();
        var size = prompts.Size;
        var means = new double[classes * (long)size];
        var counts = new int[classes];
        var taught = new bool[classes];
        foreach (var i in chosen)
        {
            counts[classOf[i]]++;
            taught[classOf[i]] |= Math.Abs(TensorPrimitives.Norm(prompts[i]) - 1) > NotUnit;
        }
        foreach (var i in chosen)
        {
            var row = prompts[i];
            var mean = means.AsSpan(classOf[i] * size, size);
            var count = counts[classOf[i]];
            for (var j = 0; j < row.Length; j++)
                mean[j] += (double)row[j] / count;
        }
        var values = new float[classes * size];
        for (var c = 0; c < classes; c++)
        {
            if (counts[c] == 0)
                throw new LitException($"Class {c} has no prompt. Give every class a name and at least one template.");
            var mean = means.AsSpan(c * size, size);
            var squares = 0.0;
            foreach (var value in mean)
                squares += value * value;
            var length = Epsilon + Math.Sqrt(squares);
            if (taught[c])
                length = 1;
            for (var j = 0; j < size; j++)
                values[c * size + j] = (float)(mean[j] / length);
        }
        return new(values, prompts.Size);
    }
}
