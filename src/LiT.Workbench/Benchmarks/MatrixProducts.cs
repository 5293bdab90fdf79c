using LiT.Towers;

namespace LiT.Benchmarks;

/// <summary>
/// A dense product of a network: [Rows, Inputs] · [Inputs, Outputs], so many times for every picture.
/// </summary>
internal readonly record struct MatrixProduct(long Rows, int Inputs, int Outputs, int Times = 1)
{
    /// <summary>Multiplications and additions for one picture.</summary>
    public double Flops => 2.0 * Rows * Inputs * Outputs * Times;
}

/// <summary>
/// The matrix products that a tower cannot do without, for one picture at its own size: dense layers, convolutions as
/// the products that they are, and attention's two products. Where only the class token is asked for, its last block is
/// counted for that token alone.
/// </summary>
internal static class MatrixProducts
{
    /// <exception cref="ArgumentException">The architecture is not the project's own.</exception>
    public static IReadOnlyList<MatrixProduct> Of(ImageTowerConfig config, int? imageSize = null)
    {
        var size = imageSize ?? config.ImageSize;
        return
        [
            .. config switch
            {
                VitConfig vit => Vit(
                    size / vit.Patch,
                    vit.Patch,
                    vit.Width,
                    vit.Depth,
                    vit.MlpDim,
                    vit.AttentionHeads,
                    vit.Pooling == VitPooling.Token ? 1 : 0,
                    vit.Pooling is VitPooling.Token or VitPooling.First
                ),
                HuggingFaceViTConfig vit => Vit(
                    size / vit.Patch,
                    vit.Patch,
                    vit.Width,
                    vit.Depth,
                    vit.MlpDim,
                    vit.AttentionHeads,
                    1,
                    true
                ),
                DinoConfig vit => Vit(
                    size / vit.Patch,
                    vit.Patch,
                    vit.Width,
                    vit.Depth,
                    vit.MlpDim,
                    vit.AttentionHeads,
                    1 + vit.Registers,
                    false,
                    vit.Mlp == DinoMlp.SwiGlu
                ),
                MixerConfig mixer => Mixer(mixer, size / mixer.Patch),
                ResNetConfig net => ResNet(
                    size,
                    net.Width,
                    net.Units,
                    net.Block == ResNetBlock.Bottleneck,
                    net.Middle ?? net.Width
                ),
                BitConfig net => ResNet(size, net.Width, net.Units, true, net.Width),
                GroupNormResNetConfig net => ResNet(size, net.Width, net.Units, true, net.Width),
                CifarResNetConfig net => Cifar(size, net),
                ShortenedTowerConfig cut => Of(cut.Tower, imageSize), // its head is as nothing beside them
                _ => throw new ArgumentException(
                    $"The products of a {config.GetType().Name} are not known.",
                    nameof(config)
                ),
            },
        ];
    }

    private static IEnumerable<MatrixProduct> Vit(
        int grid,
        int patch,
        int D,
        int depth,
        int mlp,
        int heads,
        int others,
        bool oneToken,
        bool gated = false
    )
    {
        var (patches, L, inside) = ((long)grid * grid, (long)grid * grid + others, gated ? 2 * mlp : mlp);
        yield return new(patches, 3 * patch * patch, D);
        var whole = oneToken ? depth - 1 : depth;
        yield return new(L, D, 3 * D, whole);
        yield return new(heads * L, D / heads, (int)L, whole);
        yield return new(heads * L, (int)L, D / heads, whole);
        yield return new(L, D, D, whole);
        yield return new(L, D, inside, whole);
        yield return new(L, mlp, D, whole);
        if (oneToken)
            yield return new(L, D, 2 * D); // what is left of the last block, nearly
    }

    private static IEnumerable<MatrixProduct> Mixer(MixerConfig mixer, int grid)
    {
        var (patches, D) = (grid * grid, mixer.Width);
        yield return new(patches, 3 * mixer.Patch * mixer.Patch, D);
        yield return new(D, patches, mixer.TokensMlpDim, mixer.Depth);
        yield return new(D, mixer.TokensMlpDim, patches, mixer.Depth);
        yield return new(patches, D, mixer.ChannelsMlpDim, mixer.Depth);
        yield return new(patches, mixer.ChannelsMlpDim, D, mixer.Depth);
    }

    private static IEnumerable<MatrixProduct> ResNet(
        int size,
        int root,
        IReadOnlyList<int> units,
        bool bottleneck,
        int firstMiddle
    )
    {
        long Places(int side) => (long)side * side;
        var side = (size + 1) / 2;
        yield return new(Places(side), 3 * 7 * 7, root);
        side = (side + 1) / 2;
        var from = root;
        for (var stage = 0; stage < units.Count; stage++)
        {
            var (middle, to) = (firstMiddle << stage, (bottleneck ? 4 : 1) * root << stage);
            for (var unit = 0; unit < units[stage]; unit++, from = to)
            {
                var before = side;
                if (unit == 0 && stage > 0)
                    side = (side + 1) / 2;
                if (from != to || before != side)
                    yield return new(Places(side), from, to);
                if (bottleneck)
                {
                    yield return new(Places(before), from, middle);
                    yield return new(Places(side), 9 * middle, middle);
                    yield return new(Places(side), middle, to);
                }
                else
                {
                    yield return new(Places(side), 9 * from, to);
                    yield return new(Places(side), 9 * to, to);
                }
            }
        }
    }

    private static IEnumerable<MatrixProduct> Cifar(int size, CifarResNetConfig net)
    {
        var side = (long)(size + net.StemStride - 1) / net.StemStride;
        yield return new(side * side, 27, net.Width);
        var from = net.Width;
        foreach (var width in net.Widths)
        {
            if (width > net.Width)
                side = (side + 1) / 2;
            yield return new(side * side, 9 * from, width);
            yield return new(side * side, 9 * width, width, 2 * net.Blocks - 1);
            from = width;
        }
    }
}
