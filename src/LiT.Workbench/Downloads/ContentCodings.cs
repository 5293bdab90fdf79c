using System.IO.Compression;

namespace LiT.Downloads;

/// <summary>
/// What a server has packed for the way although nothing was asked for (RFC 9110, section 8.4): a picture that came
/// so is unpacked, as every browser does.
/// </summary>
internal static class ContentCodings
{
    /// <param name="sent">The bytes as they come; disposed with the result.</param>
    /// <param name="codings">Content-Encoding: the last was applied last.</param>
    /// <param name="unknown">The coding that is not known, where the result is null.</param>
    public static Stream? Decoded(Stream sent, IEnumerable<string> codings, out string? unknown)
    {
        unknown = null;
        foreach (var coding in codings.Reverse())
        {
            Stream? next = coding.Trim().ToLowerInvariant() switch
            {
                "identity" or "" => sent,
                "gzip" or "x-gzip" => new GZipStream(sent, CompressionMode.Decompress),
                "deflate" => new ZLibStream(sent, CompressionMode.Decompress),
                "br" => new BrotliStream(sent, CompressionMode.Decompress),
                _ => null,
            };
            if (next is null)
            {
                unknown = coding;
                sent.Dispose();
                return null;
            }
            sent = next;
        }
        return sent;
    }
}
