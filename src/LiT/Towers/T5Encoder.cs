using LiT.Compute;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LiT.Towers;

// Shapes: B texts, L tokens in a row, D width, H heads, d head size. Where text is packed, [T, D] stands for [B, L, D].

/// <summary>
/// Sizes of the encoder of T5 (Raffel et al. 2020, arXiv 1910.10683), T5 1.1 and mT5 (Xue et al. 2021, arXiv
/// 2010.11934). Padding is masked; places are told apart by relative positions alone, so rows may have any length.
/// </summary>
/// <param name="Width">Length of a token's state and of the representation.</param>
/// <param name="Depth">Blocks.</param>
/// <param name="Heads">Attention heads.</param>
/// <param name="HeadSize">Numbers of each head; heads times it need not be the width.</param>
/// <param name="MlpDim">Width inside a block's MLP.</param>
/// <param name="VocabularySize">Ids are below it.</param>
internal sealed record T5Config(int Width, int Depth, int Heads, int HeadSize, int MlpDim, int VocabularySize)
    : TextTowerConfig
{
    /// <summary>The MLP's inside is f(a) · b (T5 1.1 and mT5) in place of f(a) (T5).</summary>
    public bool Gated { get; init; }

    /// <summary>The MLP's f: relu in T5, GELU in its tanh form in T5 1.1 and mT5.</summary>
    public Activation Activation { get; init; } = Activation.Relu;

    /// <summary>Rows of the relative bias: half for keys before, half for keys after.</summary>
    public int Buckets { get; init; } = 32;

    /// <summary>Keys at least so far away share the last bucket.</summary>
    public int MaxDistance { get; init; } = 128;

    /// <summary>Added to the mean square in every normalisation.</summary>
    public double Eps { get; init; } = 1e-6;

    /// <summary>The id that fills rows and is masked.</summary>
    public int Padding { get; init; }

    /// <summary>How tokens become one representation; <see cref="TextPooling.Map"/> is not among T5's.</summary>
    public TextPooling Pooling { get; init; } = TextPooling.Mean;

    /// <summary>Share of activations dropped while training.</summary>
    public double Dropout { get; init; }

    /// <summary>T5's published sizes (Raffel et al. 2020, section 3.7).</summary>
    public static IReadOnlyDictionary<string, T5Config> Sizes { get; } =
        new Dictionary<string, T5Config>
        {
            ["small"] = new(512, 6, 8, 64, 2048, 32_128),
            ["base"] = new(768, 12, 12, 64, 3072, 32_128),
            ["large"] = new(1024, 24, 16, 64, 4096, 32_128),
            ["3b"] = new(1024, 24, 32, 128, 16_384, 32_128),
            ["11b"] = new(1024, 24, 128, 128, 65_536, 32_128),
        };

    /// <summary>mT5's published sizes (Xue et al. 2021; the config.json of google/mt5-*).</summary>
    public static IReadOnlyDictionary<string, T5Config> MultilingualSizes { get; } =
        new Dictionary<string, T5Config>
        {
            ["small"] = new(512, 8, 6, 64, 1024, 250_112) { Gated = true, Activation = Activation.GeluTanh },
            ["base"] = new(768, 12, 12, 64, 2048, 250_112) { Gated = true, Activation = Activation.GeluTanh },
            ["large"] = new(1024, 24, 16, 64, 2816, 250_112) { Gated = true, Activation = Activation.GeluTanh },
            ["xl"] = new(2048, 24, 32, 64, 5120, 250_112) { Gated = true, Activation = Activation.GeluTanh },
            ["xxl"] = new(4096, 24, 64, 64, 10_240, 250_112) { Gated = true, Activation = Activation.GeluTanh },
        };

    internal override int BlockCount() => Depth;

    internal override TextTowerConfig EndingAfter(int blocks) => this with { Depth = blocks };

    internal override TextTower Build(Device? device = null)
    {
        Check(1, Width, Heads, HeadSize, Depth, MlpDim, VocabularySize, Buckets, MaxDistance);
        if (Buckets < 4 || MaxDistance <= Buckets / 4)
            throw new ArgumentException(
                $"T5's relative positions cannot have {Buckets} buckets up to a distance of {MaxDistance}."
            );
        return new T5Encoder(this, device);
    }

    internal override TextTower Create(Generator random)
    {
        var tower = (T5Encoder)Build();
        tower.Initialise(random);
        return tower;
    }
}

/// <summary>The encoder of T5 or mT5 as a text tower.</summary>
internal sealed class T5Encoder : TextTower
{
    private readonly T5Config config;
    private readonly Embedding tokens;

    [ComponentName(Name = "relative")]
    private readonly Embedding relativeBias;
    private readonly ModuleList<T5Block> blocks;
    private readonly RmsNorm norm;

