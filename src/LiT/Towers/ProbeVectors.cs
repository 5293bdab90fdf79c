using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using LiT.Compute;
using LiT.Images;
using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>
/// What a tower gives for two pictures that anybody can draw again: a few kilobytes that stand beside embeddings
/// (store.json) or weights (a bundle, where they are called golden vectors) and show later, on another machine or
/// version, that tower and preprocessing still give the same. The fingerprint proves that the weights are equal; this
/// proves that what is computed with them is. <see cref="Of"/> makes them, <see cref="Trouble"/> compares,
/// <see cref="ToJson"/> and <see cref="FromJson"/> are the form in files.
/// </summary>
/// <param name="DType">The type that the tower computed in: "float32", "bfloat16", "int8".</param>
/// <param name="Values">The tower's own representations, not of unit length, [<see cref="Pictures"/>, width].</param>
internal sealed record ProbeVectors(string DType, float[] Values)
{
    /// <summary>Number of pictures: one wider than high, one higher than wide.</summary>
    public const int Pictures = 2;

    // Machines add up in another order (some 1e-6 of the length), GPUs round products to ten bits (1e-3); another
    // weight file, resize or value range is off by 0.05 and more.
    private const double Exact = 5e-3,
        Rounded = 5e-2;

    /// <summary>Numbers that the tower gives for a picture.</summary>
    public int Width => Values.Length / Pictures;

    /// <summary>Draws the pictures and sends them through the tower, each by itself.</summary>
    public static ProbeVectors Of(LockedTower tower, ComputeDevice compute)
    {
        var values = new float[Pictures * tower.Tower.Width];
        if (compute.Device.type == TorchSharp.DeviceType.CPU)
            Parts.Run(Pictures, Represent);
        else
            for (var picture = 0; picture < Pictures; picture++)
                Represent(picture);
        return new(
            tower.Tower.IsInt8 ? "int8"
                : compute.Type == ScalarType.BFloat16 ? "bfloat16"
                : "float32",
            values
        );

        void Represent(int picture)
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            var input = new float[tower.Preprocessing.ValueCount];
            tower.Preprocessing.Apply(Draw(picture, tower.Preprocessing), input);
            var pixels = tensor(input, [1, 3, tower.Preprocessing.Height, tower.Preprocessing.Width])
                .to(compute.Device)
                .to(compute.Type);
            var representation = tower.Tower.call(pixels).to(ScalarType.Float32).cpu().contiguous();
            representation.data<float>().CopyTo(values.AsSpan(picture * tower.Tower.Width));
        }
    }

    /// <summary>How far two towers' numbers are apart: the largest |a - b| / |b| of a picture, as vectors.</summary>
    public double DistanceTo(ProbeVectors other)
    {
        if (other.Values.Length != Values.Length)
            return double.PositiveInfinity;
        var largest = 0.0;
        for (var picture = 0; picture < Pictures; picture++)
        {
            var (apart, length) = (0.0, 0.0);
            for (var i = picture * Width; i < (picture + 1) * Width; i++)
            {
                apart += Math.Pow((double)Values[i] - other.Values[i], 2);
                length += Math.Pow(other.Values[i], 2);
            }
            largest = Math.Max(largest, Math.Sqrt(apart / length)); // what is no number stays none
        }
        return largest;
    }

    /// <summary>Null where the tower at hand gives what these say, or what is wrong, as a phrase.</summary>
    public string? Trouble(ProbeVectors atHand)
    {
        var allowed = DType == "float32" && atHand.DType == "float32" ? Exact : Rounded;
        var distance = atHand.DistanceTo(this);
        return distance <= allowed ? null
            : atHand.Values.Length != Values.Length
                ? $"it gives {atHand.Width} numbers for a test picture where {Width} were written down"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"it gives other numbers for the test pictures than were written down (apart by "
                    + $"{distance:G2} of their length, where {allowed} is allowed)"
            );
    }

    /// <summary>
    /// As JSON: <c>{"dtype", "pictures", "width", "values"}</c>, the values as little-endian float32 in base64.
    /// </summary>
    public JsonObject ToJson()
    {
        var bytes = new byte[4 * Values.Length];
        for (var i = 0; i < Values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), Values[i]);
        return new()
        {
            ["dtype"] = DType,
            ["pictures"] = Pictures,
            ["width"] = Width,
            ["values"] = Convert.ToBase64String(bytes),
        };
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">It is something else, or cut.</exception>
    public static ProbeVectors FromJson(JsonNode json)
    {
        try
        {
            var bytes = Convert.FromBase64String(json["values"]!.GetValue<string>());
            if (
                json["pictures"]!.GetValue<int>() != Pictures
                || bytes.Length != 4L * Pictures * json["width"]!.GetValue<int>()
                || bytes.Length == 0
            )
                throw new FormatException("the probe vectors are cut");
            var values = MemoryMarshal.Cast<byte, float>(bytes).ToArray();
            if (!BitConverter.IsLittleEndian)
                for (var i = 0; i < values.Length; i++)
                    values[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(4 * i));
            return new(json["dtype"]!.GetValue<string>(), values);
        }
        catch (Exception damage) when (damage is NullReferenceException or InvalidOperationException)
        {
            throw new FormatException("the probe vectors are damaged", damage);
        }
    }

    /// <summary>
    /// A slope of colour under blocks of noise: integers alone, so that every machine draws the same.
    /// </summary>
    private static RgbImage Draw(int picture, Preprocessing preprocessing)
    {
        // Where nothing is resized the size has to be the tower's own.
        var (width, height) =
            preprocessing.Method == ResizeMethod.None ? (preprocessing.Width, preprocessing.Height)
            : picture == 0 ? (320, 240)
            : (240, 320);
        var chance = Chance.For(20211107, 0, picture);
        const int Block = 16;
        var across = (width + Block - 1) / Block;
        var noise = new byte[across * ((height + Block - 1) / Block) * 3];
        for (var i = 0; i < noise.Length; i++)
            noise[i] = (byte)chance.Below(128);
        var pixels = new byte[width * height * 3];
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
        for (var channel = 0; channel < 3; channel++)
        {
            var slope =
                channel == 0 ? 127 * x / width
                : channel == 1 ? 127 * y / height
                : 127 * (x + y) / (width + height);
            pixels[(y * width + x) * 3 + channel] = (byte)(
                slope + noise[(y / Block * across + x / Block) * 3 + channel]
            );
        }
        return new(width, height, pixels);
    }
}
