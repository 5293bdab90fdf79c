using System.Reflection;
using LiT.Compute.Locked;
using LiT.Towers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using Module = TorchSharp.torch.nn.Module;

namespace LiT.Tests.Parity;

/// <summary>
/// Makes the typical mistakes of a port in a tower that is right, so that the fixtures are seen to notice them.
/// </summary>
internal static class WrongConventions
{
    public static void SetActivation(Module tower, Activation activation)
    {
        foreach (var f in tower.modules().OfType<Nonlinearity>())
            Set(f, "activation", activation);
    }

    public static void SetNormEps(Module tower, double eps)
    {
        foreach (var module in tower.modules())
        {
            if (module is LayerNorm layer)
                layer.eps = eps;
            if (module is RectifiedNorm group)
                Set(group, "eps", eps);
            if (module is BatchNorm2d batch)
                batch.eps = eps;
        }
    }

    /// <summary>Another way to turn the patches' queries and keys.</summary>
    public static void SetRope(ImageTower tower, Func<long, long, Rope> rope) =>
        typeof(DinoViT).GetField("rope", BindingFlags.Instance | BindingFlags.NonPublic)!.SetValue(tower, rope);

    public static void SetStandardisation(Module tower, Func<Standardisation, Standardisation> change)
    {
        foreach (var conv in tower.modules().OfType<StandardisedConv>())
            Set(conv, "standardisation", change(Get<Standardisation>(conv, "standardisation")));
    }

    /// <summary>Caffe's form of the bottleneck: the first convolution has the stride of the second.</summary>
    public static void MoveStrideToFirstConvolution(Module tower)
    {
        foreach (var unit in tower.modules().OfType<ResNetUnit>())
        {
            var convs = Get<ModuleList<ConvNorm>>(unit, "convs");
            var (first, second) = (Get<Steps>(convs[0], "steps"), Get<Steps>(convs[1], "steps"));
            Set(convs[0], "steps", first with { Stride = second.Stride });
            Set(convs[1], "steps", second with { Stride = 1 });
        }
    }

    public static void IgnoreLayerScale(Module tower)
    {
        foreach (var (name, weight) in tower.named_parameters())
            if (name.EndsWith(".ls1", StringComparison.Ordinal) || name.EndsWith(".ls2", StringComparison.Ordinal))
                weight.fill_(1);
    }

    /// <summary>
    /// A tower of the same weights, trained as it were with pictures of another size: the table of positions is given.
    /// </summary>
    public static ImageTower WithPositions(ImageTower tower, ImageTowerConfig config, Tensor table)
    {
        var other = config.Build();
        var weights = tower.state_dict();
        foreach (var (name, weight) in other.state_dict())
            weight.copy_(name == "posembed" ? table : weights[name]);
        other.eval();
        return other;
    }

    /// <summary>
    /// The patches' part of a table [1, R + N, D] of one grid resampled by torch itself, with half-pixel centres; the
    /// first rows are kept.
    /// </summary>
    public static Tensor TorchResampled(
        Tensor table,
        int first,
        (long Rows, long Columns) from,
        long rows,
        long columns,
        InterpolationMode mode
    )
    {
        var grid = table[.., first..].view(1, from.Rows, from.Columns, -1).permute(0, 3, 1, 2);
        grid = functional.interpolate(grid, size: [rows, columns], mode: mode, align_corners: false);
        return cat([table[.., ..first], grid.flatten(2).transpose(1, 2)], 1);
    }

    private static void Set(CompiledLayer of, string field, object value)
    {
        Field(of, field).SetValue(of, value);
        of.Target = of.Target; // compiled again
    }

    private static T Get<T>(object of, string field) => (T)Field(of, field).GetValue(of)!;

    private static FieldInfo Field(object of, string name) =>
        of.GetType().GetField(name, BindingFlags.Instance | BindingFlags.NonPublic)
        ?? throw new InvalidOperationException($"{of.GetType().Name} has no field {name}.");
}
