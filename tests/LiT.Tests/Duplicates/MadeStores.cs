using System.Security.Cryptography;
using LiT.Data;
using LiT.Stores;

namespace LiT.Tests.Duplicates;

/// <summary>Stores with rows made up for comparing.</summary>
internal static class MadeStores
{
    /// <summary>Writes a store; a picture's bytes are told by its key up to the first '#'.</summary>
    public static EmbeddingStore Write(
        string folder,
        IEnumerable<(string Key, float[] Row)> pictures,
        string tower = "t",
        StoredType type = StoredType.Float16,
        int views = 1
    )
    {
        var all = pictures.ToList();
        using var writer = EmbeddingStoreWriter.Open(
            folder,
            new StoreDescription
            {
                Fingerprint = tower,
                Tower = tower,
                EmbeddingSize = all[0].Row.Length / views,
                Source = folder,
                Type = type,
                Views = views,
                RowsPerShard = 1000,
            }
        );
        writer.Write(
            all.Select(picture =>
                (
                    new Sample(picture.Key, $"origin of {picture.Key}"),
                    new EmbeddedPicture(
                        8,
                        8,
                        SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(picture.Key.Split('#')[0]))
                    ),
                    picture.Row
                )
            )
        );
        return EmbeddingStore.Open(folder);
    }

    /// <summary>Numbers of a normal distribution, the same for the same seed.</summary>
    public static float[] Row(int seed, int size = 48)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable
                .Range(0, size)
                .Select(_ =>
                    (float)(
                        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())
                    )
                ),
        ];
    }

    /// <summary>A row turned away from another, by a little or by much.</summary>
    public static float[] Near(float[] row, int seed, double noise) =>
        [.. row.Zip(Row(seed, row.Length), (a, b) => a + (float)noise * b)];
}
