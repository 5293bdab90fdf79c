using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Compute.Locked;

/// <summary>A part of a tower that is told its target.</summary>
internal interface ICompiled
{
    /// <summary>What it is compiled for. Setting it compiles it, also for the target that it has.</summary>
    Target Target { get; set; }
}

/// <summary>
/// A layer whose equation is done by what was chosen for its target: when it is made, when the target changes, and when
/// its weights are moved or cast.
/// </summary>
/// <param name="name">Of the module.</param>
/// <param name="device">Where it is made, in float32.</param>
internal abstract class CompiledLayer(string name, Device? device = null) : Module<Tensor, Tensor>(name), ICompiled
{
    private Target compiledFor = new(device ?? CPU, ScalarType.Float32);

    public Target Target
    {
        get => compiledFor;
        set => Compile(compiledFor = value);
    }

    /// <summary>Chooses who computes. What was kept for the target before is let go of.</summary>
    protected abstract void Compile(Target target);

    protected override void RegisterComponents()
    {
        base.RegisterComponents();
        Compile(compiledFor);
    }

    protected override void _toEpilog(ScalarType? dtype, Device? device, bool non_blocking)
    {
        base._toEpilog(dtype, device, non_blocking);
        Target = compiledFor with { Type = dtype ?? compiledFor.Type, Device = device ?? compiledFor.Device };
    }
}
