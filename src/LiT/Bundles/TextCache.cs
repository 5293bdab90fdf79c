using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LiT.Checkpoints;
using LiT.Compute;
using LiT.Text;

namespace LiT.Bundles;

/// <summary>
/// A folder of embedded texts, a file a chunk. A file's name is the hash of the model and the chunk's texts in their order, so a file is either
/// exactly what is needed or not looked at; files are written whole or not at all.
/// </summary>
internal sealed class TextCache
{
    private readonly string folder,
        model;

    public TextCache(string folder, string textFingerprint, CaptionTokenizer tokenizer, ComputeDevice compute)
    {
        if (File.Exists(folder))
            throw new LitException(
                $"{folder}: is a file, where a folder for embedded texts is needed. Choose another name."
            );
        this.folder = folder;
        model = $"{textFingerprint} {JsonSerializer.Serialize(tokenizer.Layout)} {tokenizer.Case} {compute.Type}";
    }

    /// <summary>What was kept of a chunk, or null.</summary>
    /// <param name="texts">The chunk.</param>
    /// <param name="size">Numbers in a row.</param>
    public float[]? Find(IReadOnlyList<string> texts, int size)
    {
        var path = PathOf(texts);
        if (!File.Exists(path))
            return null;
        try
        {
            var (values, shape) = Npy.ReadArray<float>(path);
            return shape is [var rows, var columns] && rows == texts.Count && columns == size ? values : null;
        }
        catch (LitException)
        {
            return null;
        } // damaged: embedded again and written anew
    }

    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public void Keep(IReadOnlyList<string> texts, float[] values) =>
        Npy.Write(PathOf(texts), values, texts.Count, values.Length / texts.Count);

    private string PathOf(IReadOnlyList<string> texts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(model));
        foreach (var text in texts)
            hash.AppendData(Encoding.UTF8.GetBytes($"{text.Length} {text}\n"));
        return Path.Combine(folder, $"texts-{Convert.ToHexStringLower(hash.GetHashAndReset())[..32]}.npy");
    }
}
