using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LiT.Tests.Catalogue;

/// <summary>What a client asked.</summary>
internal sealed record Asked(string Path, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>The first byte that is wanted, 0 without a range.</summary>
    public long From =>
        Headers.TryGetValue("Range", out var range)
            ? long.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture)
            : 0;
}

/// <summary>What the server does with one request.</summary>
internal sealed record Answer(int Status, byte[]? Body = null)
{
    public Dictionary<string, string> Headers { get; init; } = [];

    /// <summary>How long the body is said to be; null says the truth.</summary>
    public long? SaidLength { get; init; }

    /// <summary>How many bytes of the body are sent before the connection is cut; null sends all.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Whether nothing more comes after <see cref="CutAfter"/>, and the connection stays open.</summary>
    public bool Stalls { get; init; }

    /// <summary>Whether the length is left out, and the end of the connection is the end of the body.</summary>
    public bool WithoutLength { get; init; }

    /// <summary>A right answer to a request for a file or the rest of it.</summary>
    public static Answer File(byte[] content, Asked asked, string? etag = "\"one\"") =>
        asked.From > 0
            ? new(206, content[(int)asked.From..])
            {
                Headers =
                {
                    ["ETag"] = etag ?? "",
                    ["Content-Range"] = $"bytes {asked.From}-{content.Length - 1}/{content.Length}",
                },
            }
            : new(200, content) { Headers = { ["ETag"] = etag ?? "" } };
}

/// <summary>A web server on 127.0.0.1 that behaves as a test tells it, request by request, badly if need be.</summary>
internal sealed class ScriptedServer : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Func<Asked, int, Answer> answer;

    /// <param name="answer">What to do with a request and its number, counted from 0.</param>
    public ScriptedServer(Func<Asked, int, Answer> answer)
    {
        this.answer = answer;
        listener.Start();
        _ = ServeAsync();
    }

    public string Address => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    /// <summary>All requests so far.</summary>
    public List<Asked> Requests { get; } = [];

    public void Dispose()
    {
        stop.Cancel();
        listener.Dispose();
        stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            TcpClient client;
            try
            {
                client = await listener.AcceptTcpClientAsync(stop.Token);
            }
            catch (Exception ended)
                when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
            _ = OneAsync(client);
        }
    }

    private async Task OneAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await using var stream = client.GetStream();
                using StreamReader reader = new(stream, Encoding.ASCII, leaveOpen: true);
                var path = (await reader.ReadLineAsync(stop.Token))!.Split(' ')[1];
                Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
                while (await reader.ReadLineAsync(stop.Token) is { Length: > 0 } line)
                    headers[line.Split(':')[0]] = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
                Asked asked = new(path, headers);
                Answer now;
                lock (Requests)
                {
                    now = answer(asked, Requests.Count);
                    Requests.Add(asked);
                }
                var body = now.Body ?? [];
                StringBuilder head = new($"HTTP/1.1 {now.Status} Said\r\nConnection: close\r\n");
                if (!now.WithoutLength)
                    head.Append(CultureInfo.InvariantCulture, $"Content-Length: {now.SaidLength ?? body.Length}\r\n");
                foreach (var (name, value) in now.Headers.Where(header => header.Value.Length > 0))
                    head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
                await stream.WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), stop.Token);
                await stream.WriteAsync(
                    body.AsMemory(0, Math.Min(body.Length, now.CutAfter ?? body.Length)),
                    stop.Token
                );
                await stream.FlushAsync(stop.Token);
                if (now.Stalls)
                    await Task.Delay(Timeout.Infinite, stop.Token);
                client.Client.Shutdown(SocketShutdown.Send);
                await reader.ReadToEndAsync(stop.Token);
            }
            catch (Exception ended)
                when (ended is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
            { }
        }
    }
}
