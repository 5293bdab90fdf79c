using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LiT.Cli.Tests;

/// <summary>Answers every request with the same bytes.</summary>
internal sealed class BytesServer : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);

    public BytesServer(byte[] content)
    {
        listener.Start();
        _ = Task.Run(() =>
        {
            while (true)
            {
                try
                {
                    using var client = listener.AcceptTcpClient();
                    using var stream = client.GetStream();
                    using StreamReader reader = new(stream, Encoding.ASCII, leaveOpen: true);
                    while (reader.ReadLine() is { Length: > 0 }) { }
                    stream.Write(
                        Encoding.ASCII.GetBytes(
                            $"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {content.Length}\r\n\r\n"
                        )
                    );
                    stream.Write(content);
                }
                catch (Exception ended)
                    when (ended is SocketException or ObjectDisposedException or InvalidOperationException)
                {
                    return;
                }
                catch (IOException) { }
            }
        });
    }

    public string Address => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    public void Dispose() => listener.Dispose();
}
