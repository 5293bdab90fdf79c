using System.Buffers.Binary;
using System.Text;

namespace LiT.Files;

/// <summary>Fields of a protocol buffer message, one after the other: what <see cref="ProtoReader"/> reads.</summary>
/// <param name="to">Where the fields go; null keeps them for <see cref="ToArray"/>.</param>
internal sealed class ProtoWriter(Stream? to = null)
{
    private readonly Stream bytes = to ?? new MemoryStream();

    internal byte[] ToArray() => ((MemoryStream)bytes).ToArray();

    /// <summary>Fields that are written already.</summary>
    internal ProtoWriter Copy(ReadOnlySpan<byte> fields)
    {
        bytes.Write(fields);
        return this;
    }

    internal ProtoWriter Number(int field, ulong value)
    {
        Varint((ulong)field << 3);
        Varint(value);
        return this;
    }

    internal ProtoWriter Float(int field, float value)
    {
        Varint((ulong)field << 3 | 5);
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(four, value);
        bytes.Write(four);
        return this;
    }

    internal ProtoWriter Bytes(int field, ReadOnlySpan<byte> value)
    {
        Varint((ulong)field << 3 | 2);
        Varint((ulong)value.Length);
        bytes.Write(value);
        return this;
    }

    internal ProtoWriter Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    internal ProtoWriter Message(int field, ProtoWriter inner) => Bytes(field, inner.ToArray());

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            bytes.WriteByte((byte)(value | 0x80));
        bytes.WriteByte((byte)value);
    }
}
