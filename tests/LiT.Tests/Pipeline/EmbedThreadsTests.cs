using LiT.Compute;
using LiT.Embedding;
using LiT.Images;
using LiT.Stores;
using LiT.Tests.Images;
using LiT.Towers;

namespace LiT.Tests.Pipeline;

/// <summary>
/// What embedding promises: one, two and three threads give the same bits, however few pictures the last batch has.
/// </summary>
public sealed class EmbedThreadsTests : IDisposable
{
    private const int Batch = 8;
    private readonly TemporaryFolder temporary = new();

    public void Dispose() => temporary.Dispose();

    [Theory]
    [InlineData("cifar-resnet:8")]
    [InlineData("vit:Ti/32")]
    [InlineData("mixer:S/32")]
    public void A_shards_last_batch_has_the_same_bits_for_every_number_of_threads(string tower)
    {
        var pictures = Enumerable.Range(0, 2 * Batch).Select(i => GeneratedPictures.Png(Noise(i))).ToList();
        for (var last = 1; last <= Batch; last++)
        for (var i = 0; i < Batch + last; i++)
            temporary.Write($"{last}/{i:00}.png", pictures[i]);
        var one = Rows(tower, 1);
        Assert.Equal(Enumerable.Range(1, Batch).Select(last => Batch + last), one.Select(rows => rows.Count));
        foreach (var threads in new[] { 2, 3 })
            Assert.Equal(one, Rows(tower, threads));
    }

    /// <summary>For each number of pictures in the last batch every row's numbers as they lie in the store, of a tower
    /// that was loaded with these threads.</summary>
    private List<List<string>> Rows(string spec, int threads)
    {
        using var own = Parts.Use(threads);
        using var tower = ImageTowerLoader.Load(spec);
        return [.. Enumerable.Range(1, Batch).Select(last => Rows(tower, $"{last}", $"store-{threads}-{last}"))];
    }

    private List<string> Rows(LockedTower tower, string pictures, string to)
    {
        EmbedRun.Run(
            tower,
            "tower",
            LiT.Data.Samples.Open(temporary[pictures]),
            temporary[to],
            new EmbedOptions { BatchSize = Batch, Type = StoredType.Float32 },
            ComputeDevice.Cpu
        );
        using var store = EmbeddingStore.Open(temporary[to]);
        var row = new float[store.EmbeddingSize];
        return
        [
            .. Enumerable
                .Range(0, (int)store.Rows)
                .Select(i =>
                {
                    store.ReadRows([i], row);
                    Assert.Contains(row, value => value != 0);
                    return Convert.ToHexString(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(row));
                }),
        ];
    }

    private static RgbImage Noise(int seed)
    {
        var pixels = new byte[40 * 36 * 3];
        new Random(seed).NextBytes(pixels);
        return new(40, 36, pixels);
    }
}
