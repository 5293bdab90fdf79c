using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using LiT.Checkpoints;
using LiT.Images;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

// Shapes: B pictures, H W pixels, C channels, D = 4 · 8 · width of the root.

/// <summary>What surrounds the picture before the root's max pooling, where the references disagree.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RootPadding>))]
internal enum RootPadding
{
    /// <summary>Minus infinity, which never wins: models trained with big_vision.</summary>
    MinusInfinity,

    /// <summary>Zeros, which win over negative values: the public BiT-S and BiT-M.</summary>
    Zero,
}

/// <summary>Size of a BiT ResNet-v2 (Kolesnikov et al. 2020, arXiv 1912.11370).</summary>
internal sealed record BitConfig : ImageTowerConfig
{
    internal const string Kind = "bit";

    /// <summary>Channels of the root; 64 times the width factor.</summary>
    public required int Width { get; init; }

    /// <summary>Units in each stage.</summary>
    public required IReadOnlyList<int> Units { get; init; }

    /// <summary>What surrounds the picture before the max pooling.</summary>
    public RootPadding RootPadding { get; init; }

    private static readonly Dictionary<string, int[]> Depths = new()
    {
        ["R26"] = [2, 2, 2, 2],
        ["R50"] = [3, 4, 6, 3],
        ["R101"] = [3, 4, 23, 3],
        ["R152"] = [3, 8, 36, 3],
        ["R200"] = [3, 24, 36, 3],
    };

    /// <summary>
    /// A variant by depth and width factor, as in "R50x1"; for 224 pixels, with the padding of the public weights.
    /// </summary>
    /// <exception cref="ArgumentException">There is no such depth.</exception>
    public static BitConfig Named(string variant) =>
        variant.Split('x') is [var depth, var factor]
        && Depths.TryGetValue(depth, out var units)
        && int.TryParse(factor, NumberStyles.None, CultureInfo.InvariantCulture, out var times)
        && times is >= 1 and <= 16
            ? new()
            {
                Width = 64 * times,
                Units = units,
                ImageSize = 224,
                RootPadding = RootPadding.Zero,
            }
            : throw new ArgumentException(
                $"There is no BiT variant '{variant}'. Write depth, x, width, for example R50x1; "
                    + $"the depths are {string.Join(", ", Depths.Keys)}.",
                nameof(variant)
            );

    /// <inheritdoc/>
    public override string InWords =>
        (
            Width % 64 == 0 && Depths.FirstOrDefault(depth => depth.Value.SequenceEqual(Units)).Key is { } depth
                ? $"BiT-{depth}x{Width / 64}"
                : $"BiT ResNet-v2 of width {Width}, units {string.Join(", ", Units)}"
        ) + (RootPadding == RootPadding.Zero ? "" : ", max pooling padded with -inf");

    /// <inheritdoc/>
    public bool Equals(BitConfig? other) =>
        base.Equals(other)
        && (Width, RootPadding) == (other.Width, other.RootPadding)
        && Units.SequenceEqual(other.Units);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), Width, RootPadding, Units.Count);

    /// <summary>Channels of a stage's units, by its number.</summary>
    internal int Outputs(int stage) => 4 * Width << stage;

    internal override int BlockCount => Units.Sum();

    internal override ImageTower Build(Device? device = null) => new BigTransfer(this, device);
}

/// <summary>
/// BiT's ResNet-v2 with weight standardisation and group normalisation. Its representation is the mean over the
/// picture.
/// </summary>
internal sealed class BigTransfer : ImageTower<BitConfig>
{
    private readonly StandardisedConv root;
    private readonly ResidualStages<BitUnit> stages;
    private readonly RectifiedNorm norm;

