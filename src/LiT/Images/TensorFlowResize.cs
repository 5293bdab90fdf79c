using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace LiT.Images;

/// <summary>
/// <c>tf.image.resize</c> with half-pixel centres, in float32 and in the order of TensorFlow's CPU kernels
/// (core/kernels: image/resize_bilinear_op.cc, scale_and_translate_op.cc, resize_area_op.cc), because the truncation to
/// 8 bits that follows in vit_jax and big_vision shows the last bit.
/// </summary>
internal static class TensorFlowResize
{
    /// <returns>Values on the scale of the picture (0..255), not rounded, [Height, Width, 3] of the window.</returns>
    public static float[] Resize(RgbImage image, int width, int height, ResizeMethod method, Window window)
    {
        var result = new float[window.Width * window.Height * 3];
        if (method == ResizeMethod.TensorFlowBilinear)
            Bilinear(
                image,
                Between.For(image.Width, width, window.X, window.Width),
                Between.For(image.Height, height, window.Y, window.Height),
                result
            );
        else if (method == ResizeMethod.TensorFlowArea)
            Weighted(
                image,
                Taps.Area(image.Width, width, window.X, window.Width),
                Taps.Area(image.Height, height, window.Y, window.Height),
                result
            );
        else
            Weighted(
                image,
                Taps.Triangle(image.Width, width, window.X, window.Width),
                Taps.Triangle(image.Height, height, window.Y, window.Height),
                result
            );
        return result;
    }

    /// <summary>The cast to 8 bits of vit_jax and big_vision: clipped and truncated, not rounded.</summary>
    public static byte[] Truncated(ReadOnlySpan<float> values)
    {
        var bytes = new byte[values.Length];
        var i = 0;
        for (; i + 16 <= values.Length; i += 16)
            Vector128
                .Narrow(
                    Vector128.Narrow(Four(values[i..]), Four(values[(i + 4)..])),
                    Vector128.Narrow(Four(values[(i + 8)..]), Four(values[(i + 12)..]))
                )
                .CopyTo(bytes.AsSpan(i));
        for (; i < values.Length; i++)
            bytes[i] = (byte)Math.Clamp(values[i], 0f, 255f);
        return bytes;

        static Vector128<uint> Four(ReadOnlySpan<float> four) =>
            Vector128
                .ConvertToInt32(
                    Vector128.Clamp(Vector128.Create(four[..4]), Vector128<float>.Zero, Vector128.Create(255f))
                )
                .AsUInt32();
    }

    /// <summary>Pixels of a row as floats, four to a pixel where the last is not used.</summary>
    private static void Widen<T>(ReadOnlySpan<byte> row, Span<T> to)
        where T : INumberBase<T>
    {
        for (int i = 0, at = 0; i + 3 <= row.Length; i += 3, at += 4)
            (to[at], to[at + 1], to[at + 2]) = (
                T.CreateTruncating(row[i]),
                T.CreateTruncating(row[i + 1]),
                T.CreateTruncating(row[i + 2])
            );
    }

    private static void Bilinear(RgbImage image, Between columns, Between rows, Span<float> result)
    {
        var stride = columns.Count * 3;
        var wide = new float[image.Width * 4];
        var (upper, lower) = (new float[stride + 1], new float[stride + 1]);
        var (upperRow, lowerRow) = (-1, -1);
        for (var y = 0; y < rows.Count; y++)
        {
            if (rows.Lower[y] == lowerRow)
                ((upper, lower), (upperRow, lowerRow)) = ((lower, upper), (lowerRow, upperRow));
            if (upperRow != rows.Lower[y])
                Line(upperRow = rows.Lower[y], upper);
            if (lowerRow != rows.Upper[y])
                Line(lowerRow = rows.Upper[y], lower);
            Mix(upper.AsSpan(0, stride), lower.AsSpan(0, stride), rows.Fraction[y], result.Slice(y * stride, stride));
        }

        void Line(int row, float[] to)
        {
            Widen(image.Pixels.AsSpan(row * image.Width * 3, image.Width * 3), wide.AsSpan());
            ref var from = ref MemoryMarshal.GetArrayDataReference(wide);
            for (var x = 0; x < columns.Count; x++)
            {
                var left = Vector128.LoadUnsafe(ref from, (nuint)(columns.Lower[x] * 4));
                var right = Vector128.LoadUnsafe(ref from, (nuint)(columns.Upper[x] * 4));
                (left + (right - left) * columns.Fraction[x]).StoreUnsafe(ref to[3 * x]);
            }
        }
    }

    private static void Mix(ReadOnlySpan<float> top, ReadOnlySpan<float> bottom, float fraction, Span<float> to)
    {
        var i = 0;
        for (; i + Vector<float>.Count <= to.Length; i += Vector<float>.Count)
        {
            var above = new Vector<float>(top[i..]);
            (above + (new Vector<float>(bottom[i..]) - above) * fraction).CopyTo(to[i..]);
        }
        for (; i < to.Length; i++)
            to[i] = top[i] + (bottom[i] - top[i]) * fraction;
    }

