using System.Buffers;

namespace LiT.Text.SentencePieces;

/// <summary>
/// Rewrites a text as a model asks before segmenting it (sentencepiece, src/normalizer.cc, Normalizer::Normalize).
/// </summary>
internal sealed class SentencePieceNormalizer(
    NormalizerSpec spec,
    bool whitespaceAsSuffix,
    ByteTrie? userDefined,
    string path
)
{
    private static ReadOnlySpan<byte> WhitespacePiece => "\u2581"u8;

    private readonly CharacterMap? map = CharacterMap.Read(spec.CharacterMap, path);

    internal byte[] Normalize(ReadOnlySpan<byte> text)
    {
        if (spec.RemoveExtraWhitespaces)
        {
            while (!text.IsEmpty && Prefix(text, out var length).SequenceEqual(" "u8))
                text = text[length..];
        }
        if (text.IsEmpty)
            return [];

        var space = spec.EscapeWhitespaces ? WhitespacePiece : " "u8;
        var output = new ArrayBufferWriter<byte>(text.Length + text.Length / 2 + 16);
        if (!whitespaceAsSuffix && spec.AddDummyPrefix)
            output.Write(space);
        var afterSpace = spec.RemoveExtraWhitespaces;
        while (!text.IsEmpty)
        {
            var part = Prefix(text, out var length);
            if (afterSpace)
                part = part.TrimStart((byte)' ');
            if (!part.IsEmpty)
            {
                Append(output, part, space);
                afterSpace = part[^1] == (byte)' ';
            }
            text = text[length..];
            if (!spec.RemoveExtraWhitespaces)
                afterSpace = false;
        }

        var normalized = output.WrittenSpan;
        if (spec.RemoveExtraWhitespaces)
        {
            while (normalized.EndsWith(space))
                normalized = normalized[..^space.Length];
        }
        return whitespaceAsSuffix && spec.AddDummyPrefix ? [.. normalized, .. space] : normalized.ToArray();
    }

    // What the beginning of a text becomes, and how much of the text that is.
    private ReadOnlySpan<byte> Prefix(ReadOnlySpan<byte> text, out int length)
    {
        if (userDefined is not null && (length = userDefined.LongestPrefix(text)) > 0)
            return text[..length];
        if (map is not null && (length = map.LongestPrefix(text, out var replacement)) > 0)
            return replacement;
        length = Utf8.CharacterLength(text);
        return text[..length];
    }

    private void Append(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> part, ReadOnlySpan<byte> space)
    {
        if (!spec.EscapeWhitespaces || !part.Contains((byte)' '))
        {
            output.Write(part);
            return;
        }
        for (var i = 0; i < part.Length; i++)
            output.Write(part[i] == (byte)' ' ? space : part.Slice(i, 1));
    }
}
