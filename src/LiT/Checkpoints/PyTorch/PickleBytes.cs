using System.Buffers.Binary;
using System.Text;

namespace LiT.Checkpoints.PyTorch;

/// <summary>
/// The bytes of a pickle, and the account of what it may make. A pickle of a few bytes can ask for objects without end;
/// an honest one makes little beside its tensors. So everything made is charged to an allowance that grows with the
/// file.
/// </summary>
internal sealed class PickleBytes(Stream source, long length, long fileLength, string where)
{
    private readonly byte[] window = new byte[(int)Math.Min(1 << 16, Math.Max(16, length))];
    private int at,
        filled;
    private long fetched;
    private long allowance = fileLength + (8 << 20);

    /// <summary>Bytes read so far.</summary>
    public long Position => fetched - filled + at;

    /// <exception cref="LitException">The pickle makes more than its file explains.</exception>
    public void Charge(long bytes)
    {
        allowance -= bytes;
        if (allowance < 0)
            throw new LitException(
                where,
                "the pickle makes more objects than a file of this size explains",
                "It is made to harm; do not use it"
            );
    }

    public byte Byte()
    {
        Need(1);
        return window[at++];
    }

    public ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public int I32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public long I64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public double BigEndianDouble() => BinaryPrimitives.ReadDoubleBigEndian(Take(8));

    public byte[] Bytes(long count)
    {
        if (count < 0 || count > length - Position || count > Array.MaxLength)
            throw Damaged("is cut off");
        Charge(count + 32);
        var bytes = new byte[count];
        var here = (int)Math.Min(count, filled - at);
        window.AsSpan(at, here).CopyTo(bytes);
        at += here;
        Fetch(bytes.AsSpan(here));
        return bytes;
    }

    public string Text(long count)
    {
        if (count < 0 || count > length - Position)
            throw Damaged("is cut off");
        Charge(2 * count);
        return Encoding.UTF8.GetString(Bytes(count));
    }

    /// <summary>Up to the end of the line, which is read, too; names and numbers in text form are short.</summary>
    public string Line()
    {
        var line = new StringBuilder();
        for (var next = Byte(); next != '\n'; next = Byte())
        {
            if (line.Length == 4096)
                throw Damaged("has a line without end");
            line.Append((char)next);
        }
        Charge(2 * line.Length + 32);
        return line.ToString().TrimEnd('\r');
    }

    public LitException Damaged(string what) =>
        new($"{where}: the pickle {what}. The file is damaged; download or copy it again.");

    private ReadOnlySpan<byte> Take(int count)
    {
        Need(count);
        at += count;
        return window.AsSpan(at - count, count);
    }

    private void Need(int count)
    {
        if (filled - at >= count)
            return;
        window.AsSpan(at, filled - at).CopyTo(window);
        filled -= at;
        at = 0;
        var more = (int)Math.Min(window.Length - filled, length - fetched);
        if (filled + more < count)
            throw Damaged("is cut off");
        Fetch(window.AsSpan(filled, more));
        filled += more;
    }

    private void Fetch(Span<byte> into)
    {
        try
        {
            source.ReadExactly(into);
        }
        catch (EndOfStreamException)
        {
            throw Damaged("is cut off");
        }
        fetched += into.Length;
    }
}
