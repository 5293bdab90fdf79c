using LiT.Data;

namespace LiT.Tests.Data;

public sealed class WebDatasetTests : IDisposable
{
    private static readonly byte[] Picture = [0xff, 0xd8, 1, 2, 3];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Members_of_one_key_are_one_sample()
    {
        var path = folder.Write("a.tar", new TarBuilder()
            .Add("train/000.jpg", Picture).Add("train/000.txt", "a dog\n a brown dog \n").Add("train/000.cls", "1")
            .Add("train/000.json", """{"caption": "a dog", "url": "http://x", "width": 7}""")
            .Add("train/001.PNG", Picture).ToArray());

        var (samples, skipped) = Read(path, new() { Classes = ["cat", "dog"] });

        Assert.Empty(skipped);
        Assert.Equal(["train/000", "train/001"], samples.Select(s => s.Key));
        Assert.Equal(["a dog", "a brown dog"], samples[0].Captions);
        Assert.Equal("dog", samples[0].Label);
        Assert.Equal("7", samples[0].Fields["width"]);
        Assert.Equal("a.tar:train/000.jpg", samples[0].Origin);
        Assert.Equal(Picture, samples[0].ReadImage!());
        Assert.Empty(samples[1].Captions);
        Assert.Null(samples[1].Label);
    }

    [Fact]
    public void Shards_are_named_by_a_brace_range_and_may_be_compressed()
    {
        for (var i = 8; i < 12; i++)
            folder.Write($"s-{i:000}.tar.gz", new TarBuilder().Add($"{i}.jpg", Picture).ToGzip());

        var (samples, _) = Read(folder["s-{008..011}.tar.gz"]);

        Assert.Equal(["8", "9", "10", "11"], samples.Select(s => s.Key));
    }

    private static (List<Sample> Samples, List<Skipped> Skipped) Read(string path, SampleOptions? options = null)
    {
        var skipped = new List<Skipped>();
        return ([.. Samples.Open(path, options).Read(skipped.Add)], skipped);
    }
}
