using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using LiT.Files;

namespace LiT.Text;

/// <summary>Reading of vocabulary files, whole and within bounds.</summary>
internal static class VocabularyFile
{
    // The largest public vocabulary (256,000 pieces with merges, as JSON) has 34 MB.
    private const long LargestFile = 256L << 20;

    internal static byte[] Bytes(string path, long largest = LargestFile)
    {
        try
        {
            var length = Linked.Length(path);
            if (length > largest)
                throw new LitException(
                    path,
                    $"{length:N0} bytes are more than a vocabulary has",
                    "Give the vocabulary's own file"
                );
            return File.ReadAllBytes(path);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw new LitException(
                path,
                $"cannot be read ({trouble.Message.TrimEnd('.')})",
                "Check the path and its permissions",
                trouble
            );
        }
    }

    /// <summary>The bytes of a JSON file, and what it says. The document is the caller's to dispose of.</summary>
    internal static (byte[] Bytes, JsonDocument Document) Json(string path)
    {
        var bytes = Bytes(path);
        if (!Utf8.IsValid(bytes))
            throw new LitException(path, "is not UTF-8", "Give the file as it was published");
        try
        {
            return (bytes, JsonDocument.Parse(bytes));
        }
        catch (JsonException trouble)
        {
            throw new LitException(
                path,
                $"is not JSON (line {trouble.LineNumber + 1})",
                "Give the file as it was published",
                trouble
            );
        }
    }

    internal static string Text(string path)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Bytes(path));
        }
        catch (DecoderFallbackException trouble)
        {
            throw new LitException(
                path,
                $"byte {trouble.Index:N0} is not UTF-8",
                "Give a vocabulary in UTF-8",
                trouble
            );
        }
    }

    /// <summary>
    /// Lines end with LF; a CR before it is not part of the line, and the last line may lack its end.
    /// </summary>
    internal static string[] Lines(string path)
    {
        var text = Text(path);
        if (text.Length == 0)
            return [];
        var lines = (text[^1] == '\n' ? text[..^1] : text).Split('\n');
        for (var i = 0; i < lines.Length; i++)
            if (lines[i].EndsWith('\r'))
                lines[i] = lines[i][..^1];
        return lines;
    }
}
