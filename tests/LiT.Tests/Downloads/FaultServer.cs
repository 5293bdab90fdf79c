using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LiT.Tests.Downloads;

/// <summary>
/// A server on this machine that fails in every way that servers of the web do. It writes bytes itself, so that it can
/// also lie. The path says what happens: /ok/7, /404, /busy/7 (503 twice, then the picture), /stall …
/// </summary>
internal sealed class FaultServer : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentDictionary<string, int> asked = new();
    private readonly Func<int, byte[]> picture;
    private int active,
        mostActive;

    /// <param name="picture">The picture of a number.</param>
    public FaultServer(Func<int, byte[]> picture)
    {
        this.picture = picture;
        listener.Start();
        _ = Task.Run(AcceptAsync);
    }

    public string Address => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    /// <summary>How often each path was asked for.</summary>
    public IReadOnlyDictionary<string, int> Asked => asked;

    /// <summary>
    /// Most requests that were under way at once. One is over when its answer begins to be sent: who has the last byte
    /// of it asks again before the server gets to count.
    /// </summary>
    public int MostActive => mostActive;

    /// <summary>Whether /down/7 is there again.</summary>
    public bool IsUp { get; set; }

    /// <summary>When requests came.</summary>
    public ConcurrentQueue<long> Times { get; } = new();

    public void Dispose()
    {
        stop.Cancel();
        listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptTcpClientAsync(stop.Token);
                _ = Task.Run(() => ServeAsync(client));
            }
            catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                client.NoDelay = true;
                var stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                if (await reader.ReadLineAsync(stop.Token) is not { } line)
                    return;
                while (await reader.ReadLineAsync(stop.Token) is { Length: > 0 }) { }
                var path = line.Split(' ')[1];
                Times.Enqueue(Environment.TickCount64);
                var now = Interlocked.Increment(ref active);
                for (
                    int seen;
                    now > (seen = mostActive) && Interlocked.CompareExchange(ref mostActive, now, seen) != seen;

                ) { }
                var over = 0;
                void Over()
                {
                    if (Interlocked.Exchange(ref over, 1) == 0)
                        Interlocked.Decrement(ref active);
                }
                try
                {
                    await AnswerAsync(stream, path, asked.AddOrUpdate(path, 1, (_, count) => count + 1), Over);
                }
                finally
                {
                    Over();
                }
            }
        }
        catch (Exception end)
            when (end is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The other side went away, as it may.
        }
    }

    private async Task AnswerAsync(Stream stream, string path, int time, Action over)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var body =
            parts.Length > 1 && int.TryParse(parts[1], CultureInfo.InvariantCulture, out var number)
                ? picture(number)
                : picture(0);
        Task Send(string status, string headers = "", byte[]? content = null, long? length = null)
        {
            over();
            return stream
                .WriteAsync(
                    Encoding
                        .ASCII.GetBytes(
                            $"HTTP/1.1 {status}\r\nContent-Length: "
                                + $"{length ?? content?.Length ?? 0}\r\nConnection: close\r\n{headers}\r\n"
                        )
                        .Concat(content ?? [])
                        .ToArray(),
                    stop.Token
                )
                .AsTask();
        }
        switch (parts[0])
        {
            case "ok":
                await Send("200 OK", content: body);
                break;
            case "later":
                await Task.Delay(10 * (body.Length % 7), stop.Token);
                await Send("200 OK", content: body);
                break;
            case "busy":
                await (time <= 2 ? Send("503 Service Unavailable") : Send("200 OK", content: body));
                break;
            case "down":
                await (IsUp ? Send("200 OK", content: body) : Send("503 Service Unavailable"));
                break;
            case "wait":
                await (time == 1 ? Send("429 Too Many Requests", "Retry-After: 1\r\n") : Send("200 OK", content: body));
                break;
            case "waitlong":
                await Send("429 Too Many Requests", "Retry-After: 86400\r\n");
                break;
            case "packed":
                var coding = Uri.UnescapeDataString(parts[1]);
                await Send("200 OK", $"Content-Encoding: {coding}\r\n", Packed(body, coding));
                break;
            case "packedbomb":
                await Send("200 OK", "Content-Encoding: gzip\r\n", Packed(new byte[100 << 20], "gzip"));
                break;
            case "broken":
                await Send("500 Internal Server Error");
                break;
            case "cut":
                await Send("200 OK", content: body[..(body.Length / 2)], length: body.Length);
                break;
            case "cutonce":
                await Send("200 OK", content: time == 1 ? body[..(body.Length / 2)] : body, length: body.Length);
                break;
            case "short":
                await Send("200 OK", content: body, length: body.Length / 2);
                break; // a length that leaves half of it out
            case "huge":
                await Send("200 OK", length: 10_000_000_000);
                break;
            case "endless":
                await stream.WriteAsync("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"u8.ToArray(), stop.Token);
                while (!stop.IsCancellationRequested)
                    await stream.WriteAsync(new byte[1 << 16], stop.Token);
                break;
            case "stall":
                await Send("200 OK", content: body[..10], length: body.Length);
                await Task.Delay(Timeout.Infinite, stop.Token);
                break;
            case "silent":
                await Task.Delay(Timeout.Infinite, stop.Token);
                break;
            case "drip":
                await Send("200 OK", length: 1_000_000);
                while (!stop.IsCancellationRequested)
                {
                    await stream.WriteAsync(new byte[1], stop.Token);
                    await Task.Delay(50, stop.Token);
                }
                break;
            case "loop":
                await Send("302 Found", $"Location: /loop/{time}\r\n");
                break;
            case "moved":
                await Send("301 Moved Permanently", $"Location: /ok/{parts[1]}\r\n");
                break;
            case "nowhere":
                await Send("302 Found", "Location: file:///etc/passwd\r\n");
                break;
            case "noai":
                await Send("200 OK", "X-Robots-Tag: noai\r\n", body);
                break;
            case "noindex":
                await Send("200 OK", "X-Robots-Tag: all\r\nX-Robots-Tag: nosnippet, NOINDEX\r\n", body);
                break;
            case "otherbot":
                await Send("200 OK", "X-Robots-Tag: googlebot: noindex, nofollow\r\n", body);
                break;
            case "page":
                await Send("200 OK", "Content-Type: image/jpeg\r\n", "<html>gone</html>"u8.ToArray());
                break;
            case "empty":
                await Send("200 OK");
                break;
            case "garbage":
                await stream.WriteAsync("SMTP ready\r\n\r\n"u8.ToArray(), stop.Token);
                break;
            case "bomb":
                await Send("200 OK", content: LiT.Tests.Images.GeneratedPictures.PngHeader(60_000, 60_000));
                break;
            default:
                await Send($"{parts[0]} Status");
                break;
        }
    }

    private static byte[] Packed(byte[] body, string codings)
    {
        foreach (var coding in codings.Split(", "))
        {
            MemoryStream packed = new();
            using (
                Stream pack = coding switch
                {
                    "gzip" => new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true),
                    "deflate" => new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true),
                    "br" => new BrotliStream(packed, CompressionLevel.Fastest, leaveOpen: true),
                    _ => packed,
                }
            )
                pack.Write(body);
            body = packed.ToArray();
        }
        return body;
    }
}
