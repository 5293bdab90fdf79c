using System.Text.Json;
using System.Text.Json.Serialization;
using LiT.Checkpoints;
using LiT.Files;
using LiT.Images;
using LiT.Towers.Settings;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

// Shapes: B pictures, H W pixels, C channels, D = expansion · 8 · width of the root.

/// <summary>The blocks that a ResNet is made of.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ResNetBlock>))]
internal enum ResNetBlock
{
    /// <summary>1x1, 3x3 and 1x1 convolution, four times as wide outside: ResNet-50 and deeper.</summary>
    Bottleneck,

    /// <summary>Two 3x3 convolutions: ResNet-18 and 34.</summary>
    Basic,
}

/// <summary>
/// Size of a ResNet in torchvision's form (He et al. 2015, arXiv 1512.03385, with the stride on the 3x3 convolution).
/// </summary>
internal sealed record ResNetConfig : ImageTowerConfig
{
    internal const string Kind = "resnet";

    /// <summary>Channels of the root; 64 in the paper.</summary>
    public int Width { get; init; } = 64;

    /// <summary>Blocks in each stage.</summary>
    public required IReadOnlyList<int> Units { get; init; }

    /// <summary>What the blocks are.</summary>
    public ResNetBlock Block { get; init; }

    /// <summary>
    /// Width inside the first stage's bottlenecks where it is not that of the root (wide ResNets have twice that).
    /// </summary>
    public int? Middle { get; init; }

    private static readonly Dictionary<string, (ResNetBlock Block, int[] Units, int? Middle)> Variants = new()
    {
        ["18"] = (ResNetBlock.Basic, [2, 2, 2, 2], null),
        ["34"] = (ResNetBlock.Basic, [3, 4, 6, 3], null),
        ["50"] = (ResNetBlock.Bottleneck, [3, 4, 6, 3], null),
        ["101"] = (ResNetBlock.Bottleneck, [3, 4, 23, 3], null),
        ["152"] = (ResNetBlock.Bottleneck, [3, 8, 36, 3], null),
        ["50-2"] = (ResNetBlock.Bottleneck, [3, 4, 6, 3], 128),
        ["101-2"] = (ResNetBlock.Bottleneck, [3, 4, 23, 3], 128),
    };

    /// <summary>A variant by depth, "50"; "50-2" is the wide one; for 224 pixels.</summary>
    /// <exception cref="ArgumentException">There is no such variant.</exception>
    public static ResNetConfig Named(string variant) =>
        Variants.TryGetValue(variant, out var v)
            ? new()
            {
                Units = v.Units,
                Block = v.Block,
                Middle = v.Middle,
                ImageSize = 224,
            }
            : throw new ArgumentException(
                $"There is no ResNet variant '{variant}'. The variants are {string.Join(", ", Variants.Keys)}.",
                nameof(variant)
            );

    /// <inheritdoc/>
    public override string InWords =>
        Variants
            .FirstOrDefault(v =>
                Width == 64 && v.Value.Block == Block && v.Value.Middle == Middle && v.Value.Units.SequenceEqual(Units)
            )
            .Key
            is { } known
            ? $"ResNet-{known}"
            : $"ResNet of width {Width}, {Block} blocks {string.Join(", ", Units)}"
                + (Middle is { } middle ? $", {middle} inside" : "");

    /// <inheritdoc/>
    public bool Equals(ResNetConfig? other) =>
        base.Equals(other)
        && (Width, Block, Middle) == (other.Width, other.Block, other.Middle)
        && Units.SequenceEqual(other.Units);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), Width, Block, Middle, Units.Count);

    /// <summary>Channels of a stage's units, by its number.</summary>
    internal int Outputs(int stage) => (Block == ResNetBlock.Bottleneck ? 4 : 1) * Width << stage;

    internal override int BlockCount => Units.Sum();

    internal override ImageTower Build(Device? device = null) => new ResNet(this, device);
}

/// <summary>
/// torchvision's ResNet, as DINO and MoCo v3 use it too. Its representation is the mean over the picture.
/// </summary>
internal sealed class ResNet : ImageTower<ResNetConfig>
{
    private readonly ConvNorm root;
    private readonly ResidualStages<ResNetUnit> stages;

