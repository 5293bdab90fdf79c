using System.Numerics;
using LiT.Images;

namespace LiT.Duplicates;

/// <summary>
/// A picture's coarse shape in 64 bits, which scaling and JPEG change in a few bits at most: grey, averaged to 32 x 32, cosine
/// transform, its 64 lowest frequencies but the mean, each above or below their median (after "pHash", Zauner 2010, whose square
/// of 8 x 8 also holds the weak frequencies of its corner). Two pictures are taken for one where <see cref="Distance"/> is small.
/// </summary>
internal static class PerceptualHash
{
    private const int Side = 32,
        Low = 10,
        Bits = 64;

    /// <summary>A picture whose grey values vary less than this (standard deviation, of 255) has no shape to compare.</summary>
    private const double Flat = 2;

    private static readonly double[,] Cosines = Transform();

    /// <summary>The 64 frequencies nearest to none, none itself left out.</summary>
    private static readonly (int U, int V)[] Lowest =
    [
        .. Enumerable
            .Range(1, Low * Low - 1)
            .Select(i => (U: i % Low, V: i / Low))
            .OrderBy(f => f.U * f.U + f.V * f.V)
            .ThenBy(f => f.V)
            .Take(Bits),
    ];

    /// <summary>The hash, or null for a picture of one colour, which says nothing about it.</summary>
    public static ulong? Of(RgbImage image)
    {
        var grey = Shrunk(image);
        var mean = grey.Average();
        if (Math.Sqrt(grey.Average(value => (value - mean) * (value - mean))) < Flat)
            return null;
        var half = new double[Low * Side]; // [v, x]
        for (var v = 0; v < Low; v++)
        for (var x = 0; x < Side; x++)
        {
            var sum = 0.0;
            for (var y = 0; y < Side; y++)
                sum += Cosines[v, y] * grey[y * Side + x];
            half[v * Side + x] = sum;
        }
        Span<double> low = stackalloc double[Bits];
        for (var bit = 0; bit < Bits; bit++)
        for (var x = 0; x < Side; x++)
            low[bit] += Cosines[Lowest[bit].U, x] * half[Lowest[bit].V * Side + x];
        var sorted = low.ToArray();
        Array.Sort(sorted);
        var median = (sorted[31] + sorted[32]) / 2;
        var hash = 0UL;
        for (var bit = 0; bit < Bits; bit++)
            if (low[bit] > median)
                hash |= 1UL << bit;
        return hash;
    }

    /// <summary>Bits that differ, 0 to 64; unrelated pictures differ in about 32.</summary>
    public static int Distance(ulong a, ulong b) => BitOperations.PopCount(a ^ b);

    /// <summary>Grey values averaged over equal areas, [32, 32]; also where the picture is smaller than that.</summary>
    private static double[] Shrunk(RgbImage image)
    {
        var (columns, rows) = (Areas(image.Width), Areas(image.Height));
        var grey = new double[Side * Side];
        var line = new double[Side];
        for (var row = 0; row < Side; row++)
            foreach (var (y, share) in rows[row])
            {
                var pixels = image.Pixels.AsSpan(y * image.Width * 3, image.Width * 3);
                Array.Clear(line);
                for (var column = 0; column < Side; column++)
                    foreach (var (x, part) in columns[column])
                        line[column] +=
                            part * (0.299 * pixels[3 * x] + 0.587 * pixels[3 * x + 1] + 0.114 * pixels[3 * x + 2]);
                for (var column = 0; column < Side; column++)
                    grey[row * Side + column] += share * line[column];
            }
        return grey;
    }

    /// <summary>For each of 32 cells the pixels under it and the share of the cell that each covers.</summary>
    private static (int Pixel, double Share)[][] Areas(int length) =>
        [
            .. Enumerable
                .Range(0, Side)
                .Select(cell =>
                {
                    var (from, to) = ((double)cell * length / Side, (double)(cell + 1) * length / Side);
                    var (first, last) = ((int)from, Math.Min((int)Math.Ceiling(to), length) - 1);
                    return Enumerable
                        .Range(first, last - first + 1)
                        .Select(pixel => (pixel, (Math.Min(to, pixel + 1) - Math.Max(from, pixel)) / (to - from)))
                        .Where(area => area.Item2 > 0)
                        .ToArray();
                }),
        ];

    /// <summary>The first rows of the cosine transform of 32 values.</summary>
    private static double[,] Transform()
    {
        var cosines = new double[Low, Side];
        for (var u = 0; u < Low; u++)
        for (var x = 0; x < Side; x++)
            cosines[u, x] = (u == 0 ? Math.Sqrt(0.5) : 1) * Math.Cos(Math.PI * u * (x + 0.5) / Side);
        return cosines;
    }
}