    // Summed in double: the weights of a flat area then give its value back, where float32 may fall just below and
    // truncate.
    private static void Weighted(RgbImage image, Taps columns, Taps rows, Span<float> result)
    {
        var stride = columns.Count * 3;
        var (first, count) = rows.Reach();
        var lines = new double[count * stride + 1];
        var wide = new double[image.Width * 4];
        ref var from = ref MemoryMarshal.GetArrayDataReference(wide);
        for (var y = 0; y < count; y++)
        {
            Widen(image.Pixels.AsSpan((first + y) * image.Width * 3, image.Width * 3), wide.AsSpan());
            for (var x = 0; x < columns.Count; x++)
            {
                var sum = Vector256<double>.Zero;
                var at = (nuint)(columns.Start[x] * 4);
                foreach (var weight in columns.WeightsOf(x))
                {
                    sum += Vector256.LoadUnsafe(ref from, at) * weight;
                    at += 4;
                }
                sum.StoreUnsafe(ref lines[y * stride + 3 * x]);
            }
        }
        var sums = new double[stride];
        for (var y = 0; y < rows.Count; y++)
        {
            Array.Clear(sums);
            var at = (rows.Start[y] - first) * stride;
            foreach (var weight in rows.WeightsOf(y))
            {
                Add(lines.AsSpan(at, stride), weight, sums);
                at += stride;
            }
            for (var i = 0; i < stride; i++)
                result[y * stride + i] = (float)sums[i];
        }
    }

    private static void Add(ReadOnlySpan<double> values, double weight, Span<double> to)
    {
        var i = 0;
        for (; i + Vector<double>.Count <= to.Length; i += Vector<double>.Count)
            (new Vector<double>(to[i..]) + new Vector<double>(values[i..]) * weight).CopyTo(to[i..]);
        for (; i < to.Length; i++)
            to[i] += values[i] * weight;
    }

    /// <summary>
    /// For each output place of one axis: the two source places around it and how far it is on the way.
    /// </summary>
    private sealed record Between(int Count, int[] Lower, int[] Upper, float[] Fraction)
    {
        public static Between For(int from, int to, int offset, int count)
        {
            var between = new Between(count, new int[count], new int[count], new float[count]);
            var scale = from / (float)to;
            for (var place = 0; place < count; place++)
            {
                var at = (place + offset + 0.5f) * scale - 0.5f;
                var floor = MathF.Floor(at);
                between.Lower[place] = Math.Max((int)floor, 0);
                between.Upper[place] = Math.Min((int)MathF.Ceiling(at), from - 1);
                between.Fraction[place] = at - floor;
            }
            return between;
        }
    }

    /// <summary>
    /// For each output place of one axis: the first source place and the weights from there on, which add up to 1.
    /// </summary>
    private sealed record Taps(int Count, int Most, int[] Start, int[] Length, double[] Weights)
    {
        public ReadOnlySpan<double> WeightsOf(int place) => Weights.AsSpan(place * Most, Length[place]);

        public (int First, int Count) Reach()
        {
            var first = Start.Min();
            return (first, Enumerable.Range(0, Count).Max(place => Start[place] + Length[place]) - first);
        }

        /// <summary>A triangle, stretched when shrinking; its weights are float32 as in TensorFlow.</summary>
        public static Taps Triangle(int from, int to, int offset, int count)
        {
            var scale = from / (float)to;
            var stretch = MathF.Max(scale, 1);
            var taps = Empty(count, Math.Min(2 * (int)MathF.Ceiling(stretch) + 1, from));
            for (var place = 0; place < count; place++)
            {
                var centre = (place + offset + 0.5f) * scale;
                var start = Math.Clamp((int)MathF.Ceiling(centre - stretch - 0.5f), 0, from - 1);
                var end = Math.Clamp((int)MathF.Floor(centre + stretch - 0.5f), 0, from - 1);
                var weights = taps.Place(place, start, end - start + 1);
                var sum = 0f;
                for (var k = 0; k < weights.Length; k++)
                {
                    var weight = MathF.Max(0, 1 - MathF.Abs((start + k + 0.5f - centre) / stretch));
                    weights[k] = weight;
                    sum += weight;
                }
                foreach (ref var weight in weights)
                    weight = (float)weight * (1 / sum);
            }
            return taps;
        }

        /// <summary>How much of each source place an output place covers.</summary>
        public static Taps Area(int from, int to, int offset, int count)
        {
            double scale = from / (float)to;
            var taps = Empty(count, Math.Min((int)Math.Ceiling(scale) + 1, from));
            for (var place = 0; place < count; place++)
            {
                var (left, right) = ((place + offset) * scale, (place + offset + 1) * scale);
                var start = Math.Min((int)left, from - 1);
                var weights = taps.Place(place, start, Math.Min((int)Math.Ceiling(right), from) - start);
                for (var k = 0; k < weights.Length; k++)
                    weights[k] = Math.Min(start + k + 1, right) - Math.Max(start + k, left);
                var sum = 0.0;
                foreach (var weight in weights)
                    sum += weight;
                foreach (ref var weight in weights)
                    weight /= sum;
            }
            return taps;
        }

        private static Taps Empty(int count, int most) =>
            new(count, most, new int[count], new int[count], new double[count * most]);

        private Span<double> Place(int place, int start, int length)
        {
            (Start[place], Length[place]) = (start, Math.Clamp(length, 1, Most));
            return Weights.AsSpan(place * Most, Length[place]);
        }
    }
}
