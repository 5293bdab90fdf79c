using LiT.Data;
using LiT.Embedding;
using LiT.Tests;
using LiT.Tests.Face;

namespace LiT.Postgres.Tests;

/// <summary>A small model, twelve pictures with captions, labels and columns, and the store of them.</summary>
public sealed class StoredPictures : IDisposable
{
    private static readonly string[] Captions =
    [
        "a",
        "b",
        "c",
        "a b",
        "b c",
        "c a",
        "a b c",
        @"50% of \ it's 'b'",
        "c b",
        "a c",
        "a a",
        "b_b",
    ];
    private readonly SmallModel small = new();
    private readonly TemporaryFolder folder = new();

    public StoredPictures()
    {
        Write(folder["photos"], 0, Captions.Length);
        Embed(folder["photos"], Store);
    }

    public string Model => small.Bundle;

    public string OtherModel => small.Other;

    public string Store => folder["store"];

    public string this[params string[] parts] => folder[parts];

    /// <summary>Pictures with what is said of them, in a folder with metadata.csv; some have no label.</summary>
    public static void Write(string photos, int first, int count)
    {
        Directory.CreateDirectory(photos);
        var table = Path.Combine(photos, "metadata.csv");
        List<string> rows = File.Exists(table) ? [.. File.ReadAllLines(table)] : ["file_name,text,label,taken,stars"];
        for (var i = first; i < first + count; i++)
        {
            File.WriteAllBytes(Path.Combine(photos, $"p {i:00}.png"), SmallModel.Picture(i));
            var label = (i % 3) switch
            {
                0 => "even",
                1 => "odd",
                _ => "",
            };
            rows.Add($"p {i:00}.png,{Captions[i % Captions.Length]},{label},2024-01-{i % 28 + 1:00},{i}");
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
    }
}
