using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace LiT.Images;

/// <summary>A kernel of Pillow's resampling and how far it reaches, in source pixels at scale 1.</summary>
internal sealed record PillowFilter(double Support, Func<double, double> Weight)
{
    public static readonly PillowFilter Bilinear = new(1, x => Math.Max(0, 1 - Math.Abs(x)));

    public static readonly PillowFilter Bicubic = new(2, x => Cubic(Math.Abs(x)));

    public static readonly PillowFilter Lanczos = new(3, x => x is >= -3 and < 3 ? Sinc(x) * Sinc(x / 3) : 0);

    private static double Cubic(double x)
    {
        const double a = -0.5;
        return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1
            : x < 2 ? (((x - 5) * x + 8) * x - 4) * a
            : 0;
    }

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(x * Math.PI) / (x * Math.PI);
}

/// <summary>
/// Pillow's Image.resize for 8-bit RGB: kernels stretched when shrinking, weights rounded to 22-bit fixed point,
/// columns first, rounded to 8 bits between the two passes (Pillow: src/libImaging/Resample.c). Bit for bit the same
/// result.
/// </summary>
internal static class PillowResize
{
    private const int FractionBits = 32 - 8 - 2;

    private static readonly ArrayPool<byte> Buffers = ArrayPool<byte>.Shared;

    public static byte[] Resize(RgbImage image, int width, int height, PillowFilter filter, Window window)
    {
        var columns = Taps.For(image.Width, width, window.X, window.Width, filter);
        var rows = Taps.For(image.Height, height, window.Y, window.Height, filter);
        var result = new byte[window.Width * window.Height * 3];
        if (height == image.Height)
        {
            Horizontally(image, window.Y, window.Height, columns, result);
            return result;
        }
        var (first, count) = rows.Reach();
        var between = Buffers.Rent(count * window.Width * 3);
        try
        {
            Horizontally(image, first, count, columns, between);
            Vertically(between, first, window.Width * 3, rows, result);
            return result;
        }
        finally
        {
            Buffers.Return(between);
        }
    }

    private static void Horizontally(RgbImage image, int firstRow, int rowCount, Taps taps, Span<byte> to)
    {
        var stride = image.Width * 3;
        var last = Buffers.Rent(stride + 1); // reading 4 bytes a pixel runs one over the end
        try
        {
            for (var y = 0; y < rowCount; y++)
            {
                var row = image.Pixels.AsSpan((firstRow + y) * stride);
                if (row.Length == stride)
                {
                    row.CopyTo(last);
                    row = last;
                }
                ref var from = ref MemoryMarshal.GetReference(row);
                var line = to.Slice(y * taps.Count * 3, taps.Count * 3);
                for (var x = 0; x < taps.Count; x++)
                {
                    var sum = Vector128.Create(1 << (FractionBits - 1));
                    var at = taps.Start[x] * 3;
                    foreach (var weight in taps.WeightsOf(x))
                    {
                        var pixel = Vector128
                            .CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref from, at)))
                            .AsByte();
                        sum += Vector128.WidenLower(Vector128.WidenLower(pixel)).AsInt32() * weight;
                        at += 3;
                    }
                    var rgb = Vector128.Clamp(sum >> FractionBits, Vector128<int>.Zero, Vector128.Create(255));
                    (line[3 * x], line[3 * x + 1], line[3 * x + 2]) = ((byte)rgb[0], (byte)rgb[1], (byte)rgb[2]);
                }
            }
        }
        finally
        {
            Buffers.Return(last);
        }
    }

    private static void Vertically(ReadOnlySpan<byte> from, int firstRow, int stride, Taps taps, Span<byte> to)
    {
        var half = Vector128.Create(1 << (FractionBits - 1));
        for (var y = 0; y < taps.Count; y++)
        {
            var weights = taps.WeightsOf(y);
            var rows = from[((taps.Start[y] - firstRow) * stride)..];
            var line = to.Slice(y * stride, stride);
            var i = 0;
            for (; i + 16 <= stride; i += 16)
            {
                var (a, b, c, d) = (half, half, half, half);
                for (int k = 0, at = i; k < weights.Length; k++, at += stride)
                {
                    var (low, high) = Vector128.Widen(Vector128.Create<byte>(rows.Slice(at, 16)));
                    var weight = Vector128.Create(weights[k]);
                    a += Vector128.WidenLower(low).AsInt32() * weight;
                    b += Vector128.WidenUpper(low).AsInt32() * weight;
                    c += Vector128.WidenLower(high).AsInt32() * weight;
                    d += Vector128.WidenUpper(high).AsInt32() * weight;
                }
                Vector128
                    .Narrow(Vector128.Narrow(Clip(a), Clip(b)), Vector128.Narrow(Clip(c), Clip(d)))
                    .CopyTo(line[i..]);
            }
            for (; i < stride; i++)
            {
                var sum = 1 << (FractionBits - 1);
                for (var k = 0; k < weights.Length; k++)
                    sum += rows[i + k * stride] * weights[k];
                line[i] = (byte)Math.Clamp(sum >> FractionBits, 0, 255);
            }
        }

        static Vector128<uint> Clip(Vector128<int> sum) =>
            Vector128.Clamp(sum >> FractionBits, Vector128<int>.Zero, Vector128.Create(255)).AsUInt32();
    }

    /// <summary>
    /// For each output place of one axis: the first source place and the fixed-point weights from there on.
    /// </summary>
    private sealed record Taps(int Count, int Most, int[] Start, int[] Length, int[] Weights)
    {
        public ReadOnlySpan<int> WeightsOf(int place) => Weights.AsSpan(place * Most, Length[place]);

        /// <summary>The source places that are read at all: the first, and how many.</summary>
        public (int First, int Count) Reach()
        {
            var first = Start.Min();
            return (first, Enumerable.Range(0, Count).Max(place => Start[place] + Length[place]) - first);
        }

        public static Taps For(int from, int to, int offset, int count, PillowFilter filter)
        {
            var scale = (double)from / to;
            var stretch = Math.Max(scale, 1);
            var support = filter.Support * stretch;
            var most = (int)Math.Ceiling(support) * 2 + 1;
            var taps = new Taps(count, most, new int[count], new int[count], new int[count * most]);
            var weights = new double[most];
            for (var place = 0; place < count; place++)
            {
                var centre = (place + offset + 0.5) * scale;
                var start = Math.Max((int)(centre - support + 0.5), 0);
                var length = Math.Min((int)(centre + support + 0.5), from) - start;
                var sum = 0.0;
                for (var k = 0; k < length; k++)
                    sum += weights[k] = filter.Weight((k + start - centre + 0.5) * (1 / stretch));
                for (var k = 0; k < length; k++)
                {
                    var weight = (sum == 0 ? weights[k] : weights[k] / sum) * (1 << FractionBits);
                    taps.Weights[place * most + k] = (int)(weight + (weight < 0 ? -0.5 : 0.5));
                }
                (taps.Start[place], taps.Length[place]) = (start, length);
            }
            return taps;
        }
    }
}
