using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace LiT;

/// <summary>
/// N embeddings of E numbers each as plain floats, row by row. What the towers give the rest of the product.
/// </summary>
internal sealed class Embeddings
{
    /// <param name="values">N x E numbers, row by row; kept, not copied.</param>
    /// <param name="size">E, the length of one row.</param>
    /// <exception cref="ArgumentException">The values are no whole number of rows.</exception>
    public Embeddings(float[] values, int size)
    {
        if (size <= 0 || values.Length % size != 0)
            throw new ArgumentException($"{values.Length} numbers are no whole rows of {size}.", nameof(values));
        (Values, Size, Count) = (values, size, values.Length / size);
    }

    /// <summary>All numbers, row by row.</summary>
    public float[] Values { get; }

    /// <summary>E, the length of one embedding.</summary>
    public int Size { get; }

    /// <summary>N, the number of embeddings.</summary>
    public int Count { get; }

    /// <summary>One embedding.</summary>
    public ReadOnlySpan<float> this[int row] => Values.AsSpan(row * Size, Size);

    /// <summary>The rows as a fresh float32 tensor on the CPU, [N, E].</summary>
    public Tensor ToTensor() => ToTensor(0, Count);

    /// <summary>Some rows as a fresh float32 tensor on the CPU, [count, E].</summary>
    public Tensor ToTensor(int first, int count)
    {
        // A tensor over a managed array lies wherever the array lies, and products round by alignment: a copy of
        // torch's own gives the same bits in every run.
        using var managed = tensor(Values.AsSpan(first * Size, count * Size).ToArray(), count, Size);
        return managed.clone();
    }

    /// <summary>The same directions at unit length; a row of zeros stays one.</summary>
    public Embeddings ToUnit()
    {
        var unit = new float[Values.Length];
        for (var i = 0; i < Count; i++)
        {
            var length = TensorPrimitives.Norm(this[i]);
            TensorPrimitives.Divide(this[i], length > 0 ? length : 1, unit.AsSpan(i * Size, Size));
        }
        return new(unit, Size);
    }

    /// <summary>The rows chosen, in the order given.</summary>
    public Embeddings Select(IReadOnlyList<int> rows)
    {
        var chosen = new float[rows.Count * Size];
        for (var i = 0; i < rows.Count; i++)
            this[rows[i]].CopyTo(chosen.AsSpan(i * Size, Size));
        return new(chosen, Size);
    }
}
