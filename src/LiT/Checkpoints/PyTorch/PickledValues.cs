using System.Text;
using static TorchSharp.torch;

namespace LiT.Checkpoints.PyTorch;

// What a pickle can hold here: null, bool, long, BigInteger, double, string, byte[] (also Python 2's str), object?[]
// for tuples, List<object?> for lists and sets, and the following.

/// <summary>A name of a class or function; it is only ever compared, never looked up.</summary>
internal sealed record PickledGlobal(string Module, string Name)
{
    public string FullName => $"{Module}.{Name}";
}

/// <summary>An object that is not understood, and need not be.</summary>
internal sealed class PickledOpaque
{
    public static readonly PickledOpaque Instance = new();
}

/// <summary>A dict in the order of its entries; of two equal keys the later one counts, as in Python.</summary>
internal sealed class PickledDict
{
    public List<(object? Key, object? Value)> Entries { get; } = [];
}

/// <summary>A torch.dtype.</summary>
internal sealed record PickledType(Elements Elements);

/// <summary>A torch storage: numbers somewhere else in the file. Counts are in elements.</summary>
internal sealed record PickledStorage(string Key, Elements Elements, long Count, long Offset);

/// <summary>Something that has a shape and becomes a tensor.</summary>
internal abstract record PickledNumbers(ScalarType Type, long[] Shape);

/// <summary>A torch tensor: a strided view of a storage, offset and strides in elements.</summary>
internal sealed record PickledTensor(
    PickledStorage Storage,
    Elements Elements,
    long Offset,
    long[] Shape,
    long[] Strides
) : PickledNumbers(Elements.Type, Shape)
{
    /// <summary>
    /// Elements between the first and the last one that the view touches, both included; 0 for an empty tensor.
    /// </summary>
    /// <exception cref="OverflowException">The strides lie beyond every file.</exception>
    public long Extent =>
        Shape.Contains(0) ? 0 : 1 + Shape.Zip(Strides).Sum(axis => checked((axis.First - 1) * axis.Second));
}

/// <summary>A numpy array, whose bytes are in the pickle itself.</summary>
internal sealed record PickledArray(Elements Elements, long[] Shape, bool FortranOrder, byte[] Bytes)
    : PickledNumbers(Elements.Type, Shape);

/// <summary>A numpy array before its state is known, and a numpy dtype, whose state tells the byte order.</summary>
internal sealed class PickledNumpy
{
    public string Descr { get; set; } = "";
    public PickledArray? Array { get; set; }
}

internal static class PickledValues
{
    public static string? AsText(object? value) =>
        value switch
        {
            string text => text,
            byte[] bytes => Encoding.UTF8.GetString(bytes),
            _ => null,
        };

    public static IReadOnlyList<object?>? AsItems(object? value) =>
        value switch
        {
            object?[] tuple => tuple,
            List<object?> list => list,
            _ => null,
        };

    /// <summary>A tuple of whole numbers such as a shape.</summary>
    public static long[]? AsSizes(object? value) =>
        AsItems(value) is { Count: <= 64 } items && items.All(item => item is long)
            ? [.. items.Select(item => (long)item!)]
            : null;
}
