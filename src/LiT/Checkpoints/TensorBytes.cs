using System.Buffers;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LiT.Checkpoints;

/// <summary>Tensors whose elements come from a stream.</summary>
internal static unsafe class TensorBytes
{
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

    private static void Fill(Tensor tensor, Stream source, Elements elements)
    {
        var count = tensor.numel();
        var target = TensorMemory.Address(tensor);
        var targetSize = Elements.SizeOf(elements.Type);
        var inPlace = targetSize == elements.Size;
        var buffer = inPlace ? null : ArrayPool<byte>.Shared.Rent(TensorMemory.Piece);
        try
        {
            for (long done = 0; done < count; )
            {
                var now = (int)Math.Min(TensorMemory.Piece / 16, count - done);
                if (inPlace)
                    now = (int)Math.Min(TensorMemory.Piece / elements.Size, count - done);
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
}
