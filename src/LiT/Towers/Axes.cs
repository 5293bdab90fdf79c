using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>
/// How the axes of a tensor in somebody's file become the axes of ours. Each is named by what it starts from.
/// </summary>
internal sealed class Axes
{
    private readonly Func<Tensor, Tensor> apply;

    private Axes(string words, Func<Tensor, Tensor> apply) => (Words, this.apply) = (words, apply);

    /// <summary>The change in words, empty where there is none; <c>lit models show</c> prints it.</summary>
    public string Words { get; }

    /// <summary>As in the file.</summary>
    public static Axes Same { get; } = new("", t => t.alias());

    /// <summary>Dense kernel [in, out] → [out, in].</summary>
    public static Axes Transposed { get; } = new("transposed", t => t.t());

    /// <summary>Convolution kernel [height, width, in, out] → [out, in, height, width].</summary>
    public static Axes HwioToOihw { get; } = new("HWIO to OIHW", t => t.permute(3, 2, 0, 1));

    /// <summary>Convolution of one pixel [1, 1, in, out] → dense [out, in].</summary>
    public static Axes PointwiseToDense { get; } = new("1x1 convolution to dense", t => t.flatten(0, 2).t());

    /// <summary>Query, key or value kernel [width, heads, head size] → [heads · head size, width].</summary>
    public static Axes HeadsOut { get; } = new("heads joined, transposed", t => t.flatten(1).t());

    /// <summary>Output kernel of attention [heads, head size, width] → [width, heads · head size].</summary>
    public static Axes HeadsIn { get; } = new("heads joined, transposed", t => t.flatten(0, 1).t());

    /// <summary>Any vector with axes to spare, [heads, head size] or [1, 1, 1, C] → [n].</summary>
    public static Axes Flat { get; } = new("flattened", t => t.flatten());

    /// <summary>Learned positions [1, length, width] → [length, width].</summary>
    public static Axes FirstDropped { get; } = new("first axis dropped", t => t.squeeze(0));

    /// <summary>Dense kernel with singleton axes before it, [1, in, out] → [out, in].</summary>
    public static Axes SqueezedTransposed { get; } =
        new("squeezed, transposed", t => t.reshape(t.shape[^2], t.shape[^1]).t());

    /// <summary>A vector [width] → [1, 1, width].</summary>
    public static Axes Row { get; } = new("two axes before", t => t.view(1, 1, -1));

    /// <summary>A table [length, width] → [1, length, width].</summary>
    public static Axes OneMore { get; } = new("one axis before", t => t.unsqueeze(0));

    /// <summary>The first third of the rows: the queries of three products that stand in one.</summary>
    public static Axes FirstThird { get; } = new("first third", t => t.narrow(0, 0, Thirds(t))) { IsPart = true };

    /// <summary>The other two thirds: keys and values.</summary>
    public static Axes OtherThirds { get; } =
        new("second and third third", t => t.narrow(0, Thirds(t), 2 * Thirds(t))) { IsPart = true };

    /// <summary>Whether it takes a part of their tensor, so that other lines of a table take the rest.</summary>
    public bool IsPart { get; private init; }

    private static long Thirds(Tensor t) =>
        t.shape[0] % 3 == 0 ? t.shape[0] / 3 : throw new ArgumentException("3 does not divide the rows.");

    /// <summary>A view of the tensor with its axes as ours are.</summary>
    /// <exception cref="LitException">The tensor has too few or too many axes for this.</exception>
    public Tensor Apply(Tensor theirs)
    {
        try
        {
            return apply(theirs);
        }
        catch (Exception e) when (e is not LitException)
        {
            throw new LitException($"a tensor of shape [{string.Join(", ", theirs.shape)}] cannot be {Words}", e);
        }
    }

    /// <summary>
    /// The shape that <see cref="Apply"/> gives, found without data; null where it cannot be applied.
    /// </summary>
    internal long[]? ShapeOf(IReadOnlyList<long> theirs)
    {
        using var scope = NewDisposeScope();
        try
        {
            return apply(empty([.. theirs], device: new Device(TorchSharp.DeviceType.META))).shape;
        }
        catch (Exception e)
            when (e is System.Runtime.InteropServices.ExternalException or ArgumentException or IndexOutOfRangeException
            )
        {
            return null;
        }
    }
}