    internal BigTransfer(BitConfig config, Device? device = null)
        : base(
            nameof(BigTransfer),
            config,
            ResidualStages<BitUnit>.Outputs(config.Units, config.Width, config.Outputs),
            device
        )
    {
        root = new StandardisedConv(3, config.Width, 7, 2, Standardisation.BitPaper, device);
        stages = new(
            Root,
            config.Units,
            config.Width,
            config.Outputs,
            (from, stage, stride) => new BitUnit(from, config.Width << stage, stride, device),
            device
        );
        norm = BitUnit.Norm(Width, device);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return norm.RectifiedInPlace(stages.call(images)).mean([2, 3]).MoveToOuterDisposeScope(); // [B, D]
    }

    private Tensor Root(Tensor images)
    {
        var x = root.call(images); // [B, C, H/2, W/2]
        return config.RootPadding == RootPadding.Zero
            ? functional.max_pool2d(functional.pad(x, [1, 1, 1, 1]), 3, 2)
            : functional.max_pool2d(x, 3, 2, 1); // [B, C, H/4, W/4]
    }

    private protected override void InitialiseBody(Generator random)
    {
        root.Initialise(random);
        foreach (var unit in stages.Units)
            unit.Initialise(random);
        foreach (var part in modules().OfType<RectifiedNorm>())
            part.Initialise();
    }

    // big_vision: models/bit_paper.py. Norms have the shape [1, 1, 1, C] there.
    internal static readonly WeightMap BigVision = new("BiT ResNet-v2 (big_vision)")
    {
        { "root_block/conv_root/kernel", "root.weight", Axes.HwioToOihw },
        { "block{s+1}/unit{i+1:00}/gn{k}/scale", "stages.{s}.{i}.norm{k}.weight", Axes.Flat },
        { "block{s+1}/unit{i+1:00}/gn{k}/bias", "stages.{s}.{i}.norm{k}.bias", Axes.Flat },
        { "block{s+1}/unit{i+1:00}/conv{k}/kernel", "stages.{s}.{i}.conv{k}.weight", Axes.HwioToOihw },
        { "block{s+1}/unit{i+1:00}/conv_proj/kernel", "stages.{s}.{i}.projection.weight", Axes.HwioToOihw },
        { "norm-pre-head/scale", "norm.weight", Axes.Flat },
        { "norm-pre-head/bias", "norm.bias", Axes.Flat },
        { "head/kernel", "heads.head.weight", Axes.Transposed },
        { "head/bias", "heads.head.bias" },
    };

    // big_transfer, as the public BiT-S and BiT-M files are: letters a, b, c hold conv1..3 with the norm that comes
    // before it; scopes may carry a number; the head is a convolution of one pixel.
    internal static readonly WeightMap Legacy = new("BiT ResNet-v2 (big_transfer)")
    {
        { "resnet/root_block/standardized_conv2d{*}/kernel", "root.weight", Axes.HwioToOihw },
        { Letter("a", 1), "", "" },
        { Letter("b", 2), "", "" },
        { Letter("c", 3), "", "" },
        {
            "resnet/block{s+1}/unit{i+1:00}/a/proj/standardized_conv2d{*}/kernel",
            "stages.{s}.{i}.projection.weight",
            Axes.HwioToOihw
        },
        { "resnet/group_norm{*}/gamma", "norm.weight", Axes.Flat },
        { "resnet/group_norm{*}/beta", "norm.bias", Axes.Flat },
        { "resnet/head/conv2d{*}/kernel", "heads.head.weight", Axes.PointwiseToDense },
        { "resnet/head/conv2d{*}/bias", "heads.head.bias" },
    };

    private static WeightMap Letter(string letter, int number) =>
        new("BiT unit")
        {
            {
                $"resnet/block{{s+1}}/unit{{i+1:00}}/{letter}/standardized_conv2d{{*}}/kernel",
                $"stages.{{s}}.{{i}}.conv{number}.weight",
                Axes.HwioToOihw
            },
            {
                $"resnet/block{{s+1}}/unit{{i+1:00}}/{letter}/group_norm{{*}}/gamma",
                $"stages.{{s}}.{{i}}.norm{number}.weight",
                Axes.Flat
            },
            {
                $"resnet/block{{s+1}}/unit{{i+1:00}}/{letter}/group_norm{{*}}/beta",
                $"stages.{{s}}.{{i}}.norm{number}.bias",
                Axes.Flat
            },
        };