    internal T5Encoder(T5Config config, Device? device = null)
        : base(nameof(T5Encoder))
    {
        if (config.Pooling == TextPooling.Map)
            throw new ArgumentException("T5 has no MAP pooling.", nameof(config));
        this.config = config;
        tokens = Layers.Table(config.VocabularySize, config.Width, device);
        relativeBias = Layers.Table(config.Buckets, config.Heads, device);
        blocks = new([.. Enumerable.Range(0, config.Depth).Select(_ => new T5Block(config, device))]);
        norm = new RmsNorm(config.Width, config.Eps, device);
        RegisterComponents();
    }

    /// <summary>Sizes and choices.</summary>
    public override TextTowerConfig Config => config;

    /// <inheritdoc/>
    public override int Width => config.Width;

    /// <inheritdoc/>
    public override int VocabularySize => config.VocabularySize;

    /// <inheritdoc/>
    public override int? MaxLength => null;

    /// <inheritdoc/>
    public override bool MasksPadding => true;

    /// <inheritdoc/>
    public override Tensor forward(Tensor ids)
    {
        using var scope = NewDisposeScope();
        var rows = Rows(ids);
        return rows.Pool(Hidden(rows), config.Pooling).MoveToOuterDisposeScope(); // [B, D]
    }

    internal override TokenRows Rows(Tensor ids) => TokenRows.Masked(ids, config.Padding, beside: tokens.weight);

    /// <summary>Every token's state after the last norm, [B, L, D]; what stands at padding means nothing.</summary>
    internal override Tensor Hidden(TokenRows rows)
    {
        using var scope = NewDisposeScope();
        var bias = Bias(rows);
        var x = Layers.Dropped(TableRows.Of(tokens, rows.Ids), config.Dropout, training); // [B, L, D]
        using (var loop = NewDisposeScope())
        {
            foreach (var block in blocks)
                x = loop.DisposeEverythingBut(block.call(x, rows, bias));
            x = norm.call(x).MoveToOuterDisposeScope();
        }
        return rows.Spread(Layers.Dropped(x, config.Dropout, training)).MoveToOuterDisposeScope();
    }

    // Only the first block has the table; every block adds it.
    private Tensor Bias(TokenRows rows)
    {
        var bias = relativeBias
            .call(RelativeBuckets(rows.Length, config.Buckets, config.MaxDistance, rows.Ids.device))
            .permute(2, 0, 1)
            .unsqueeze(0); // [1, H, L, L]
        return rows.Mask is { } mask
            ? bias.With(double.NegativeInfinity, (x, never) => x.masked_fill(mask.logical_not(), never)) // [B, H, L, L]
            : bias;
    }

    /// <summary>
    /// The bucket of key position minus query position, [query, key]: near keys have their own, farther ones share
    /// logarithmically, both directions half of the buckets (T5, section 2.1; transformers' T5Attention).
    /// </summary>
    internal static Tensor RelativeBuckets(long length, int buckets, int maxDistance, Device? device = null)
    {
        using var scope = NewDisposeScope();
        var positions = Scalars.Numbers(length, ScalarType.Int64, device ?? CPU);
        var relative = positions.unsqueeze(0) - positions.unsqueeze(1); // [query, key]
        var half = buckets / 2;
        var exact = half / 2;
        var distance = relative.abs();
        var logarithmic = distance
            .to(float32)
            .Over(exact)
            .log()
            .Over(Math.Log((double)maxDistance / exact))
            .Times(half - exact)
            .to(int64)
            .Plus(exact);
        var bucket = where(
            distance.With(exact, (x, most) => x.lt(most)),
            distance,
            logarithmic.With(half - 1, (x, most) => x.clamp_max(most))
        );
        var after = relative.With(0, (x, none) => x.gt(none)).to(int64); // 1 for keys after the query
        return bucket.Plus(after.Times(half)).MoveToOuterDisposeScope();
    }

    /// <summary>Fills the weights as T5 does (mesh_tensorflow's defaults, transformers' T5PreTrainedModel).</summary>
    internal void Initialise(Generator random)
    {
        Layers.Normal(tokens.weight!, 1, random);
        Layers.Normal(relativeBias.weight!, Math.Pow(Width, -0.5), random);
        foreach (var block in blocks)
            block.Initialise(config, random);
    }

    /// <summary>Names in Hugging Face's files of T5 and mT5.</summary>
    internal static WeightMap HuggingFace(bool gated) =>
        new WeightMap("T5 (Hugging Face)")
        {
            { "shared.weight", "tokens.weight" },
            { "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", "relative.weight" },
            { T5Block.HuggingFace(gated), "encoder.block.{i}.", "blocks.{i}." },
            { "encoder.final_layer_norm.weight", "norm.weight" },
        }
            .Skipping("encoder.embed_tokens.weight", "the same table as shared.weight")
            .Skipping("decoder.{*}", "the decoder")
            .Skipping("lm_head.weight", "the decoder's");
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)); no biases.</summary>
internal sealed class T5Block : nn.Module<Tensor, TokenRows, Tensor, Tensor>
{
    private readonly RmsNorm norm1,
        norm2;

    [ComponentName(Name = "qkv")]
    private readonly Dense qkv;

