using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LiT;

/// <summary>The memory of contiguous tensors on the CPU: ground that every room may stand on.</summary>
internal static unsafe class TensorMemory
{
    /// <summary>Bytes that fit a span and the processor's cache.</summary>
    public const int Piece = 1 << 18;

    /// <summary>Calls back with one piece of the tensor's memory after the other.</summary>
    public static void ForEachPiece(Tensor contiguous, Action<ReadOnlySpan<byte>> visit)
    {
        var length = contiguous.numel() * contiguous.ElementSize;
        var start = Address(contiguous);
        for (long at = 0; at < length; at += Piece)
            visit(new ReadOnlySpan<byte>(start + at, (int)Math.Min(Piece, length - at)));
        GC.KeepAlive(contiguous);
    }

    /// <summary>Where a contiguous tensor begins; keep the tensor alive while the pointer is in use.</summary>
    public static byte* Address(Tensor contiguous)
    {
        if (contiguous.numel() == 0)
            return null;
        using var flat = contiguous.view(-1);
        using var first = flat.narrow(0, 0, 1);
        return (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(first.bytes));
    }
}
