using System.Security.Cryptography;
using System.Text;

namespace LiT.Server.Api;

/// <summary>
/// Lets in who shows the key: as Authorization: Bearer, as X-Api-Key, or as the password that a browser asks for. What
/// is compared is of one length whatever was sent, and takes one time.
/// </summary>
internal sealed class ApiKey(string key)
{
    private readonly byte[] expected = Digest(key);

    public bool IsShownBy(HttpRequest request)
    {
        var shown = false;
        foreach (var one in Shown(request))
            shown |= CryptographicOperations.FixedTimeEquals(Digest(one), expected);
        return shown;
    }

    private static IEnumerable<string> Shown(HttpRequest request)
    {
        if (request.Headers["X-Api-Key"] is [{ } plain])
            yield return plain;
        if (request.Headers.Authorization is not [{ } header])
            yield break;
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            yield return header["Bearer ".Length..].Trim();
        else if (header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase) && Password(header) is { } password)
            yield return password;
    }

    private static string? Password(string header)
    {
        var bytes = new byte[header.Length];
        if (!Convert.TryFromBase64String(header["Basic ".Length..].Trim(), bytes, out var count))
            return null;
        var both = Encoding.UTF8.GetString(bytes, 0, count);
        return both.IndexOf(':') is >= 0 and var at ? both[(at + 1)..] : null;
    }

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