    [ComponentName(Name = "out")]
    private readonly Dense output;
    private readonly Dense wi,
        wo;
    private readonly int heads,
        headSize;
    private readonly bool gated;
    private readonly Nonlinearity f;
    private readonly double dropout;

    public T5Block(T5Config config, Device? device)
        : base(nameof(T5Block))
    {
        (heads, headSize, gated, dropout) = (config.Heads, config.HeadSize, config.Gated, config.Dropout);
        f = new Nonlinearity(config.Activation, device);
        norm1 = new RmsNorm(config.Width, config.Eps, device);
        qkv = Layers.Dense(config.Width, 3L * heads * headSize, device, bias: false);
        output = Layers.Dense((long)heads * headSize, config.Width, device, bias: false);
        norm2 = new RmsNorm(config.Width, config.Eps, device);
        wi = Layers.Dense(config.Width, (gated ? 2L : 1L) * config.MlpDim, device, bias: false);
        wo = Layers.Dense(config.MlpDim, config.Width, device, bias: false);
        RegisterComponents();
    }

    /// <param name="x">Token states.</param>
    /// <param name="rows">Masking and packing.</param>
    /// <param name="bias">Added to the attention logits: the relative bias, minus infinity where masked, [1 or B, H, L,
    /// L].</param>
    public override Tensor forward(Tensor x, TokenRows rows, Tensor bias)
    {
        x = x.Plus(Layers.Dropped(Attention(norm1.call(x), rows, bias), dropout, training));
        return x.Plus(Layers.Dropped(Mlp(norm2.call(x)), dropout, training));
    }

    private Tensor Attention(Tensor x, TokenRows rows, Tensor bias)
    {
        var states = rows.Spread(qkv.call(x)); // [B, L, 3 H d]
        var parts = states.unflatten(2, [3, heads, headSize]).permute(2, 0, 3, 1, 4).unbind(0); // 3 x [B, H, L, d]
        var logits = parts[0].matmul(parts[1].transpose(2, 3)).Plus(bias); // not divided by sqrt(d)    [B, H, L, L]
        var mixed = Layers.Dropped(softmax(logits, -1), dropout, training).matmul(parts[2]); // [B, H, L, d]
        return output.call(rows.Gather(mixed.transpose(1, 2).flatten(2)));
    }

    private Tensor Mlp(Tensor x)
    {
        var inside = wi.call(x);
        if (!gated)
            return wo.call(Layers.Dropped(f.call(inside), dropout, training));
        var halves = inside.chunk(2, -1);
        return wo.call(Layers.Dropped(f.call(halves[0]) * halves[1], dropout, training));
    }

    internal void Initialise(T5Config config, Generator random)
    {
        var (width, inner) = ((double)config.Width, (double)heads * headSize);
        using var scope = NewDisposeScope();
        var parts = qkv.weight!.chunk(3);
        Layers.Normal(parts[0], Math.Pow(width * headSize, -0.5), random);
        Layers.Normal(parts[1], Math.Pow(width, -0.5), random);
        Layers.Normal(parts[2], Math.Pow(width, -0.5), random);
        Layers.Normal(output.weight!, Math.Pow(inner, -0.5), random);
        Layers.Normal(wi.weight!, Math.Pow(width, -0.5), random);
        Layers.Normal(wo.weight!, Math.Pow(config.MlpDim, -0.5), random);
    }

    internal static WeightMap HuggingFace(bool gated)
    {
        var map = new WeightMap("T5 block")
        {
            { "layer.0.layer_norm.weight", "norm1.weight" },
            { "layer.0.SelfAttention.q.weight", "qkv.weight", Axes.Same, 0, 3 },
            { "layer.0.SelfAttention.k.weight", "qkv.weight", Axes.Same, 1, 3 },
            { "layer.0.SelfAttention.v.weight", "qkv.weight", Axes.Same, 2, 3 },
            { "layer.0.SelfAttention.o.weight", "out.weight" },
            { "layer.1.layer_norm.weight", "norm2.weight" },
            { "layer.1.DenseReluDense.wo.weight", "wo.weight" },
        };
        if (gated)
        {
            map.Add("layer.1.DenseReluDense.wi_0.weight", "wi.weight", Axes.Same, 0, 2);
            map.Add("layer.1.DenseReluDense.wi_1.weight", "wi.weight", Axes.Same, 1, 2);
        }
        else
            map.Add("layer.1.DenseReluDense.wi.weight", "wi.weight");
        return map;
    }
}

/// <summary>
/// x / sqrt(mean(x²) + eps) · weight (Zhang and Sennrich 2019, arXiv 1910.07467): no mean is taken off, no bias added.
/// </summary>
internal sealed class RmsNorm : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly double eps;

    public RmsNorm(int width, double eps, Device? device)
        : base(nameof(RmsNorm))
    {
        this.eps = eps;
        weight = Layers.Weight([width], device);
        if (!weight.is_meta)
            nn.init.ones_(weight);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => x * x.Squared().mean([-1], keepdim: true).Plus(eps).rsqrt() * weight;
}
