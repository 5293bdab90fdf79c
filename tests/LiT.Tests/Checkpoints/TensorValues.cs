using static TorchSharp.torch;

namespace LiT.Tests.Checkpoints;

/// <summary>Tensors as plain numbers, exactly.</summary>
internal static class TensorValues
{
    public static double[] Doubles(this Tensor tensor)
    {
        using var scope = NewDisposeScope();
        if (tensor.numel() == 0)
            return [];
        return tensor.to(ScalarType.Float64).contiguous().data<double>().ToArray();
    }

    /// <summary>Same type, same shape, same bits (so that NaN is NaN).</summary>
    public static void AssertSame(Tensor expected, Tensor actual, string name)
    {
        Assert.True(expected.dtype == actual.dtype, $"{name}: {actual.dtype}, expected {expected.dtype}.");
        Assert.True(
            expected.shape.SequenceEqual(actual.shape),
            $"{name}: [{string.Join(", ", actual.shape)}], expected [{string.Join(", ", expected.shape)}]."
        );
        using var scope = NewDisposeScope();
        Assert.True(expected.contiguous().bytes.SequenceEqual(actual.contiguous().bytes), $"{name}: other values.");
    }

    public static void AssertValues(Tensor actual, IReadOnlyList<long> shape, IReadOnlyList<double> values, string name)
    {
        Assert.True(
            shape.SequenceEqual(actual.shape),
            $"{name}: [{string.Join(", ", actual.shape)}], expected [{string.Join(", ", shape)}]."
        );
        Assert.True(values.SequenceEqual(actual.Doubles()), $"{name}: other values.");
    }
}
