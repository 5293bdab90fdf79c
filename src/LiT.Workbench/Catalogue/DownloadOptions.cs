namespace LiT.Catalogue;

/// <summary>How patient a download is.</summary>
internal sealed record DownloadOptions
{
    /// <summary>How long a server may say nothing before the connection is given up and opened again.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Attempts in a row that bring nothing before the download is given up.</summary>
    public int Attempts { get; init; } = 6;

    /// <summary>The pause after the first of them; each further one is twice as long.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause; a server that asks for a longer one ends the download.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(2);
}
