using System.Buffers.Binary;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LiT.Checkpoints;

/// <summary>
/// How the elements of an array lie in a file, and the tensor type that holds them. Unsigned integers that torch does
/// not have become the next wider signed ones (64 bits: the signed ones, where the values fit).
/// <see cref="Type"/> is the tensor's, <see cref="Size"/> counts the bytes of an element in the file.
/// </summary>
internal readonly record struct Elements(ScalarType Type, int Size, bool BigEndian = false, bool Unsigned = false)
{
    /// <summary>The file's bytes are the tensor's bytes.</summary>
    public bool AsTheyLie => !Unsigned && Type != ScalarType.Bool && (!BigEndian || Size == 1);

    public static Elements Of(ScalarType type) => new(type, SizeOf(type));

    public static int SizeOf(ScalarType type) =>
        type switch
        {
            ScalarType.Bool or ScalarType.Byte or ScalarType.Int8 => 1,
            ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
            ScalarType.Int32 or ScalarType.Float32 => 4,
            ScalarType.Int64 or ScalarType.Float64 or ScalarType.ComplexFloat32 => 8,
            ScalarType.ComplexFloat64 => 16,
            _ => throw new ArgumentOutOfRangeException(nameof(type), $"Tensors of type {type} are not kept in files."),
        };

    /// <summary>Number of elements of a shape; false where it is no shape or its elements cannot be counted.</summary>
    public static bool TryCount(IReadOnlyList<long> shape, out long count)
    {
        count = 1;
        var empty = false;
        if (shape.Count > 64)
            return false;
        foreach (var size in shape)
        {
            if (size < 0)
                return false;
            if (size == 0)
            {
                empty = true;
                continue;
            }
            if (count > (1L << 56) / size)
                return false; // 2^56 elements of 16 bytes are still a long
            count *= size;
        }
        if (empty)
            count = 0;
        return true;
    }

    /// <summary>
    /// Turns bytes as they lie in the file into the tensor's bytes; the two may be the same memory if not widened.
    /// </summary>
    /// <exception cref="OverflowException">A 64-bit unsigned value is too large for a signed one.</exception>
    public void Decode(Span<byte> stored, Span<byte> tensor)
    {
        if (BigEndian)
            Swap(stored);
        switch (Unsigned, Size)
        {
            case (true, 2):
                Widen(MemoryMarshal.Cast<byte, ushort>(stored), MemoryMarshal.Cast<byte, int>(tensor));
                return;
            case (true, 4):
                Widen(MemoryMarshal.Cast<byte, uint>(stored), MemoryMarshal.Cast<byte, long>(tensor));
                return;
            case (true, 8):
                foreach (var value in MemoryMarshal.Cast<byte, long>(stored))
                    if (value < 0)
                        throw new OverflowException();
                break;
        }
        if (Type == ScalarType.Bool)
            foreach (ref var value in stored)
                value = value == 0 ? (byte)0 : (byte)1;
        if (stored != tensor)
            stored.CopyTo(tensor);
    }

    private void Swap(Span<byte> bytes)
    {
        switch (Type is ScalarType.ComplexFloat32 or ScalarType.ComplexFloat64 ? Size / 2 : Size)
        {
            case 2:
                Reverse(MemoryMarshal.Cast<byte, short>(bytes), BinaryPrimitives.ReverseEndianness);
                break;
            case 4:
                Reverse(MemoryMarshal.Cast<byte, int>(bytes), BinaryPrimitives.ReverseEndianness);
                break;
            case 8:
                Reverse(MemoryMarshal.Cast<byte, long>(bytes), BinaryPrimitives.ReverseEndianness);
                break;
        }
    }

    private delegate void Reversing<T>(ReadOnlySpan<T> source, Span<T> target);

    private static void Reverse<T>(Span<T> values, Reversing<T> reverse) => reverse(values, values);

    private static void Widen(ReadOnlySpan<ushort> from, Span<int> to)
    {
        for (var i = 0; i < from.Length; i++)
            to[i] = from[i];
    }

    private static void Widen(ReadOnlySpan<uint> from, Span<long> to)
    {
        for (var i = 0; i < from.Length; i++)
            to[i] = from[i];
    }
}
