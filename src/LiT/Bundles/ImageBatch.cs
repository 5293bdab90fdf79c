using LiT.Compute;
using LiT.Towers;
using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Bundles;

/// <summary>
/// Pixels that are ready go through a locked tower together; on the CPU in small parts, which stay in the caches, each on one thread.
/// </summary>
internal static class ImageBatch
{
    /// <summary>Pictures in a part. The parts do not depend on the number of threads, so neither do the results.</summary>
    internal const int Part = 8;

    /// <param name="locked">The tower and its input's size.</param>
    /// <param name="pictures">The tower's input for B pictures, [views, 3, H, W] each.</param>
    /// <param name="compute">Device and type of the computation.</param>
    /// <param name="rows">Receives [B, views, Width] numbers, the tower's own representations.</param>
    /// <param name="views">Views of each picture.</param>
    public static void Represent(
        LockedTower locked,
        IReadOnlyList<float[]> pictures,
        ComputeDevice compute,
        Memory<float> rows,
        int views = 1
    )
    {
        if (compute.Device.type != DeviceType.CPU)
        {
            Represent(locked, pictures, 0, pictures.Count, views, compute, rows.Span);
            return;
        }
        var atOnce = Math.Max(1, Part / views);
        Parts.Run((pictures.Count + atOnce - 1) / atOnce, part =>
            Represent(
                locked,
                pictures,
                part * atOnce,
                Math.Min(atOnce, pictures.Count - part * atOnce),
                views,
                compute,
                rows.Span
            )
        );
    }

    private static void Represent(
        LockedTower locked,
        IReadOnlyList<float[]> pictures,
        int first,
        int count,
        int views,
        ComputeDevice compute,
        Span<float> rows
    )
    {
        if (count == 0)
            return;
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var (size, width) = (views * locked.Preprocessing.ValueCount, views * locked.Tower.Width);
        var pixels = empty(count * views, 3, locked.Preprocessing.Height, locked.Preprocessing.Width);
        var values = pixels.data<float>();
        for (var i = 0; i < count; i++)
            values.CopyFrom(pictures[first + i], 0, (long)i * size);
        var representations = locked
            .Tower.call(pixels.to(compute.Device).to(compute.Type))
            .to(ScalarType.Float32)
            .cpu()
            .contiguous();
        representations.data<float>().CopyTo(rows.Slice(first * width, count * width));
    }
}
