namespace LiT.Server.Api;

/// <summary>The model and the stores that are served.</summary>
internal sealed class Served : IAsyncDisposable
{
    private readonly List<ServedStore> stores = [];
    private readonly List<StorePictures> pictures = [];
    private readonly Watch watch;

    private Served(ServedModel model, ServedLanguages languages, Watch watch) =>
        (Model, Languages, this.watch) = (model, languages, watch);

    public ServedModel Model { get; }

    /// <summary>The languages in which the model can be asked.</summary>
    public ServedLanguages Languages { get; }

    public IReadOnlyList<ServedStore> Stores => stores;

    /// <summary>Opens the stores of a model, which goes with what comes back.</summary>
    /// <exception cref="LitException">A store is missing or damaged, or another tower made it.</exception>
    public static async Task<Served> OfAsync(
        LitModel model,
        ServerSettings settings,
        Measures told,
        ILoggerFactory loggers,
        CancellationToken cancel
    )
    {
        var log = loggers.CreateLogger(Measures.Name);
        ServedModel own = new(model, settings, told);
        Served served = new(
            own,
            new(own, settings, told),
            new(settings.Session.Time, stop => own.LookAsync(log, stop))
        );
        try
        {
            foreach (var (i, folder) in settings.Data.Index())
            {
                var name = served.FreeName(folder);
                served.stores.Add(
                    await ServedStore
                        .OpenAsync(name, folder, served.Model, told, settings.Session.Time, log, cancel)
                        .ConfigureAwait(false)
                );
                served.pictures.Add(
                    new(served.stores[^1], i < settings.Pictures.Count ? settings.Pictures[i] : null, told, log)
                );
            }
            told.Pictures(() => served.stores.Select(Count));
            return served;
        }
        catch
        {
            await served.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The store of a name; the first where none is named.</summary>
    /// <exception cref="RefusedException">There is none.</exception>
    public ServedStore Store(string? name) =>
        name is null
            ? stores[0]
            : stores.Find(one => one.Name == name)
                ?? throw RefusedException.NotThere(
                    "store",
                    $"there is no '{name}'",
                    $"There are {string.Join(", ", stores.Select(one => one.Name))}"
                );

    /// <summary>The pictures of a store.</summary>
    public StorePictures PicturesOf(ServedStore store) => pictures[stores.IndexOf(store)];

    /// <summary>Whether something is a file of what is served: trouble with it is none of who asks.</summary>
    public bool IsOwnFile(string subject) =>
        stores
            .Select(store => store.Folder)
            .Append(Model.Model.Folder)
            .OfType<string>()
            .Any(folder =>
                subject == folder || subject.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            );

    /// <summary>A sentence with names in the place of folders, which are nobody else's affair.</summary>
    public string WithoutPaths(string sentence)
    {
        foreach (var store in stores)
            sentence = Named(sentence, store.Folder, store.Name);
        return Model.Model.Folder is { } folder ? Named(sentence, folder, Model.Model.Name) : sentence;
    }

    /// <summary>A folder of one plain word may be any word of a sentence, but for the one it begins with.</summary>
    private static string Named(string sentence, string folder, string name) =>
        folder.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? sentence.Replace(folder, name, StringComparison.Ordinal)
        : sentence.StartsWith(folder + ':', StringComparison.Ordinal) ? name + sentence[folder.Length..]
        : sentence;

    public async ValueTask DisposeAsync()
    {
        await watch.DisposeAsync().ConfigureAwait(false);
        foreach (var one in pictures)
            await one.DisposeAsync().ConfigureAwait(false);
        foreach (var store in stores)
            await store.DisposeAsync().ConfigureAwait(false);
        await Languages.DisposeAsync().ConfigureAwait(false);
        await Model.DisposeAsync().ConfigureAwait(false);
    }

    private static System.Diagnostics.Metrics.Measurement<long> Count(ServedStore store)
    {
        using var now = store.Hold();
        return new(now.Collection.Count, new KeyValuePair<string, object?>("store", store.Name));
    }

    private string FreeName(string folder)
    {
        var plain = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        var name = plain;
        for (var number = 2; stores.Exists(one => one.Name == name); number++)
            name = $"{plain}-{number}";
        return name;
    }
}

/// <summary>Hands what is served to the host, which is put together while it is loaded.</summary>
internal sealed class ServedHolder
{
    public Served? Served { get; set; }
}
