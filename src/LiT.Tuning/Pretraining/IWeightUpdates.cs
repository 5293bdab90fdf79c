using static TorchSharp.torch;

namespace LiT.Pretraining;

/// <summary>What pre-training asks of an optimizer. Parameters keep their places in memory from construction on.</summary>
internal interface IWeightUpdates : IDisposable
{
    /// <summary>What it remembers between updates, by name: live tensors, not copies.</summary>
    IEnumerable<(string Name, Tensor Value)> State { get; }

    /// <summary>Told, when <see cref="State"/> has been filled from a checkpoint, how many updates made it.</summary>
    void GoOn(long steps);

    /// <summary>Forgets the gradients.</summary>
    void Clear();

    /// <summary>Moves every parameter.</summary>
    /// <returns>Length of the whole gradient without any penalty; where it is no number, nothing has moved.</returns>
    double Step(double learningRate);
}
