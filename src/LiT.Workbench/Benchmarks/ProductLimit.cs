using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// The machine's limit for a network: its matrix products and nothing else, float32 on the CPU, by the fastest product
/// at hand (oneDNN's where it is there, else libtorch's own), every thread with pictures of its own. Activations are
/// multiplied from one place in memory, each layer's weights from their own.
/// </summary>
internal sealed class ProductLimit : IDisposable
{
    private readonly List<(Tensor X, Tensor Weight, bool Packed)> products = [];

    /// <param name="network">For one picture.</param>
    /// <param name="pictures">Pictures that are multiplied together.</param>
    /// <param name="oneDnn">Whether to use oneDNN's products where they are at hand.</param>
    public ProductLimit(IEnumerable<MatrixProduct> network, int pictures, bool oneDnn = true)
    {
        using var random = new Generator(0, CPU);
        using var unrecorded = no_grad();
        foreach (var product in network)
            for (var time = 0; time < product.Times; time++)
            {
                using var scope = NewDisposeScope();
                var x = time > 0 ? products[^1].X : randn([product.Rows * pictures, product.Inputs], generator: random);
                var weight = randn([product.Outputs, product.Inputs], generator: random);
                var packed = oneDnn && OneDnn.IsAvailable;
                if (packed)
                    weight = Products.Constant(weight);
                products.Add((x.DetachFromDisposeScope(), weight.DetachFromDisposeScope(), packed));
            }
    }

    /// <summary>Multiplies so many parts of pictures, each on one thread.</summary>
    public void Run(int parts) => Parts.Run(parts, _ =>
        {
            using var unrecorded = no_grad();
            foreach (var (x, weight, packed) in products)
            {
                using var scope = NewDisposeScope();
                if (packed)
                    OneDnn.Linear(x, weight, null);
                else
                    x.matmul(weight.t());
            }
        });

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (x, weight, _) in products)
        {
            x.Dispose();
            weight.Dispose();
        }
    }
}
