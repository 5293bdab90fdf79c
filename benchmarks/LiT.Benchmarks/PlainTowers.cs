using LiT.Towers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Benchmarks;

/// <summary>
/// The same networks as one writes them first in TorchSharp: separate query, key and value, attention written out, batch norms by
/// themselves, nothing folded. They serve as a yardstick for time; their weights are random.
/// </summary>
internal static class PlainTowers
{
    /// <summary>The plain form of a tower. BiT's is the project's own, unlocked: nothing simpler has its standardised kernels.</summary>
    public static Module<Tensor, Tensor> Of(ImageTower tower)
    {
        Module<Tensor, Tensor> plain = tower.Config switch
        {
            VitConfig vit => new PlainViT(
                vit.ImageSize / vit.Patch,
                vit.Patch,
                vit.Width,
                vit.Depth,
                vit.MlpDim,
                vit.AttentionHeads
            ),
            DinoConfig vit => new PlainViT(
                224 / vit.Patch,
                vit.Patch,
                vit.Width,
                vit.Depth,
                vit.MlpDim,
                vit.AttentionHeads,
                TorchSharp.Modules.GELU.Approximate.none
            ),
            MixerConfig mixer => new PlainMixer(mixer),
            ResNetConfig net => new PlainResNet(net),
            { } other => other.Create(seed: 0),
            null => throw new ArgumentException("There is no plain form of this tower.", nameof(tower)),
        };
        plain.eval();
        return plain;
    }
}

internal sealed class PlainViT : Module<Tensor, Tensor>
{
    private readonly Conv2d embedding;
    private readonly Parameter cls,
        positions;
    private readonly ModuleList<PlainBlock> blocks;
    private readonly LayerNorm norm;

    public PlainViT(
        int grid,
        int patch,
        int width,
        int depth,
        int mlp,
        int heads,
        TorchSharp.Modules.GELU.Approximate gelu = TorchSharp.Modules.GELU.Approximate.tanh
    )
        : base(nameof(PlainViT))
    {
        embedding = Conv2d(3, width, patch, patch);
        cls = Layers.Weight([1, 1, width]);
        positions = Layers.Weight([1, 1 + grid * grid, width]);
        blocks = new([.. Enumerable.Range(0, depth).Select(_ => new PlainBlock(width, mlp, heads, gelu))]);
        norm = LayerNorm(width);
        using (no_grad())
            foreach (var weight in new[] { cls, positions })
                weight.normal_(0, 0.02);
        RegisterComponents();
    }

    public override Tensor forward(Tensor images)
    {
        var x = embedding.call(images).flatten(2).transpose(1, 2);
        x = cat([cls.expand(x.shape[0], -1, -1), x], 1) + positions;
        foreach (var block in blocks)
            x = block.call(x);
        return norm.call(x).select(1, 0);
    }
}

/// <summary>A text transformer over rows of one length, padding included; the last token is the representation.</summary>
internal sealed class PlainText : Module<Tensor, Tensor>
{
    private readonly TorchSharp.Modules.Embedding tokens;
    private readonly Parameter positions;
    private readonly ModuleList<PlainBlock> blocks;
    private readonly LayerNorm norm;

    public PlainText(int vocabulary, int length, int width, int depth, int mlp, int heads)
        : base(nameof(PlainText))
    {
        tokens = nn.Embedding(vocabulary, width);
        positions = Layers.Weight([length, width]);
        using (no_grad())
            positions.normal_(0, 0.02);
        blocks = new([
            .. Enumerable
                .Range(0, depth)
                .Select(_ => new PlainBlock(width, mlp, heads, TorchSharp.Modules.GELU.Approximate.none)),
        ]);
        norm = LayerNorm(width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor ids)
    {
        var x = tokens.call(ids) + positions;
        foreach (var block in blocks)
            x = block.call(x);
        return norm.call(x).select(1, -1);
    }
}

internal sealed class PlainBlock : Module<Tensor, Tensor>
{
    private readonly int heads;
    private readonly LayerNorm norm1,
        norm2;
    private readonly Linear query,
        key,
        value,
        output,
        fc1,
        fc2;
    private readonly GELU gelu;

