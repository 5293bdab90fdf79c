using System.Text;

namespace LiT.Text.HuggingFace;

/// <summary>
/// The printable character that stands for each byte in byte-level vocabularies (GPT-2, encoder.py, bytes_to_unicode):
/// itself where it is printable in Latin-1, else the next character from U+0100 on.
/// </summary>
internal static class ByteLevelAlphabet
{
    private static readonly char[] Characters = Make();

    internal static char Of(byte value) => Characters[value];

    /// <summary>The text's UTF-8, a character for each byte.</summary>
    internal static string Encode(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return string.Create(bytes.Length, bytes, static (characters, bytes) =>
        {
            for (var i = 0; i < bytes.Length; i++)
                characters[i] = Characters[bytes[i]];
        });
    }

    private static char[] Make()
    {
        var characters = new char[256];
        var next = 256;
        for (var b = 0; b < 256; b++)
            characters[b] = (char)(b is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE ? b : next++);
        return characters;
    }
}
