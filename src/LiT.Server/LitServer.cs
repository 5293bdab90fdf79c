using LiT.Server.Api;

namespace LiT.Server;

/// <summary>
/// A model and stores behind HTTP: an API, a page, what clients of clip-retrieval ask, and tools for assistants. Runs
/// until it is disposed of, which lets requests under way end.
/// </summary>
public sealed class LitServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private LitServer(WebApplication app, Uri address) => (this.app, Address) = (app, address);

    /// <summary>Where it listens, with the port that it has.</summary>
    public Uri Address { get; }

    internal IServiceProvider Services => app.Services;

    /// <summary>Loads what is served, and listens. When this has ended, requests are answered.</summary>
    /// <param name="settings">What is served, to whom, how much of it.</param>
    /// <param name="cancel">Gives the start up.</param>
    /// <exception cref="SettingException">A setting cannot be so.</exception>
    /// <exception cref="LitException">
    /// The model or a store is missing, damaged, or of another tower; or the address is taken.
    /// </exception>
    public static async Task<LitServer> StartAsync(ServerSettings settings, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Check();
        // The towers are read while the host is put together: a start costs the longer of the two.
        var loading = LitModel.LoadAsync(settings.Model, settings.Session, cancel);
        WebApplication? app = null;
        try
        {
            app = await Task.Run(() => ServerHost.Build(settings), cancel).ConfigureAwait(false);
            var services = app.Services;
            var served = await Served
                .OfAsync(
                    await loading.ConfigureAwait(false),
                    settings,
                    services.GetRequiredService<Measures>(),
                    services.GetRequiredService<ILoggerFactory>(),
                    cancel
                )
                .ConfigureAwait(false);
            services.GetRequiredService<ServedHolder>().Served = served;
            _ = services.GetRequiredService<Served>(); // which from now on goes when the host goes
            await app.StartAsync(cancel).ConfigureAwait(false);
            return new(app, new(services.AddressOf()));
        }
        catch (Exception trouble)
        {
            if (app is not null)
                await app.DisposeAsync().ConfigureAwait(false);
            await FreeAsync(loading).ConfigureAwait(false);
            if (trouble is IOException or System.Net.Sockets.SocketException)
                throw SettingException.Of<ServerSettings>(
                    s => s.Port,
                    settings.Port,
                    $"cannot listen there ({trouble.Message.TrimEnd('.')})",
                    "Give another port, or end what listens there"
                );
            throw;
        }
    }

    private static async Task FreeAsync(Task<LitModel> loading)
    {
        try
        {
            (await loading.ConfigureAwait(false)).Dispose(); // a second time where the host did it
        }
        catch (Exception trouble) when (trouble is LitException or OperationCanceledException)
        {
            return; // said already
        }
    }

    /// <summary>Takes no more requests, lets those under way end, and frees the model.</summary>
    public async ValueTask DisposeAsync()
    {
        await app.StopAsync().ConfigureAwait(false);
        await app.DisposeAsync().ConfigureAwait(false);
    }
}
