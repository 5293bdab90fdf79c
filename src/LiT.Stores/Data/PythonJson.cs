using System.Text.Json;

namespace LiT.Data;

/// <summary>
/// JSON as Python's json.dumps writes it: NaN, Infinity and -Infinity stand for numbers that are missing or too
/// large.
/// </summary>
internal static class PythonJson
{
    private static readonly byte[][] Words = ["NaN"u8.ToArray(), "-Infinity"u8.ToArray(), "Infinity"u8.ToArray()];

    /// <summary>Reads a document; these words are read as null.</summary>
    /// <exception cref="JsonException">It is no JSON otherwise either.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException) when (Array.Exists(Words, word => json.Span.IndexOf(word) >= 0))
        {
            return JsonDocument.Parse(WithoutWords(json.Span));
        }
    }

    private static byte[] WithoutWords(ReadOnlySpan<byte> json)
    {
        List<byte> plain = new(json.Length);
        var inText = false;
        for (var i = 0; i < json.Length; i++)
        {
            if (inText && json[i] == '\\' && i + 1 < json.Length)
            {
                plain.Add(json[i++]);
                plain.Add(json[i]);
                continue;
            }
            if (json[i] == '"')
                inText = !inText;
            else if (!inText)
            {
                var length = 0;
                foreach (var word in Words)
                    if (length == 0 && json[i..].StartsWith(word))
                        length = word.Length;
                if (length > 0)
                {
                    plain.AddRange("null"u8);
                    i += length - 1;
                    continue;
                }
            }
            plain.Add(json[i]);
        }
        return [.. plain];
    }
}
