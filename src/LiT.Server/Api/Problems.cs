using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;

namespace LiT.Server.Api;

/// <summary>
/// What a request gets that is not answered: application/problem+json, whose detail is the line that the command line
/// would print. 400 could not be read, 422 was read and cannot be answered, 5xx is the server's own trouble.
/// </summary>
internal sealed partial class Problems(
    ServerSettings settings,
    Served served,
    IProblemDetailsService writer,
    ILogger<Problems> log
) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception trouble, CancellationToken cancel)
    {
        if (trouble is OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true; // nobody is there to read it
        }
        var (status, detail) = Of(trouble);
        if (status >= StatusCodes.Status500InternalServerError && trouble is not ObjectDisposedException)
            ServerLog.Failed(log, trouble);
        await WriteAsync(context, writer, status, detail).ConfigureAwait(false);
        return true;
    }

    /// <summary>Writes a problem, whatever the request says that it accepts.</summary>
    public static async ValueTask WriteAsync(
        HttpContext context,
        IProblemDetailsService writer,
        int status,
        string? detail
    )
    {
        context.Response.StatusCode = status;
        ProblemDetails problem = new() { Status = status, Detail = detail };
        if (
            !await writer.TryWriteAsync(new() { HttpContext = context, ProblemDetails = problem }).ConfigureAwait(false)
        )
            await context
                .Response.WriteAsJsonAsync(problem, options: null, contentType: "application/problem+json")
                .ConfigureAwait(false);
    }

    /// <summary>What a status says that nobody has given words to.</summary>
    public static string? InWords(HttpContext context) =>
        context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => $"{context.Request.Path}: there is no such address. See /openapi/v1.json.",
            StatusCodes.Status405MethodNotAllowed =>
                $"{context.Request.Path}: is not asked with {context.Request.Method}. See /openapi/v1.json.",
            StatusCodes.Status415UnsupportedMediaType =>
                $"body: its content type is {context.Request.ContentType ?? "not said"}. Send application/json.",
            _ => null,
        };

    private (int Status, string Detail) Of(Exception trouble) =>
        trouble switch
        {
            RefusedException refused => (refused.Status, refused.Message),
            PictureException picture => (StatusCodes.Status422UnprocessableEntity, picture.Message),
            LitException { Subject: { } subject } own when served.IsOwnFile(subject) => (
                StatusCodes.Status500InternalServerError,
                Said(own.Message)
            ),
            LitException asked => (StatusCodes.Status422UnprocessableEntity, Said(asked.Message)),
            BadHttpRequestException bad => (bad.StatusCode, Said(bad)),
            ObjectDisposedException => (StatusCodes.Status503ServiceUnavailable, "The server is being stopped."),
            OperationCanceledException => (StatusCodes.Status503ServiceUnavailable, "It took too long. Ask for less."),
            _ => (StatusCodes.Status500InternalServerError, "This is a bug of the server; its log has the place."),
        };

    /// <summary>The line that a request gets for trouble that is its own.</summary>
    public string InWords(LitException trouble) => Of(trouble).Detail;

    private string Said(BadHttpRequestException bad) =>
        bad.StatusCode == StatusCodes.Status413PayloadTooLarge
            ? $"body: is larger than {settings.MaxBody} MiB. Send less, or a smaller picture."
        : Bound().Match(bad.Message) is { Success: true } bound
            ? $"{Named(bound.Groups["name"].Value)}: '{bound.Groups["value"].Value}' is no "
                + $"{TypeInWords(bound.Groups["type"].Value)}. See /openapi/v1.json for what is read."
        : LitException.OneLine(bad.Message);

    private static string Named(string member) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(member);

    private static string TypeInWords(string type) =>
        type.Contains("int", StringComparison.OrdinalIgnoreCase) ? "whole number"
        : type.Contains("bool", StringComparison.OrdinalIgnoreCase) ? "true or false"
        : "number";

    // The platform's sentence about a parameter of another type, in the language of its sources.
    [GeneratedRegex(
        @"^Failed to bind parameter ""(?<type>\S+) (?<name>\w+)"" from ""(?<value>.*)""\.$",
        RegexOptions.ExplicitCapture | RegexOptions.Singleline
    )]
    private static partial Regex Bound();

    /// <summary>In the words of the users, with names in the place of the server's own paths.</summary>
    private string Said(string message) => served.WithoutPaths(settings.Wording?.Invoke(message) ?? message);
}
