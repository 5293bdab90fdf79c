using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace LiT.Server.Tests;

/// <summary>A server on a port of its own, and who asks it.</summary>
internal sealed class Asking : IAsyncDisposable
{
    private Asking(LitServer server) =>
        (Server, Client) = (
            server,
            new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false })
            {
                BaseAddress = server.Address,
                Timeout = TimeSpan.FromMinutes(5),
            }
        );

    public LitServer Server { get; }

    public HttpClient Client { get; }

    public static async Task<Asking> StartAsync(ServerSettings settings) => new(await LitServer.StartAsync(settings));

    /// <summary>An answer's status and JSON.</summary>
    public static async Task<(int Status, JsonNode Json)> ReadAsync(HttpResponseMessage answer) =>
        ((int)answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!);

    public async Task<(int Status, JsonNode Json)> PostAsync(string path, object body) =>
        await ReadAsync(await Client.PostAsJsonAsync(path, body));

    public async Task<(int Status, JsonNode Json)> GetAsync(string path) =>
        await ReadAsync(await Client.GetAsync(path));

    /// <summary>What /v1/models says of the model, as soon as it says something.</summary>
    public async Task<JsonNode> UntilModelAsync(Func<JsonNode, bool> said)
    {
        while (true)
        {
            var now = (await GetAsync("/v1/models")).Json["models"]![0]!;
            if (said(now))
                return now;
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }
}

/// <summary>One server for the tests of a class, as it is started by itself.</summary>
public sealed class PlainServer : IAsyncLifetime
{
    private Asking? asking;

    public ServedPictures Pictures { get; } = new();

    internal Asking Asking => asking!;

    public async ValueTask InitializeAsync() => asking = await Asking.StartAsync(Pictures.Settings());

    public async ValueTask DisposeAsync()
    {
        await asking!.DisposeAsync();
        Pictures.Dispose();
    }
}
