using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LiT.Text;
using LiT.Towers;

namespace LiT.Bundles;

/// <summary>
/// A text tower as a constant, with what makes rows of texts: what it gives for a text never changes.
/// </summary>
/// <param name="Tower">In evaluation mode.</param>
/// <param name="Tokenizer">Its tokenizer and row layout.</param>
/// <param name="Name">How the user called it: a path or a public name.</param>
/// <param name="Fingerprint">What <see cref="Of"/> gives.</param>
internal sealed record LockedText(TextTower Tower, CaptionTokenizer Tokenizer, string Name, string Fingerprint)
    : IDisposable
{
    /// <summary>
    /// SHA-256, in hexadecimal, over the architecture, every weight as float32, the tokenizer's files and how rows are
    /// laid out: what the representation of a text depends on, and nothing else.
    /// </summary>
    public static string Of(TextTower tower, CaptionTokenizer tokenizer)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Line(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        Line(
            tower is ForeignText foreign ? foreign.Identity
            : tower.Config is null ? tower.GetName()
            : string.Join('\n', TextTowerFile.Metadata(tower).Values)
        );
        Line(WeightsHash.Of(tower));
        var folder = Directory.CreateTempSubdirectory("lit-text-");
        try
        {
            var description = tokenizer.Save(folder.FullName);
            Line(JsonSerializer.Serialize(description with { File = "" }));
            foreach (var file in folder.EnumerateFiles().OrderBy(file => file.Name, StringComparer.Ordinal))
                Line(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file.FullName))));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <inheritdoc/>
    public void Dispose() => Tower.Dispose();
}
