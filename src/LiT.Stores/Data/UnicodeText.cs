using System.Text;

namespace LiT.Data;

/// <summary>Which Unicode form a text file is in, by the mark at its start.</summary>
internal static class UnicodeText
{
    /// <summary>The text in UTF-8 without a mark; null where the bytes are that already.</summary>
    /// <remarks>Windows' Notepad writes UTF-16 as "Unicode", with a mark.</remarks>
    public static byte[]? Utf8Of(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("\uFEFF"u8))
            return text[3..].ToArray();
        Encoding? marked = text switch
        {
            [0xFF, 0xFE, 0, 0, ..] => new UTF32Encoding(bigEndian: false, byteOrderMark: true),
            [0, 0, 0xFE, 0xFF, ..] => new UTF32Encoding(bigEndian: true, byteOrderMark: true),
            [0xFF, 0xFE, ..] => Encoding.Unicode,
            [0xFE, 0xFF, ..] => Encoding.BigEndianUnicode,
            _ => null,
        };
        return marked is null ? null : Encoding.UTF8.GetBytes(marked.GetString(text[marked.GetPreamble().Length..]));
    }

    /// <summary>Whether bytes without a mark look like UTF-16: every second byte of Western text is zero.</summary>
    public static bool LooksLikeUtf16(ReadOnlySpan<byte> text)
    {
        if (text.Length < 4 || text.Length % 2 != 0)
            return false;
        Span<int> zeros = [0, 0];
        for (var i = 0; i < text.Length; i++)
            zeros[i & 1] += text[i] == 0 ? 1 : 0;
        return zeros[0] + zeros[1] == Math.Max(zeros[0], zeros[1]) && Math.Max(zeros[0], zeros[1]) * 4 >= text.Length;
    }
}
