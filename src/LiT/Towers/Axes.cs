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
