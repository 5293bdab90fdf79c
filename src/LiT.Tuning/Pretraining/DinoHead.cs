using LiT.Compute;
using LiT.Towers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Pretraining;

// Shapes: B rows, D the tower's representation, H hidden, E bottleneck, K outputs.

/// <summary>
/// The head of DINO (Caron et al. 2021, arXiv 2104.14294, appendix C; facebookresearch/dino, vision_transformer.py):
/// three layers with GELU between them, unit length, and a layer without bias whose rows have unit length. It is not
/// part of the finished tower.
/// </summary>
internal sealed class DinoHead : Module<Tensor, Tensor>
{
    private readonly Dense fc1,
        fc2,
        fc3;
    private readonly Nonlinearity f;
    private readonly Parameter last;

    public DinoHead(long width, int hidden, int bottleneck, int outputs)
        : base(nameof(DinoHead))
    {
        fc1 = Layers.Dense(width, hidden);
        fc2 = Layers.Dense(hidden, hidden);
        fc3 = Layers.Dense(hidden, bottleneck);
        f = new Nonlinearity(Activation.Gelu, null);
        last = Layers.Weight([outputs, bottleneck]);
        RegisterComponents();
    }

    /// <summary>The last layer's directions, [K, E], of any length.</summary>
    internal const string Last = "last";

    public override Tensor forward(Tensor x) // [B, D] -> [B, K]
    {
        using var scope = NewDisposeScope();
        x = f.call(fc1.call(x)); // [B, H]
        x = fc3.call(f.call(fc2.call(x))); // [B, E]
        return Unit(x).matmul(Unit(last).t()).MoveToOuterDisposeScope();
    }

    private static Tensor Unit(Tensor rows) =>
        rows.div(rows.Squared().sum(1, keepdim: true).sqrt().With(1e-12, (x, least) => x.clamp_min(least)));

    public void Initialise(Generator random)
    {
        foreach (var layer in new[] { fc1, fc2, fc3 })
        {
            Layers.Normal(layer.weight, 0.02, random);
            init.zeros_(layer.bias!);
        }
        using var unrecorded = no_grad();
        // What torch's linear layer starts with; only the directions count.
        var limit = 1 / Math.Sqrt(last.shape[1]);
        last.uniform_(-limit, limit, random);
    }
}
