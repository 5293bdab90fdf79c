using LiT.Compute;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using static TorchSharp.torch.nn.functional;

namespace LiT.Towers;

/// <summary>
/// Multi-head attention pooling (Zhai et al. 2022, arXiv 2106.04560; big_vision's MAPHead): a learned probe attends to
/// the tokens, without a norm before or a residual around, then y + mlp(norm(y)), [B, L, D] → [B, D].
/// </summary>
internal sealed class MapHead : Module<Tensor, TokenRows?, Tensor>
{
    private readonly int heads;
    private readonly Parameter probe;
    private readonly Dense query;

    [ComponentName(Name = "key_value")]
    private readonly Dense keyValue;

    [ComponentName(Name = "out")]
    private readonly Dense output;
    private readonly LayerNorm norm;
    private readonly Mlp mlp;

    public MapHead(
        int width,
        int mlpDim,
        int heads,
        Activation activation = Activation.GeluTanh,
        double eps = 1e-6,
        Device? device = null
    )
        : base(nameof(MapHead))
    {
        this.heads = heads;
        probe = Layers.Weight([1, 1, width], device);
        query = Layers.Dense(width, width, device);
        keyValue = Layers.Dense(width, 2 * width, device);
        output = Layers.Dense(width, width, device);
        norm = LayerNorm(width, eps, device: device);
        mlp = new Mlp(width, mlpDim, activation, device);
        RegisterComponents();
    }

    /// <summary>Every token is seen.</summary>
    public Tensor call(Tensor x) => call(x, null);

    /// <param name="x">Token states in rows, [B, L, D].</param>
    /// <param name="rows">Masking of text; null where every token is seen.</param>
    public override Tensor forward(Tensor x, TokenRows? rows)
    {
        var asked = query
            .call(probe)
            .unflatten(2, [heads, -1])
            .transpose(1, 2) // [1, H, 1, D/H]
            .expand(x.shape[0], -1, -1, -1);
        // 2 x [B, H, L, D/H]
        var parts = keyValue.call(x).unflatten(2, [2, heads, -1]).permute(2, 0, 3, 1, 4).unbind(0);
        var mixed = scaled_dot_product_attention(asked, parts[0], parts[1], rows?.Mask); // [B, H, 1, D/H]
        var y = output.call(mixed.flatten(1)); // [B, D]
        return y.Plus(mlp.call(norm.call(y)));
    }

    /// <summary>Initialises as big_vision does.</summary>
    public void Initialise(Generator? random = null)
    {
        using var scope = NewDisposeScope();
        Layers.XavierUniform(probe.view(1, -1), random);
        foreach (var kernel in (Tensor[])[query.weight!, .. keyValue.weight!.chunk(2), output.weight!])
            Layers.XavierUniform(kernel, random);
        foreach (var layer in (Dense[])[query, keyValue, output])
            init.zeros_(layer.bias!);
        mlp.Initialise(random);
    }

    // transformers, models/siglip: torch's MultiheadAttention keeps the three products in one.
    internal static readonly WeightMap HuggingFace = new("Hugging Face SigLIP head")
    {
        { "probe", "probe" },
        { "attention.in_proj_weight", "query.weight", Axes.FirstThird },
        { "attention.in_proj_weight", "key_value.weight", Axes.OtherThirds },
        { "attention.in_proj_bias", "query.bias", Axes.FirstThird },
        { "attention.in_proj_bias", "key_value.bias", Axes.OtherThirds },
        { "attention.out_proj.weight", "out.weight" },
        { "attention.out_proj.bias", "out.bias" },
        { "layernorm.weight", "norm.weight" },
        { "layernorm.bias", "norm.bias" },
        { "mlp.fc{k}.weight", "mlp.fc{k}.weight" },
        { "mlp.fc{k}.bias", "mlp.fc{k}.bias" },
    };

    internal static readonly WeightMap Flax = new("flax MAP head")
    {
        { "probe", "probe" },
        { "MultiHeadDotProductAttention_{0|1}/query/kernel", "query.weight", Axes.HeadsOut },
        { "MultiHeadDotProductAttention_{0|1}/query/bias", "query.bias", Axes.Flat },
        { "MultiHeadDotProductAttention_{0|1}/key/kernel", "key_value.weight", Axes.HeadsOut, 0, 2 },
        { "MultiHeadDotProductAttention_{0|1}/key/bias", "key_value.bias", Axes.Flat, 0, 2 },
        { "MultiHeadDotProductAttention_{0|1}/value/kernel", "key_value.weight", Axes.HeadsOut, 1, 2 },
        { "MultiHeadDotProductAttention_{0|1}/value/bias", "key_value.bias", Axes.Flat, 1, 2 },
        { "MultiHeadDotProductAttention_{0|1}/out/kernel", "out.weight", Axes.HeadsIn },
        { "MultiHeadDotProductAttention_{0|1}/out/bias", "out.bias" },
        { "LayerNorm_{0|1}/scale", "norm.weight" },
        { "LayerNorm_{0|1}/bias", "norm.bias" },
        { "MlpBlock_{0|2}/Dense_0/kernel", "mlp.fc1.weight", Axes.Transposed },
        { "MlpBlock_{0|2}/Dense_0/bias", "mlp.fc1.bias" },
        { "MlpBlock_{0|2}/Dense_1/kernel", "mlp.fc2.weight", Axes.Transposed },
        { "MlpBlock_{0|2}/Dense_1/bias", "mlp.fc2.bias" },
    };
}
