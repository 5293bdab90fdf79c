using System.Globalization;
using System.Text.Json;
using LiT.Checkpoints;
using LiT.Images;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// Size of a residual network for small pictures (He et al. 2015, arXiv 1512.03385, section 4.2): a 3x3 stem, stages of
/// two-layer blocks whose width doubles while the picture halves, shortcuts without parameters.
/// </summary>
internal sealed record CifarResNetConfig : ImageTowerConfig
{
    internal const string Kind = "cifar-resnet";

    /// <summary>
    /// Blocks of two convolutions in each stage: n of the paper, whose networks are 6n+2 layers deep.
    /// </summary>
    public required int Blocks { get; init; }

    /// <summary>Channels of the first stage; each further stage has twice as many.</summary>
    public int Width { get; init; } = 16;

    /// <summary>Stages; 3 in the paper. A fourth suits pictures of 64 pixels.</summary>
    public int Stages { get; init; } = 3;

    /// <summary>Stride of the first convolution; 1 in the paper, 2 halves the picture at once.</summary>
    public int StemStride { get; init; } = 1;

    /// <summary>Layers with weights, as the networks are named after: 20, 32, 44, 56, 110.</summary>
    public int Depth => 2 * Stages * Blocks + 2;

    /// <inheritdoc/>
    public override string InWords =>
        $"ResNet-{Depth} in its CIFAR form"
        + (Width == 16 && Stages == 3 ? "" : $", {Stages} stages of width {string.Join(", ", Widths)}")
        + (StemStride == 1 ? "" : $", stem with stride {StemStride}");

    /// <summary>Channels of each stage.</summary>
    internal IEnumerable<int> Widths => Enumerable.Range(0, Stages).Select(stage => Width << stage);

    /// <summary>A network of the paper by its depth: 20, 32, 44, 56, 110 or any other 6n+2.</summary>
    /// <exception cref="ArgumentException">The depth is not 6n+2.</exception>
    public static CifarResNetConfig Named(string depth) =>
        int.TryParse(depth, NumberStyles.None, CultureInfo.InvariantCulture, out var layers)
        && layers is >= 8 and <= 1202
        && layers % 6 == 2
            ? new() { Blocks = (layers - 2) / 6, ImageSize = 32 }
            : throw new ArgumentException(
                $"There is no CIFAR ResNet of depth '{depth}'. Write 6n+2, for example 20, 32, 44, 56 or 110.",
                nameof(depth)
            );

    internal override int BlockCount => Stages * Blocks;

    internal override ImageTower Build(Device? device = null) => new CifarResNet(this, device);
}

/// <summary>
/// The residual network for small pictures. Its representation is the average of the last stage over the picture.
/// </summary>
internal sealed class CifarResNet : ImageTower<CifarResNetConfig>
{
    private readonly ConvNorm stem;
    private readonly ModuleList<CifarBlock> blocks;

    internal CifarResNet(CifarResNetConfig config, Device? device = null)
        : base(nameof(CifarResNet), Buildable(config), config.Widths.Last(), device)
    {
        stem = new ConvNorm(3, config.Width, 3, config.StemStride, device: device);
        var all = new List<CifarBlock>();
        foreach (var width in config.Widths)
            for (var block = 0; block < config.Blocks; block++)
                all.Add(
                    block == 0 && width > config.Width ? new(width / 2, width, 2, device) : new(width, width, 1, device)
                );
        blocks = ModuleList([.. all]);
        RegisterComponents();
    }

    private static CifarResNetConfig Buildable(CifarResNetConfig config) =>
        config is { Blocks: >= 1 and <= 200, Width: >= 2 and <= 2048, Stages: >= 1 and <= 6, StemStride: >= 1 and <= 4 }
        && config.Width % 2 == 0
            ? config
            : throw new ArgumentException(
                $"{config.InWords} cannot be built: blocks 1-200, even widths from 2, stages 1-6, stem stride 1-4.",
                nameof(config)
            );

