using System.Net;
using System.Net.Sockets;

namespace LiT.Server.Api;

/// <summary>
/// Fetches pictures that requests name, where that is allowed. The address is looked at when the connection is made,
/// after names are resolved, and for each redirect anew: nothing that is not on the public network is reached.
/// </summary>
internal sealed class UrlPictures(ServerSettings settings) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly HttpClient client = new(
        new SocketsHttpHandler
        {
            AllowAutoRedirect = true,
            MaxAutomaticRedirections = 3,
            UseProxy = false,
            UseCookies = false,
            ConnectCallback = (context, cancel) => ConnectAsync(context, settings.MayFetchFrom, cancel),
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        }
    )
    {
        Timeout = Patience,
        MaxResponseContentBufferSize = (long)settings.MaxBody << 20,
    };

    /// <exception cref="RefusedException">The address is not one to fetch from, or gives no picture.</exception>
    public async Task<byte[]> FetchAsync(string address, CancellationToken cancel)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw Refused("is no http or https address");
        try
        {
            using var answer = await client.GetAsync(uri, cancel).ConfigureAwait(false);
            return answer.IsSuccessStatusCode
                ? await answer.Content.ReadAsByteArrayAsync(cancel).ConfigureAwait(false)
                : throw Refused($"its server answers {(int)answer.StatusCode}");
        }
        catch (HttpRequestException trouble) when (trouble.InnerException is PrivateAddressException)
        {
            throw Refused("leads to an address that is not public");
        }
        catch (HttpRequestException trouble)
            when (trouble.HttpRequestError is HttpRequestError.ConfigurationLimitExceeded)
        {
            throw Refused($"gives more than {settings.MaxBody} MiB");
        }
        catch (Exception trouble)
            when (trouble is HttpRequestException or IOException
                || (trouble is OperationCanceledException && !cancel.IsCancellationRequested)
            )
        {
            throw Refused("cannot be fetched");
        }
    }

    /// <summary>Whether anybody on the public network has this address.</summary>
    internal static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (IPAddress.IsLoopback(address))
            return false;
        var bytes = address.GetAddressBytes();
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
            return bytes[0] is >= 0x20 and <= 0x3f // 2000::/3 is all that is given out
                && !IsEmbedded(bytes);
        return bytes switch
        {
            [0 or 10 or 127 or >= 224, ..] => false,
            [100, >= 64 and <= 127, ..] => false, // carriers' own
            [169, 254, ..] => false,
            [172, >= 16 and <= 31, ..] => false,
            [192, 0, 0 or 2, _] => false,
            [192, 88, 99, _] => false,
            [192, 168, ..] => false,
            [198, 18 or 19, ..] => false,
            [198, 51, 100, _] => false,
            [203, 0, 113, _] => false,
            _ => true,
        };
    }

    public void Dispose() => client.Dispose();

    /// <summary>Documentation, and forms that hold an IPv4 address: 6to4 and Teredo.</summary>
    private static bool IsEmbedded(byte[] bytes) =>
        bytes is [0x20, 0x02, ..] or [0x20, 0x01, 0, 0, ..] or [0x20, 0x01, 0x0d, 0xb8, ..] or [0x3f, 0xff, ..];

    private static async ValueTask<Stream> ConnectAsync(
        SocketsHttpConnectionContext context,
        Func<IPAddress, bool> may,
        CancellationToken cancel
    )
    {
        var all = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancel).ConfigureAwait(false);
        if (all.Length == 0 || !all.All(may))
            throw new PrivateAddressException();
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(all, context.DnsEndPoint.Port, cancel).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static RefusedException Refused(string problem) =>
        RefusedException.TooMuch("image_url", problem, "Send the picture itself");

    private sealed class PrivateAddressException : Exception;
}
