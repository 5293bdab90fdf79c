using LiT.Compute;
using LiT.Compute.Locked;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LiT.Towers;

/// <summary>
/// The nonlinearity inside an MLP. Weights are trained with one of them; another is a silent error of some 1e-4.
/// </summary>
internal enum Activation
{
    /// <summary>GELU by its tanh approximation, as flax and the original BERT have it.</summary>
    GeluTanh,

    /// <summary>Exact GELU (erf), as PyTorch and Hugging Face have it.</summary>
    Gelu,

    /// <summary>max(0, x).</summary>
    Relu,

    /// <summary>x · sigmoid(1.702 x), the approximation that OpenAI's CLIP was trained with.</summary>
    QuickGelu,
}

/// <summary>An <see cref="Activation"/>, elementwise. The memory of what it is given may hold the result.</summary>
internal sealed class Nonlinearity : CompiledLayer
{
    private readonly Activation activation;
    private Func<Tensor, Tensor>? f;

    public Nonlinearity(Activation activation, Device? device)
        : base(nameof(Nonlinearity), device)
    {
        this.activation = activation;
        RegisterComponents();
    }

    /// <summary>Which it is.</summary>
    public Activation Activation => activation;

    public override Tensor forward(Tensor x) => f!(x);

    protected override void Compile(Target target) =>
        f = activation switch
        {
            Activation.GeluTanh => Elementwise.GeluTanh(target),
            Activation.Gelu => x => gelu(x),
            Activation.QuickGelu => x => x * x.Times(1.702).sigmoid(),
            _ => x => relu(x),
        };
}
