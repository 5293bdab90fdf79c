using LiT.Data;
using LiT.Drawings;

namespace LiT.Tests.Drawings;

public sealed class DrawnDatasetTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(DrawnSplit.Pretrain)]
    [InlineData(DrawnSplit.Pairs)]
    [InlineData(DrawnSplit.Compositions)]
    internal void The_written_archive_reads_back_as_the_same_samples_as_the_source_in_memory(DrawnSplit split)
    {
        var path = DrawnDataset.Write(folder.Path, split, 40, seed: 3, cancel: Stop);
        var written = Samples.Open(path).Read(NoSkip).ToList();
        var drawn = DrawnDataset.Source(split, 40, seed: 3).Read(NoSkip).ToList();
        Assert.Equal(40, written.Count);
        foreach (var (one, other) in written.Zip(drawn))
        {
            Assert.Equal(other.Key, one.Key);
            Assert.Equal(other.Label, one.Label);
            Assert.Equal(other.Captions, one.Captions);
            Assert.Equal(other.Fields.OrderBy(field => field.Key), one.Fields.OrderBy(field => field.Key));
            Assert.Equal(other.ReadImage!(), one.ReadImage!());
        }
    }

    [Fact]
    public void Writing_again_gives_the_same_bytes()
    {
        var first = File.ReadAllBytes(DrawnDataset.Write(folder["a"], DrawnSplit.Pairs, 30, seed: 1, cancel: Stop));
        var second = File.ReadAllBytes(DrawnDataset.Write(folder["b"], DrawnSplit.Pairs, 30, seed: 1, cancel: Stop));
        Assert.Equal(first, second);
    }

    [Fact]
    public void Classes_colours_compositions_and_templates_lie_beside_the_archive()
    {
        DrawnDataset.Write(folder.Path, DrawnSplit.Test, 2, seed: 0, cancel: Stop);
        Assert.Equal(DrawnVocabulary.KindNames, File.ReadAllLines(folder["classes.txt"]));
        Assert.Equal(DrawnVocabulary.ColourNames, File.ReadAllLines(folder["colours.txt"]));
        Assert.Equal(DrawnVocabulary.AllCompositions, File.ReadAllLines(folder["compositions.txt"]));
        Assert.Equal(DrawnVocabulary.HeldOutCompositions, File.ReadAllLines(folder["held-out.txt"]));
        Assert.Equal(DrawnVocabulary.Templates, File.ReadAllLines(folder["templates.txt"]));
        Assert.All(DrawnVocabulary.Templates, template => Assert.Contains("{}", template));
    }

    [Fact]
    public void Every_label_is_a_class_of_its_source()
    {
        foreach (var split in Enum.GetValues<DrawnSplit>())
        {
            var source = DrawnDataset.Source(split, 50, seed: 0);
            Assert.Equal(50, source.KnownCount);
            Assert.All(source.Read(NoSkip), sample => Assert.Contains(sample.Label, source.Classes!));
        }
    }

    [Fact]
    public void Stopping_leaves_no_file_behind()
    {
        using var stop = new CancellationTokenSource();
        var progress = new Once(stop.Cancel);
        Assert.Throws<OperationCanceledException>(() =>
            DrawnDataset.Write(folder.Path, DrawnSplit.Pairs, 50, 0, progress, stop.Token)
        );
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Theory]
    [InlineData(-1, 5)]
    [InlineData(DrawnDataset.LargestSeed + 1, 5)]
    [InlineData(0, -5)]
    public void A_seed_or_count_that_cannot_be_is_refused(int seed, int count)
    {
        Assert.Throws<UsageException>(() => DrawnDataset.Draw(DrawnSplit.Val, count, seed));
        Assert.Throws<UsageException>(() => DrawnDataset.Source(DrawnSplit.Val, count, seed));
        Assert.Throws<UsageException>(() => DrawnDataset.Write(folder.Path, DrawnSplit.Val, count, seed, cancel: Stop));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static void NoSkip(Skipped skipped) => Assert.Fail($"{skipped.Origin}: {skipped.Reason}");

    private sealed class Once(Action action) : IProgress<ProgressStep>
    {
        public void Report(ProgressStep value) => action();
    }
}
