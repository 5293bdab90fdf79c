using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>
/// An exponential average, new = (1 - b) · x + b · m, whose memory may be bfloat16. Then JAX turns the constant b into
/// a bfloat16 too (0.9 becomes 0.8984375) and rounds the product b · m before it is added; the sum is used in float32.
/// </summary>
/// <param name="New">Weight of the new value.</param>
/// <param name="Old">Weight of the memory, already of the memory's precision.</param>
/// <param name="Half">The memory is bfloat16.</param>
internal readonly record struct MomentumMixing(float New, float Old, bool Half)
{
    internal static MomentumMixing Of(double momentum, bool half) =>
        new((float)(1 - momentum), half ? Rounded((float)momentum) : (float)momentum, half);

    /// <summary>The new average. A product with a bfloat16 tensor is a bfloat16 tensor.</summary>
    internal Tensor Mix(Tensor memory, Tensor value) => value.Times(New).PlusInPlace(memory.Times(Old));

    private static float Rounded(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
    }
}