    internal ResNet(ResNetConfig config, Device? device = null)
        : base(
            nameof(ResNet),
            config,
            ResidualStages<ResNetUnit>.Outputs(config.Units, config.Width, config.Outputs),
            device
        )
    {
        root = new ConvNorm(3, config.Width, 7, 2, device: device);
        stages = new(
            Root,
            config.Units,
            config.Width,
            config.Outputs,
            (from, stage, stride) =>
                new ResNetUnit(
                    config.Block,
                    from,
                    (config.Middle ?? config.Width) << stage,
                    config.Outputs(stage),
                    stride,
                    device
                ),
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

    private Tensor Root(Tensor images) => functional.max_pool2d(root.Rectified(images), 3, 2, 1); // [B, C, H/4, W/4]

    private protected override void InitialiseBody(Generator random)
    {
        root.Initialise(random);
        foreach (var unit in stages.Units)
            unit.Initialise(random);
    }

    // torchvision: models/resnet.py.
    internal static readonly WeightMap Torchvision = new("ResNet (torchvision)")
    {
        { ConvNorm.Torch("conv1", "bn1", "root"), "", "" },
        { ConvNorm.Torch("layer{s+1}.{i}.conv{k+1}", "layer{s+1}.{i}.bn{k+1}", "stages.{s}.{i}.convs.{k}"), "", "" },
        {
            ConvNorm.Torch("layer{s+1}.{i}.downsample.0", "layer{s+1}.{i}.downsample.1", "stages.{s}.{i}.projection"),
            "",
            ""
        },
        { "fc.weight", "heads.fc.weight" },
        { "fc.bias", "heads.fc.bias" },
    };

    internal static ImageTowerFamily AsFamily { get; } =
        new(
            ResNetConfig.Kind,
            "18, 34, 50, 101, 152",
            (variant, _) => ResNetConfig.Named(variant),
            size => Preprocessing.TorchvisionImageNet(size),
            Recognise
        );

    private static RecognisedTower? Recognise(Checkpoint checkpoint, ImageTowerOptions options, JsonElement? configJson)
    {
        if (
            WeightSource.Holding(checkpoint, "conv1.weight", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight")
            is not [var source, ..]
        )
            return null;
        var bottleneck = source.Has("layer1.0.conv3.weight");
        var (width, middle) = (source.Size("conv1.weight", 0), source.Size("layer1.0.conv1.weight", 0));
        // What MoCo trains behind the encoder is called fc too, a projector of several layers.
        var moco = source.Prefix.EndsWith("base_encoder.", StringComparison.Ordinal) || source.Has("fc.0.weight");
        var config = new ResNetConfig
        {
            Width = width,
            Units =
            [
                .. Enumerable
                    .Range(1, source.CountOf("layer", ".") - 1)
                    .Select(stage => source.CountOf($"layer{stage}.", ".")),
            ],
            Block = bottleneck ? ResNetBlock.Bottleneck : ResNetBlock.Basic,
            Middle = bottleneck && middle != width ? middle : null,
            Heads = !moco && source.Has("fc.weight") ? [new HeadConfig("fc", source.Size("fc.weight", 0))] : [],
            ImageSize = 224,
        };
        var report = new SettingsReport();
        var said = new SettingsFile(checkpoint.Path, configJson);
        var preprocessing = Preprocessing.TorchvisionImageNet(config.ImageSize);
        if (TimmSettings.Of(said) is { } timm)
        {
            // Networks of the same names with other strides, activations or blurs have names of their own.
            timm.Expect("a ResNet", TimmSettings.IsPlainResNet);
            timm.ExpectPool("avg");
            preprocessing = timm.Preprocessing(config.ImageSize, null);
            timm.Close(report);
        }
        else
        {
            if (HuggingFaceConfig.Names(said))
                HuggingFaceConfig.PassOver(said, Torchvision.Family, report);
            ProcessorSettings.PassOver(checkpoint.Path, report);
        }
        var names = moco
            ? Torchvision.Skipping("fc.{*}", "MoCo's projector, which only its training needs")
            : Torchvision;
        return new RecognisedTower(names.Family, source, config, _ => names, preprocessing) { Settings = report };
    }
}

/// <summary>
/// Convolutions with norms, ReLU between, added to the shortcut, ReLU. The stride is on the 3x3 convolution.
/// </summary>
internal sealed class ResNetUnit : Module<Tensor, Tensor>
{
    private readonly ModuleList<ConvNorm> convs;
    private readonly ConvNorm? projection;

    public ResNetUnit(ResNetBlock block, int from, int middle, int to, int stride, Device? device)
        : base(nameof(ResNetUnit))
    {
        convs =
            block == ResNetBlock.Bottleneck
                ? new([
                    new(from, middle, 1, device: device),
                    new(middle, middle, 3, stride, device: device),
                    new(middle, to, 1, device: device),
                ])
                : new([new(from, to, 3, stride, device: device), new(to, to, 3, device: device)]);
        if (from != to || stride != 1)
            projection = new ConvNorm(from, to, 1, stride, device: device);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var shortcut = projection is null ? x : projection.call(x);
        foreach (var conv in convs.SkipLast(1))
            x = conv.Rectified(x);
        return convs[^1].RectifiedOnto(shortcut, x);
    }

    public void Initialise(Generator random)
    {
        foreach (var conv in convs)
            conv.Initialise(random);
        projection?.Initialise(random);
    }
}
