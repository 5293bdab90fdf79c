using LiT.Checkpoints;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

/// <summary>A checkpoint without a file: named tensors, owned by the caller.</summary>
internal sealed class MemoryCheckpoint(Dictionary<string, Tensor> tensors) : Checkpoint
{
    public override string Container => "memory";

    public override IReadOnlyDictionary<string, TensorInfo> Tensors =>
        tensors.ToDictionary(
            entry => entry.Key,
            entry => new TensorInfo(entry.Key, entry.Value.dtype, entry.Value.shape)
        );

    public override Tensor Read(string name) => tensors[name].clone();

    public override void Dispose() { }
}
