using LiT.Compute.Locked;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// The stages of a residual network (He et al. 2015, arXiv 1512.03385): units of one width each, and from stage to
/// stage the width doubles while the picture halves, which the stage's first unit does; before them the root, [B, 3, H,
/// W] → [B, D, H/32, W/32].
/// </summary>
internal sealed class ResidualStages<TUnit> : CompiledLayer
    where TUnit : Module<Tensor, Tensor>
{
    /// <summary>Stages whose activations are much larger than their weights.</summary>
    private const int Early = 2;

    private readonly List<ModuleList<TUnit>> stages = [];
    private readonly Func<Tensor, Tensor> root;
    private Func<Tensor, Tensor>? early;

    /// <param name="root">Makes a picture one of the first stage, [B, 3, H, W] → [B, C, H/4, W/4].</param>
    /// <param name="units">How many each stage has.</param>
    /// <param name="from">Channels of the root.</param>
    /// <param name="to">Channels of a stage, by its number.</param>
    /// <param name="make">A unit, by its inputs, the number of its stage, and its stride.</param>
    /// <param name="device">Where it is made.</param>
    public ResidualStages(
        Func<Tensor, Tensor> root,
        IReadOnlyList<int> units,
        int from,
        Func<int, int> to,
        Func<int, int, int, TUnit> make,
        Device? device
    )
        : base(nameof(ResidualStages<>), device)
    {
        this.root = root;
        for (var stage = 0; stage < units.Count; stage++)
        {
            var list = new ModuleList<TUnit>();
            for (var unit = 0; unit < units[stage]; unit++, from = to(stage))
                list.Add(make(from, stage, unit == 0 && stage > 0 ? 2 : 1));
            stages.Add(list);
            register_module($"{stage}", list);
        }
        RegisterComponents();
    }

    /// <summary>Every unit, first to last.</summary>
    public IEnumerable<TUnit> Units => stages.SelectMany(units => units);

    /// <summary>Channels after the last stage.</summary>
    /// <param name="units">How many each stage has.</param>
    /// <param name="from">Channels of the root.</param>
    /// <param name="to">Channels of a stage, by its number.</param>
    public static int Outputs(IReadOnlyList<int> units, int from, Func<int, int> to)
    {
        for (var stage = 0; stage < units.Count; stage++)
            from = units[stage] > 0 ? to(stage) : from;
        return from;
    }

    public override Tensor forward(Tensor images) => Through(stages.Skip(Early), early!, images);

    private Tensor RootAndEarlyStages(Tensor images) => Through(stages.Take(Early), root, images); // [B, C, H/8, W/8]

    // One activation is alive at a time, that of the root too.
    private static Tensor Through(IEnumerable<ModuleList<TUnit>> stages, Func<Tensor, Tensor> first, Tensor x)
    {
        using var scope = NewDisposeScope();
        x = scope.DisposeEverythingBut(first(x));
        foreach (var unit in stages.SelectMany(units => units))
            x = scope.DisposeEverythingBut(unit.call(x));
        return x.MoveToOuterDisposeScope();
    }

    protected override void Compile(Target target) => early = FewAtOnce.For(target, RootAndEarlyStages);
}
