using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Towers;

// Shapes: B pictures, N patches, L tokens, H heads, d numbers a head, D = H · d.

/// <summary>
/// Rotary positions of patches in two axes (Su et al. 2021, arXiv 2104.09864, as DINOv3 has them: Siméoni et al. 2025,
/// arXiv 2508.10104): queries and keys of the patches are turned by angles that follow from where a patch's centre lies
/// between the picture's edges; the tokens before the patches stay as they are.
/// </summary>
internal sealed class Rope
{
    private readonly Tensor cos,
        sin; // [N, 1, 1, d]
    private readonly int heads;

    /// <param name="cos">Cosines of the angles, [N, 1, 1, d].</param>
    /// <param name="sin">Their sines.</param>
    /// <param name="heads">H.</param>
    public Rope(Tensor cos, Tensor sin, int heads) => (this.cos, this.sin, this.heads) = (cos, sin, heads);

    /// <param name="rows">Patches from top to bottom.</param>
    /// <param name="columns">Patches from left to right.</param>
    /// <param name="headSize">d, which 4 divides.</param>
    /// <param name="heads">H.</param>
    /// <param name="period">The longest period's base.</param>
    /// <param name="beside">A weight of the tower: the angles are where it is, in its type.</param>
    public static Rope Of(long rows, long columns, int headSize, int heads, double period, Tensor beside)
    {
        var quarter = headSize / 4;
        var (cosines, sines) = (new float[rows * columns * headSize], new float[rows * columns * headSize]);
        for (var patch = 0; patch < rows * columns; patch++)
        {
            var (y, x) = (Centre(patch / columns, rows), Centre(patch % columns, columns));
            for (var i = 0; i < headSize; i++)
            {
                // All frequencies for y, then all for x, and both once more for the other half of the head.
                var frequency = (float)(1 / Math.Pow(period, 4.0 * (i % quarter) / headSize));
                var angle = 2 * MathF.PI * (i % (headSize / 2) < quarter ? y : x) * frequency;
                cosines[patch * headSize + i] = MathF.Cos(angle);
                sines[patch * headSize + i] = MathF.Sin(angle);
            }
        }
        Tensor Table(float[] values) =>
            tensor(values, [rows * columns, 1, 1, headSize]).to(beside.dtype).to(beside.device);
        return new(Table(cosines), Table(sines), heads);
    }

    private static float Centre(long place, long places) => 2 * ((place + 0.5f) / places) - 1;

    /// <summary>Queries and keys of the patches turned, [B, L, 3 D] → [B, L, 3 D].</summary>
    public Tensor Turned(Tensor states)
    {
        var before = states.shape[1] - cos.shape[0];
        var x = states.unflatten(2, [3, heads, -1]); // [B, L, 3, H, d]
        var patches = x.narrow(1, before, cos.shape[0]);
        var asked = patches.narrow(2, 0, 2); // [B, N, 2, H, d]
        var halves = asked.chunk(2, -1);
        var turned = (asked * cos).Plus(cat([halves[1].neg(), halves[0]], -1) * sin);
        patches = cat([turned, patches.narrow(2, 2, 1)], 2);
        return cat([x.narrow(1, 0, before), patches], 1).flatten(2);
    }
}
