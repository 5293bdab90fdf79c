using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LiT.Checkpoints;

/// <summary>The memory of contiguous tensors as bytes, in pieces that fit a span and the processor's cache.</summary>
internal static unsafe class TensorBytes
{
    public const int Piece = 1 << 18;

    /// <summary>A new tensor with the elements that a stream gives; messages say where it is from.</summary>
    public static Tensor Read(Stream source, Elements elements, IReadOnlyList<long> shape, string where)
    {
        var tensor = Allocate(elements.Type, shape, where);
        try
        {
            Fill(tensor, source, elements);
            return tensor;
        }
        catch (OverflowException)
        {
            tensor.Dispose();
            throw new LitException(
                $"{where}: an unsigned 64-bit value is too large for a tensor. Save the array as int64."
            );
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    public static Tensor Allocate(ScalarType type, IReadOnlyList<long> shape, string where)
    {
        try
        {
            return empty([.. shape], type);
        }
        catch (ExternalException tooLarge)
        {
            throw new LitException(
                $"{where}: no memory for a tensor of shape [{string.Join(", ", shape)}]. "
                    + "Use a machine with more memory, or a smaller model.",
                tooLarge
            );
        }
    }

    /// <summary>Calls back with one piece of the tensor's memory after the other.</summary>
    public static void ForEachPiece(Tensor contiguous, Action<ReadOnlySpan<byte>> visit)
    {
        var length = contiguous.numel() * contiguous.ElementSize;
        var start = Address(contiguous);
        for (long at = 0; at < length; at += Piece)
            visit(new ReadOnlySpan<byte>(start + at, (int)Math.Min(Piece, length - at)));
        GC.KeepAlive(contiguous);
    }

    private static void Fill(Tensor tensor, Stream source, Elements elements)
    {
        var count = tensor.numel();
        var target = Address(tensor);
        var targetSize = Elements.SizeOf(elements.Type);
        var inPlace = targetSize == elements.Size;
        var buffer = inPlace ? null : ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            for (long done = 0; done < count; )
            {
                var now = (int)Math.Min(Piece / 16, count - done);
                if (inPlace)
                    now = (int)Math.Min(Piece / elements.Size, count - done);
                var into = new Span<byte>(target + done * targetSize, now * targetSize);
                var stored = inPlace ? into : buffer.AsSpan(0, now * elements.Size);
                source.ReadExactly(stored);
                if (!elements.AsTheyLie)
                    elements.Decode(stored, into);
                done += now;
            }
        }
        finally
        {
            if (buffer is not null)
                ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Where a contiguous tensor on the CPU begins; keep the tensor alive while the pointer is in use.</summary>
    public static byte* Address(Tensor contiguous)
    {
        if (contiguous.numel() == 0)
            return null;
        using var flat = contiguous.view(-1);
        using var first = flat.narrow(0, 0, 1);
        return (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(first.bytes));
    }
}
