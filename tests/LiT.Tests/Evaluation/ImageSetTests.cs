using LiT.Compute;
using LiT.Embedding;
using LiT.Stores;
using LiT.Tests.Duplicates;
using LiT.Towers;

namespace LiT.Tests.Evaluation;

public sealed class ImageSetTests : IDisposable
{
    private readonly TemporaryFolder temporary = new();

    public void Dispose() => temporary.Dispose();

    [Theory]
    [InlineData(false, new[] { 3f, 4f }, new[] { 0f, 2f })]
    [InlineData(true, new[] { 4f, 3f }, new[] { 1f, 1f })]
    public void A_picture_is_its_plain_view_or_the_mean_of_all_that_the_store_holds(
        bool average,
        float[] first,
        float[] second
    )
    {
        Store("views", views: 2, [3, 4, 5, 2], [0, 2, 2, 0]);
        using var set = Load("views", average);
        var rows = set.ReadAll();
        Assert.Equal(["a", "b"], set.Samples.Select(sample => sample.Key));
        Assert.Equal(first, rows[0].ToArray(), Near);
        Assert.Equal(second, rows[1].ToArray(), Near);
    }

    [Fact]
    public void Views_that_are_not_there_are_asked_for()
    {
        Store("one", views: 1, [3, 4], [0, 2]);
        Assert.Contains(
            "holds one view of each picture. Embed the pictures with `EmbedRun(Views: 2)`",
            Assert.ThrowsAny<SettingException>(() => Load("one", average: true)).Message
        );
        Assert.Contains(
            "is no embedding store",
            Assert
                .Throws<SettingException>(() =>
                    ImageSet.Load(temporary.Path, null, NoTower, new() { AverageViews = true }, ComputeDevice.Cpu)
                )
                .Message
        );
    }

    [Fact]
    public void A_store_is_read_block_by_block_and_gives_the_rows_that_it_gives_at_once()
    {
        const int count = 9000; // more than two blocks, and not a whole number of them
        MadeStores
            .Write(
                temporary["many"],
                Enumerable.Range(0, count).Select(i => ($"{i}", new float[] { i + 1, 1 })),
                type: StoredType.Float32
            )
            .Dispose();
        using var set = Load("many", average: false);
        Assert.True(set.Blocks().Count() > 2);
        Assert.All(set.Blocks().SkipLast(1), block => Assert.Equal(set.Blocks().First().Count, block.Count));
        Assert.Equal(count, set.Blocks().Sum(block => block.Count));
        Assert.Equal(set.ReadAll().ToUnit().Values, set.Each(block => block.ToUnit()).Values);
        int[] some = [8999, 0, 4096];
        Assert.Equal(set.ReadAll().Select(some).Values, set.Each(block => block, some).Values);
        Assert.Equal(1 / 9000f, set.Read(some)[0][1] / set.Read(some)[0][0], 1e-7);
    }

    [Fact]
    public void A_store_stays_usable_for_its_words_when_its_rows_are_closed()
    {
        Store("closed", views: 1, [3, 4], [0, 2]);
        var set = Load("closed", average: false);
        set.Dispose();
        Assert.Equal(["a", "b"], set.Samples.Select(sample => sample.Key));
        Assert.Throws<ObjectDisposedException>(() => set.ReadAll());
    }

    // Unit vectors are stored with their lengths, which float32 gives back to rounding.
    private static bool Near(float expected, float actual) => Math.Abs(expected - actual) < 1e-5;

    private void Store(string name, int views, params float[][] rows) =>
        MadeStores
            .Write(
                temporary[name],
                rows.Select((row, i) => ($"{(char)('a' + i)}", row)),
                type: StoredType.Float32,
                views: views
            )
            .Dispose();

    private ImageSet Load(string name, bool average) =>
        ImageSet.Load(temporary[name], null, NoTower, new() { AverageViews = average }, ComputeDevice.Cpu);

    private static LockedTower NoTower() => throw new InvalidOperationException("a store needs no tower");
}
