using System.Security.Cryptography;

namespace LiT.Bundles;

/// <summary>The files of a bundle and their hashes, which its model.json keeps.</summary>
internal static class BundleFiles
{
    /// <summary>SHA-256 in hexadecimal of every file but model.json, by its name.</summary>
    public static SortedDictionary<string, string> Hashes(string folder) =>
        new(
            Directory
                .EnumerateFiles(folder)
                .Where(path =>
                    Path.GetFileName(path) is var name && name != ModelDescription.FileName && !name.StartsWith('.')
                )
                .ToDictionary(path => Path.GetFileName(path), HashOf),
            StringComparer.Ordinal
        );

    /// <summary>Holds a bundle's files against what its model.json says of them.</summary>
    /// <returns>How many files were held against their hashes.</returns>
    /// <exception cref="LitException">One is missing or was changed; the message names it.</exception>
    public static int Check(string folder, ModelDescription description)
    {
        foreach (var (name, expected) in description.Files ?? new Dictionary<string, string>())
        {
            var path = Path.Combine(folder, Path.GetFileName(name));
            if (!File.Exists(path))
                throw new LitException($"{path}: is missing from the bundle. Copy the bundle again.");
            if (HashOf(path) is var found && found != expected)
                throw new LitException(
                    $"{path}: was changed since the bundle was written (SHA-256 {found[..12]}… where {expected[..Math.Min(12, expected.Length)]}… is expected). Copy the bundle again."
                );
        }
        return description.Files?.Count ?? 0;
    }

    private static string HashOf(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
