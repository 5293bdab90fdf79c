using LiT.Data;
using LiT.Stores;

namespace LiT.Tests.Search;

/// <summary>Stores of made-up rows.</summary>
internal static class MadeRows
{
    public static float[][] Random(int count, int size, int seed)
    {
        Random chance = new(seed);
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(_ => Enumerable.Range(0, size).Select(_ => (float)(chance.NextDouble() - 0.5)).ToArray()),
        ];
    }

    /// <summary>A finished store of rows.</summary>
    public static void Write(
        string folder,
        IReadOnlyList<float[]> rows,
        int perShard,
        StoredType type = StoredType.Float16,
        int views = 1,
        Func<int, Sample>? sample = null
    )
    {
        StoreDescription description = new()
        {
            Fingerprint = "f",
            Tower = "made",
            Preprocessing = new System.Text.Json.Nodes.JsonObject(),
            EmbeddingSize = rows[0].Length,
            Type = type,
            Views = views,
            Source = "made",
            RowsPerShard = perShard * views,
        };
        using var writer = EmbeddingStoreWriter.Open(folder, description);
        writer.Write(
            Enumerable
                .Range(0, rows.Count / views)
                .Select(i =>
                    (
                        sample?.Invoke(i) ?? new Sample($"k{i}", $"made/k{i}.jpg"),
                        new EmbeddedPicture(100 + i, 50, Stores.StoreData.Hash(i)),
                        rows.Skip(i * views).Take(views).SelectMany(row => row).ToArray()
                    )
                )
        );
    }
}
