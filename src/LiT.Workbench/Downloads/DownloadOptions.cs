namespace LiT.Downloads;

/// <summary>How pictures are fetched.</summary>
internal sealed record DownloadOptions
{
    /// <summary>Rows of the list in a shard: what is lost at most when a run is killed.</summary>
    public int RowsPerShard { get; init; } = 1000;

    /// <summary>Pictures fetched at once.</summary>
    public int Concurrency { get; init; } = 64;

    /// <summary>Pictures fetched at once from one host.</summary>
    public int PerHost { get; init; } = 4;

    /// <summary>Least time between two requests to one host.</summary>
    public TimeSpan HostDelay { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How often a picture is asked for again after trouble that may pass.</summary>
    public int Retries { get; init; } = 3;

    /// <summary>Time before the first new attempt; each further one doubles it, with some chance in it.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The longest time that a host's rows wait where it asks for it (Retry-After). A host that asks for more is left
    /// alone that long: its rows are given up without asking.
    /// </summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Time for one attempt as a whole.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time in which something must come.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Addresses that one may lead to, one after the other.</summary>
    public int Redirects { get; init; } = 5;

    /// <summary>Longest file, in bytes.</summary>
    public long MaxBytes { get; init; } = 32 << 20;

    /// <summary>Most pixels, by the header.</summary>
    public long MaxPixels { get; init; } = 100_000_000;

    /// <summary>Pictures whose shorter side is longer are scaled down to it; 0 leaves them.</summary>
    public int Resize { get; init; }

    /// <summary>Pictures whose longer side is longer are scaled down to it; 0 leaves them.</summary>
    public int MaxSide { get; init; }

    /// <summary>Pictures whose shorter side is shorter are not taken.</summary>
    public int MinSide { get; init; }

    /// <summary>JPEG quality of pictures that are scaled.</summary>
    public int Quality { get; init; } = 95;

    /// <summary>Asks again for every row whose verdict was not ok, once; pictures that came stay as they are.</summary>
    public bool RetryFailed { get; init; }

    /// <summary>What the program calls itself.</summary>
    public string UserAgent { get; init; } = "lit-data-download/1.0";
}
