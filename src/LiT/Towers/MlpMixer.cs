using System.Globalization;
using System.Text.Json;
using LiT.Checkpoints;
using LiT.Compute;
using LiT.Images;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

// Shapes: B pictures, P patch, L = (H/P)(W/P) patches, D width.

/// <summary>Size of an MLP-Mixer (Tolstikhin et al. 2021, arXiv 2105.01601, table 1).</summary>
internal sealed record MixerConfig : ImageTowerConfig
{
    internal const string Kind = "mixer";

    /// <summary>Length of a patch's state.</summary>
    public required int Width { get; init; }

    /// <summary>Blocks.</summary>
    public required int Depth { get; init; }

    /// <summary>Width inside the MLP over patches.</summary>
    public required int TokensMlpDim { get; init; }

    /// <summary>Width inside the MLP over channels.</summary>
    public required int ChannelsMlpDim { get; init; }

    /// <summary>Side of a patch in pixels.</summary>
    public required int Patch { get; init; }

    private static readonly Dictionary<string, (int Width, int Depth, int Tokens, int Channels)> Sizes = new()
    {
        ["S"] = (512, 8, 256, 2048),
        ["B"] = (768, 12, 384, 3072),
        ["L"] = (1024, 24, 512, 4096),
        ["H"] = (1280, 32, 640, 5120),
    };

    /// <summary>A variant of the paper: size, slash, patch, as in "B/16"; for 224 pixels.</summary>
    /// <exception cref="ArgumentException">There is no such size.</exception>
    public static MixerConfig Named(string variant) =>
        variant.Split('/') is [var size, var patch]
        && Sizes.TryGetValue(size, out var s)
        && int.TryParse(patch, NumberStyles.None, CultureInfo.InvariantCulture, out var pixels)
        && pixels is >= 1 and <= 224
            ? new()
            {
                Width = s.Width,
                Depth = s.Depth,
                TokensMlpDim = s.Tokens,
                ChannelsMlpDim = s.Channels,
                Patch = pixels,
                ImageSize = 224,
            }
            : throw new ArgumentException(
                $"There is no Mixer variant '{variant}'. Write size/patch, for example B/16; "
                    + $"the sizes are {string.Join(", ", Sizes.Keys)}.",
                nameof(variant)
            );

    /// <inheritdoc/>
    public override string InWords =>
        (
            Sizes.FirstOrDefault(size => size.Value == (Width, Depth, TokensMlpDim, ChannelsMlpDim)).Key is { } known
                ? $"Mixer-{known}/{Patch}"
                : $"Mixer of width {Width}, depth {Depth}, MLPs {TokensMlpDim} and {ChannelsMlpDim}, patch {Patch}"
        ) + $", {Pixels} px";

    internal override int BlockCount => Depth;

    internal override ImageTowerConfig EndingAfter(int blocks) => this with { Depth = blocks, Heads = [] };

    internal override ImageTower Build(Device? device = null) => new MlpMixer(this, device);
}

/// <summary>The MLP-Mixer. Its representation is the mean over patches. It takes pictures of one size only.</summary>
internal sealed class MlpMixer : ImageTower<MixerConfig>
{
    private readonly Conv2d stem;
    private readonly ModuleList<MixerBlock> blocks;
    private readonly LayerNorm norm;

    internal MlpMixer(MixerConfig config, Device? device = null)
        : base(nameof(MlpMixer), config, config.Width, device)
    {
        var (D, grid) = (config.Width, config.GridOf(config.Patch));
        stem = Conv2d(3, D, config.Patch, config.Patch, device: device);
        blocks = new([
            .. Enumerable
                .Range(0, config.Depth)
                .Select(_ => new MixerBlock(
                    D,
                    (int)(grid.Rows * grid.Columns),
                    config.TokensMlpDim,
                    config.ChannelsMlpDim,
                    device
                )),
        ]);
        norm = LayerNorm(D, 1e-6, device: device);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        if ((images.shape[2] / config.Patch, images.shape[3] / config.Patch) != config.GridOf(config.Patch))
            throw new LitException(
                $"A Mixer takes pictures of {config.ImageSize} x "
                    + $"{config.ImageHeight ?? config.ImageSize} pixels only, not {images.shape[3]} x "
                    + $"{images.shape[2]}. "
                    + "Preprocess to that size."
            );
        var x = stem.call(images).flatten(2).transpose(1, 2); // [B, L, D]
        foreach (var block in blocks)
            x = scope.DisposeEverythingBut(block.call(x));
        return norm.call(x).mean([1]).MoveToOuterDisposeScope(); // [B, D]
    }

    private protected override void InitialiseBody(Generator random)
    {
        Layers.LecunNormal(stem.weight!.flatten(1), random);
        init.zeros_(stem.bias!);
        foreach (var block in blocks)
            block.Initialise(random);
    }

    // vit_jax: models_mixer.py.
    internal static readonly WeightMap Flax = new("MLP-Mixer (vit_jax)")
    {
        { "stem/kernel", "stem.weight", Axes.HwioToOihw },
        { "stem/bias", "stem.bias" },
        { "MixerBlock_{i}/LayerNorm_{k}/scale", "blocks.{i}.norms.{k}.weight" },
        { "MixerBlock_{i}/LayerNorm_{k}/bias", "blocks.{i}.norms.{k}.bias" },
        { Mlp.Flax, "MixerBlock_{i}/token_mixing/", "blocks.{i}.tokens." },
        { Mlp.Flax, "MixerBlock_{i}/channel_mixing/", "blocks.{i}.channels." },
        { "pre_head_layer_norm/scale", "norm.weight" },
        { "pre_head_layer_norm/bias", "norm.bias" },
        { "head/kernel", "heads.head.weight", Axes.Transposed },
        { "head/bias", "heads.head.bias" },
    };