    /// <inheritdoc/>
    public override Tensor forward(Tensor images) // [B, 3, H, W] -> [B, D]
    {
        using var scope = NewDisposeScope();
        var x = stem.Rectified(images);
        foreach (var block in blocks)
            x = scope.DisposeEverythingBut(block.call(x));
        return x.mean([2, 3]).MoveToOuterDisposeScope();
    }

    private protected override void InitialiseBody(Generator random)
    {
        stem.Initialise(random);
        foreach (var block in blocks)
            block.Initialise(random);
    }

    internal static ImageTowerFamily AsFamily { get; } =
        new(
            CifarResNetConfig.Kind,
            "20, 32, 44, 56, 110",
            (variant, _) => CifarResNetConfig.Named(variant),
            size => Preprocessing.Cifar with { Width = size, Height = size },
            Recognise
        );

    private static RecognisedTower? Recognise(Checkpoint checkpoint, ImageTowerOptions options, JsonElement? configJson)
    {
        if (WeightSource.Holding(checkpoint, "conv1.weight", "layer1.0.conv2.weight") is not [var source, ..])
            return null;
        if (
            source.Has("layer4.0.conv1.weight")
            || source.Has("layer1.0.conv3.weight")
            || source.Size("conv1.weight", -1) != 3
        )
            return null;
        var config = new CifarResNetConfig
        {
            ImageSize = 32,
            Width = source.Size("conv1.weight", 0),
            Blocks = source.CountOf("layer1.", ".conv1.weight"),
            Stages = Enumerable.Range(1, 6).TakeWhile(stage => source.Has($"layer{stage}.0.conv1.weight")).Count(),
            Heads = source.Has("linear.weight") ? [new HeadConfig("linear", source.Size("linear.weight", 0))] : [],
        };
        return new RecognisedTower(
            "CIFAR ResNet (pytorch_resnet_cifar10)",
            source,
            config,
            _ => Akamaster(config),
            Preprocessing.Cifar
        );
    }

    /// <summary>
    /// Names of github.com/akamaster/pytorch_resnet_cifar10, whose weights are public; blocks are counted within a
    /// stage there.
    /// </summary>
    internal static WeightMap Akamaster(CifarResNetConfig config)
    {
        var map = new WeightMap("CIFAR ResNet (pytorch_resnet_cifar10)")
        {
            { ConvNorm.Torch("conv1", "bn1", "stem"), "", "" },
        };
        for (var stage = 0; stage < config.Stages; stage++)
        for (var block = 0; block < config.Blocks; block++)
            map.Add(CifarBlock.Torch, $"layer{stage + 1}.{block}.", $"blocks.{stage * config.Blocks + block}.");
        map.Add("linear.weight", "heads.linear.weight");
        map.Add("linear.bias", "heads.linear.bias");
        return map;
    }
}

/// <summary>
/// x + conv(relu(conv(x))), then ReLU; where the picture halves, the shortcut drops every other pixel and adds empty
/// channels.
/// </summary>
internal sealed class CifarBlock : Module<Tensor, Tensor>
{
    private readonly ConvNorm conv1,
        conv2;
    private readonly int stride,
        added;

    public CifarBlock(int from, int to, int stride, Device? device)
        : base(nameof(CifarBlock))
    {
        (this.stride, added) = (stride, to - from);
        conv1 = new ConvNorm(from, to, 3, stride, device: device);
        conv2 = new ConvNorm(to, to, 3, device: device);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var shortcut =
            stride == 1
                ? x
                : functional.pad(
                    x[.., .., TensorIndex.Slice(step: stride), TensorIndex.Slice(step: stride)],
                    [0, 0, 0, 0, added / 2, added / 2]
                );
        return conv2.RectifiedOnto(shortcut, conv1.Rectified(x));
    }

    public void Initialise(Generator random)
    {
        conv1.Initialise(random);
        conv2.Initialise(random);
    }

    internal static readonly WeightMap Torch = new("CIFAR block")
    {
        { ConvNorm.Torch("conv{k}", "bn{k}", "conv{k}"), "", "" },
    };
}
