using LiT.Data;
using LiT.Embedding;
using LiT.Tests.Face;

namespace LiT.Tests;

/// <summary>
/// A small model with a background, twelve pictures with captions, labels and columns in a folder with metadata.csv,
/// and the store that the model's tower made of them. The captions are letters, which is what the vocabulary knows.
/// </summary>
/// <param name="odd">The eighth caption: whatever a test has to get through.</param>
/// <param name="last">The twelfth.</param>
/// <param name="label">A picture's label; empty for none.</param>
public abstract class CaptionedPictures(string odd, string last, Func<int, string> label) : IDisposable
{
    public const int Count = 12;

    private readonly string[] captions = ["a", "b", "c", "a b", "b c", "c a", "a b c", odd, "c b", "a c", "a a", last];
    private readonly SmallModel small = new();
    private readonly TemporaryFolder folder = new();

    public string Model => small.Bundle;

    public string OtherModel => small.Other;

    public string Photos => folder["photos"];

    public string Store => folder["store"];

    public string this[params string[] parts] => folder[parts];

    public static byte[] Picture(int number) => SmallModel.Picture(number);

    /// <summary>Adds pictures to a folder, and what is said of them to its table.</summary>
    public void Write(string photos, int first, int count)
    {
        Directory.CreateDirectory(photos);
        var table = Path.Combine(photos, "metadata.csv");
        List<string> rows = File.Exists(table) ? [.. File.ReadAllLines(table)] : ["file_name,text,label,taken,stars"];
        for (var i = first; i < first + count; i++)
        {
            File.WriteAllBytes(Path.Combine(photos, $"p {i:00}.png"), Picture(i));
            rows.Add($"p {i:00}.png,{captions[i % Count]},{label(i)},2024-01-{i % 28 + 1:00},{i}");
        }
        File.WriteAllLines(table, rows);
    }

    /// <summary>Brings a store to what a folder holds.</summary>
    public void Embed(string photos, string store)
    {
        using var model = LitModel.Load(Model);
        EmbedRun.Run(
            model.Image,
            model.Description.Image.Tower,
            Samples.Open(photos),
            store,
            new EmbedOptions { Update = Directory.Exists(store) },
            model.Compute,
            null,
            CancellationToken.None
        );
    }

    public void Dispose()
    {
        small.Dispose();
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The twelve, and their store; called by whoever has them.</summary>
    protected void Make()
    {
        Write(Photos, 0, Count);
        Embed(Photos, Store);
    }
}
