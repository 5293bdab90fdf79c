using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Compute;

/// <summary>
/// Sums of tensors that survive a garbage collection. TorchSharp 0.107 hands torch a pointer into a temporary
/// <see cref="Scalar"/> (the 1 of <c>a + b</c>, any number that becomes a scalar by itself) and does not keep it alive
/// until the call returns. When a collection falls into the call, torch reads freed memory: "Expected false to be
/// true", or another number. So every scalar is kept here or by <c>using</c>; BannedSymbols.txt forbids what would make
/// one by itself.
/// </summary>
internal static class Scalars
{
    /// <summary>1, for the life of the program.</summary>
    public static Scalar One { get; } = 1.ToScalar();

    private static Scalar Zero { get; } = 0.ToScalar();

    private static Scalar Two { get; } = 2.ToScalar();

    /// <summary>
    /// Any operation of a tensor and a number: <c>x.With(1e-5, (x, least) => x.clamp_min(least))</c>.
    /// </summary>
    public static Tensor With(this Tensor a, double number, Func<Tensor, Scalar, Tensor> operation)
    {
        using var scalar = number.ToScalar();
        return operation(a, scalar);
    }

    /// <summary>The same with a whole number.</summary>
    public static Tensor With(this Tensor a, long number, Func<Tensor, Scalar, Tensor> operation)
    {
        using var scalar = number.ToScalar();
        return operation(a, scalar);
    }

    /// <summary>a², as a fresh tensor.</summary>
    public static Tensor Squared(this Tensor a) => a.pow(Two);

    /// <summary>a + b, as a fresh tensor.</summary>
    public static Tensor Plus(this Tensor a, Tensor b) => a.add(b, One);

    /// <summary>a += b.</summary>
    public static Tensor PlusInPlace(this Tensor a, Tensor b) => a.add_(b, One);

    /// <summary>a += times · b.</summary>
    public static Tensor PlusInPlace(this Tensor a, Tensor b, double times)
    {
        using var scalar = times.ToScalar();
        return a.add_(b, scalar);
    }

    /// <summary>a + b, as a fresh tensor.</summary>
    public static Tensor Plus(this Tensor a, double b)
    {
        using var scalar = b.ToScalar();
        return a.add(scalar, One);
    }

    /// <summary>a + b, as a fresh tensor; whole numbers stay whole.</summary>
    public static Tensor Plus(this Tensor a, long b)
    {
        using var scalar = b.ToScalar();
        return a.add(scalar, One);
    }

    /// <summary>a += b.</summary>
    public static Tensor PlusInPlace(this Tensor a, double b)
    {
        using var scalar = b.ToScalar();
        return a.add_(scalar, One);
    }

    /// <summary>a · b, as a fresh tensor.</summary>
    public static Tensor Times(this Tensor a, double b)
    {
        using var scalar = b.ToScalar();
        return a.mul(scalar);
    }

    /// <summary>a · b, as a fresh tensor; whole numbers stay whole.</summary>
    public static Tensor Times(this Tensor a, long b)
    {
        using var scalar = b.ToScalar();
        return a.mul(scalar);
    }

    /// <summary>a / b, as a fresh tensor.</summary>
    public static Tensor Over(this Tensor a, double b)
    {
        using var scalar = b.ToScalar();
        return a.div(scalar);
    }

    /// <summary>a *= b.</summary>
    public static Tensor TimesInPlace(this Tensor a, double b)
    {
        using var scalar = b.ToScalar();
        return a.mul_(scalar);
    }

    /// <summary>A new tensor of one value.</summary>
    public static Tensor Filled(long size, double value, ScalarType type, Device device) =>
        Filled([size], value, type, device);

    /// <summary>A new tensor of one value.</summary>
    public static Tensor Filled(ReadOnlySpan<long> shape, double value, ScalarType type, Device device)
    {
        using var scalar = value.ToScalar();
        return full(shape, scalar, type, device);
    }

    /// <summary>0 … count - 1.</summary>
    public static Tensor Numbers(long count, ScalarType type, Device device)
    {
        using var stop = count.ToScalar();
        return arange(Zero, stop, One, type, device);
    }
}
