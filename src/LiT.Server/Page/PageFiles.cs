using System.Security.Cryptography;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace LiT.Server.Page;

/// <summary>
/// The page's files, out of the assembly: a route for each, so that no path of a request meets the disk.
/// </summary>
internal static class PageFiles
{
    private const string Root = "wwwroot/",
        Index = "index.html";

    public static void Map(IEndpointRouteBuilder routes)
    {
        FileExtensionContentTypeProvider types = new();
        types.Mappings[".mjs"] = "text/javascript";
        types.Mappings[".webmanifest"] = "application/manifest+json";
        var assembly = typeof(PageFiles).Assembly;
        foreach (
            var name in assembly
                .GetManifestResourceNames()
                .Where(name => name.StartsWith(Root, StringComparison.Ordinal))
        )
        {
            var path = name[Root.Length..].Replace('\\', '/');
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            var type = types.TryGetContentType(path, out var known) ? known : "application/octet-stream";
            if (type.StartsWith("text/", StringComparison.Ordinal))
                type += "; charset=utf-8";
            EntityTagHeaderValue tag = new($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}\"");
            routes
                .MapMethods(path == Index ? "/" : $"/{path}", ["GET", "HEAD"], (HttpContext context) =>
                {
                    context.Response.Headers.CacheControl = "no-cache"; // asked again each time, and sent when changed
                    return TypedResults.Bytes(bytes, type, entityTag: tag);
                })
                .ExcludeFromDescription();
        }
    }
}
