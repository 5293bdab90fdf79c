using LiT.Compute;
using LiT.Compute.Locked;
using LiT.Images;
using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>
/// Towers of bytes: in every block the dense layers multiply bytes with bytes, weights with a scale for each output,
/// activations with one for each token. Made once from a locked float32 tower; another tower to all stores and models,
/// with a fingerprint of its own.
/// </summary>
internal static class Int8
{
    /// <summary>What the numbers depend on beside the weights; a change of them is another tower.</summary>
    internal const string Form = "int8, form 2: blocks' dense layers, per-token activations, smoothed by powers of two";

    private const int Pictures = 4;

    /// <summary>Why a tower cannot be made one of bytes here, in words; null where it can.</summary>
    public static string? WhyNot(ImageTower tower, ComputeDevice compute) =>
        compute.Device.type != DeviceType.CPU || compute.Type != ScalarType.Float32
            ? "int8 towers compute on the CPU, beside `ScalarType` float32"
        : !LayersOf(tower).Any() ? "it has no transformer or Mixer blocks, and only their layers are made bytes"
        : null;

    internal static LitException CannotBe(string reason) =>
        new($"An int8 tower cannot be made of this one: {reason}. Leave int8 out.");

    /// <summary>Makes a locked tower one of bytes, for good.</summary>
    /// <exception cref="LitException">It cannot be; the message says why.</exception>
    internal static void Apply(ImageTower tower, Preprocessing preprocessing, ComputeDevice compute)
    {
        if (WhyNot(tower, compute) is { } reason)
            throw CannotBe(reason);
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var layers = LayersOf(tower).ToList();
        foreach (var part in BlocksOf(tower).OfType<ICompiled>())
            part.Target = part.Target with { Bytes = true };
        Parts.Run(1, _ => Shown(tower, preprocessing)); // on one thread, however many there are
        if (layers.Exists(layer => layer.Product is not ByteProduct { IsMade: true }))
            throw new InvalidOperationException("A layer of the blocks takes no part in the tower.");
    }

    private static void Shown(ImageTower tower, Preprocessing preprocessing)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        tower.call(Clouds(preprocessing));
    }

    // Pictures without a subject, but with details of every size as photographs have them: random grids, finer ones
    // fainter.
    private static Tensor Clouds(Preprocessing preprocessing)
    {
        using var random = new Generator(0, CPU);
        var (height, width) = (preprocessing.Height, preprocessing.Width);
        var sum = zeros(Pictures, 3, height, width);
        for (
            var (cells, strength) = (1, 1.0);
            cells < Math.Max(height, width);
            (cells, strength) = (2 * cells, strength * 0.7)
        )
            sum = sum.PlusInPlace(
                nn.functional.interpolate(
                    randn([Pictures, 3, cells, cells], generator: random),
                    [height, width],
                    mode: InterpolationMode.Bilinear,
                    align_corners: false
                ),
                strength
            );
        var values = sum.Times(0.6).sigmoid(); // [0, 1]
        Tensor Channels(ChannelValues three) => tensor([three[0], three[1], three[2]]).view(1, 3, 1, 1);
        return (values - Channels(preprocessing.Mean)) / Channels(preprocessing.Std);
    }

    private static IEnumerable<Dense> LayersOf(ImageTower tower) => BlocksOf(tower).OfType<Dense>();

    private static IEnumerable<nn.Module> BlocksOf(ImageTower tower) =>
        tower
            .named_modules()
            .Where(part => part.name.Contains("blocks.", StringComparison.Ordinal))
            .Select(part => part.module);
}
