using System.Diagnostics;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.Net.Http.Headers;

namespace LiT.Server.Api;

/// <summary>What stands around every answer.</summary>
internal static class Answering
{
    // Scripts and styles are the server's own files; nothing else is fetched, and no other page shows this one.
    private const string OnlyOwn =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        + "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>A line of the log for each request: the route, and never the address, which holds words.</summary>
    public static async Task Told(HttpContext context, RequestDelegate next)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            // The handler of exceptions starts anew, without a route.
            var endpoint = context.Features.Get<IExceptionHandlerFeature>()?.Endpoint ?? context.GetEndpoint();
            var route = endpoint is RouteEndpoint { RoutePattern.RawText: { } pattern } ? pattern : "?";
            if (!route.StartsWith("/health", StringComparison.Ordinal))
                ServerLog.Answered(
                    context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(Measures.Name),
                    context.Request.Method,
                    route,
                    context.Response.StatusCode,
                    Stopwatch.GetElapsedTime(started).TotalMilliseconds
                );
        }
    }

    public static Task WithHeaders(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(() =>
        {
            var headers = context.Response.Headers;
            headers.ContentSecurityPolicy = OnlyOwn;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()";
            return Task.CompletedTask;
        });
        return next(context);
    }

    /// <summary>
    /// Refuses what those who read requests would take for their own trouble: text in an encoding that nobody knows,
    /// and for the Model Context Protocol what does not say that it is JSON.
    /// </summary>
    public static Task ThatCanBeRead(HttpContext context, RequestDelegate next)
    {
        if (
            MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type)
            && type.Charset.HasValue
            && type.Encoding is null
        )
            throw new RefusedException(
                StatusCodes.Status415UnsupportedMediaType,
                "body",
                $"its charset is {type.Charset}, which is not known",
                "Send UTF-8"
            );
        if (
            HttpMethods.IsPost(context.Request.Method)
            && context.Request.Path.StartsWithSegments("/mcp")
            && !context.Request.HasJsonContentType()
        )
            throw new RefusedException(
                StatusCodes.Status415UnsupportedMediaType,
                "body",
                $"its content type is {context.Request.ContentType ?? "not said"}",
                "Send JSON, as application/json"
            );
        return next(context);
    }

    /// <summary>Asks for the key everywhere but where a machine asks whether the server lives.</summary>
    public static Func<HttpContext, RequestDelegate, Task> Guarded(ApiKey key) =>
        async (context, next) =>
        {
            if (context.Request.Path.StartsWithSegments("/health") || key.IsShownBy(context.Request))
            {
                await next(context).ConfigureAwait(false);
                return;
            }
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"LiT\", charset=\"UTF-8\"";
            await Problems
                .WriteAsync(
                    context,
                    context.RequestServices.GetRequiredService<IProblemDetailsService>(),
                    StatusCodes.Status401Unauthorized,
                    "This server asks for a key. Send it as 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'."
                )
                .ConfigureAwait(false);
        };
}
