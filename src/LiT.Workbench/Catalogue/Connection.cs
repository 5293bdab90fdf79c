using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace LiT.Catalogue;

/// <summary>
/// Asks a server for a file: waits and asks again where it is busy (429, 5xx; <c>Retry-After</c> is obeyed) and follows
/// redirects itself, because the first answer on the way may state the file's hash.
/// </summary>
internal sealed class Connection : IDisposable
{
    private const int MostRedirects = 10;

    private readonly HttpClient http;

    /// <param name="options">How patient it is.</param>
    /// <param name="say">Told of every pause.</param>
    public Connection(DownloadOptions options, Action<string>? say = null)
    {
        var pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddRetry(
                new HttpRetryStrategyOptions
                {
                    MaxRetryAttempts = options.Attempts - 1,
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                    Delay = options.FirstPause,
                    MaxDelay = options.LongestPause,
                    ShouldHandle = outcome =>
                        ValueTask.FromResult(
                            outcome.Outcome.Result is { } busy
                                && HttpClientResiliencePredicates.IsTransient(outcome.Outcome)
                                && !(AskedPause(busy) > options.LongestPause)
                        ),
                    DelayGenerator = outcome => ValueTask.FromResult(AskedPause(outcome.Outcome.Result)),
                    OnRetry = outcome =>
                    {
                        say?.Invoke(
                            string.Create(
                                CultureInfo.InvariantCulture,
                                $"the server says {(int)outcome.Outcome.Result!.StatusCode}; asking again "
                                    + $"in {outcome.RetryDelay.TotalSeconds:0.#} s"
                            )
                        );
                        return ValueTask.CompletedTask;
                    },
                }
            )
            .AddTimeout(options.Stall)
            .Build();
#pragma warning disable CA2000 // the client disposes the handlers
        http = new HttpClient(
            new ResilienceHandler(pipeline)
            {
                InnerHandler = new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = options.Stall / 2 },
            }
        )
#pragma warning restore CA2000
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        http.DefaultRequestHeaders.UserAgent.Add(
            new ProductInfoHeaderValue("lit", typeof(Connection).Assembly.GetName().Version?.ToString(3) ?? "0")
        );
    }

    /// <summary>The pause that a busy server asks for.</summary>
    public static TimeSpan? AskedPause(HttpResponseMessage? response) =>
        response?.Headers.RetryAfter switch
        {
            { Delta: { } pause } => pause,
            { Date: { } until } => until - TimeProvider.System.GetUtcNow() is { Ticks: > 0 } pause
                ? pause
                : TimeSpan.Zero,
            _ => null,
        };

    /// <summary>The responses on the way to the file, the last of them the file's own, its content unread.</summary>
    /// <exception cref="LitException">Redirects that lead nowhere.</exception>
    /// <exception cref="HttpRequestException">No server answers.</exception>
    public async Task<List<HttpResponseMessage>> GetAsync(
        Uri url,
        Action<HttpRequestMessage> prepare,
        CancellationToken cancel
    )
    {
        List<HttpResponseMessage> way = [];
        for (var at = url; ; )
        {
            using HttpRequestMessage request = new(HttpMethod.Get, at);
            prepare(request);
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel)
                .ConfigureAwait(false);
            way.Add(response);
            if (
                response.StatusCode
                is not (
                    HttpStatusCode.Moved
                    or HttpStatusCode.Found
                    or HttpStatusCode.SeeOther
                    or HttpStatusCode.TemporaryRedirect
                    or HttpStatusCode.PermanentRedirect
                )
            )
                return way;
            if (response.Headers.Location is not { } location || way.Count > MostRedirects)
                throw new LitException(
                    url.ToString(),
                    "the server redirects "
                        + $"{(way.Count > MostRedirects ? $"more than {MostRedirects} times" : "to nowhere")}",
                    "Try another `Mirror`"
                );
            var next = new Uri(at, location);
            if (next.Scheme is not ("http" or "https") || (at.Scheme == "https" && next.Scheme == "http"))
                throw new LitException(
                    url.ToString(),
                    $"the server redirects from {at.Scheme} to {next.Scheme}, which is not followed",
                    "Try another `Mirror`"
                );
            at = next;
        }
    }

    public void Dispose() => http.Dispose();
}
