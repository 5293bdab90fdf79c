using System.Security.Cryptography;
using System.Text;
using LiT.Data;
using LiT.Stores;

namespace LiT.Tests.Stores;

public sealed class EmbeddingStoreTests : IDisposable
{
    private readonly TemporaryFolder temporary = new();

    private string Folder => temporary["store"];

    public void Dispose() => temporary.Dispose();

    [Theory]
    [InlineData(StoredType.Float16, 1e-3)]
    [InlineData(StoredType.Float32, 1e-6)]
    public void What_is_written_is_read_again(StoredType type, double tolerance)
    {
        Write(Describe(type), 7);

        using var store = EmbeddingStore.Open(Folder);

        Assert.Equal((7, 4, 1, "f1"), (store.Rows, store.EmbeddingSize, store.Views, store.Fingerprint));
        Assert.Equal(new StoreCounts(7, 1, 1), store.Counts);
        for (var row = 0; row < 7; row++)
        {
            var own = new float[4];
            store.ReadRows([row], own, ownLength: true);
            Assert.Equal(Embedding(row), own, (a, b) => Math.Abs(a - b) <= tolerance * 20);
            store.ReadRows([row], own);
            Assert.Equal(1, Math.Sqrt(own.Sum(x => (double)x * x)), tolerance);
            Assert.Equal($"k{row}", store.Key(row));
            Assert.Equal([$"caption {row}", "ü\n\"quoted\""], store.Captions(row));
            Assert.Equal(row % 2 == 0 ? "even" : null, store.Label(row));
            Assert.Equal((10 + row, 20), store.PictureSize(row));
            Assert.Equal("v", store.Fields(row)["field"]);
            Assert.Equal(row, store.RowOf(Hash(row)));
        }
        Assert.Null(store.RowOf(Hash(99)));
    }

    private void Write(StoreDescription description, int pictures)
    {
        using var writer = EmbeddingStoreWriter.Open(Folder, description);
        for (var i = 0; i < pictures; i++)
        {
            if (i == 3) writer.Skip(new("bad", "o", "no picture"));
            if (i == 5) writer.Skip(new("k5", "o", "empty caption") { InPart = true });
            writer.Append(SampleOf(i), new(10 + i, 20, Hash(i)), Embedding(i));
        }
        writer.Finish();
    }

    private static StoreDescription Describe(StoredType type = StoredType.Float16) =>
        new() { Fingerprint = "f1", Tower = "tower one", EmbeddingSize = 4, Type = type, Source = "pictures", RowsPerShard = 3 };

    private static Sample SampleOf(int i) => new($"k{i}", $"a.tar:k{i}.jpg")
    {
        Captions = [$"caption {i}", "ü\n\"quoted\""],
        Label = i % 2 == 0 ? "even" : null,
        Fields = new Dictionary<string, string> { ["field"] = "v" },
    };

    private static float[] Embedding(int i) => [i + 1, -2, 0.5f * i, 3];

    private static byte[] Hash(int i) => SHA256.HashData(Encoding.UTF8.GetBytes($"picture {i}"));
}
