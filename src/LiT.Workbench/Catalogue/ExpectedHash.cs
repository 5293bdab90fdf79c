using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace LiT.Catalogue;

/// <summary>What a file's bytes must hash to, and who says so.</summary>
/// <param name="Algorithm">"sha256", "md5", "crc32c" or "git-sha1".</param>
/// <param name="Value">Hexadecimal, lower case.</param>
/// <param name="From">Where it was read, in words: "x-goog-hash header".</param>
internal sealed record ExpectedHash(string Algorithm, string Value, string From)
{
    /// <summary>The strongest hash that a server states in the responses on the way to a file, redirects first; null where it states none.</summary>
    internal static ExpectedHash? Stated(IReadOnlyList<HttpResponseMessage> responses) =>
        responses.SelectMany(In).OrderBy(hash => Strength(hash.Algorithm)).FirstOrDefault();

    /// <summary>The hash of a file by the same algorithm, hexadecimal.</summary>
    internal string Of(string path)
    {
        using var file = new FileStream(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.Read,
            1 << 20,
            FileOptions.SequentialScan
        );
        switch (Algorithm)
        {
            case "sha256":
                return Convert.ToHexStringLower(SHA256.HashData(file));
            case "md5":
                return Convert.ToHexStringLower(MD5.HashData(file));
            case "crc32c":
                return Crc32C(file).ToString("x8", System.Globalization.CultureInfo.InvariantCulture);
            default:
                using (var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1))
                {
                    hash.AppendData(System.Text.Encoding.ASCII.GetBytes($"blob {file.Length}\0"));
                    EachPiece(file, hash.AppendData);
                    return Convert.ToHexStringLower(hash.GetHashAndReset());
                }
        }
    }

    private static int Strength(string algorithm) =>
        algorithm switch
        {
            "sha256" => 0,
            "git-sha1" => 1,
            "md5" => 2,
            _ => 3,
        };

    private static IEnumerable<ExpectedHash> In(HttpResponseMessage response)
    {
        // Hugging Face: the SHA-256 of a large file, or Git's own hash of a small one.
        if (Header(response, "x-linked-etag") is { } linked && Bare(linked) is { Length: 64 } sha && IsHex(sha))
            yield return new("sha256", sha, "x-linked-etag header");
        var etag =
            Header(response, "ETag") is { } tag && !tag.StartsWith("W/", StringComparison.Ordinal) ? Bare(tag) : "";
        if (Header(response, "x-repo-commit") is not null)
        {
            if (etag.Length == 40 && IsHex(etag))
                yield return new("git-sha1", etag, "ETag header");
            if (etag.Length == 64 && IsHex(etag))
                yield return new("sha256", etag, "ETag header");
        }
        // RFC 9530: sha-256=:BASE64:
        foreach (var item in Items(response, "Repr-Digest"))
            if (
                item.Key.Equals("sha-256", StringComparison.OrdinalIgnoreCase)
                && FromBase64(item.Value.Trim(':')) is { Length: 32 } bytes
            )
                yield return new("sha256", Convert.ToHexStringLower(bytes), "Repr-Digest header");
        foreach (var item in Items(response, "x-goog-hash"))
            if (
                (item.Key, FromBase64(item.Value)) is (("md5" or "crc32c") and var name, { } bytes)
                && bytes.Length == (name == "md5" ? 16 : 4)
            )
                yield return new(name, Convert.ToHexStringLower(bytes), "x-goog-hash header");
        // An object store's ETag is the MD5 of what was put there in one piece, unless it was encrypted with a key of its own.
        var encrypted =
            Header(response, "x-amz-server-side-encryption")?.Contains("kms", StringComparison.OrdinalIgnoreCase)
            == true;
        if (response.IsSuccessStatusCode && etag.Length == 32 && IsHex(etag) && !encrypted)
            yield return new("md5", etag, "ETag header, taken as MD5");
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) || response.Content.Headers.TryGetValues(name, out values)
            ? string.Join(", ", values)
            : null;

    private static IEnumerable<KeyValuePair<string, string>> Items(HttpResponseMessage response, string name) =>
        Header(response, name) is not { } text
            ? []
            : text.Split(',', StringSplitOptions.TrimEntries)
                .Select(item => item.Split('=', 2))
                .Where(pair => pair.Length == 2)
                .Select(pair => new KeyValuePair<string, string>(pair[0], pair[1]));

    private static string Bare(string etag) => etag.Trim().Trim('"').ToLowerInvariant();

    private static bool IsHex(string text) => text.All(char.IsAsciiHexDigit);

    private static byte[]? FromBase64(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var count) ? bytes[..count] : null;
    }

    // Castagnoli's polynomial, which the processor has an instruction for.
    private static uint Crc32C(Stream file)
    {
        var crc = uint.MaxValue;
        EachPiece(file, piece =>
        {
            var words = piece.Length & ~7;
            for (var i = 0; i < words; i += 8)
                crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(piece[i..]));
            foreach (var one in piece[words..])
                crc = BitOperations.Crc32C(crc, one);
        });
        return ~crc;
    }

    private delegate void Piece(ReadOnlySpan<byte> bytes);

    private static void EachPiece(Stream file, Piece use)
    {
        var buffer = new byte[1 << 20];
        for (
            var read = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            read > 0;
            read = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)
        )
            use(buffer.AsSpan(0, read));
    }
}
