namespace LiT.Server.Api;

/// <summary>Pictures that requests carry, as bytes.</summary>
internal sealed class PictureInputs(ServerSettings settings, UrlPictures urls)
{
    /// <summary>The bytes of a picture that a request holds or names.</summary>
    /// <exception cref="RefusedException">It holds none, or one that is not taken.</exception>
    public async Task<ReadOnlyMemory<byte>> ReadAsync(
        string field,
        string? image,
        string? url,
        CancellationToken cancel
    )
    {
        if (image is null == url is null)
            throw RefusedException.Unread(
                field,
                image is null ? "there is no picture" : "there are image and image_url",
                "Give one of them"
            );
        if (image is not null)
            return Decode($"{field}.image", image);
        if (!settings.AllowUrlImages)
            throw RefusedException.TooMuch(
                "image_url",
                "this server fetches no pictures",
                settings.Wording?.Invoke("Send the picture itself, or start the server with `AllowUrlImages`")
                    ?? "Send the picture itself"
            );
        return await urls.FetchAsync(url!, cancel).ConfigureAwait(false);
    }

    private static byte[] Decode(string field, string image)
    {
        ReadOnlySpan<char> base64 = image;
        if (image.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
            base64 = base64[(base64.IndexOf(',') + 1)..];
        var room = new byte[base64.Length / 4 * 3 + 3];
        return Convert.TryFromBase64Chars(base64, room, out var count) && count > 0
            ? room[..count]
            : throw RefusedException.Unread(field, "is no base64", "Send the bytes of the file in base64");
    }

    /// <summary>A body that is the picture itself.</summary>
    public async Task<byte[]> ReadAsync(Stream body, CancellationToken cancel)
    {
        using MemoryStream bytes = new();
        await body.CopyToAsync(bytes, cancel).ConfigureAwait(false);
        return bytes.Length > 0
            ? bytes.ToArray()
            : throw RefusedException.Unread("body", "is empty", "Send the bytes of a picture's file");
    }
}
