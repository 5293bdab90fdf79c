using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LiT.Server.Api;

/// <summary>Reads what a request holds, strictly: what is not understood is refused and not passed over.</summary>
internal static class Body
{
    /// <summary>How every answer is written, and every request read.</summary>
    public static void Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.MaxDepth = 16;
        options.Encoder = JavaScriptEncoder.Default; // what stands in captions is never a tag, wherever it is put
    }

    private static readonly JsonSerializerOptions Strict = Made();

    // clip-retrieval's clients send more fields than they say, and no content type.
    private static readonly JsonSerializerOptions Lenient = new(Made())
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
    };

    /// <summary>The body as JSON.</summary>
    /// <exception cref="RefusedException">It is something else.</exception>
    public static async Task<T> ReadAsync<T>(HttpRequest request, bool lenient = false)
        where T : class
    {
        if (!(lenient && request.ContentType is null) && !request.HasJsonContentType())
            throw new RefusedException(
                StatusCodes.Status415UnsupportedMediaType,
                "body",
                $"its content type is {request.ContentType ?? "not said"}",
                "Send JSON, as application/json"
            );
        try
        {
            return await JsonSerializer
                .DeserializeAsync<T>(request.Body, lenient ? Lenient : Strict, request.HttpContext.RequestAborted)
                .ConfigureAwait(false)
                ?? throw RefusedException.Unread("body", "is null", "Send an object with the fields of the request");
        }
        catch (JsonException trouble)
        {
            throw NoJson(trouble.Path, trouble.LineNumber, trouble.Message);
        }
        catch (Exception trouble)
            when (trouble is InvalidOperationException or FormatException or NotSupportedException)
        {
            throw NoJson(null, null, trouble.Message);
        }
    }

    private static RefusedException NoJson(string? path, long? line, string message)
    {
        // The reader's own sentence, without its talk of types and places.
        var end = message.IndexOf(" Path: ", StringComparison.Ordinal);
        var plain = (end < 0 ? message : message[..end]).TrimEnd('.');
        if (plain.IndexOf("could not be converted to", StringComparison.Ordinal) is > 0)
            plain = "the value is of another type than is read here";
        else if (plain.IndexOf("could not be mapped", StringComparison.Ordinal) is > 0)
            plain = $"there is no field {path?.Split('.')[^1]}";
        var where = path is { Length: > 2 } ? path[2..] : "body";
        return RefusedException.Unread(
            line is { } at ? $"{where}, line {at + 1}" : where,
            plain,
            "See /openapi/v1.json for what is read"
        );
    }

    private static JsonSerializerOptions Made()
    {
        JsonSerializerOptions options = new(JsonSerializerDefaults.Web);
        Configure(options);
        return options;
    }
}
