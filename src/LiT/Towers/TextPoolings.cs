using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>How one state is taken of every row of text.</summary>
internal static class TextPoolings
{
    /// <summary>Whether a pooling takes one token's state as it is, so that nobody asks for the others.</summary>
    public static bool IsOne(this TextPooling pooling) => pooling is TextPooling.First or TextPooling.Last;

    /// <summary>
    /// One state for every row: [B, L, D] to [B, D]; the first and the last also of packed states, [T, D].
    /// </summary>
    public static Tensor Pool(this TokenRows rows, Tensor states, TextPooling pooling) =>
        pooling switch
        {
            TextPooling.First => rows.First(states),
            TextPooling.Last => rows.Last(states),
            TextPooling.Mean => rows.Mean(states),
            TextPooling.Max => rows.Max(states),
            TextPooling.MeanOverRoot => rows.MeanOverRoot(states),
            TextPooling.WeightedMean => rows.WeightedMean(states),
            _ => throw new ArgumentException(
                $"Pooling '{pooling}' has weights and is the tower's own.",
                nameof(pooling)
            ),
        };
}
