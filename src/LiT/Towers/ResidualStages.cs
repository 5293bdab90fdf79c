using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// The stages of a residual network (He et al. 2015, arXiv 1512.03385): units of one width each, and from stage to stage the width
/// doubles while the picture halves, which the stage's first unit does.
/// </summary>
internal sealed class ResidualStages<TUnit> : Module, IFoldable
    where TUnit : Module<Tensor, Tensor>
{
    /// <summary>Stages whose activations are much larger than their weights.</summary>
    private const int Early = 2;

    private readonly List<ModuleList<TUnit>> stages = [];
    private bool locked;

    /// <param name="units">How many each stage has.</param>
    /// <param name="from">Channels of the root.</param>
    /// <param name="to">Channels of a stage, by its number.</param>
    /// <param name="make">A unit, by its inputs, the number of its stage, and its stride.</param>
    public ResidualStages(IReadOnlyList<int> units, int from, Func<int, int> to, Func<int, int, int, TUnit> make)
        : base(nameof(ResidualStages<>))
    {
        for (var stage = 0; stage < units.Count; stage++)
        {
            var list = new ModuleList<TUnit>();
            for (var unit = 0; unit < units[stage]; unit++, from = to(stage))
                list.Add(make(from, stage, unit == 0 && stage > 0 ? 2 : 1));
            stages.Add(list);
            register_module($"{stage}", list);
        }
    }

    /// <summary>Every unit, first to last.</summary>
    public IEnumerable<TUnit> Units => stages.SelectMany(units => units);

    /// <summary>Channels after the last stage.</summary>
    /// <inheritdoc cref="ResidualStages{TUnit}(IReadOnlyList{int}, int, Func{int, int}, Func{int, int, int, TUnit})"/>
    public static int Outputs(IReadOnlyList<int> units, int from, Func<int, int> to)
    {
        for (var stage = 0; stage < units.Count; stage++)
            from = units[stage] > 0 ? to(stage) : from;
        return from;
    }

    public bool Folded
    {
        set => locked = value;
    }

    /// <summary>A root and then the stages, [B, 3, H, W] → [B, D, H/32, W/32].</summary>
    /// <param name="root">Makes [B, 3, H, W] a picture of the first stage, [B, C, H/4, W/4].</param>
    /// <param name="images">[B, 3, H, W].</param>
    public Tensor After(Func<Tensor, Tensor> root, Tensor images) =>
        Through(
            stages.Skip(Early),
            all => InSmallParts(all, part => Through(stages.Take(Early), root, part)), // [B, C, H/8, W/8]
            images
        );

    // One activation is alive at a time, that of the root too.
    private static Tensor Through(IEnumerable<ModuleList<TUnit>> stages, Func<Tensor, Tensor> first, Tensor x)
    {
        using var scope = NewDisposeScope();
        x = scope.DisposeEverythingBut(first(x));
        foreach (var unit in stages.SelectMany(units => units))
            x = scope.DisposeEverythingBut(unit.call(x));
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Layers of a locked convolutional network for a few pictures at a time: what one layer writes is still in the caches when the next
    /// one reads it.
    /// </summary>
    private Tensor InSmallParts(Tensor images, Func<Tensor, Tensor> layers)
    {
        const int Few = 2;
        if (!locked || images.shape[0] <= Few || images.device_type != DeviceType.CPU || images.requires_grad)
            return layers(images);
        using var scope = NewDisposeScope();
        return cat([.. images.split(Few).Select(layers)], 0).MoveToOuterDisposeScope();
    }
}
