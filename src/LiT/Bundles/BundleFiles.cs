using System.Security.Cryptography;

namespace LiT.Bundles;

/// <summary>The files of a bundle and their hashes, which its model.json keeps.</summary>
internal static class BundleFiles
{
    /// <summary>SHA-256 in hexadecimal of every file but model.json, by its name.</summary>
    public static SortedDictionary<string, string> Hashes(string folder) =>
        new(
            Hashed(folder).ToDictionary(name => name, name => HashOf(Path.Combine(folder, name))),
            StringComparer.Ordinal
        );

    /// <summary>
    /// Files of a bundle that have no hash in its model.json: of an earlier version, or put there by somebody else.
    /// </summary>
    public static IReadOnlyList<string> Uncovered(string folder, ModelDescription description) =>
        description.Files is not { } files ? [] : [.. Hashed(folder).Where(name => !files.ContainsKey(name))];

    /// <summary>Puts a file that came later under the hashes of its bundle.</summary>
    public static void Cover(string folder, string name) =>
        Change(folder, files => files[name] = HashOf(Path.Combine(folder, name)));

    /// <summary>Takes a file that is about to change out of the hashes of its bundle.</summary>
    public static void Uncover(string folder, string name) => Change(folder, files => files.Remove(name));

    /// <summary>
    /// Has a file written or taken away, in the place of another and under the bundle's hashes. Killed in between, it
    /// is there without a hash, and whole.
    /// </summary>
    public static void Exchange(string folder, string name, Action<string> write)
    {
        Uncover(folder, name);
        write(folder);
        if (File.Exists(Path.Combine(folder, name)))
            Cover(folder, name);
    }

    private static void Change(string folder, Action<SortedDictionary<string, string>> change)
    {
        var description = ModelDescription.Read(folder);
        if (description.Files is null)
            return; // a bundle of an earlier version has no hashes
        SortedDictionary<string, string> files = new(description.Files.ToDictionary(), StringComparer.Ordinal);
        change(files);
        Files.AtomicFile.WriteAllText(
            Path.Combine(folder, ModelDescription.FileName),
            (description with { Files = files }).ToJson()
        );
    }

    private static IEnumerable<string> Hashed(string folder) =>
        Directory
            .EnumerateFiles(folder)
            .Select(path => Path.GetFileName(path))
            .Where(name => name != ModelDescription.FileName && !name.StartsWith('.'));

    /// <summary>Holds a bundle's files against what its model.json says of them.</summary>
    /// <returns>How many files were held against their hashes.</returns>
    /// <exception cref="LitException">One is missing or was changed; the message names it.</exception>
    public static int Check(string folder, ModelDescription description)
    {
        foreach (var (name, expected) in description.Files ?? new Dictionary<string, string>())
        {
            var path = Path.Combine(folder, Path.GetFileName(name));
            if (!File.Exists(path))
                throw new LitException(path, "is missing from the bundle", "Copy the bundle again");
            if (HashOf(path) is var found && found != expected)
                throw new LitException(
                    path,
                    $"was changed since the bundle was written (SHA-256 {found[..12]}… where "
                        + $"{expected[..Math.Min(12, expected.Length)]}… is expected)",
                    "Copy the bundle again"
                );
        }
        return description.Files?.Count ?? 0;
    }

    /// <summary>Whether a file of a bundle is there and has a hash.</summary>
    public static bool Holds(string folder, string name, string hash) =>
        Path.Combine(folder, name) is var path && File.Exists(path) && HashOf(path) == hash;

    private static string HashOf(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
