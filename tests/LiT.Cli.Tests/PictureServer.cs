using System.Net;
using System.Net.Sockets;

namespace LiT.Cli.Tests;

/// <summary>Gives a bitmap of another colour for each number; every seventh is not there.</summary>
internal sealed class PictureServer : IDisposable
{
    private readonly HttpListener listener = new();

    public PictureServer()
    {
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Address = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}";
        }
        listener.Prefixes.Add(Address + "/");
        listener.Start();
        _ = Task.Run(ServeAsync);
    }

    public string Address { get; }

    public void Dispose() => listener.Close();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
                await AnswerAsync(await listener.GetContextAsync());
        }
        catch (Exception end) when (end is HttpListenerException or ObjectDisposedException) { }
    }

    private static async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            var number = int.Parse(context.Request.Url!.AbsolutePath[1..], null);
            context.Response.StatusCode = number % 7 == 3 ? 404 : 200;
            if (number % 7 != 3)
                await context.Response.OutputStream.WriteAsync(Bitmap(number));
            context.Response.Close();
        }
        catch (Exception gone) when (gone is HttpListenerException or ObjectDisposedException or IOException)
        {
            context.Response.Abort(); // who asked was ended meanwhile; the next one is served
        }
    }

    private static byte[] Bitmap(int number)
    {
        var file = new byte[54 + 8 * 24];
        "BM"u8.CopyTo(file);
        foreach (var (at, value) in new[] { (2, file.Length), (10, 54), (14, 40), (18, 8), (22, 8), (26, 1), (28, 24) })
            BitConverter.TryWriteBytes(file.AsSpan(at, 2), (short)value);
        new Random(number).NextBytes(file.AsSpan(54));
        return file;
    }
}
