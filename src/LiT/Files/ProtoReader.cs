using System.Buffers.Binary;
using System.Text;

namespace LiT.Files;

/// <summary>Fields of a protocol buffer message, each checked against the end of the bytes.</summary>
/// <param name="bytes">The message.</param>
/// <param name="path">The file, for messages.</param>
/// <param name="what">What the file should be, as in "a SentencePiece model".</param>
/// <param name="remedy">What to do where it is none.</param>
internal ref struct ProtoReader(ReadOnlySpan<byte> bytes, string path, string what, string remedy)
{
    private ReadOnlySpan<byte> left = bytes,
        entered;
    private int wireType;

    /// <summary>The number of the field that was entered last.</summary>
    internal int Field { get; private set; }

    /// <summary>Enters the next field; false at the end. Its value must be read, or passed over, once.</summary>
    internal bool Next()
    {
        if (left.IsEmpty)
            return false;
        entered = left;
        var tag = Varint();
        (Field, wireType) = ((int)(tag >> 3), (int)(tag & 7));
        if (tag >> 3 is 0 or > 0x1FFFFFFF)
            throw Broken();
        return true;
    }

    internal long Int64() => unchecked((long)Number());

    /// <summary>A repeated number, whether it is written one by one or packed.</summary>
    internal void Numbers(List<long> into)
    {
        if (wireType != 2)
        {
            into.Add(Int64());
            return;
        }
        for (var packed = Message(); !packed.left.IsEmpty; )
            into.Add(unchecked((long)packed.Varint()));
    }

    internal int Int32() => unchecked((int)Number());

    internal bool Bool() => Number() != 0;

    internal float Float()
    {
        if (wireType != 5)
            throw Broken();
        return BinaryPrimitives.ReadSingleLittleEndian(Take(4));
    }

    internal ReadOnlySpan<byte> Bytes()
    {
        if (wireType != 2)
            throw Broken();
        var length = Varint();
        if (length > (ulong)left.Length)
            throw Broken();
        return Take((int)length);
    }

    internal string String() => Encoding.UTF8.GetString(Bytes());

    internal ProtoReader Message() => new(Bytes(), path, what, remedy);

    /// <summary>The field as it is written, its number with it, to be copied.</summary>
    internal ReadOnlySpan<byte> Whole()
    {
        Skip();
        return entered[..^left.Length];
    }

    internal void Skip()
    {
        switch (wireType)
        {
            case 0:
                Varint();
                break;
            case 1:
                Take(8);
                break;
            case 2:
                Bytes();
                break;
            case 5:
                Take(4);
                break;
            default:
                throw Broken();
        }
    }

    private readonly LitException Broken() => new(path, $"is not {what} (not a protocol buffer, or cut off)", remedy);

    private ulong Number() => wireType == 0 ? Varint() : throw Broken();

    private ulong Varint()
    {
        ulong value = 0;
        for (var i = 0; i < 10 && i < left.Length; i++)
        {
            value |= (ulong)(left[i] & 0x7F) << 7 * i;
            if (left[i] >= 0x80)
                continue;
            left = left[(i + 1)..];
            return value;
        }
        throw Broken();
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > left.Length)
            throw Broken();
        var taken = left[..count];
        left = left[count..];
        return taken;
    }
}
