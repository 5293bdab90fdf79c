using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// What brings a tower's representation to the size that both towers share: one dense layer, as in every published
/// model, or an MLP of two with a GELU between, [B, Width of the tower] → [B, E].
/// </summary>
public sealed class Head : Module<Tensor, Tensor>
{
    private readonly Linear? linear, fc1, fc2;

    /// <param name="inputs">Length of the tower's representation.</param>
    /// <param name="outputs">The common size.</param>
    /// <param name="hidden">Width inside an MLP head; null for one dense layer.</param>
    /// <param name="device">Where the weights are to be. They are allocated, not filled.</param>
    internal Head(int inputs, int outputs, int? hidden = null, Device? device = null) : base(nameof(Head))
    {
        (Inputs, Outputs, Hidden) = (inputs, outputs, hidden);
        if (hidden is { } inside)
        {
            fc1 = Layers.Dense(inputs, inside, device);
            fc2 = Layers.Dense(inside, outputs, device);
        }
        else linear = Layers.Dense(inputs, outputs, device);
        RegisterComponents();
    }

    /// <summary>Length of the tower's representation.</summary>
    public int Inputs { get; }

    /// <summary>The common size.</summary>
    public int Outputs { get; }

    /// <summary>Width inside an MLP head; null for one dense layer.</summary>
    public int? Hidden { get; }

    /// <summary>A head filled as flax fills dense layers: truncated normal of variance 1 / inputs, biases zero.</summary>
    /// <param name="inputs">Length of the tower's representation.</param>
    /// <param name="outputs">The common size.</param>
    /// <param name="seed">The same seed gives the same weights.</param>
    /// <param name="hidden">Width inside an MLP head; null for one dense layer.</param>
    public static Head Create(int inputs, int outputs, long seed, int? hidden = null)
    {
        var head = new Head(inputs, outputs, hidden);
        using var random = new Generator((ulong)seed, CPU);
        foreach (var layer in (Linear?[])[head.linear, head.fc1, head.fc2])
        {
            if (layer is null) continue;
            Layers.LecunNormal(layer.weight!, random);
            init.zeros_(layer.bias!);
        }
        return head;
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor representation) =>
        linear?.call(representation) ?? fc2!.call(functional.gelu(fc1!.call(representation)));

    internal static readonly WeightMap Flax = new("head")
    {
        { "kernel", "linear.weight", Axes.Transposed },
        { "bias", "linear.bias" },
    };
}
