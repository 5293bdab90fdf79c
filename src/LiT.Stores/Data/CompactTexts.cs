using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace LiT.Data;

/// <summary>
/// Millions of texts by number, as UTF-8 in blocks: some bytes a text beyond the text itself, where a string takes two
/// for each letter and thirty more. A text comes back exactly as it was, also one that is no right Unicode. For one
/// thread.
/// </summary>
/// <param name="findable">Whether texts are looked for, too (<see cref="Find"/>).</param>
internal sealed class CompactTexts(bool findable = false)
{
    private const int Block = 1 << 20;

    private readonly List<byte[]> blocks = [];
    private readonly List<(int Block, int Offset, int Length)> places = []; // a length below 0: letters as they are
    private readonly NumberSlots slots = new();
    private byte[] scratch = new byte[256];
    private int used = Block;

    /// <summary>How many there are.</summary>
    public int Count => places.Count;

    /// <summary>The text of a number; a new string every time.</summary>
    public string this[int number] =>
        places[number].Length >= 0
            ? Encoding.UTF8.GetString(Bytes(number))
            : new(MemoryMarshal.Cast<byte, char>(Bytes(number)));

    /// <summary>Adds a text, whose number is what <see cref="Count"/> was.</summary>
    public int Add(string text)
    {
        var bytes = Encoded(text, out var plain);
        if (blocks.Count == 0 || used + bytes.Length > Block)
        {
            blocks.Add(new byte[Math.Max(Block, bytes.Length)]);
            used = 0;
        }
        bytes.CopyTo(blocks[^1].AsSpan(used));
        places.Add((blocks.Count - 1, used, plain ? bytes.Length : -bytes.Length));
        used += bytes.Length;
        if (findable)
            slots.Add(HashOf(bytes), number => HashOf(Bytes(number)));
        return places.Count - 1;
    }

    /// <summary>The number of a text; -1 where it is none of them.</summary>
    public int Find(string text)
    {
        var bytes = Encoded(text, out var plain);
        foreach (var number in slots.Of(HashOf(bytes)))
            if (Is(number, bytes, plain))
                return number;
        return -1;
    }

    /// <summary>Whether a number is this text's.</summary>
    public bool Is(int number, string text)
    {
        var bytes = Encoded(text, out var plain);
        return Is(number, bytes, plain);
    }

    private bool Is(int number, ReadOnlySpan<byte> bytes, bool plain) =>
        places[number].Length >= 0 == plain && Bytes(number).SequenceEqual(bytes);

    private ReadOnlySpan<byte> Bytes(int number)
    {
        var (block, offset, length) = places[number];
        return blocks[block].AsSpan(offset, Math.Abs(length));
    }

    private ReadOnlySpan<byte> Encoded(string text, out bool plain)
    {
        if (scratch.Length < 3 * text.Length)
            scratch = new byte[Math.Max(3 * text.Length, 2 * scratch.Length)];
        var done = Utf8.FromUtf16(text, scratch, out _, out var written, replaceInvalidSequences: false);
        plain = done == OperationStatus.Done;
        return plain ? scratch.AsSpan(0, written) : MemoryMarshal.AsBytes(text.AsSpan());
    }

    // Seeded anew in every process: nobody can give keys that all fall together.
    private static ulong HashOf(ReadOnlySpan<byte> bytes)
    {
        HashCode hash = default;
        hash.AddBytes(bytes);
        return (uint)hash.ToHashCode();
    }
}
