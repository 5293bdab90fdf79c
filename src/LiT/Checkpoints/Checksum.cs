using System.IO.Hashing;
using static TorchSharp.torch;

namespace LiT.Checkpoints;

/// <summary>The checksum of zip members that are not read through a stream, but mapped.</summary>
internal static class Checksum
{
    /// <exception cref="LitException">The bytes before the tensor and the tensor's own are not those that were packed.</exception>
    public static void Require(ZipMember member, ReadOnlySpan<byte> before, Tensor mapped, string where)
    {
        var crc = new Crc32();
        crc.Append(before);
        TensorMemory.ForEachPiece(mapped, crc.Append);
        if (crc.GetCurrentHashAsUInt32() != member.Crc)
            throw new LitException(
                $"{where}: does not match its checksum. The file is damaged; download or copy it again."
            );
    }
}
