using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Polly;
using Polly.Retry;

namespace LiT.Downloads;

/// <summary>
/// Fetches addresses: politely, within limits of time and size, again where trouble may pass. Never throws for what a
/// server does. Safe from any thread.
/// </summary>
internal sealed class Fetcher : IDisposable
{
    private readonly DownloadOptions options;
    private readonly TimeProvider clock;
    private readonly HttpClient client;
    private readonly HostGates gates;
    private readonly SemaphoreSlim places;
    private readonly ResiliencePipeline<Fetched> retrying;

    public Fetcher(DownloadOptions options, TimeProvider? clock = null)
    {
        (this.options, this.clock) = (options, clock ?? TimeProvider.System);
        client = new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false, // each address passes its own host's gate
                AutomaticDecompression = DecompressionMethods.None,
                ConnectTimeout = options.StallTimeout,
                MaxResponseHeadersLength = 64,
                PooledConnectionIdleTimeout = TimeSpan.FromSeconds(15),
                UseCookies = false,
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        client.DefaultRequestHeaders.UserAgent.ParseAdd(options.UserAgent);
        client.DefaultRequestHeaders.Accept.ParseAdd("image/*,*/*;q=0.5");
        gates = new(options.PerHost, options.HostDelay, this.clock);
        places = new(options.Concurrency);
        var pipeline = new ResiliencePipelineBuilder<Fetched>();
        if (options.Retries > 0)
            pipeline.AddRetry(
                new RetryStrategyOptions<Fetched>
                {
                    ShouldHandle = outcome => ValueTask.FromResult(outcome.Outcome.Result is { MayPass: true }),
                    MaxRetryAttempts = options.Retries,
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                    Delay = options.Backoff,
                    MaxDelay = options.LongestWait,
                    DelayGenerator = outcome => ValueTask.FromResult(outcome.Outcome.Result?.RetryAfter),
                }
            );
        retrying = pipeline.Build();
    }

    /// <summary>What an address gives in the end.</summary>
    /// <exception cref="OperationCanceledException">The user stops.</exception>
    public async Task<Fetched> GetAsync(string url, CancellationToken cancel)
    {
        var last = await retrying
            .ExecuteAsync(async token => await AttemptAsync(new Uri(url), token).ConfigureAwait(false), cancel)
            .ConfigureAwait(false);
        return last.Body is { Length: 0 } ? new(Fetched.Empty) : last;
    }

    public void Dispose()
    {
        client.Dispose();
        places.Dispose();
    }

    private async Task<Fetched> AttemptAsync(Uri address, CancellationToken cancel)
    {
        for (var hop = 0; hop <= options.Redirects; hop++)
        {
            using var gate = await gates.EnterAsync(address.Authority, cancel).ConfigureAwait(false);
            if (gate.IsClosed)
                return new(Fetched.WaitTooLong); // the host has asked for longer than is waited: it is not asked
            await places.WaitAsync(cancel).ConfigureAwait(false);
            try
            {
                var (fetched, next) = await AskAsync(address, cancel).ConfigureAwait(false);
                if (fetched?.RetryAfter is { } wait)
                    gates.Pause(address.Authority, wait, close: wait > options.LongestWait);
                if (fetched is not null)
                    return fetched;
                address = next!;
            }
            finally
            {
                places.Release();
            }
        }
        return new(Fetched.Redirects);
    }

    /// <summary>One request: what it gave, or the address that it leads to.</summary>
    private async Task<(Fetched? Fetched, Uri? Next)> AskAsync(Uri address, CancellationToken cancel)
    {
        using var whole = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        whole.CancelAfter(options.Timeout);
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(whole.Token);
        stall.CancelAfter(options.StallTimeout);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
            using var answer = await client
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token)
                .ConfigureAwait(false);
            if (
                answer.StatusCode
                is HttpStatusCode.MovedPermanently
                    or HttpStatusCode.Found
                    or HttpStatusCode.SeeOther
                    or HttpStatusCode.TemporaryRedirect
                    or HttpStatusCode.PermanentRedirect
            )
                return
                    answer.Headers.Location is { } place
                    && Uri.TryCreate(address, place, out var next)
                    && next.Scheme is "http" or "https"
                    ? (null, new Uri(address, answer.Headers.Location))
                    : (new(Fetched.BadRedirect), null);
            if (answer.StatusCode != HttpStatusCode.OK)
                return (Refused(answer), null);
            if (answer.Headers.TryGetValues("X-Robots-Tag", out var tags) && RobotsTag.Forbids(tags, options.UserAgent))
                return (new(Fetched.Robots), null);
            if (answer.Content.Headers.ContentLength > options.MaxBytes)
                return (new(Fetched.TooLarge), null);
            return (await BodyAsync(answer, stall).ConfigureAwait(false), null);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return (new(whole.IsCancellationRequested ? Fetched.Timeout : Fetched.Stalled, MayPass: true), null);
        }
        catch (HttpRequestException trouble)
        {
            return (Broken(trouble), null);
        }
        catch (IOException)
        {
            return (new(Fetched.Cut, MayPass: true), null);
        }
        catch (Exception trouble)
            when (trouble
                    is InvalidDataException
                        or InvalidOperationException
                        or FormatException
                        or UriFormatException
                        or NotSupportedException
            )
        {
            return (new(Fetched.BadAnswer), null);
        }
    }

    private async Task<Fetched> BodyAsync(HttpResponseMessage answer, CancellationTokenSource stall)
    {
        var sent = await answer.Content.ReadAsStreamAsync(stall.Token).ConfigureAwait(false);
        if (ContentCodings.Decoded(sent, answer.Content.Headers.ContentEncoding, out var unknown) is not { } decoded)
            return new($"sent as {unknown}");
        using var stream = decoded;
        var body = new MemoryStream();
        var buffer = new byte[1 << 15];
        while (true)
        {
            stall.CancelAfter(options.StallTimeout);
            var read = await stream.ReadAsync(buffer, stall.Token).ConfigureAwait(false);
            if (read == 0)
                return new(Fetched.Ok, body.ToArray());
            if (body.Length + read > options.MaxBytes)
                return new(Fetched.TooLarge);
            body.Write(buffer, 0, read);
        }
    }

    private Fetched Refused(HttpResponseMessage answer)
    {
        var status = (int)answer.StatusCode;
        var verdict = status.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var wait = answer.Headers.RetryAfter switch
        {
            { Delta: { } time } => time,
            { Date: { } date } => date - clock.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        if (wait < TimeSpan.Zero)
            wait = TimeSpan.Zero;
        if (status is not (408 or 425 or 429 or (>= 500 and not 501 and not 505)))
            return new(verdict, RetryAfter: wait);
        return wait > options.LongestWait
            ? new($"{verdict}, {Fetched.WaitTooLong}", RetryAfter: wait)
            : new(verdict, MayPass: true, RetryAfter: wait);
    }

    private static Fetched Broken(HttpRequestException trouble) =>
        trouble.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError => new(
                Fetched.UnknownHost,
                MayPass: trouble.InnerException is SocketException { SocketErrorCode: SocketError.TryAgain }
            ),
            HttpRequestError.ResponseEnded => new(Fetched.Cut, MayPass: true),
            HttpRequestError.InvalidResponse
            or HttpRequestError.ConfigurationLimitExceeded
            or HttpRequestError.HttpProtocolError => new(Fetched.BadAnswer),
            HttpRequestError.SecureConnectionError => new("no secure connection"),
            _ => new(Fetched.NoConnection, MayPass: true),
        };
}
