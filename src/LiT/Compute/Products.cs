using static TorchSharp.torch;

namespace LiT.Compute;

// Shapes: R rows, I inputs, O outputs.

/// <summary>
/// Matrix products of float32 with numbers that change from step to step, and the one place that decides who computes
/// them. The rule was measured with one thread on both kinds of processor, on the products of text towers of 128 to 768
/// numbers and of the loss:
/// <list type="bullet">
/// <item>On AVX2, libtorch's own product (MKL): as fast as oneDNN's where the number of rows stays the same, and up to
/// three times as fast where it changes with every batch, since oneDNN makes a kernel for each number of rows.</item>
/// <item>On AVX-512, oneDNN's, from 8 million multiplications on: MKL has no AVX-512 for processors that it does not
/// favour, and oneDNN's product takes half the time where vectors of 512 bits run at full speed, and no more where they
/// do not. Rows are filled up to a multiple of sixteen, so that a handful of kernels serves every batch.</item>
/// </list>
/// Constant weights of locked towers, whose rows stay, are oneDNN's on both, see <see cref="Constant"/>.
/// It looks at the processor and at the sizes, never at a clock: two runs of a program on one machine choose alike.
/// Safe for use from several threads.
/// </summary>
internal static class Products
{
    // Below so many multiplications a call through TorchScript costs more than it saves.
    private const long WorthCalling = 1 << 23;

    // One thread takes so many rows of a product that several share.
    private const long PieceRows = 128;

    /// <summary>Whether oneDNN computes x · weightᵀ, for a weight as it lies in memory.</summary>
    /// <param name="x">[.., I].</param>
    /// <param name="outputs">O.</param>
    public static bool AreOneDnns(Tensor x, long outputs) =>
        Processor.Isa == Isa.Avx512 && OneDnn.Takes(x) && !Autocast.IsOn && x.numel() * outputs >= WorthCalling;

    /// <summary>
    /// A constant weight as oneDNN multiplies by it fastest: laid out anew, but on AVX2 as it lies. For float32 there,
    /// oneDNN multiplies by its own layout up to a third more slowly than it lays a weight out in every call.
    /// </summary>
    /// <param name="weight">[O, I].</param>
    public static Tensor Constant(Tensor weight) => Processor.Isa == Isa.Avx2 ? weight.detach() : OneDnn.Pack(weight);

    /// <summary>
    /// to = a · bᵀ, cut at fixed places: the number of threads changes no bit. On other devices as the device does it.
    /// </summary>
    /// <param name="to">[R, O], contiguous; what it held is lost.</param>
    /// <param name="a">[R, I].</param>
    /// <param name="b">[O, I].</param>
    public static void Write(Tensor to, Tensor a, Tensor b) => InPieces(to, a, (part, rows) =>
        {
            if (AreOneDnns(rows, b.shape[0]))
                part.copy_(OneDnn.Linear(rows, b, null));
            else
                part.addmm_(rows, b.t(), beta: 0, alpha: 1);
        });

    /// <summary>sum += a · b, cut at fixed places: the number of threads changes no bit.</summary>
    /// <param name="sum">[R, O], contiguous.</param>
    /// <param name="a">[R, I].</param>
    /// <param name="b">[I, O].</param>
    public static void Add(Tensor sum, Tensor a, Tensor b) => InPieces(sum, a, (part, rows) =>
        {
            if (AreOneDnns(rows, b.shape[1]))
                part.PlusInPlace(OneDnn.Linear(rows, b.t(), null));
            else
                part.addmm_(rows, b, beta: 1, alpha: 1);
        });

    private static void InPieces(Tensor to, Tensor a, Action<Tensor, Tensor> product)
    {
        if (to.device_type != TorchSharp.DeviceType.CPU)
        {
            product(to, a);
            return;
        }
        Parts.For(to.shape[0], PieceRows, (from, end) =>
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            product(to.narrow(0, from, end - from), a.narrow(0, from, end - from));
        });
    }
}
