using System.Security.Cryptography;
using LiT.Data;
using LiT.Stores;

namespace LiT.Tests.Duplicates;

/// <summary>Stores with rows made up for comparing.</summary>
internal static class MadeStores
{
    /// <summary>Writes a store; a picture's bytes are told by its key up to the first '#'.</summary>
    public static EmbeddingStore Write(string folder, IEnumerable<(string Key, float[] Row)> pictures, string tower = "t", StoredType type = StoredType.Float16, int views = 1)
    {
        EmbeddingStoreWriter? writer = null;
        foreach (var (key, row) in pictures)
        {
            writer ??= EmbeddingStoreWriter.Open(folder, new StoreDescription
            {
                Fingerprint = tower,
                Tower = tower,
                EmbeddingSize = row.Length / views,
                Source = folder,
                Type = type,
                Views = views,
                RowsPerShard = 1000,
            });
            writer.Append(new Sample(key, $"origin of {key}"), new(8, 8, SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(key.Split('#')[0]))), row);
        }
        using (writer) writer!.Finish();
        return EmbeddingStore.Open(folder);
    }

    /// <summary>Numbers of a normal distribution, the same for the same seed.</summary>
    public static float[] Row(int seed, int size = 48)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, size).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }

    /// <summary>A row turned away from another, by a little or by much.</summary>
    public static float[] Near(float[] row, int seed, double noise) => [.. row.Zip(Row(seed, row.Length), (a, b) => a + (float)noise * b)];
}
