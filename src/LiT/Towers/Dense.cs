using LiT.Towers.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// A dense layer, [.., inputs] → [.., outputs]. In a locked tower that computes in float32 on the CPU its weight is laid out once for
/// oneDNN; the results differ from the unlocked layer's in the last digits only.
/// </summary>
internal sealed class Dense : Module<Tensor, Tensor>, IFoldable
{
    private readonly FoldedWeights packed = new();
    public readonly Parameter weight;             // field names are weight names
    public readonly Parameter? bias;

    public Dense(long inputs, long outputs, bool hasBias = true, Device? device = null) : base(nameof(Dense))
    {
        weight = Layers.Weight([outputs, inputs], device);
        if (hasBias) bias = Layers.Weight([outputs], device);
        RegisterComponents();
    }

    public bool Folded { set => packed.Wanted = value; }

    /// <summary>Whether this input takes the locked way: a fresh result that no gradient will ask for, and may be changed in place.</summary>
    public bool IsLockedFor(Tensor x) => !training && packed.Wanted && OneDnn.Takes(x) && !x.requires_grad;

    public override Tensor forward(Tensor x)
    {
        if (!IsLockedFor(x)) return functional.linear(x, weight, bias);
        return OneDnn.Linear(x, packed.For(x, () => (OneDnn.Pack(weight), null)).Weight, bias);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) packed.Wanted = false;
        base.Dispose(disposing);
    }
}
