using System.Buffers.Binary;

namespace LiT.Text.SentencePieces;

/// <summary>Fields of a protocol buffer message, one after the other: what <see cref="ProtoReader"/> reads.</summary>
internal sealed class ProtoWriter
{
    private readonly MemoryStream bytes = new();

    internal byte[] ToArray() => bytes.ToArray();

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

    internal ProtoWriter Text(int field, string value) => Bytes(field, Utf8.BytesOf(value));

    internal ProtoWriter Message(int field, ProtoWriter inner) => Bytes(field, inner.ToArray());

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            bytes.WriteByte((byte)(value | 0x80));
        bytes.WriteByte((byte)value);
    }
}
