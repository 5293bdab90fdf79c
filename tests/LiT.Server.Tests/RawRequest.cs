using System.Net.Sockets;
using System.Text;

namespace LiT.Server.Tests;

/// <summary>A connection on which a test sends what no well-behaved client sends.</summary>
internal sealed class RawRequest : IDisposable
{
    private const int Patience = 180_000; // milliseconds; of a machine that is slow and has other work

    private readonly Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public RawRequest(Uri address) => socket.Connect("127.0.0.1", address.Port);

    public void Send(string text) => socket.Send(Encoding.ASCII.GetBytes(text));

    /// <summary>The beginning of a POST whose body has a length, and of the body no more than is given.</summary>
    public void Begin(string path, int length, string body) =>
        Send(
            $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + $"Content-Length: {length}\r\n\r\n{body}"
        );

    /// <summary>The same, once the server has begun to read it: it is one of those that are worked on.</summary>
    public void BeginAndWait(string path, int length, string body)
    {
        Send(
            $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + $"Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
        );
        var buffer = new byte["HTTP/1.1 100 Continue\r\n\r\n".Length];
        socket.ReceiveTimeout = Patience;
        for (var got = 0; got < buffer.Length; )
            got += socket.Receive(buffer, got, buffer.Length - got, SocketFlags.None);
        Assert.StartsWith("HTTP/1.1 100", Encoding.ASCII.GetString(buffer), StringComparison.Ordinal);
        Send(body);
    }

    /// <summary>What comes until the answer's body is as long as it says, or the connection ends.</summary>
    public string Receive()
    {
        socket.ReceiveTimeout = Patience;
        StringBuilder all = new();
        var buffer = new byte[1 << 16];
        while (!IsWhole(all.ToString()))
        {
            var count = socket.Receive(buffer);
            if (count == 0)
                break;
            all.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }
        return all.ToString();
    }

    public void Dispose() => socket.Dispose();

    private static bool IsWhole(string answer)
    {
        var end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
            return false;
        var length = answer
            .Split("\r\n")
            .FirstOrDefault(line => line.StartsWith("Content-Length: ", StringComparison.Ordinal));
        return length is null
            ? answer.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal)
            : answer.Length - end - 4 >= int.Parse(length[16..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
