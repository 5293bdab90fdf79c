using static LiT.Tests.Data.Reading;

namespace LiT.Tests.Data;

/// <summary>What separates the cells of a .csv is told by what the cells then are.</summary>
public sealed class SeparatorTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("a.jpg\ta dog, brown\nb.jpg\ta cat; grey, old\nc.jpg\ta tree\n")]
    [InlineData("a.jpg;a dog, brown\nb.jpg;a cat, grey\nc.jpg;a tree\n")]
    [InlineData("a dog, brown;a.jpg\na cat, grey;b.jpg\na tree, tall;c.jpg\n")]
    [InlineData("a.jpg|a dog, brown\nb.jpg|a cat, grey\nc.jpg|a tree\n")]
    [InlineData("a.jpg,\"a dog; brown\"\nb.jpg,a cat; grey\nc.jpg,a tree; tall\n")]
    [InlineData("file_name;text\na.jpg;a dog, brown\nb.jpg;a cat, grey\nc.jpg;a tree\n")]
    [InlineData("File Name|Alt-Text\na.jpg|a dog, brown\nb.jpg|a cat, grey\nc.jpg|a tree\n")]
    [InlineData("image\tcaption\na.jpg\ta dog, brown\nb.jpg\ta cat, grey\nc.jpg\ta tree\n")]
    public void Three_rows_with_their_captions(string table)
    {
        foreach (var name in new[] { "a.jpg", "b.jpg", "c.jpg" })
            folder.Write(name, Picture);
        folder.Write("list.csv", table);

        var read = Of(folder["list.csv"]);

        Assert.Equal("a.jpg b.jpg c.jpg", read.Keys);
        Assert.Empty(read.Skipped);
        Assert.StartsWith("a dog", Assert.Single(read["a.jpg"].Captions), StringComparison.Ordinal);
        Assert.EndsWith("brown", Assert.Single(read["a.jpg"].Captions), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("prompt")]
    [InlineData("TEXT")]
    [InlineData("Alt Text")]
    [InlineData("image-caption")]
    [InlineData("raw_caption")]
    [InlineData("sentence")]
    public void One_list_of_usual_names_for_every_table(string name)
    {
        folder.Write("a.jpg", Picture);
        folder.Write("t.csv", $"image,{name},other\na.jpg,hello,1\n");
        folder.Write("t.tsv", $"image\t{name}\tother\na.jpg\thello\t1\n");
        folder.Write("t.jsonl", $"{{\"image\": \"a.jpg\", \"{name}\": \"hello\", \"other\": 1}}\n");
        foreach (var table in new[] { "t.csv", "t.tsv", "t.jsonl" })
        {
            var sample = Of(folder[table])["a.jpg"];
            Assert.Equal((string[])["hello"], sample.Captions);
            Assert.Equal("1", sample.Fields["other"]);
        }
    }
}
