using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Pipeline;

/// <summary>Pixels that are ready go through a locked tower together.</summary>
internal static class ImageBatch
{
    /// <param name="locked">The tower and its input's size.</param>
    /// <param name="pictures">B pictures, prepared for this tower.</param>
    /// <param name="compute">Device and type of the computation.</param>
    /// <param name="rows">Receives [B, Width] numbers, the tower's own representations.</param>
    public static void Represent(LockedTower locked, IReadOnlyList<PreparedPicture> pictures, Compute compute, Span<float> rows)
    {
        if (pictures.Count == 0) return;
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var (height, width) = (locked.Preprocessing.Height, locked.Preprocessing.Width);
        var pixels = zeros(pictures.Count, 3, height, width);
        var values = pixels.data<float>();
        var count = locked.Preprocessing.ValueCount;
        for (var i = 0; i < pictures.Count; i++) values.CopyFrom(pictures[i].Pixels, 0, (long)i * count);
        var representations = locked.Tower.call(pixels.to(compute.Device).to(compute.Type)).to(ScalarType.Float32).cpu().contiguous();
        representations.data<float>().CopyTo(rows);
    }
}
