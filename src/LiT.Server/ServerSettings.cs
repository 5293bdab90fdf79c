namespace LiT.Server;

/// <summary>What a <see cref="LitServer"/> serves, to whom, and how much of it at a time. Immutable.</summary>
public sealed record ServerSettings
{
    /// <summary>A bundle's folder, or the name of a published model: see <see cref="LitModel.LoadAsync"/>.</summary>
    public required string Model { get; init; }

    /// <summary>Folders of stores that the model's tower made. The first is asked where none is named.</summary>
    public required IReadOnlyList<string> Data { get; init; }

    /// <summary>
    /// Where the pictures of the stores are, in their order; where it is short, where a store says that its pictures
    /// came from.
    /// </summary>
    public IReadOnlyList<string> Pictures { get; init; } = [];

    /// <summary>The address to listen at. Loopback reaches nobody else's machine.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>The port; 0 takes a free one.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>
    /// What a request has to show, as <c>Authorization: Bearer</c>, as <c>X-Api-Key</c>, or as the password that a
    /// browser asks for. Null asks nothing.
    /// </summary>
    public string? ApiKey { get; init; }

    /// <summary>Serves whoever reaches it, without a key, also where that is not this machine alone.</summary>
    public bool Open { get; init; }

    /// <summary>Whether a request may name a picture by its address, which the server then fetches.</summary>
    public bool AllowUrlImages { get; init; }

    /// <summary>Other sites whose pages may ask: <c>https://example.org</c>. None by itself.</summary>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>Whether the log may hold what people look for.</summary>
    public bool LogWords { get; init; }

    /// <summary>MiB of a request, at most; more is answered with 413.</summary>
    public int MaxBody { get; init; } = 32;

    /// <summary>Millions of pixels of a picture, at most, by its header; more is answered with 422.</summary>
    public int MaxMegapixels { get; init; } = 100;

    /// <summary>Requests that are worked on at once.</summary>
    public int AtOnce { get; init; } = 64;

    /// <summary>Requests that wait beyond those; more is answered with 429.</summary>
    public int Queue { get; init; } = 256;

    /// <summary>Seconds for a request; what takes longer is answered with 503.</summary>
    public double Timeout { get; init; } = 60;

    /// <summary>Open connections, at most.</summary>
    public int Connections { get; init; } = 20_000;

    /// <summary>Where to compute, and who is told.</summary>
    public LitSession Session { get; init; } = LitSession.Default;

    /// <summary>The words that settings and doings of the library have among the users; null leaves them.</summary>
    internal Func<string, string>? Wording { get; init; }

    /// <summary>Which addresses pictures may be fetched from.</summary>
    internal Func<System.Net.IPAddress, bool> MayFetchFrom { get; init; } = Api.UrlPictures.IsPublic;

    /// <summary>How long a body may trickle in before it has to come at some rate.</summary>
    internal TimeSpan BodyGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What the log takes.</summary>
    internal LogLevel LogFrom { get; init; } = LogLevel.Information;

    internal bool IsLoopback =>
        Host is "localhost" || (System.Net.IPAddress.TryParse(Host, out var address) && Loopback(address));

    private static bool Loopback(System.Net.IPAddress address) => System.Net.IPAddress.IsLoopback(address);

    /// <exception cref="SettingException">A setting cannot be so.</exception>
    internal void Check()
    {
        if (Data.Count == 0)
            throw SettingException.Of<ServerSettings>(s => s.Data, "there is no store", "Name at least one");
        if (Pictures.Count > Data.Count)
            throw SettingException.Of<ServerSettings>(
                s => s.Pictures,
                $"{Pictures.Count} places of pictures for {Data.Count} stores",
                "Give one a store, in their order"
            );
        if (Port is < 0 or > 65535)
            throw SettingException.Of<ServerSettings>(s => s.Port, Port, null, "Give 0 to 65535");
        if (ApiKey is { Length: 0 })
            throw SettingException.Of<ServerSettings>(s => s.ApiKey, "is empty", "Give a key, or leave it out");
        if (!IsLoopback && ApiKey is null && !Open)
            throw SettingException.Of<ServerSettings>(
                s => s.Host,
                Host,
                "everybody who reaches this address could search and see the pictures",
                "Give a key that requests have to show (`ApiKey`), or say that this is meant (`Open`)"
            );
        if (Host is not ("localhost" or "*") && !System.Net.IPAddress.TryParse(Host, out _))
            throw SettingException.Of<ServerSettings>(
                s => s.Host,
                Host,
                "is no address",
                "Give one of this machine's addresses, localhost, or 0.0.0.0 for all of them"
            );
        Positive(MaxBody, nameof(MaxBody));
        Positive(MaxMegapixels, nameof(MaxMegapixels));
        Positive(AtOnce, nameof(AtOnce));
        Positive(Connections, nameof(Connections));
        Positive(Timeout, nameof(Timeout));
        if (Queue < 0)
            throw SettingException.Of<ServerSettings>(s => s.Queue, Queue, null, "Give 0 or more");
    }

    private static void Positive(double value, string member)
    {
        if (!(value > 0))
            throw new SettingException(member, value, null, "Give a positive number");
    }
}
