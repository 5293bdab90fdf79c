using LiT.Compute;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// The paper's f without its head: pixels in, the tower's own representation out. A new architecture is a subclass.
/// Call it in evaluation mode unless it is being trained.
/// </summary>
public abstract class ImageTower(string name) : Module<Tensor, Tensor>(name)
{
    /// <summary>The sizes that the tower was built from; null for a tower whose architecture is not the project's own.</summary>
    public virtual ImageTowerConfig? Config => null;

    /// <summary>Length of the representation.</summary>
    public abstract int Width { get; }

    /// <summary>Whether <see cref="Lock"/> made the tower a constant.</summary>
    public bool Locked { get; private set; }

    /// <summary>
    /// Makes the tower a constant: evaluation mode for good, no gradients, and what follows from the weights alone (batch norms
    /// folded into convolutions, standardised kernels) is computed once. <see cref="Unlock"/> takes it back.
    /// </summary>
    public void Lock()
    {
        Locked = true;
        eval();
        foreach (var parameter in parameters())
            parameter.requires_grad_(false);
        foreach (var part in modules().OfType<IFoldable>())
            part.Folded = true;
    }

    /// <summary>Whether the blocks of a locked tower multiply bytes (<see cref="Int8"/>).</summary>
    public bool IsInt8 { get; private set; }

    /// <summary>Makes a locked tower one of bytes. <see cref="Unlock"/> takes it back.</summary>
    /// <exception cref="LitException">It cannot be; the message says why.</exception>
    internal void BecomeInt8(Images.Preprocessing preprocessing, ComputeDevice compute)
    {
        if (!Locked)
            throw new InvalidOperationException("Only a locked tower can become one of bytes.");
        Int8.Apply(this, preprocessing, compute);
        IsInt8 = true;
    }

    /// <summary>Makes the tower one that can be trained: gradients for every weight. The mode stays evaluation.</summary>
    public void Unlock()
    {
        (Locked, IsInt8) = (false, false);
        foreach (var part in modules().OfType<IFoldable>())
            part.Folded = false;
        foreach (var parameter in parameters())
            parameter.requires_grad_(true);
    }

    /// <summary>Training mode or evaluation mode; a locked tower stays in evaluation, whatever its parents are told.</summary>
    public override void train(bool train = true) => base.train(train && !Locked);

    /// <summary>Fills the weights as the architecture's paper does.</summary>
    internal virtual void Initialise(Generator random) =>
        throw new NotSupportedException($"{GetName()} cannot be made from scratch.");

    /// <summary>Names of the supervised heads that came with the weights (linear classifiers on the representation).</summary>
    public virtual IReadOnlyList<string> HeadNames => [];

    /// <summary>Logits of a supervised head that came with the weights, [B, classes].</summary>
    /// <param name="head">One of <see cref="HeadNames"/>.</param>
    /// <param name="representation">What <see cref="Module{T, TResult}.forward"/> gave, [B, Width].</param>
    public virtual Tensor Logits(string head, Tensor representation) =>
        throw new ArgumentException($"This tower has no head '{head}'.", nameof(head));

    /// <summary>Stages of a residual network whose activations are much larger than their weights.</summary>
    private protected const int Early = 2;

    /// <summary>
    /// Layers of a locked convolutional network for a few pictures at a time: what one layer writes is still in the caches when the next
    /// one reads it.
    /// </summary>
    private protected Tensor InSmallParts(Tensor images, Func<Tensor, Tensor> layers)
    {
        const int Few = 2;
        if (!Locked || images.shape[0] <= Few || images.device_type != DeviceType.CPU || images.requires_grad)
            return layers(images);
        using var scope = NewDisposeScope();
        return cat([.. images.split(Few).Select(layers)], 0).MoveToOuterDisposeScope();
    }

    /// <param name="images">Preprocessed pixels, [B, 3, H, W].</param>
    /// <returns>One representation an image, not of unit length, [B, Width].</returns>
    public abstract override Tensor forward(Tensor images);
}
