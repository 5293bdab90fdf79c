using System.Text;

namespace LiT.Tests.Catalogue;

/// <summary>
/// A SentencePiece vocabulary of 30 pieces, written byte by byte: the special ones, a space and the letters of the
/// alphabet.
/// </summary>
internal static class TinyVocabulary
{
    private const byte Normal = 1,
        Unknown = 2,
        Control = 3;

    public static byte[] Model { get; } = Write();

    private static byte[] Write()
    {
        (string Text, byte Type)[] pieces =
        [
            ("<pad>", Control),
            ("</s>", Control),
            ("<unk>", Unknown),
            ("\u2581", Normal),
            .. "abcdefghijklmnopqrstuvwxyz".Select(letter => ($"{letter}", Normal)),
        ];
        using MemoryStream file = new();
        foreach (var (text, type) in pieces)
        {
            var utf8 = Encoding.UTF8.GetBytes(text);
            // piece, score, type
            byte[] piece = [0x0A, (byte)utf8.Length, .. utf8, 0x15, .. BitConverter.GetBytes(0f), 0x18, type];
            file.Write([0x0A, (byte)piece.Length, .. piece]);
        }
        file.Write([0x12, 0x02, 0x18, 0x02]); // trainer: BPE
        return file.ToArray();
    }
}
