using LiT.Compute;
using LiT.Stores;
using LiT.Towers;

namespace LiT.Embedding;

/// <summary>Whether a tower still computes what it did when a store was made of it.</summary>
internal static class StoreProbes
{
    /// <summary>
    /// Refuses a store of which the tower at hand, though its weights are the same, computes other numbers than it did when
    /// the store was made.
    /// </summary>
    /// <param name="folder">The store, for the message.</param>
    /// <param name="description">What it says of itself; without probe vectors nothing is checked.</param>
    /// <param name="tower">The tower with the store's fingerprint.</param>
    /// <param name="compute">Where it computes.</param>
    /// <exception cref="LitException">The numbers differ by more than rounding.</exception>
    public static void Check(string folder, StoreDescription description, LockedTower tower, ComputeDevice compute)
    {
        if (description.Probes?.Trouble(ProbeVectors.Of(tower, compute)) is { } trouble)
            throw new LitException(
                $"{folder}: made by this tower, {description.Tower}, but {trouble}. Run 'lit doctor', and embed again if the store came from another machine or version."
            );
    }
}
