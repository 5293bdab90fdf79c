using System.Text.Json.Serialization;
using LiT.Compute;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LiT.Towers;

// Shapes: B texts, L tokens in a row, D width of the encoder, P poolings, E width of the representation.

/// <summary>What a dense layer behind the pooling ends in.</summary>
internal enum SentenceActivation
{
    /// <summary>Nothing: torch.nn.Identity.</summary>
    None,

    /// <summary>tanh, what sentence-transformers takes where a file does not say it.</summary>
    Tanh,

    /// <summary>Exact GELU (erf).</summary>
    Gelu,

    /// <summary>max(0, x).</summary>
    Relu,
}

/// <summary>One step behind the pooling: a dense layer or, where it has no outputs, a vector's own length as
/// 1.</summary>
/// <param name="Outputs">Width behind a dense layer; null where vectors are brought to unit length.</param>
/// <param name="Bias">Whether the layer has a bias.</param>
/// <param name="Activation">What it ends in.</param>
/// <param name="Residual">Whether its input, brought to the same width, is added to what comes out.</param>
internal sealed record SentenceStep(
    int? Outputs = null,
    bool Bias = true,
    SentenceActivation Activation = SentenceActivation.None,
    bool Residual = false
)
{
    /// <summary>The step in words.</summary>
    [JsonIgnore]
    public string InWords =>
        Outputs is not { } width
            ? "unit length"
            : $"dense {width}"
                + (Activation == SentenceActivation.None ? "" : $" ({Activation.ToString().ToLowerInvariant()})")
                + (Residual ? " with its input added" : "");
}

/// <summary>
/// A sentence tower (Reimers and Gurevych 2019, arXiv 1908.10084) as sentence-transformers lays it into a folder: an
/// encoder, one or more poolings of its tokens side by side, and what follows.
/// </summary>
/// <param name="Encoder">The encoder, whose pooling is the first.</param>
/// <param name="Poolings">All poolings, in the order in which they are joined.</param>
/// <param name="Steps">What follows, in order.</param>
internal sealed record SentenceConfig(
    TextTowerConfig Encoder,
    IReadOnlyList<TextPooling> Poolings,
    IReadOnlyList<SentenceStep> Steps
) : TextTowerConfig
{
    /// <inheritdoc/>
    internal override TextTowerConfig Encoding() => Encoder;

    internal override int BlockCount() => Encoder.BlockCount();

    internal override TextTowerConfig EndingAfter(int blocks) => this with { Encoder = Encoder.EndingAfter(blocks) };

    internal override TextTower Build(Device? device = null)
    {
        if (Encoder is null or SentenceConfig || Poolings is not { Count: > 0 } || Steps is null)
            throw new ArgumentException("A sentence tower needs an encoder, a pooling and its steps.");
        foreach (var step in Steps)
            Check(1, step.Outputs ?? 1);
        return new SentenceTower(this, device);
    }

    internal override TextTower Create(Generator random) =>
        throw new NotSupportedException("A sentence tower is read from a folder.");

    /// <summary>Equal where all of it is: lists by what they hold.</summary>
    public bool Equals(SentenceConfig? other) =>
        other is not null
        && Encoder.Equals(other.Encoder)
        && Poolings.SequenceEqual(other.Poolings)
        && Steps.SequenceEqual(other.Steps);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Encoder, Poolings.Count, Steps.Count);
}

/// <summary>A sentence tower: what its library gives for a text, to the digit.</summary>
internal sealed class SentenceTower : TextTower
{
    private readonly SentenceConfig config;
    private readonly TextTower encoder;
    private readonly ModuleList<SentenceDense> dense;

    internal SentenceTower(SentenceConfig config, Device? device = null)
        : base(nameof(SentenceTower))
    {
        this.config = config;
        encoder = config.Encoder.Build(device);
        var width = config.Poolings.Count * encoder.Width;
        List<SentenceDense> layers = [];
        foreach (var step in config.Steps)
            if (step.Outputs is { } outputs)
            {
                layers.Add(new SentenceDense(width, step, device));
                width = outputs;
            }
        dense = new([.. layers]);
        Width = width;
        RegisterComponents();
    }

    /// <summary>What reads the tokens.</summary>
    public TextTower Encoder => encoder;

    /// <summary>The dense layers, in order.</summary>
    public IReadOnlyList<SentenceDense> Layers => [.. dense];

    /// <inheritdoc/>
    public override TextTowerConfig Config => config;

    /// <inheritdoc/>
    public override int Width { get; }

    /// <inheritdoc/>
    public override int VocabularySize => encoder.VocabularySize;

    /// <inheritdoc/>
    public override int? MaxLength => encoder.MaxLength;

    /// <inheritdoc/>
    public override bool MasksPadding => encoder.MasksPadding;

    /// <inheritdoc/>
    public override Tensor forward(Tensor ids)
    {
        CheckLength(ids);
        using var scope = NewDisposeScope();
        var x = config.Poolings.Count == 1 ? encoder.call(ids) : Joined(ids); // [B, P D]
        return Behind(x).MoveToOuterDisposeScope(); // [B, E]
    }

    /// <summary>What becomes of pooled states, [B, P D] → [B, E].</summary>
    internal Tensor Behind(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = x.alias();
        var layer = 0;
        foreach (var step in config.Steps)
            x = step.Outputs is null ? UnitLength(x) : dense[layer++].call(x);
        return x.MoveToOuterDisposeScope();
    }

    private Tensor Joined(Tensor ids)
    {
        var rows = encoder.Rows(ids);
        var states = encoder.Hidden(rows);
        return cat([.. config.Poolings.Select(pooling => rows.Pool(states, pooling))], 1);
    }

    // torch.nn.functional.normalize
    private static Tensor UnitLength(Tensor x) =>
        x / x.norm(-1, keepdim: true).With(1e-12, (length, least) => length.clamp_min(least));
}

/// <summary>activation(x · weightᵀ + bias), plus x in the same width where it has a residual, [B, D] → [B,
/// E].</summary>
internal sealed class SentenceDense : nn.Module<Tensor, Tensor>
{
    private readonly SentenceStep step;
    private readonly Dense linear;
    private readonly Dense? residual;

    public SentenceDense(int inputs, SentenceStep step, Device? device)
        : base(nameof(SentenceDense))
    {
        this.step = step;
        var outputs = step.Outputs!.Value;
        linear = Towers.Layers.Dense(inputs, outputs, device, step.Bias);
        if (step.Residual && inputs != outputs)
            residual = Towers.Layers.Dense(inputs, outputs, device, bias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var y = linear.call(x);
        y = step.Activation switch
        {
            SentenceActivation.Tanh => y.tanh(),
            SentenceActivation.Gelu => nn.functional.gelu(y),
            SentenceActivation.Relu => nn.functional.relu(y),
            _ => y,
        };
        return step.Residual ? y.Plus(residual?.call(x) ?? x) : y;
    }

    /// <summary>Names in the files of sentence-transformers (base/modules/dense.py).</summary>
    internal static readonly WeightMap Names = new("a dense layer of sentence-transformers")
    {
        { "linear.weight", "linear.weight" },
        { "linear.bias", "linear.bias" },
        { "residual.weight", "residual.weight" },
    };
}
