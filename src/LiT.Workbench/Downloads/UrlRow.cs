namespace LiT.Downloads;

/// <summary>A row of a list of addresses.</summary>
/// <param name="Number">Its number among the list's rows, from 0; blank lines are none.</param>
/// <param name="Url">The address, or null where the row cannot be used.</param>
/// <param name="Captions">Captions, none of them empty.</param>
/// <param name="Fields">Further columns worth keeping.</param>
/// <param name="Trouble">Why the row cannot be used.</param>
internal sealed record UrlRow(
    long Number,
    string? Url,
    IReadOnlyList<string> Captions,
    IReadOnlyDictionary<string, string> Fields,
    string? Trouble = null
)
{
    private static readonly Dictionary<string, string> Nothing = [];

    public static UrlRow Bad(long number, string trouble) => new(number, null, [], Nothing, trouble);

    public static UrlRow Of(
        long number,
        string? url,
        IEnumerable<string?> captions,
        IReadOnlyDictionary<string, string>? fields = null
    ) =>
        Uri.TryCreate(url?.Trim(), UriKind.Absolute, out var address)
        && address.Scheme is "http" or "https"
        && address.Host.Length > 0
            ? new(
                number,
                address.AbsoluteUri,
                [
                    .. captions
                        .Select(caption => caption?.Trim())
                        .Where(caption => !string.IsNullOrEmpty(caption))
                        .Distinct()!,
                ],
                fields ?? Nothing
            )
            : Bad(number, string.IsNullOrWhiteSpace(url) ? "no address" : "not an address of http or https");
}

/// <summary>Which columns are meant where a list leaves a choice.</summary>
internal sealed record UrlListOptions
{
    /// <summary>The column with the address: a name, or a number from 1 where there is no header.</summary>
    public string? UrlColumn { get; init; }

    /// <summary>The columns with captions, each a caption of its own.</summary>
    public IReadOnlyList<string> CaptionColumns { get; init; } = [];

    /// <summary>
    /// A file of ids, one a line (or the second of three columns, as in the list of CLIP's subset of YFCC100M): only
    /// rows with one of these are taken.
    /// </summary>
    public string? OnlyIds { get; init; }
}
