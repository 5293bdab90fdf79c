using LiT.Data;
using LiT.Embedding;
using LiT.Tests;
using LiT.Tests.Face;

namespace LiT.Server.Tests;

/// <summary>
/// What the tests serve: a small model with a background, twelve pictures with captions, labels and columns, and the
/// store that the model's tower made of them. The captions are letters, which is what the vocabulary knows.
/// </summary>
public sealed class ServedPictures : IDisposable
{
    public const int Count = 12;

    private static readonly string[] Captions =
    [
        "a",
        "b",
        "c",
        "a b",
        "b c",
        "c a",
        "a b c",
        "<script>alert('b')</script> a",
        "c b",
        "a c",
        "a a",
        "b b",
    ];
    private readonly SmallModel small = new();
    private readonly TemporaryFolder folder = new();

    public ServedPictures()
    {
        WritePictures(Photos, 0, Count);
        Embed(Photos, Store);
    }

    public string Model => small.Bundle;

    public string OtherModel => small.Other;

    public string Photos => folder["photos"];

    public string Store => folder["store"];

    public string this[params string[] parts] => folder[parts];

    public static byte[] Picture(int number) => SmallModel.Picture(number);

    /// <summary>Pictures with what is said of them, in a folder with metadata.csv.</summary>
    public static void WritePictures(string photos, int first, int count)
    {
        Directory.CreateDirectory(photos);
        var table = Path.Combine(photos, "metadata.csv");
        List<string> rows = File.Exists(table) ? [.. File.ReadAllLines(table)] : ["file_name,text,label,taken,stars"];
        for (var i = first; i < first + count; i++)
        {
            File.WriteAllBytes(Path.Combine(photos, $"p {i:00}.png"), Picture(i));
            var label = i % 2 == 0 ? "even" : "odd";
            rows.Add($"p {i:00}.png,{Captions[i % Count]},{label},2024-01-{i % 28 + 1:00},{i}");
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
            TestContext.Current.CancellationToken
        );
    }

    public ServerSettings Settings() =>
        new()
        {
            Model = Model,
            Data = [Store],
            Port = 0,
            LogFrom = Microsoft.Extensions.Logging.LogLevel.Warning,
            Session = new() { Device = "cpu", Threads = 2 },
        };

    public void Dispose()
    {
        small.Dispose();
        folder.Dispose();
    }
}
