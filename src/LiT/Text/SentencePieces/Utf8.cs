using System.Text;

namespace LiT.Text.SentencePieces;

internal static class Utf8
{
    /// <summary>The text's bytes; a surrogate without its other half becomes U+FFFD.</summary>
    internal static byte[] BytesOf(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>Bytes of the first character of valid, non-empty UTF-8.</summary>
    internal static int CharacterLength(ReadOnlySpan<byte> text)
    {
        var length = text[0] switch
        {
            < 0xC0 => 1,
            < 0xE0 => 2,
            < 0xF0 => 3,
            _ => 4,
        };
        return Math.Min(length, text.Length);
    }
}
