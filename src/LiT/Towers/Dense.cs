using LiT.Compute.Locked;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>A dense layer, x · weightᵀ + bias, [.., inputs] → [.., outputs].</summary>
internal sealed class Dense : CompiledLayer
{
    private Product? product;
    public readonly Parameter weight; // field names are weight names
    public readonly Parameter? bias;

    public Dense(long inputs, long outputs, bool hasBias = true, Device? device = null)
        : base(nameof(Dense), device)
    {
        weight = Layers.Weight([outputs, inputs], device);
        if (hasBias)
            bias = Layers.Weight([outputs], device);
        RegisterComponents();
    }

    /// <summary>What multiplies.</summary>
    public Product Product => product!;

    public override Tensor forward(Tensor x) => Product.Of(x);

    /// <summary>
    /// The first outputs for some rows and the other outputs for all: what few ask for, and what all have to say.
    /// </summary>
    /// <inheritdoc cref="Product.Apart"/>
    public (Tensor First, Tensor Others) Apart(Tensor x, Func<Tensor, Tensor> pick, long first) =>
        Product.Apart(x, pick, first);

    protected override void Compile(Target target)
    {
        product?.Dispose();
        product = Product.For(target, weight, bias);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            product?.Dispose();
        base.Dispose(disposing);
    }
}
