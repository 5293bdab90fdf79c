using LiT.Data;

namespace LiT.Tests.Data;

/// <summary>The readers on real archives.</summary>
public class SharedDataTests
{
    [Fact]
    public void The_emoji_archive_is_read_whole()
    {
        var read = Reading.Of(SharedData.PathOf("emoji", "emoji-test.tar"));

        Assert.Equal(351, read.Samples.Count);
        Assert.Empty(read.Skipped.Concat(read.Notes));
        Assert.All(read.Samples, sample => Assert.Single(sample.Captions));
        Assert.All(read.Samples, sample =>
            Assert.Equal("PNG", System.Text.Encoding.ASCII.GetString(sample.ReadImage!(), 1, 3))
        );
    }

    [Fact]
    public void The_compressed_cifar_archive_is_read_whole_with_the_names_of_its_classes()
    {
        var classes = File.ReadAllLines(SharedData.PathOf("cifar10", "classes.txt"));
        var labels = new Dictionary<string, int>();
        var source = Samples.Open(SharedData.PathOf("cifar10", "cifar10-test.tar.gz"), new() { Classes = classes });

        foreach (var sample in source.Read(skipped => Assert.Fail($"{skipped}")))
            labels[sample.Label!] = labels.GetValueOrDefault(sample.Label!) + 1;

        Assert.Equal(classes.Order(), labels.Keys.Order());
        Assert.All(labels.Values, count => Assert.Equal(1000, count));
    }
}
