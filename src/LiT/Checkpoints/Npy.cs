using System.Numerics;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LiT.Checkpoints;

/// <summary>Single numpy arrays, .npy files: as tensors, or as plain arrays for whoever needs no torch.</summary>
internal static class Npy
{
    /// <summary>
    /// An array as a contiguous tensor of the type the file has (|V2 is bfloat16). The caller owns it.
    /// </summary>
    /// <exception cref="LitException">The file is missing, damaged, or holds no numbers.</exception>
    public static Tensor Read(string path)
    {
        using var file = CheckpointFile.Open(path);
        var header = Open(file, out var stream);
        using (stream)
        using (var scope = NewDisposeScope())
        {
            var shape = header.FortranOrder ? header.Shape.Reverse().ToArray() : header.Shape;
            var tensor = TensorBytes.Read(stream, header.Elements!.Value, shape, path);
            if (header.FortranOrder)
                tensor = tensor
                    .permute([.. Enumerable.Range(0, shape.Length).Reverse().Select(axis => (long)axis)])
                    .contiguous();
            return tensor.MoveToOuterDisposeScope();
        }
    }

    /// <summary>
    /// An array's values in row-major order and its shape, without torch; whatever numbers the file holds are converted
    /// to <typeparamref name="T"/> (float16, float32, float64, whole numbers, bool as 0 and 1).
    /// </summary>
    /// <exception cref="LitException">The file is missing, damaged, holds no numbers, or one that does not
    /// fit.</exception>
    public static (T[] Values, long[] Shape) ReadArray<T>(string path)
        where T : unmanaged, INumber<T>
    {
        using var file = CheckpointFile.Open(path);
        var header = Open(file, out var stream);
        using (stream)
        {
            Elements.TryCount(header.Shape, out var count);
            if (count > Array.MaxLength / 2)
                throw new LitException(path, $"{count} elements are too many for one array", "Read it in parts");
            var values = new T[count];
            try
            {
                Convert(path, stream, header.Elements!.Value, values);
            }
            catch (OverflowException)
            {
                throw new LitException(
                    path,
                    $"a value does not fit {typeof(T).Name}",
                    "Save the array as such, or read it as another type"
                );
            }
            return (header.FortranOrder ? RowMajor(values, header.Shape) : values, header.Shape);
        }
    }

    /// <summary>Writes a tensor as a .npy file.</summary>
    /// <exception cref="LitException">The disk is full, or the place cannot be written to.</exception>
    public static void Write(string path, Tensor tensor) =>
        Files.AtomicFile.Write(path, stream => Write(stream, tensor));

    /// <summary>Writes plain values in row-major order as a .npy file, without torch.</summary>
    /// <exception cref="LitException">The disk is full, or the place cannot be written to.</exception>
    public static void Write<T>(string path, T[] values, params long[] shape)
        where T : unmanaged
    {
        if (!Elements.TryCount(shape, out var count) || count != values.Length)
            throw new ArgumentException(
                $"{values.Length} values have not the shape [{string.Join(", ", shape)}].",
                nameof(shape)
            );
        Files.AtomicFile.Write(path, stream =>
        {
            stream.Write(NpyHeader.Bytes(TypeOf<T>(), shape));
            for (var at = 0; at < values.Length; at += TensorMemory.Piece)
                stream.Write(
                    MemoryMarshal.AsBytes(values.AsSpan(at, Math.Min(TensorMemory.Piece, values.Length - at)))
                );
        });
    }

    internal static void Write(Stream stream, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        var plain = tensor.detach().cpu().contiguous();
        stream.Write(NpyHeader.Bytes(plain.dtype, plain.shape));
        TensorMemory.ForEachPiece(plain, stream.Write);
    }

    private static NpyHeader Open(CheckpointFile file, out Stream elements)
    {
        NpyHeader header;
        using (var start = file.Range(0, file.Length))
            header = NpyHeader.Read(start, file.Path);
        if (header.Elements is null)
            throw new LitException(file.Path, $"holds {header.Refused}", "Save it again as an array of numbers");
        if (!file.Holds(header.Size, header.DataSize))
            throw file.CutOff();
        elements = file.Range(header.Size, header.DataSize);
        return header;
    }

    private static void Convert<T>(string path, Stream stream, Elements elements, T[] values)
        where T : unmanaged, INumber<T>
    {
        switch (elements)
        {
            case { Type: ScalarType.Float32 }:
                Convert<float, T>(stream, elements, values, T.CreateChecked);
                break;
            case { Type: ScalarType.Float64 }:
                Convert<double, T>(stream, elements, values, T.CreateChecked);
                break;
            case { Type: ScalarType.Float16 }:
                Convert<Half, T>(stream, elements, values, T.CreateChecked);
                break;
            case { Type: ScalarType.BFloat16 }:
                Convert<ushort, T>(stream, elements, values, bits =>
                    T.CreateChecked(BitConverter.UInt32BitsToSingle((uint)bits << 16))
                );
                break;
            case { Type: ScalarType.Int8 }:
                Convert<sbyte, T>(stream, elements, values, T.CreateChecked);
                break;
            case { Type: ScalarType.Int16 }:
                Convert<short, T>(stream, elements, values, T.CreateChecked);
                break;
            case { Type: ScalarType.Int32 }:
                Convert<int, T>(stream, elements, values, T.CreateChecked);
                break;
            case { Type: ScalarType.Int64 }:
                Convert<long, T>(stream, elements, values, T.CreateChecked);
                break;
            case { Type: ScalarType.Byte or ScalarType.Bool }:
                Convert<byte, T>(stream, elements, values, T.CreateChecked);
                break;
            default:
                throw new LitException(path, $"complex numbers are no {typeof(T).Name}", "Read them as a tensor");
        }
    }

    private static void Convert<TFile, T>(Stream stream, Elements elements, T[] values, Func<TFile, T> convert)
        where TFile : unmanaged
    {
        const int count = 16384;
        var stored = new byte[Math.Min(count, values.Length) * elements.Size];
        var plain = new TFile[Math.Min(count, values.Length)];
        for (var at = 0; at < values.Length; at += count)
        {
            var now = Math.Min(count, values.Length - at);
            stream.ReadExactly(stored, 0, now * elements.Size);
            elements.Decode(stored.AsSpan(0, now * elements.Size), MemoryMarshal.AsBytes(plain.AsSpan(0, now)));
            for (var i = 0; i < now; i++)
                values[at + i] = convert(plain[i]);
        }
    }

    private static T[] RowMajor<T>(T[] columnMajor, long[] shape)
    {
        var rowMajor = new T[columnMajor.Length];
        var index = new long[shape.Length];
        for (long from = 0; from < columnMajor.Length; from++)
        {
            long to = 0;
            for (var axis = 0; axis < shape.Length; axis++)
                to = to * shape[axis] + index[axis];
            rowMajor[to] = columnMajor[from];
            for (var axis = 0; axis < shape.Length && ++index[axis] == shape[axis]; axis++)
                index[axis] = 0;
        }
        return rowMajor;
    }

    private static ScalarType TypeOf<T>() =>
        default(T) switch
        {
            float => ScalarType.Float32,
            double => ScalarType.Float64,
            Half => ScalarType.Float16,
            sbyte => ScalarType.Int8,
            short => ScalarType.Int16,
            int => ScalarType.Int32,
            long => ScalarType.Int64,
            byte => ScalarType.Byte,
            bool => ScalarType.Bool,
            _ => throw new ArgumentException($"numpy files of {typeof(T).Name} are not written."),
        };
}
