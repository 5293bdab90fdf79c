using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>
/// Sums of tensors that survive a garbage collection. TorchSharp 0.107 hands torch a pointer into a temporary
/// <see cref="Scalar"/> (the 1 of <c>a + b</c>, any number that becomes a scalar by itself) and does not keep it alive
/// until the call returns. When a collection falls into the call, torch reads freed memory: "Expected false to be true",
/// or another number. So scalars that stand in a training step or in a tower that is called often are kept here or by
/// <c>using</c>.
/// </summary>
internal static class Scalars
{
    /// <summary>1, for the life of the program.</summary>
    public static Scalar One { get; } = 1.ToScalar();

    /// <summary>a + b, as a fresh tensor.</summary>
    public static Tensor Plus(this Tensor a, Tensor b) => a.add(b, One);

    /// <summary>a += b.</summary>
    public static Tensor PlusInPlace(this Tensor a, Tensor b) => a.add_(b, One);
}
