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

    public static TheoryData<string, int> Cases() =>
        new(
            from tower in new[] { "cifar-resnet:8", "vit:Ti/32", "mixer:S/32" }
            from last in Enumerable.Range(1, Batch)
            select (tower, last)
        );

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_shards_last_batch_has_the_same_bits_for_every_number_of_threads(string tower, int last)
    {
        for (var i = 0; i < Batch + last; i++)
            temporary.Write($"pictures/{i:00}.png", GeneratedPictures.Png(Noise(i)));
        var one = Rows(tower, 1);
        Assert.Equal(Batch + last, one.Count);
        foreach (var threads in new[] { 2, 3 })
            Assert.Equal(one, Rows(tower, threads));
    }

    /// <summary>Every row's numbers as they lie in the store, of a tower that was loaded with these threads.</summary>
    private List<string> Rows(string spec, int threads)
    {
        using var own = Parts.Use(threads);
        using var tower = ImageTowerLoader.Load(spec);
        EmbedRun.Run(
            tower,
            "tower",
            LiT.Data.Samples.Open(temporary["pictures"]),
            temporary[$"store-{threads}"],
            new EmbedOptions { BatchSize = Batch, Type = StoredType.Float32 },
            ComputeDevice.Cpu
        );
        using var store = EmbeddingStore.Open(temporary[$"store-{threads}"]);
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
