namespace LiT.Data;

/// <summary>Brings some pictures of a source back, for pages that show them.</summary>
internal static class PictureFinder
{
    /// <param name="source">Where the pictures came from; passed through until all are found.</param>
    /// <param name="keys">The pictures' keys.</param>
    /// <param name="options">How the source is read.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>Encoded bytes by key; what is not there or cannot be read is missing.</returns>
    public static IReadOnlyDictionary<string, byte[]> Find(
        string source,
        IReadOnlySet<string> keys,
        SampleOptions? options = null,
        CancellationToken cancel = default
    )
    {
        Dictionary<string, byte[]> found = new(StringComparer.Ordinal);
        if (keys.Count == 0)
            return found;
        foreach (var sample in Samples.Open(source, options ?? new()).Read(_ => { }))
        {
            cancel.ThrowIfCancellationRequested();
            if (!keys.Contains(sample.Key) || sample.ReadImage is not { } read)
                continue;
            try
            {
                found[sample.Key] = read();
            }
            catch (Exception trouble) when (trouble is LitException or IOException or UnauthorizedAccessException)
            {
                continue; // a page shows what there is
            }
            if (found.Count == keys.Count)
                break;
        }
        return found;
    }
}
