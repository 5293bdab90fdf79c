using LiT.Compute;
using LiT.Compute.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// A dense layer, [.., inputs] → [.., outputs]. In a locked tower that computes in float32 on the CPU its weight is laid out once for
/// oneDNN; the results differ from the unlocked layer's in the last digits only. In an int8 tower the product is one of bytes.
/// </summary>
internal sealed class Dense : Module<Tensor, Tensor>, IFoldable
{
    private readonly FoldedWeights packed = new();
    private bool awaitsBytes;
    private ByteWeights? bytes;
    public readonly Parameter weight; // field names are weight names
    public readonly Parameter? bias;

    public Dense(long inputs, long outputs, bool hasBias = true, Device? device = null)
        : base(nameof(Dense))
    {
        weight = Layers.Weight([outputs, inputs], device);
        if (hasBias)
            bias = Layers.Weight([outputs], device);
        RegisterComponents();
    }

    public bool Folded
    {
        set
        {
            packed.Wanted = value;
            if (value)
                return; // locked once more, a layer of bytes stays one
            awaitsBytes = false;
            bytes?.Dispose();
            bytes = null;
        }
    }

    /// <summary>The weight as bytes in an int8 tower, else null.</summary>
    public ByteWeights? Bytes => bytes;

    /// <summary>Whether this input takes the locked way: a fresh result that no gradient will ask for, and may be changed in place.</summary>
    public bool IsLockedFor(Tensor x) => !training && packed.Wanted && OneDnn.Takes(x) && !x.requires_grad;

    public override Tensor forward(Tensor x)
    {
        if (!IsLockedFor(x))
            return DenseGradient.Linear(x, weight, bias);
        if (awaitsBytes)
            BecomeBytes(x);
        if (bytes is not null)
            return Product(ByteRows.Of(x, bytes.Factors)).view([.. x.shape[..^1], weight.shape[0]]);
        return OneDnn.Linear(x, packed.For(x, () => (OneDnn.Pack(weight), null)).Weight, bias);
    }

    /// <summary>The layer of rows that are bytes already, [R, inputs] → [R, outputs]; only in an int8 tower.</summary>
    public Tensor Product(ByteRows rows)
    {
        var sums = bytes!.Sums(rows);
        rows.Finish(sums, bias);
        return sums;
    }

    /// <summary>
    /// Makes the layer one of bytes when its next input, a typical one, shows how large each number becomes.
    /// </summary>
    public void BecomeBytesAtNextInput() => awaitsBytes = true;

    private void BecomeBytes(Tensor x)
    {
        using var scope = NewDisposeScope();
        bytes?.Dispose();
        var largest = x.flatten(0, -2).abs().amax([0]);
        bytes = new ByteWeights(weight, largest);
        awaitsBytes = false;
        packed.Wanted = true; // forgets the packed float32 weight
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Folded = false;
        base.Dispose(disposing);
    }
}
