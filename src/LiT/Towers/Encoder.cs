using LiT.Compute;
using LiT.Compute.Locked;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

// Shapes: B rows, L tokens in a row, D width, H heads. Where text is packed, [T, D] stands for [B, L, D].

/// <summary>
/// Pre-norm transformer encoder (Vaswani et al. 2017 with the norms of Dosovitskiy et al. 2020, arXiv 2010.11929,
/// equations 2-3, and the norm after the last block, equation 4), [B, L, D] → [B, L, D]. Image and text towers share
/// it.
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
    /// One token of every row as <see cref="forward"/> gives it, [B, D]: the last block asks for that token alone,
    /// since its other tokens would go nowhere.
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

    // Old flax numbers submodules over all classes (LayerNorm_2, MlpBlock_3), new flax per class (LayerNorm_1,
    // MlpBlock_0). With nn.scan the blocks are stacked under one name, depth first.
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

/// <summary>
/// Multi-head self-attention, queries scaled by 1/sqrt(head size); query, key and value are one product.
/// </summary>
internal sealed class SelfAttention : Module<Tensor, TokenRows?, Tensor>
{
    private readonly Dense qkv;
    private readonly Attend attend;

    [ComponentName(Name = "out")]
    private readonly Dense output;

    public SelfAttention(int width, int heads, Device? device)
        : base(nameof(SelfAttention))
    {
        if (heads < 1 || width % heads != 0)
            throw new ArgumentException($"A width of {width} cannot be divided into {heads} heads.", nameof(heads));
        qkv = Layers.Dense(width, 3 * width, device);
        attend = new Attend(heads, device);
        output = Layers.Dense(width, width, device);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, TokenRows? rows) => output.call(attend.call(qkv.call(x), rows));

    /// <summary>Every token sees every token, queries and keys turned by their places, [B, L, D].</summary>
    public Tensor call(Tensor x, Rope? rope) =>
        rope is null ? call(x, (TokenRows?)null) : output.call(attend.call(rope.Turned(qkv.call(x)), null));

    /// <summary>
    /// Makes the biases zero; the files of some towers have none for queries, keys or values, and read the others.
    /// </summary>
    public void ClearBiases()
    {
        using var unrecorded = no_grad();
        if (!qkv.bias!.is_meta)
            init.zeros_(qkv.bias!);
    }

    /// <summary>What one token of every row gathers from all, [B, D].</summary>
    public Tensor One(Tensor x, TokenRows? rows, Func<Tensor, Tensor> pick)
    {
        var (query, states) = qkv.Apart(x, pick, x.shape[^1]); // [B, D]; keys and values, [B, L, 2 D]
        return output.call(attend.One(query, states, rows));
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
internal sealed class Mlp : CompiledLayer
{
    private readonly Dense fc1,
        fc2;
    private readonly Nonlinearity f;
    private readonly double dropout;
    private Func<Tensor, Tensor>? way;

    public Mlp(int width, int hidden, Activation activation, Device? device, double dropout = 0)
        : base(nameof(Mlp), device)
    {
        this.dropout = dropout;
        fc1 = Layers.Dense(width, hidden, device);
        f = new Nonlinearity(activation, device);
        fc2 = Layers.Dense(hidden, width, device);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => way!(x);

    private Tensor Equation(Tensor x) => fc2.call(Layers.Dropped(f.call(fc1.call(x)), dropout, training));

    // Between two products of bytes the numbers need not be written out.
    protected override void Compile(Target target) =>
        way =
            target.Bytes && f.Activation == Activation.GeluTanh
                ? x => ByteProduct.WithGeluBetween(fc1.Product, fc2.Product, x) ?? Equation(x)
                : Equation;

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
