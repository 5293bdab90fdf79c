using LiT.Compute;
using LiT.Compute.Kernels;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using static TorchSharp.torch.nn.functional;

namespace LiT.Towers;

// Shapes: B rows, L tokens in a row, D width, H heads. Where text is packed, [T, D] stands for [B, L, D].

/// <summary>The nonlinearity inside an MLP. Weights are trained with one of them; another is a silent error of some 1e-4.</summary>
public enum Activation
{
    /// <summary>GELU by its tanh approximation, as flax and the original BERT have it.</summary>
    GeluTanh,

    /// <summary>Exact GELU (erf), as PyTorch and Hugging Face have it.</summary>
    Gelu,

    /// <summary>max(0, x).</summary>
    Relu,
}

/// <summary>
/// Pre-norm transformer encoder (Vaswani et al. 2017 with the norms of Dosovitskiy et al. 2020, arXiv 2010.11929,
/// equations 2-3, and the norm after the last block, equation 4), [B, L, D] → [B, L, D]. Image and text towers share it.
/// </summary>
internal sealed class Encoder : Module<Tensor, TokenRows?, Tensor>
{
    private readonly ModuleList<EncoderBlock> blocks;
    private readonly LayerNorm norm;

    public Encoder(
        int width,
        int depth,
        int mlpDim,
        int heads,
        Activation activation = Activation.GeluTanh,
        double eps = 1e-6,
        Device? device = null,
        double dropout = 0
    )
        : base(nameof(Encoder))
    {
        blocks = new([
            .. Enumerable
                .Range(0, depth)
                .Select(_ => new EncoderBlock(width, mlpDim, heads, activation, eps, device, dropout)),
        ]);
        norm = LayerNorm(width, eps, device: device);
        RegisterComponents();
    }

    /// <summary>Every token sees every token.</summary>
    public Tensor call(Tensor x) => call(x, null);

