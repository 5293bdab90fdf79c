using static TorchSharp.torch;

namespace LiT.Checkpoints;

/// <summary>What a file says of one tensor before it is read. Shapes are row-major, as numpy and torch print them.</summary>
internal sealed record TensorInfo(string Name, ScalarType Type, IReadOnlyList<long> Shape)
{
    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => checked(product * size));
}

/// <summary>
/// A file of named tensors, whatever its container: .npz, .safetensors (single or sharded), PyTorch zip or legacy.
/// Names are the file's own, with '/' or '.' as the file writes them; PyTorch files nest, and there a name is the keys on
/// the way joined by '.', as in state_dict.module.conv1.weight, lists counted from 0. Opening reads names and shapes only.
/// Checkpoints are data: nothing in them is executed, and every size in them is checked against the file's length.
/// Safe for reading from several threads.
/// </summary>
internal abstract class Checkpoint : IDisposable
{
    /// <summary>The path that was opened.</summary>
    public required string Path { get; init; }

    /// <summary>The container in words, for messages: "npz", "safetensors", "PyTorch zip", "PyTorch legacy".</summary>
    public abstract string Container { get; }

    /// <summary>Every tensor by its name in the file.</summary>
    public abstract IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>Strings that the container carries beside the tensors (safetensors metadata).</summary>
    public virtual IReadOnlyDictionary<string, string> Metadata => new Dictionary<string, string>();

    /// <summary>What was passed over on purpose, one phrase each, such as the foreign classes of a pickle.</summary>
    public virtual IReadOnlyList<string> PassedOver => [];

    /// <summary>
    /// A fresh, contiguous tensor of the type in <see cref="TensorInfo.Type"/>, on the CPU. The caller owns it, may write
    /// to it, and may keep it when the checkpoint is closed. It may lie on the file's pages (copy on write): a file in use
    /// is to be replaced by renaming, as <see cref="Files.AtomicFile"/> does, and not to be overwritten in place.
    /// </summary>
    /// <exception cref="LitException">The name is unknown, or the file's bytes do not match what its header says.</exception>
    public abstract Tensor Read(string name);

    /// <summary>
    /// Opens a checkpoint of whatever container, found out by its content: a file, the index of a checkpoint in several
    /// files, or a folder that holds model.safetensors, pytorch_model.bin or their index.
    /// </summary>
    /// <exception cref="LitException">The path is missing, damaged, or no checkpoint.</exception>
    public static Checkpoint Open(string path) => OpenCheckpoint.At(path);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>What to say when a name is asked for that the file has not.</summary>
    private protected LitException Unknown(string name) =>
        new($"{Path}: has no tensor {name}. 'lit models show' lists what it has.");
}
