using LiT.Compute.Locked;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// What image and text towers share: their input becomes one representation a row, [B, …] → [B, Width], and they can be
/// made constants (locked, as the paper calls it) and given back to training.
/// </summary>
internal abstract class Tower(string name) : Module<Tensor, Tensor>(name)
{
    /// <summary>Length of the representation.</summary>
    public abstract int Width { get; }

    /// <summary>Numbers that were learned, those of a constant network, too.</summary>
    internal virtual long WeightCount => parameters().Sum(parameter => parameter.numel());

    /// <summary>Whether <see cref="Lock"/> made the tower a constant.</summary>
    public bool Locked { get; private set; }

    /// <summary>
    /// Makes the tower a constant: evaluation mode for good, no gradients, and what follows from the weights alone
    /// (batch norms folded into convolutions, standardised kernels) is computed once. <see cref="Unlock"/> takes it
    /// back.
    /// </summary>
    public virtual void Lock()
    {
        Locked = true;
        eval();
        foreach (var parameter in parameters())
            parameter.requires_grad_(false);
        Compile(constant: FoldsWhenLocked);
    }

    /// <summary>
    /// Makes the tower one that can be trained: gradients for every weight. The mode stays evaluation.
    /// </summary>
    public virtual void Unlock()
    {
        Locked = false;
        Compile(constant: false);
        foreach (var parameter in parameters())
            parameter.requires_grad_(true);
    }

    /// <summary>
    /// Training mode or evaluation mode; a locked tower stays in evaluation, whatever its parents are told.
    /// </summary>
    public override void train(bool train = true) => base.train(train && !Locked);

    /// <summary>Whether constant weights are laid out anew.</summary>
    private protected virtual bool FoldsWhenLocked => true;

    private void Compile(bool constant)
    {
        foreach (var part in modules().OfType<ICompiled>())
            part.Target = part.Target with { Constant = constant, Bytes = false };
    }
}