    /// <param name="x">Token states, [B, L, D], or [T, D] where the rows are packed.</param>
    /// <param name="rows">Masking and packing of text; null where every token sees every token.</param>
    public override Tensor forward(Tensor x, TokenRows? rows)
    {
        using var scope = NewDisposeScope();
        foreach (var block in blocks)
            x = scope.DisposeEverythingBut(block.call(x, rows));
        return norm.call(x).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// One token of every row as <see cref="forward"/> gives it, [B, D]: the last block asks for that token alone, since its
    /// other tokens would go nowhere.
    /// </summary>
    /// <param name="x">Token states, [B, L, D], or [T, D] where the rows are packed.</param>
    /// <param name="rows">Masking and packing of text; null where every token sees every token.</param>
    /// <param name="pick">Takes that token's states out of all, → [B, D].</param>
    public Tensor One(Tensor x, TokenRows? rows, Func<Tensor, Tensor> pick)
    {
        using var scope = NewDisposeScope();
        foreach (var block in blocks.SkipLast(1))
            x = scope.DisposeEverythingBut(block.call(x, rows));
        return norm.call(blocks[^1].One(x, rows, pick)).MoveToOuterDisposeScope();
    }

    /// <summary>Initialises as the JAX code does: Glorot uniform for every kernel, almost zero MLP biases.</summary>
    public void Initialise(Generator? random = null)
    {
        foreach (var block in blocks)
            block.Initialise(random);
    }

    // Old flax numbers submodules over all classes (LayerNorm_2, MlpBlock_3), new flax per class (LayerNorm_1, MlpBlock_0).
    // With nn.scan the blocks are stacked under one name, depth first.
    internal static readonly WeightMap Flax = new("flax encoder")
    {
        { EncoderBlock.Flax, "encoderblock_{i}/", "blocks.{i}." },
        { EncoderBlock.Flax, "encoderblock/", "blocks.{i}." },
        { "encoder_norm/scale", "norm.weight" },
        { "encoder_norm/bias", "norm.bias" },
    };
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
internal sealed class EncoderBlock : Module<Tensor, TokenRows?, Tensor>
{
    private readonly LayerNorm norm1,
        norm2;
    private readonly SelfAttention attn;
    private readonly Mlp mlp;
    private readonly double dropout;

    public EncoderBlock(
        int width,
        int mlpDim,
        int heads,
        Activation activation,
        double eps,
        Device? device,
        double dropout = 0
    )
        : base(nameof(EncoderBlock))
    {
        this.dropout = dropout;
        norm1 = LayerNorm(width, eps, device: device);
        attn = new SelfAttention(width, heads, device);
        norm2 = LayerNorm(width, eps, device: device);
        mlp = new Mlp(width, mlpDim, activation, device, dropout);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, TokenRows? rows)
    {
        x = x.Plus(Layers.Dropped(attn.call(norm1.call(x), rows), dropout, training));
        return x.Plus(Layers.Dropped(mlp.call(norm2.call(x)), dropout, training));
    }

    public Tensor One(Tensor x, TokenRows? rows, Func<Tensor, Tensor> pick)
    {
        var y = pick(x).Plus(Layers.Dropped(attn.One(norm1.call(x), rows, pick), dropout, training));
        return y.Plus(Layers.Dropped(mlp.call(norm2.call(y)), dropout, training));
    }

    public void Initialise(Generator? random)
    {
        attn.Initialise(random);
        mlp.Initialise(random);
    }

    internal static readonly WeightMap Flax = new("flax encoder block")
    {
        { "LayerNorm_0/scale", "norm1.weight" },
        { "LayerNorm_0/bias", "norm1.bias" },
        { SelfAttention.Flax, "MultiHeadDotProductAttention_{0|1}/", "attn." },
        { "LayerNorm_{1|2}/scale", "norm2.weight" },
        { "LayerNorm_{1|2}/bias", "norm2.bias" },
        { Mlp.Flax, "MlpBlock_{0|3}/", "mlp." },
    };
}

/// <summary>Multi-head self-attention, queries scaled by 1/sqrt(head size); query, key and value are one product.</summary>
internal sealed class SelfAttention : Module<Tensor, TokenRows?, Tensor>
{
    private readonly int heads;
    private readonly Dense qkv;

    [ComponentName(Name = "out")]
    private readonly Dense output;

    public SelfAttention(int width, int heads, Device? device)
        : base(nameof(SelfAttention))
    {
        if (heads < 1 || width % heads != 0)
            throw new ArgumentException($"A width of {width} cannot be divided into {heads} heads.", nameof(heads));
        this.heads = heads;
        qkv = Layers.Dense(width, 3 * width, device);
        output = Layers.Dense(width, width, device);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, TokenRows? rows)
    {
        var states = qkv.call(x);
        if (rows is null && qkv.IsLockedFor(x))
            return output.call(Attention.Mixed(states, heads));
        if (rows?.Lengths is { } lengths && Processor.Computes(states))
            return output.call(RowAttention.Mixed(states, null, heads, lengths));
        if (rows?.ByLength(states, null, (part, _) => Mixed(part, null).flatten(0, 1)) is { } packed)
            return output.call(packed); // [T, D]
        if (rows is not null)
            states = rows.Spread(states); // [B, L, 3 D]
        var mixed = Mixed(states, rows?.Mask); // [B, L, D]
        return output.call(rows is null ? mixed : rows.Gather(mixed));
    }

    private Tensor Mixed(Tensor states, Tensor? mask)
    {
        var parts = states.unflatten(2, [3, heads, -1]).permute(2, 0, 3, 1, 4).unbind(0); // 3 x [B, H, L, D/H]
        return scaled_dot_product_attention(parts[0], parts[1], parts[2], mask).transpose(1, 2).flatten(2);
    }

    /// <summary>What one token of every row gathers from all, [B, D].</summary>
    public Tensor One(Tensor x, TokenRows? rows, Func<Tensor, Tensor> pick)
    {
        var (D, W, b) = (x.shape[^1], qkv.weight, qkv.bias!);
        Tensor query,
            states;
        if (qkv.IsLockedFor(x))
        {
            var all = qkv.call(x);
            (query, states) = (pick(all.narrow(-1, 0, D)), all.narrow(-1, D, 2 * D));
        }
        else
            (query, states) = (
                DenseGradient.Linear(pick(x), W[..(int)D], b[..(int)D]),
                DenseGradient.Linear(x, W[(int)D..], b[(int)D..])
            );
        if (rows?.Lengths is { } lengths && Processor.Computes(states))
            return output.call(RowAttention.Mixed(states, query, heads, lengths));
        query = query.unflatten(1, [heads, -1]).unsqueeze(2); // [B, H, 1, D/H]
        if (rows?.ByLength(states, query, (part, asking) => MixedFor(asking!, part, null)) is { } packed)
            return output.call(packed);
        if (rows is not null)
            states = rows.Spread(states); // [B, L, 2 D]
        return output.call(MixedFor(query, states, rows?.Mask));
    }

    private Tensor MixedFor(Tensor query, Tensor states, Tensor? mask)
    {
        var parts = states.unflatten(2, [2, heads, -1]).permute(2, 0, 3, 1, 4).unbind(0); // 2 x [B, H, L, D/H]
        return scaled_dot_product_attention(query, parts[0], parts[1], mask).flatten(1);
    }

    public void Initialise(Generator? random)
    {
        using var scope = NewDisposeScope();
        foreach (var kernel in qkv.weight!.chunk(3))
            Layers.XavierUniform(kernel, random);
        init.zeros_(qkv.bias!);
        Layers.XavierUniform(output.weight!, random);
        init.zeros_(output.bias!);
    }

    internal static readonly WeightMap Flax = new("flax attention")
    {
        { "query/kernel", "qkv.weight", Axes.HeadsOut, 0, 3 },
        { "key/kernel", "qkv.weight", Axes.HeadsOut, 1, 3 },
        { "value/kernel", "qkv.weight", Axes.HeadsOut, 2, 3 },
        { "query/bias", "qkv.bias", Axes.Flat, 0, 3 },
        { "key/bias", "qkv.bias", Axes.Flat, 1, 3 },
        { "value/bias", "qkv.bias", Axes.Flat, 2, 3 },
        { "out/kernel", "out.weight", Axes.HeadsIn },
        { "out/bias", "out.bias" },
    };
}

/// <summary>Two dense layers with a nonlinearity between them.</summary>
internal sealed class Mlp : Module<Tensor, Tensor>
{
    private readonly Dense fc1,
        fc2;
    private readonly Activation activation;
    private readonly double dropout;

    public Mlp(int width, int hidden, Activation activation, Device? device, double dropout = 0)
        : base(nameof(Mlp))
    {
        (this.activation, this.dropout) = (activation, dropout);
        fc1 = Layers.Dense(width, hidden, device);
        fc2 = Layers.Dense(hidden, width, device);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        if (
            activation == Activation.GeluTanh
            && fc1.Bytes is { } first
            && fc2.Bytes is { } second
            && fc1.IsLockedFor(x)
        )
        {
            var rows = ByteRows.Of(x, first.Factors);
            return fc2.Product(rows.FinishWithGelu(first.Sums(rows), fc1.bias, second.Factors))
                .view([.. x.shape[..^1], fc2.weight.shape[0]]);
        }
        var inside = fc1.call(x);
        if (activation != Activation.GeluTanh || !fc1.IsLockedFor(x))
            return fc2.call(Layers.Dropped(Activated(inside, activation), dropout, training));
        Gelu.TanhInPlace(inside);
        return fc2.call(inside);
    }

    /// <summary>The nonlinearity, elementwise.</summary>
    internal static Tensor Activated(Tensor x, Activation activation) =>
        activation switch
        {
            Activation.GeluTanh when Processor.Computes(x) => GeluGradient.Tanh(x),
            Activation.GeluTanh => gelu(x, TorchSharp.Modules.GELU.Approximate.tanh),
            Activation.Gelu => gelu(x),
            _ => relu(x),
        };

    public void Initialise(Generator? random)
    {
        foreach (var layer in new[] { fc1, fc2 })
        {
            Layers.XavierUniform(layer.weight!, random);
            Layers.Normal(layer.bias!, 1e-6, random);
        }
    }

    internal static readonly WeightMap Flax = new("flax MLP")
    {
        { "Dense_0/kernel", "fc1.weight", Axes.Transposed },
        { "Dense_0/bias", "fc1.bias" },
        { "Dense_1/kernel", "fc2.weight", Axes.Transposed },
        { "Dense_1/bias", "fc2.bias" },
    };
}
