using System.Buffers.Binary;
using System.Text;

namespace LiT.Postgres;

/// <summary>A picture on its way into a table.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Nth">How many pictures before it have that key.</param>
/// <param name="Hash">Of all that follows.</param>
/// <param name="Embedding">Of unit length.</param>
/// <param name="Origin">Where it came from.</param>
/// <param name="Columns">What is said of it, as JSON.</param>
internal sealed record PushedPicture(string Key, int Nth, byte[] Hash, Half[] Embedding, string Origin, byte[] Columns);

/// <summary>
/// Rows as PostgreSQL's COPY reads them in its binary form (its manual, "COPY", Binary Format), with pgvector's
/// halfvec: length and a zero in 16 bits each, then the numbers.
/// </summary>
internal static class BinaryRows
{
    private const short Fields = 6;

    public static byte[] Head { get; } = [.. "PGCOPY\n"u8, 0xff, (byte)'\r', (byte)'\n', 0, .. new byte[8]];

    public static byte[] Tail { get; } = [0xff, 0xff];

    public static void Write(Stream to, PushedPicture picture)
    {
        Short(to, Fields);
        Field(to, Encoding.UTF8.GetBytes(picture.Key));
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, picture.Nth);
        Field(to, number);
        Field(to, picture.Hash);
        var vector = new byte[4 + 2 * picture.Embedding.Length];
        BinaryPrimitives.WriteInt16BigEndian(vector, (short)picture.Embedding.Length);
        for (var i = 0; i < picture.Embedding.Length; i++)
            BinaryPrimitives.WriteHalfBigEndian(vector.AsSpan(4 + 2 * i), picture.Embedding[i]);
        Field(to, vector);
        Field(to, Encoding.UTF8.GetBytes(picture.Origin));
        Field(to, [1, .. picture.Columns]); // jsonb, version 1
    }

    private static void Short(Stream to, short value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteInt16BigEndian(bytes, value);
        to.Write(bytes);
    }

    private static void Field(Stream to, ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
        to.Write(length);
        to.Write(bytes);
    }
}