    internal static ImageTowerFamily AsFamily { get; } =
        new(
            BitConfig.Kind,
            "R50x1, R50x3, R101x1, R101x3, R152x2, R152x4",
            (variant, options) =>
                BitConfig.Named(variant) with
                {
                    RootPadding = options.RootPadding ?? RootPadding.Zero,
                },
            Preprocessing.LiT,
            Recognise
        );

    private static RecognisedTower? Recognise(Checkpoint checkpoint, ImageTowerOptions options, JsonElement? configJson)
    {
        var legacy = WeightSource.Holding(checkpoint, "resnet/group_norm/gamma").FirstOrDefault();
        var source = legacy
            ?? WeightSource.Holding(checkpoint, "root_block/conv_root/kernel", "norm-pre-head/scale").FirstOrDefault();
        if (source is null)
            return null;
        var before = legacy is null ? "" : "resnet/";
        var head = source.FindIfThere("resnet/head/conv2d{*}/kernel", "head/kernel");
        var config = new BitConfig
        {
            Width = source.Size(
                source.Find("resnet/root_block/standardized_conv2d{*}/kernel", "root_block/conv_root/kernel"),
                -1
            ),
            Units =
            [
                .. Enumerable
                    .Range(1, source.CountOf($"{before}block", "/") - 1)
                    .Select(stage => source.CountOf($"{before}block{stage}/unit", "/") - 1),
            ],
            RootPadding = options.RootPadding ?? (legacy is null ? RootPadding.MinusInfinity : RootPadding.Zero),
            Heads = head is null ? [] : [new HeadConfig("head", source.Size(head, -1))],
            ImageSize = 224,
        };
        var names = legacy is null ? BigVision : Legacy;
        return new RecognisedTower(names.Family, source, config, _ => names, Preprocessing.LiT(config.ImageSize));
    }
}

/// <summary>
/// Pre-activation bottleneck (He et al. 2016, arXiv 1603.05027): norm, ReLU and convolution three times; where size or
/// width change, the shortcut is a projection of what the first ReLU gives.
/// </summary>
internal sealed class BitUnit : Module<Tensor, Tensor>
{
    private readonly RectifiedNorm norm1,
        norm2,
        norm3;
    private readonly StandardisedConv conv1,
        conv2,
        conv3;
    private readonly StandardisedConv? projection;

    public BitUnit(int from, int middle, int stride, Device? device)
        : base(nameof(BitUnit))
    {
        (norm1, norm2, norm3) = (Norm(from, device), Norm(middle, device), Norm(middle, device));
        conv1 = new StandardisedConv(from, middle, 1, 1, Standardisation.BitPaper, device);
        conv2 = new StandardisedConv(middle, middle, 3, stride, Standardisation.BitPaper, device);
        conv3 = new StandardisedConv(middle, 4 * middle, 1, 1, Standardisation.BitPaper, device);
        if (from != 4 * middle || stride != 1)
            projection = new StandardisedConv(from, 4 * middle, 1, stride, Standardisation.BitPaper, device);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var first = norm1.Rectified(x);
        var shortcut = projection is null ? x : projection.call(first);
        var y = conv2.call(norm2.RectifiedInPlace(conv1.call(first)));
        return conv3.Onto(shortcut, norm3.RectifiedInPlace(y));
    }

    public void Initialise(Generator random)
    {
        foreach (var conv in new[] { conv1, conv2, conv3, projection })
            conv?.Initialise(random);
    }

    internal static RectifiedNorm Norm(int channels, Device? device) => new(32, channels, 1e-5, device);
}