    // The layout that big_vision's mlp_mixer.load still converts, with singleton axes in front.
    internal static readonly WeightMap OldNames = new("MLP-Mixer (old names)")
    {
        { "embedding/kernel", "stem.weight", Axes.HwioToOihw },
        { "embedding/bias", "stem.bias" },
        { "Mixer/encoderblock_{i}/LayerNorm_{k}/scale", "blocks.{i}.norms.{k}.weight" },
        { "Mixer/encoderblock_{i}/LayerNorm_{k}/bias", "blocks.{i}.norms.{k}.bias" },
        {
            "Mixer/encoderblock_{i}/token_mixing_phase_0/kernel{k}",
            "blocks.{i}.tokens.fc{k}.weight",
            Axes.SqueezedTransposed
        },
        { "Mixer/encoderblock_{i}/token_mixing_phase_0/bias{k}", "blocks.{i}.tokens.fc{k}.bias", Axes.Flat },
        {
            "Mixer/encoderblock_{i}/channel_mixing_phase_0/kernel{k}",
            "blocks.{i}.channels.fc{k}.weight",
            Axes.SqueezedTransposed
        },
        { "Mixer/encoderblock_{i}/channel_mixing_phase_0/bias{k}", "blocks.{i}.channels.fc{k}.bias", Axes.Flat },
        { "Mixer/encoder_norm/scale", "norm.weight" },
        { "Mixer/encoder_norm/bias", "norm.bias" },
        { "head/kernel", "heads.head.weight", Axes.Transposed },
        { "head/bias", "heads.head.bias" },
    };

    internal static ImageTowerFamily AsFamily { get; } =
        new(
            MixerConfig.Kind,
            "S/32, S/16, B/32, B/16, L/16",
            (variant, _) => MixerConfig.Named(variant),
            Preprocessing.LiT,
            Recognise
        );

    private static RecognisedTower? Recognise(Checkpoint checkpoint, ImageTowerOptions options, JsonElement? configJson)
    {
        var old = WeightSource.Holding(checkpoint, "Mixer/encoder_norm/scale", "embedding/kernel").FirstOrDefault();
        if (
            (old ?? WeightSource.Holding(checkpoint, "pre_head_layer_norm/scale", "stem/kernel").FirstOrDefault())
            is not { } source
        )
            return null;
        var (names, stem) = old is null ? (Flax, "stem/kernel") : (OldNames, "embedding/kernel");
        var tokens = source.Find(
            "MixerBlock_{i}/token_mixing/Dense_0/kernel",
            "Mixer/encoderblock_{i}/token_mixing_phase_0/kernel1"
        );
        var channels = source.Find(
            "MixerBlock_{i}/channel_mixing/Dense_0/kernel",
            "Mixer/encoderblock_{i}/channel_mixing_phase_0/kernel1"
        );
        var (patch, patches) = (source.Size(stem, 0), source.Size(tokens, -2));
        var grid = (
            options.GivenGrid(patch) is { } given && given.Rows * given.Columns == patches
                ? given
                : ImageTowerOptions.SquareGrid(patches)
        )
            ?? throw new LitException(
                checkpoint.Path,
                $"is for {patches} patches, which is no square grid",
                "Put ':size=WIDTHxHEIGHT' of the pictures that it was trained with after the path"
            );
        var config = new MixerConfig
        {
            Width = source.Size(stem, -1),
            Depth = source.CountOf(old is null ? "MixerBlock_" : "Mixer/encoderblock_", "/"),
            TokensMlpDim = source.Size(tokens, -1),
            ChannelsMlpDim = source.Size(channels, -1),
            Patch = patch,
            ImageSize = grid.Columns * patch,
            ImageHeight = grid.Rows == grid.Columns ? null : grid.Rows * patch,
            Heads = source.Has("head/kernel") ? [new HeadConfig("head", source.Size("head/kernel", -1))] : [],
        };
        return new RecognisedTower(
            names.Family,
            source,
            config,
            _ => names,
            Preprocessing.LiT(config.ImageSize) with
            {
                Height = config.ImageHeight ?? config.ImageSize,
            }
        );
    }
}

/// <summary>x + the MLP over patches of norm(x), then x + the MLP over channels of norm(x).</summary>
internal sealed class MixerBlock : Module<Tensor, Tensor>
{
    private readonly ModuleList<LayerNorm> norms;
    private readonly Mlp tokens,
        channels;

    public MixerBlock(int width, int patches, int tokensMlpDim, int channelsMlpDim, Device? device)
        : base(nameof(MixerBlock))
    {
        norms = new([LayerNorm(width, 1e-6, device: device), LayerNorm(width, 1e-6, device: device)]);
        tokens = new Mlp(patches, tokensMlpDim, Activation.GeluTanh, device);
        channels = new Mlp(width, channelsMlpDim, Activation.GeluTanh, device);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        x = x.Plus(tokens.call(norms[0].call(x).transpose(1, 2)).transpose(1, 2));
        return x.Plus(channels.call(norms[1].call(x)));
    }

    public void Initialise(Generator random)
    {
        tokens.Initialise(random);
        channels.Initialise(random);
    }
}
