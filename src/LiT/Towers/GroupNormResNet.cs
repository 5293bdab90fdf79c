using System.Text.Json;
using LiT.Checkpoints;
using LiT.Images;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

// Shapes: B pictures, H W pixels, C channels, D = 4 · 8 · width of the root.

/// <summary>
/// Size of big_vision's ResNet-v1 with weight standardisation and group normalisation (models/bit.py; the norms of
/// Kolesnikov et al. 2020, arXiv 1912.11370, on the blocks of He et al. 2015, arXiv 1512.03385).
/// </summary>
internal sealed record GroupNormResNetConfig : ImageTowerConfig
{
    internal const string Kind = "gn-resnet";

    /// <summary>Channels of the root: 64 times the width factor.</summary>
    public required int Width { get; init; }

    /// <summary>Units in each stage.</summary>
    public required IReadOnlyList<int> Units { get; init; }

    /// <summary>A variant by depth: "50", "101", "152"; for 224 pixels.</summary>
    /// <exception cref="ArgumentException">There is no such depth.</exception>
    public static GroupNormResNetConfig Named(string depth) =>
        new()
        {
            Width = 64,
            ImageSize = 224,
            Units = depth switch
            {
                "26" => [2, 2, 2, 2],
                "50" => [3, 4, 6, 3],
                "101" => [3, 4, 23, 3],
                "152" => [3, 8, 36, 3],
                _ => throw new ArgumentException(
                    $"There is no group-norm ResNet of depth '{depth}'. The depths are 26, 50, 101, 152.",
                    nameof(depth)
                ),
            },
        };

    /// <inheritdoc/>
    public override string InWords => $"ResNet-{3 * Units.Sum() + 2} with group norms, width {Width}";

    /// <inheritdoc/>
    public bool Equals(GroupNormResNetConfig? other) =>
        base.Equals(other) && Width == other.Width && Units.SequenceEqual(other.Units);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), Width, Units.Count);

    /// <summary>Channels of a stage's units, by its number.</summary>
    internal int Outputs(int stage) => 4 * Width << stage;

    internal override int BlockCount => Units.Sum();

    internal override ImageTower Build(Device? device = null) => new GroupNormResNet(this, device);
}

/// <summary>big_vision's ResNet-v1 with group norms. Its representation is the mean over the picture.</summary>
internal sealed class GroupNormResNet : ImageTower<GroupNormResNetConfig>
{
    private readonly StandardisedConv root;
    private readonly RectifiedNorm norm;
    private readonly ResidualStages<GroupNormUnit> stages;

    internal GroupNormResNet(GroupNormResNetConfig config, Device? device = null)
        : base(
            nameof(GroupNormResNet),
            config,
            ResidualStages<GroupNormUnit>.Outputs(config.Units, config.Width, config.Outputs),
            device
        )
    {
        root = new StandardisedConv(3, config.Width, 7, 2, Standardisation.Bit, device);
        norm = GroupNormUnit.Norm(config.Width, device);
        stages = new(
            Root,
            config.Units,
            config.Width,
            config.Outputs,
            (from, stage, stride) => new GroupNormUnit(from, config.Width << stage, stride, device),
            device
        );
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return stages.call(images).mean([2, 3]).MoveToOuterDisposeScope(); // [B, D]
    }

    private Tensor Root(Tensor images)
    {
        var x = norm.RectifiedInPlace(root.call(images)); // [B, C, H/2, W/2]
        x = StandardisedConv.Same(x, 3, 2, double.NegativeInfinity);
        return functional.max_pool2d(x, 3, 2); // [B, C, H/4, W/4]
    }

    private protected override void InitialiseBody(Generator random)
    {
        root.Initialise(random);
        foreach (var unit in stages.Units)
            unit.Initialise(random);
        foreach (var part in modules().OfType<RectifiedNorm>())
            part.Initialise();
    }

