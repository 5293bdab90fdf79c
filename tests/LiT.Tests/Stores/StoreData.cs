using System.Security.Cryptography;
using System.Text;
using LiT.Data;
using LiT.Stores;

namespace LiT.Tests.Stores;

/// <summary>A made-up run of an embedding: pictures, skipped samples and notes in a fixed order.</summary>
internal static class StoreData
{
    public static StoreDescription Describe(StoredType type = StoredType.Float16, int views = 1) =>
        new()
        {
            Fingerprint = "f1",
            Tower = "tower one",
            Preprocessing = System.Text.Json.Nodes.JsonNode.Parse("""{"size": 224}"""),
            EmbeddingSize = 4,
            Type = type,
            Views = views,
            Source = "pictures",
            RowsPerShard = 3 * views,
        };

    /// <summary>What a source would find: every fourth thing is skipped, every seventh is a note.</summary>
    public static IEnumerable<Found> Found(int count) =>
        Enumerable
            .Range(0, count)
            .Select(i =>
                i % 4 == 3 ? new Found(null, new($"k{i}", "o", "no \"picture\""))
                : i % 7 == 6 ? new Found(null, new($"k{i}", "o", "empty caption") { InPart = true })
                : new Found(SampleOf(i), null)
            );

    /// <summary>Gives things to a writer as the pipeline does, leaving out those that it already holds.</summary>
    /// <returns>How many were given.</returns>
    public static int Give(EmbeddingStoreWriter writer, IEnumerable<Found> found, int views = 1)
    {
        var given = 0;
        foreach (var (shard, (sample, skipped)) in writer.Wanted(found))
        {
            writer.MoveTo(shard);
            if (skipped is not null)
                writer.Skip(skipped);
            else
                Append(writer, sample!, int.Parse(sample!.Key.AsSpan(1), null), views);
            given++;
        }
        return given;
    }

    public static bool Append(EmbeddingStoreWriter writer, Sample sample, int i, int views = 1) =>
        writer.Append(
            sample,
            new(10 + i, 20, Hash(i)),
            [.. Enumerable.Range(0, views).SelectMany(view => Embedding(i, view))]
        );

    public static Sample SampleOf(int i) =>
        new($"k{i}", $"a.tar:k{i}.jpg")
        {
            Captions = [$"caption {i}", "ü\n\"quoted\""],
            Label = i % 2 == 0 ? "even" : null,
            Fields = new Dictionary<string, string> { ["z"] = "v", ["a"] = $"{i}" },
        };

    public static float[] Embedding(int i, int view = 0) => [i + 1, -2, 0.5f * i + view, 3];

    public static byte[] Hash(int i) => SHA256.HashData(Encoding.UTF8.GetBytes($"picture {i}"));

    /// <summary>Names and bytes of everything in a folder.</summary>
    public static Dictionary<string, string> Contents(string folder) =>
        Directory
            .EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .ToDictionary(
                path => Path.GetRelativePath(folder, path),
                path => Convert.ToHexString(File.ReadAllBytes(path))
            );
}
