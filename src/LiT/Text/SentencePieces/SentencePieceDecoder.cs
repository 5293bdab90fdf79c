using System.Globalization;
using System.Text;

namespace LiT.Text.SentencePieces;

/// <summary>Text from ids (sentencepiece, src/sentencepiece_processor.cc, SentencePieceProcessor::Decode).</summary>
internal sealed class SentencePieceDecoder(SentencePieceModel model, string path)
{
    private const char Whitespace = '\u2581';

    private readonly SentencePieceNormalizer? denormalizer = model.Denormalizer is { CharacterMap.Length: > 0 } spec
        ? new(spec, whitespaceAsSuffix: false, userDefined: null, path)
        : null;

    internal string Decode(IEnumerable<int> ids)
    {
        var text = new StringBuilder();
        var bytes = new List<byte>();
        var (atStart, startSeen) = (true, false);
        foreach (var id in ids)
        {
            if (id < 0 || id >= model.Pieces.Count)
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"The vocabulary has {model.Pieces.Count} ids.");
            var piece = model.Pieces[id];
            if (piece.Type == PieceType.Byte)
            {
                bytes.Add(byte.Parse(piece.Text.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                continue;
            }
            Flush(bytes, text);
            if (startSeen || text.Length > 0)
                atStart = false;
            startSeen = false;
            if (piece.Type == PieceType.Unknown)
                text.Append(model.UnknownSurface);
            else if (piece.Type != PieceType.Control)
                text.Append(Surface(piece.Text, atStart, out startSeen));
        }
        Flush(bytes, text);
        return denormalizer is null
            ? text.ToString()
            : Encoding.UTF8.GetString(denormalizer.Normalize(Utf8.BytesOf(text.ToString())));
    }

    // The space before the first word was added by the normaliser, so it goes again.
    private string Surface(string piece, bool atStart, out bool startSeen)
    {
        startSeen = false;
        if (
            atStart
            && piece[0] == Whitespace
            && (model.Normalizer.AddDummyPrefix || model.Normalizer.RemoveExtraWhitespaces)
        )
        {
            piece = piece[1..];
            startSeen = !model.Normalizer.RemoveExtraWhitespaces;
        }
        return piece.Replace(Whitespace, ' ');
    }

    private static void Flush(List<byte> bytes, StringBuilder text)
    {
        var left = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes);
        while (!left.IsEmpty)
        {
            // A byte that begins no valid character is one U+FFFD, each on its own.
            if (Rune.DecodeFromUtf8(left, out var rune, out var length) != System.Buffers.OperationStatus.Done)
                (rune, length) = (Rune.ReplacementChar, 1);
            text.Append(rune.ToString());
            left = left[length..];
        }
        bytes.Clear();
    }
}