    public PlainBlock(int width, int mlp, int heads, TorchSharp.Modules.GELU.Approximate approximate)
        : base(nameof(PlainBlock))
    {
        this.heads = heads;
        (norm1, norm2) = (LayerNorm(width), LayerNorm(width));
        (query, key, value, output) = (
            Linear(width, width),
            Linear(width, width),
            Linear(width, width),
            Linear(width, width)
        );
        (fc1, fc2, gelu) = (Linear(width, mlp), Linear(mlp, width), GELU(approximate));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var y = norm1.call(x);
        Tensor Heads(Linear layer) => layer.call(y).unflatten(2, [heads, -1]).transpose(1, 2);
        var (q, k, v) = (Heads(query), Heads(key), Heads(value));
        var weights = (q.matmul(k.transpose(2, 3)) / Math.Sqrt(q.shape[3])).softmax(-1);
        x = x + output.call(weights.matmul(v).transpose(1, 2).flatten(2));
        return x + fc2.call(gelu.call(fc1.call(norm2.call(x))));
    }
}

internal sealed class PlainMixer : Module<Tensor, Tensor>
{
    private readonly Conv2d stem;
    private readonly ModuleList<Module<Tensor, Tensor>> norms,
        tokens,
        channels;
    private readonly LayerNorm norm;

    public PlainMixer(MixerConfig config)
        : base(nameof(PlainMixer))
    {
        var patches = config.ImageSize / config.Patch * (config.ImageSize / config.Patch);
        Module<Tensor, Tensor> Mlp(int width, int inside) =>
            Sequential(Linear(width, inside), GELU(TorchSharp.Modules.GELU.Approximate.tanh), Linear(inside, width));
        stem = Conv2d(3, config.Width, config.Patch, config.Patch);
        norms = new([
            .. Enumerable.Range(0, 2 * config.Depth).Select(_ => (Module<Tensor, Tensor>)LayerNorm(config.Width)),
        ]);
        tokens = new([.. Enumerable.Range(0, config.Depth).Select(_ => Mlp(patches, config.TokensMlpDim))]);
        channels = new([.. Enumerable.Range(0, config.Depth).Select(_ => Mlp(config.Width, config.ChannelsMlpDim))]);
        norm = LayerNorm(config.Width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor images)
    {
        var x = stem.call(images).flatten(2).transpose(1, 2);
        for (var i = 0; i < tokens.Count; i++)
        {
            x = x + tokens[i].call(norms[2 * i].call(x).transpose(1, 2)).transpose(1, 2);
            x = x + channels[i].call(norms[2 * i + 1].call(x));
        }
        return norm.call(x).mean([1]);
    }
}

internal sealed class PlainResNet : Module<Tensor, Tensor>
{
    private readonly Sequential layers;

    public PlainResNet(ResNetConfig config)
        : base(nameof(PlainResNet))
    {
        List<Module<Tensor, Tensor>> all =
        [
            Conv2d(3, config.Width, 7, 2, 3, bias: false),
            BatchNorm2d(config.Width),
            ReLU(),
            MaxPool2d(3, 2, 1),
        ];
        var from = config.Width;
        for (var stage = 0; stage < config.Units.Count; stage++)
        for (var unit = 0; unit < config.Units[stage]; unit++, from = 4 * config.Width << stage)
            all.Add(new PlainUnit(from, config.Width << stage, unit == 0 && stage > 0 ? 2 : 1));
        layers = Sequential([.. all, AdaptiveAvgPool2d(1), Flatten()]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor images) => layers.call(images);
}

internal sealed class PlainUnit : Module<Tensor, Tensor>
{
    private readonly Sequential layers;
    private readonly Sequential? shortcut;

    public PlainUnit(int from, int middle, int stride)
        : base(nameof(PlainUnit))
    {
        layers = Sequential(
            Conv2d(from, middle, 1, bias: false),
            BatchNorm2d(middle),
            ReLU(),
            Conv2d(middle, middle, 3, stride, 1, bias: false),
            BatchNorm2d(middle),
            ReLU(),
            Conv2d(middle, 4 * middle, 1, bias: false),
            BatchNorm2d(4 * middle)
        );
        if (from != 4 * middle || stride != 1)
            shortcut = Sequential(Conv2d(from, 4 * middle, 1, stride, bias: false), BatchNorm2d(4 * middle));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => functional.relu(layers.call(x) + (shortcut?.call(x) ?? x));
}
