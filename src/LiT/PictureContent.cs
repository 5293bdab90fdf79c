using LiT.Images;
using Microsoft.Extensions.AI;

namespace LiT;

/// <summary>Pictures as Microsoft.Extensions.AI carries them.</summary>
internal static class PictureContent
{
    private static readonly string[] MediaTypes =
    [
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/gif",
        "image/tiff",
        "image/bmp",
        "image/avif",
    ];

    private static readonly string[] OtherNames = ["image/jpg", "image/x-ms-bmp", "image/x-bmp", "image/*"];

    /// <summary>Refuses what does not say that it is a picture; which one it is, its bytes say.</summary>
    /// <param name="content">The picture.</param>
    /// <param name="origin">Names it in the message.</param>
    /// <exception cref="LitException">Another media type.</exception>
    public static void Check(DataContent content, string? origin)
    {
        // image/jpeg;quality=90: parameters say nothing that is asked here.
        var type = content.MediaType.Split(';')[0].Trim();
        if (
            !MediaTypes.Contains(type, StringComparer.OrdinalIgnoreCase)
            && !OtherNames.Contains(type, StringComparer.OrdinalIgnoreCase)
        )
            throw new LitException(
                $"{origin ?? "picture"}: its media type is {content.MediaType}, and pictures of that "
                    + "type are not read. "
                    + $"Give one of {string.Join(", ", MediaTypes)}, with the bytes of a {PictureFormats.InWords} file."
            );
    }
}
