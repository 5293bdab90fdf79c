using static TorchSharp.torch;

namespace LiT.Compute.Locked;

/// <summary>x · weightᵀ + bias, [.., inputs] → [.., outputs], by what was chosen for a target.</summary>
internal abstract class Product : IDisposable
{
    /// <summary>
    /// By bytes, by a weight laid out once, or by the weight as it is, whose gradients then can be asked for.
    /// </summary>
    /// <param name="target">What it is for.</param>
    /// <param name="weight">[outputs, inputs].</param>
    /// <param name="bias">[outputs], or null.</param>
    public static Product For(Target target, Tensor weight, Tensor? bias)
    {
        if (!target.HasOwnKernels)
            return new LibtorchProduct(weight, bias);
        PlainProduct plain = new(weight, bias);
        return target.Bytes ? new ByteProduct(plain, weight, bias)
            : target.Packs ? new PackedProduct(plain, weight, bias)
            : plain;
    }

    public abstract Tensor Of(Tensor x);

    /// <summary>The first outputs for some of the inputs and the other outputs for all of them.</summary>
    /// <param name="x">[.., inputs].</param>
    /// <param name="pick">Takes rows out of many, [.., any] → [some, any].</param>
    /// <param name="first">How many outputs are the first.</param>
    /// <returns>[some, first] and [.., outputs - first].</returns>
    public virtual (Tensor First, Tensor Others) Apart(Tensor x, Func<Tensor, Tensor> pick, long first)
    {
        var all = Of(x);
        return (pick(all.narrow(-1, 0, first)), all.narrow(-1, first, all.shape[^1] - first));
    }

    /// <inheritdoc/>
    public virtual void Dispose() { }
}

/// <summary>
/// By the weight as it lies in memory: a weight that is trained, or one that is not worth laying out.
/// </summary>
internal class LibtorchProduct(Tensor weight, Tensor? bias) : Product
{
    public sealed override Tensor Of(Tensor x) => Of(x, weight, bias);

    public sealed override (Tensor First, Tensor Others) Apart(Tensor x, Func<Tensor, Tensor> pick, long first) =>
        (Of(pick(x), weight[..(int)first], bias?[..(int)first]), Of(x, weight[(int)first..], bias?[(int)first..]));

    protected virtual Tensor Of(Tensor x, Tensor weight, Tensor? bias) => nn.functional.linear(x, weight, bias);
}

/// <summary>The same on the CPU in float32, by whoever multiplies such sizes fastest, with gradients.</summary>
internal sealed class PlainProduct(Tensor weight, Tensor? bias) : LibtorchProduct(weight, bias)
{
    protected override Tensor Of(Tensor x, Tensor weight, Tensor? bias) => DenseGradient.Linear(x, weight, bias);
}

/// <summary>
/// By a constant weight, laid out for oneDNN where that pays; differs from the plain one in the last digits only.
/// </summary>
internal sealed class PackedProduct(PlainProduct plain, Tensor weight, Tensor? bias) : Product
{
    private readonly OnceKept packed = new(_ => (Products.Constant(weight), null));

    public override Tensor Of(Tensor x) =>
        Target.WantsGradient(x) ? plain.Of(x) : OneDnn.Linear(x, packed.For(x).Weight, bias);

    public override (Tensor First, Tensor Others) Apart(Tensor x, Func<Tensor, Tensor> pick, long first) =>
        Target.WantsGradient(x) ? plain.Apart(x, pick, first) : base.Apart(x, pick, first);

    public override void Dispose() => packed.Dispose();
}