    // Old linen files keep norms as [1, 1, 1, C].
    internal static readonly WeightMap BigVision = new("ResNet-v1 with group norms (big_vision)")
    {
        { "conv_root/kernel", "root.weight", Axes.HwioToOihw },
        { "gn_root/scale", "norm.weight", Axes.Flat },
        { "gn_root/bias", "norm.bias", Axes.Flat },
        { "block{s+1}/unit{i+1}/conv{k}/kernel", "stages.{s}.{i}.conv{k}.weight", Axes.HwioToOihw },
        { "block{s+1}/unit{i+1}/gn{k}/scale", "stages.{s}.{i}.norm{k}.weight", Axes.Flat },
        { "block{s+1}/unit{i+1}/gn{k}/bias", "stages.{s}.{i}.norm{k}.bias", Axes.Flat },
        { "block{s+1}/unit{i+1}/conv_proj/kernel", "stages.{s}.{i}.projection.weight", Axes.HwioToOihw },
        { "block{s+1}/unit{i+1}/gn_proj/scale", "stages.{s}.{i}.projection_norm.weight", Axes.Flat },
        { "block{s+1}/unit{i+1}/gn_proj/bias", "stages.{s}.{i}.projection_norm.bias", Axes.Flat },
        { "head/kernel", "heads.head.weight", Axes.Transposed },
        { "head/bias", "heads.head.bias" },
    };

    internal static ImageTowerFamily AsFamily { get; } =
        new(
            GroupNormResNetConfig.Kind,
            "26, 50, 101, 152",
            (variant, _) => GroupNormResNetConfig.Named(variant),
            Preprocessing.LiT,
            Recognise
        );

    private static RecognisedTower? Recognise(Checkpoint checkpoint, ImageTowerOptions options, JsonElement? configJson)
    {
        if (WeightSource.Holding(checkpoint, "conv_root/kernel", "gn_root/scale") is not [var source, ..])
            return null;
        var config = new GroupNormResNetConfig
        {
            Width = source.Size("conv_root/kernel", -1),
            Units =
            [
                .. Enumerable
                    .Range(1, source.CountOf("block", "/") - 1)
                    .Select(stage => source.CountOf($"block{stage}/unit", "/") - 1),
            ],
            Heads = source.Has("head/kernel") ? [new HeadConfig("head", source.Size("head/kernel", -1))] : [],
            ImageSize = 224,
        };
        return new RecognisedTower(
            BigVision.Family,
            source,
            config,
            _ => BigVision,
            Preprocessing.LiT(config.ImageSize)
        );
    }
}

/// <summary>Bottleneck: convolution and norm three times, ReLU between, added to the shortcut, ReLU.</summary>
internal sealed class GroupNormUnit : Module<Tensor, Tensor>
{
    private readonly StandardisedConv conv1,
        conv2,
        conv3;
    private readonly RectifiedNorm norm1,
        norm2,
        norm3;
    private readonly StandardisedConv? projection;

    [TorchSharp.Utils.ComponentName(Name = "projection_norm")]
    private readonly RectifiedNorm? projectionNorm;

    public GroupNormUnit(int from, int middle, int stride, Device? device)
        : base(nameof(GroupNormUnit))
    {
        conv1 = new StandardisedConv(from, middle, 1, 1, Standardisation.Bit, device);
        conv2 = new StandardisedConv(middle, middle, 3, stride, Standardisation.Bit, device);
        conv3 = new StandardisedConv(middle, 4 * middle, 1, 1, Standardisation.Bit, device);
        (norm1, norm2, norm3) = (Norm(middle, device), Norm(middle, device), Norm(4 * middle, device));
        if (from != 4 * middle || stride != 1)
        {
            projection = new StandardisedConv(from, 4 * middle, 1, stride, Standardisation.Bit, device);
            projectionNorm = Norm(4 * middle, device);
        }
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var shortcut = projection is null ? x : projectionNorm!.call(projection.call(x));
        var y = norm1.RectifiedInPlace(conv1.call(x));
        y = conv3.call(norm2.RectifiedInPlace(conv2.call(y)));
        return norm3.RectifiedSum(y, shortcut);
    }

    public void Initialise(Generator random)
    {
        foreach (var conv in new[] { conv1, conv2, conv3, projection })
            conv?.Initialise(random);
    }

    internal static RectifiedNorm Norm(int channels, Device? device) => new(32, channels, 1e-6, device);
}
