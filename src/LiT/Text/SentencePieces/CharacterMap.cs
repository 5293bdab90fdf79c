using System.Buffers.Binary;
using System.Text;

namespace LiT.Text.SentencePieces;

/// <summary>
/// The precompiled normalisation rules of a model: a Darts double array over UTF-8 that gives, for the longest prefix
/// it knows, where the replacement stands in a list of NUL-terminated strings (sentencepiece, src/normalizer.cc;
/// Darts-clone). A damaged array leads at worst to wrong replacements, never out of bounds.
/// </summary>
internal sealed class CharacterMap
{
    private readonly uint[] units;
    private readonly byte[] replacements;

    private CharacterMap(uint[] units, byte[] replacements) => (this.units, this.replacements) = (units, replacements);

    /// <summary>Reads a map; null where it is empty, as for identity.</summary>
    internal static CharacterMap? Read(byte[] bytes, string path)
    {
        if (bytes.Length == 0)
            return null;
        var size = bytes.Length > 4 ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : uint.MaxValue;
        if (size > bytes.Length - 4 || size % 4 != 0)
            throw new LitException(
                path,
                $"its normalisation rules are broken ({bytes.Length:N0} bytes)",
                "Give the file as it was published"
            );
        var units = new uint[size / 4];
        for (var i = 0; i < units.Length; i++)
            units[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4 + 4 * i));
        return new(units, bytes[(int)(4 + size)..]);
    }

    /// <summary>The longest prefix that has a replacement; its length is 0 where none has.</summary>
    internal int LongestPrefix(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement) =>
        Prefix(text, longest: true, out replacement);

    /// <summary>The replacement of the shortest prefix that has one, or null.</summary>
    internal string? Replacement(ReadOnlySpan<char> text)
    {
        Span<byte> bytes = stackalloc byte[8];
        var length = Encoding.UTF8.GetBytes(text, bytes);
        return Prefix(bytes[..length], longest: false, out var replacement) > 0
            ? Encoding.UTF8.GetString(replacement)
            : null;
    }

    private int Prefix(ReadOnlySpan<byte> text, bool longest, out ReadOnlySpan<byte> replacement)
    {
        replacement = default;
        if (units.Length == 0)
            return 0;
        int found = 0,
            value = 0;
        var node = Offset(units[0]);
        for (var i = 0; i < text.Length; i++)
        {
            node ^= text[i];
            if (node >= (uint)units.Length || (units[node] & 0x800000FF) != text[i])
                break;
            var unit = units[node];
            node ^= Offset(unit);
            if ((unit >> 8 & 1) == 0)
                continue;
            if (node >= (uint)units.Length)
                break;
            (found, value) = (i + 1, (int)(units[node] & 0x7FFFFFFF));
            if (!longest)
                break;
        }
        if (found == 0 || value >= replacements.Length)
            return 0;
        var rest = replacements.AsSpan(value);
        var end = rest.IndexOf((byte)0);
        replacement = end < 0 ? rest : rest[..end];
        return found;
    }

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & 1 << 9) >> 6);
}
