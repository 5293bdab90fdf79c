using System.Text.Json;
using LiT.Files;

namespace LiT.Catalogue;

/// <summary>
/// The part of a file that has arrived, beside its place: <c>NAME.part</c>, and <c>NAME.part.json</c> with what the server
/// said of the whole, so that a later attempt, of another process too, goes on with the same file and no other.
/// </summary>
internal sealed class PartialFile(string target)
{
    /// <param name="Url">Where it comes from.</param>
    /// <param name="Validator">A strong ETag or the date of the last change; null where the server gave neither.</param>
    /// <param name="Total">Length of the whole in bytes, where the server said it.</param>
    /// <param name="Hash">The hash that the server stated.</param>
    internal sealed record Known(Uri Url, string? Validator, long? Total, ExpectedHash? Hash);

    private string State => Path + ".json";

    public string Path { get; } = target + ".part";

    public long Length => File.Exists(Path) ? new FileInfo(Path).Length : 0;

    /// <summary>What is known of the file that the part belongs to; null where there is none that could be gone on with.</summary>
    public Known? Read(Uri url)
    {
        if (!File.Exists(Path) || !File.Exists(State))
            return null;
        try
        {
            return JsonSerializer.Deserialize<Known>(File.ReadAllText(State)) is { } known && known.Url == url
                ? known
                : null;
        }
        catch (JsonException)
        {
            return null;
        } // damaged: begun again
    }

    /// <summary>Begins anew with what is known of the whole.</summary>
    public void Begin(Known known)
    {
        Delete();
        AtomicFile.WriteAllText(State, JsonSerializer.Serialize(known));
    }

    /// <summary>For writing behind what is there.</summary>
    public FileStream Append() => new(Path, FileMode.Append, FileAccess.Write, FileShare.Read, 1 << 16);

    /// <summary>The whole gets its name.</summary>
    public void Finish()
    {
        using (var file = new FileStream(Path, FileMode.Open, FileAccess.ReadWrite))
            file.Flush(flushToDisk: true);
        File.Move(Path, target, overwrite: true);
        File.Delete(State);
    }

    public void Delete()
    {
        File.Delete(Path);
        File.Delete(State);
    }
}
