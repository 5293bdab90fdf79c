using LiT.Compute;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// The paper's f without its head: pixels in, the tower's own representation out. A new architecture is a subclass.
/// Call it in evaluation mode unless it is being trained.
/// </summary>
internal abstract class ImageTower(string name) : Tower(name)
{
    /// <summary>
    /// The sizes that the tower was built from; null for a tower whose architecture is not the project's own.
    /// </summary>
    public virtual ImageTowerConfig? Config => null;

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

    /// <inheritdoc/>
    public override void Lock()
    {
        if (!IsInt8) // which is locked already, and stays one of bytes
            base.Lock();
    }

    /// <inheritdoc/>
    public override void Unlock()
    {
        IsInt8 = false;
        base.Unlock();
    }

    /// <inheritdoc/>
    protected override Module _to(ScalarType dtype, bool non_blocking)
    {
        CheckThatItCanBe(dtype, DeviceType.CPU);
        return base._to(dtype, non_blocking);
    }

    /// <inheritdoc/>
    protected override Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking)
    {
        CheckThatItCanBe(ScalarType.Float32, deviceType);
        return base._to(deviceType, deviceIndex, non_blocking);
    }

    /// <inheritdoc/>
    protected override Module _to(Device device, ScalarType dtype, bool non_blocking)
    {
        CheckThatItCanBe(dtype, device.type);
        return base._to(device, dtype, non_blocking);
    }

    private void CheckThatItCanBe(ScalarType type, DeviceType device)
    {
        if (IsInt8 && (type, device) != (ScalarType.Float32, DeviceType.CPU))
            throw new LitException(
                $"An int8 tower computes on the CPU in float32, not on {device} in {type}. Load it without int8."
            );
    }

    /// <summary>Fills the weights as the architecture's paper does.</summary>
    internal virtual void Initialise(Generator random) =>
        throw new NotSupportedException($"{GetName()} cannot be made from scratch.");

    /// <summary>
    /// Names of the supervised heads that came with the weights (linear classifiers on the representation).
    /// </summary>
    public virtual IReadOnlyList<string> HeadNames => [];

    /// <summary>Logits of a supervised head that came with the weights, [B, classes].</summary>
    /// <param name="head">One of <see cref="HeadNames"/>.</param>
    /// <param name="representation">What <see cref="Module{T, TResult}.forward"/> gave, [B, Width].</param>
    public virtual Tensor Logits(string head, Tensor representation) =>
        throw new ArgumentException($"This tower has no head '{head}'.", nameof(head));

    /// <param name="images">Preprocessed pixels, [B, 3, H, W].</param>
    /// <returns>One representation an image, not of unit length, [B, Width].</returns>
    public abstract override Tensor forward(Tensor images);
}

/// <summary>
/// A tower of one of the project's own architectures: its sizes, and the supervised heads that came with its weights.
/// </summary>
/// <typeparam name="TConfig">The sizes that the architecture is built from.</typeparam>
internal abstract class ImageTower<TConfig> : ImageTower
    where TConfig : ImageTowerConfig
{
    private readonly LinearHeads heads;

    /// <summary>Sizes and choices.</summary>
    private protected readonly TConfig config;

    private protected ImageTower(string name, TConfig config, int width, Device? device)
        : base(name)
    {
        (this.config, Width) = (config, width);
        heads = new LinearHeads(width, config.Heads, device);
    }

    /// <inheritdoc/>
    public sealed override ImageTowerConfig Config => config;

    /// <inheritdoc/>
    public sealed override int Width { get; }

    /// <inheritdoc/>
    public sealed override IReadOnlyList<string> HeadNames => heads.Names;

    /// <inheritdoc/>
    public sealed override Tensor Logits(string head, Tensor representation) => heads.Logits(head, representation);

    internal sealed override void Initialise(Generator random)
    {
        InitialiseBody(random);
        heads.Initialise(random);
    }

    /// <summary>Fills all weights but those of the heads.</summary>
    private protected virtual void InitialiseBody(Generator random) => base.Initialise(random);
}
