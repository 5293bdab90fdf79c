using LiT.Duplicates;

namespace LiT.Tests.Duplicates;

public sealed class LeakAuditTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Test_pictures_that_were_trained_on_are_named_with_level_and_pair()
    {
        using var train = MadeStores.Write(
            folder["train"],
            Enumerable.Range(0, 50).Select(i => ($"p{i}", MadeStores.Row(i)))
        );
        using var test = MadeStores.Write(
            folder["test"],
            [
                ("p7#again", MadeStores.Near(MadeStores.Row(7), 900, 0.01)), // the bytes of p7
                ("new", MadeStores.Row(500)), // never seen
                ("other", MadeStores.Near(MadeStores.Row(31), 901, 0.05)), // other bytes, the scene of p31
            ]
        );

        var report = LeakAudit.Run(train, test, 0.95, cancel: TestContext.Current.CancellationToken);

        Assert.Equal(
            ["p7#again is p7, Bytes", "other is p31, Scene"],
            report.Leaks.Select(leak => $"{leak.TestKey} is {leak.TrainKey}, {leak.Level}")
        );
        Assert.Equal((1, 0, 1, 3), (report.SameBytes, report.SamePicture, report.SameScene, report.TestPictures));
        Assert.All(report.Leaks, leak => Assert.InRange(leak.Cosine, 0.95, 1));
        Assert.Equal([0L, 2L], report.TestRows.Order());
    }

    [Fact]
    public void Of_several_views_the_first_is_compared()
    {
        using var train = MadeStores.Write(
            folder["train"],
            [("a", [.. MadeStores.Row(1), .. MadeStores.Row(2)]), ("b", [.. MadeStores.Row(3), .. MadeStores.Row(4)])],
            views: 2
        );
        using var test = MadeStores.Write(folder["test"], [("x", MadeStores.Row(3)), ("y", MadeStores.Row(4))]);
        var leak = Assert.Single(LeakAudit.Run(train, test, cancel: TestContext.Current.CancellationToken).Leaks);
        Assert.Equal(("x", 2L), (leak.TestKey, leak.TrainRow));
    }

    [Fact]
    public void Stores_of_two_towers_are_not_compared()
    {
        using var train = MadeStores.Write(folder["train"], [("a", MadeStores.Row(1))], tower: "one");
        using var test = MadeStores.Write(folder["test"], [("a", MadeStores.Row(1))], tower: "another");
        Assert.Contains(
            "Embed both with one tower",
            Assert.Throws<LitException>(() => LeakAudit.Run(train, test)).Message
        );
    }
}
