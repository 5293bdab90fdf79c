using LiT.Downloads;
using Parquet.Serialization;

namespace LiT.Tests.Downloads;

public sealed class UrlListTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("cc12m.tsv", "http://x.org/1.jpg\ta dog\nhttps://y.org/2\ta \"cat\"\n")]
    [InlineData("cc3m.tsv", "a dog\thttp://x.org/1.jpg\na \"cat\"\thttps://y.org/2\n")]
    [InlineData("header.tsv", "caption\turl\na dog\thttp://x.org/1.jpg\na \"cat\"\thttps://y.org/2\n")]
    [InlineData("header.csv", "URL,TEXT,other\nhttp://x.org/1.jpg,a dog,3\nhttps://y.org/2,\"a \"\"cat\"\"\",4\n")]
    [InlineData(
        "lines.jsonl",
        "{\"url\": \"http://x.org/1.jpg\", \"caption\": \"a dog\"}\n\n{\"url\": \"https://y.org/2\", "
            + "\"caption\": [\"a \\\"cat\\\"\"]}\n"
    )]
    public void Lists_as_people_have_them(string name, string content)
    {
        var rows = new UrlList(folder.Write(name, content), new()).Rows().ToList();
        Assert.Equal(
            ["0 http://x.org/1.jpg a dog", "1 https://y.org/2 a \"cat\""],
            rows.Select(row => $"{row.Number} {row.Url} {string.Join("|", row.Captions)}")
        );
    }

    [Fact]
    public async Task Parquet_lists_with_nulls()
    {
        using (var file = File.Create(folder["x.parquet"]))
            await ParquetSerializer.SerializeAsync(
                new[]
                {
                    new Row { URL = "http://x.org/1.jpg", TEXT = "a dog" },
                    new Row { URL = null, TEXT = "none" },
                    new Row { URL = "http://x.org/3", TEXT = null },
                },
                file,
                cancellationToken: TestContext.Current.CancellationToken
            );
        Assert.Equal(
            ["http://x.org/1.jpg a dog ", "  no address", "http://x.org/3  "],
            new UrlList(folder["x.parquet"], new())
                .Rows()
                .Select(row => $"{row.Url} {string.Join("|", row.Captions)} {row.Trouble}")
        );
    }

    [Fact]
    public void Yfcc100m_gives_title_description_and_tags_of_photos_and_only_of_those_wanted()
    {
        string Row(string id, string title, string description, string tags, string marker) =>
            string.Join(
                '\t',
                [
                    id,
                    "7@N00",
                    "me",
                    "2008",
                    "1218",
                    "Canon",
                    title,
                    description,
                    tags,
                    "",
                    "",
                    "",
                    "",
                    $"http://www.flickr.com/photos/7/{id}/",
                    $"http://farm1.staticflickr.com/1/{id}_a.jpg",
                    "Attribution+License",
                    "http://creativecommons.org/licenses/by/2.0/",
                    "1",
                    "1",
                    "a",
                    "b",
                    "jpg",
                    marker,
                ]
            );
        var list = folder.Write(
            "yfcc100m_dataset-0",
            string.Join(
                '\n',
                Row("11", "A+dog", "On+%3Cb%3Ethe%3C%2Fb%3E%0Abeach", "dog,sea+side", "0"),
                Row("12", "", "", "", "0"),
                Row("13", "film", "", "", "1")
            ) + "\n"
        );

        var rows = new UrlList(list, new()).Rows().ToList();
        Assert.Equal(["A dog", "On the beach", "dog sea side"], rows[0].Captions);
        Assert.Equal("http://farm1.staticflickr.com/1/11_a.jpg", rows[0].Url);
        Assert.Equal("11", rows[0].Fields["photo_id"]);
        Assert.Empty(rows[1].Captions);
        Assert.Equal("a video", rows[2].Trouble);

        var ids = folder.Write("yfcc100m_subset_data.tsv", "5\t12\tabc\n6\t99\tdef\n");
        Assert.Equal(
            "http://farm1.staticflickr.com/1/12_a.jpg",
            Assert.Single(new UrlList(list, new() { OnlyIds = ids }).Rows()).Url
        );

        var numbered = folder.Write(
            "numbered",
            string.Join('\n', $"1\t{Row("11", "A+dog", "", "", "0")}", "2\tjunk") + "\n"
        );
        Assert.Equal(["A dog", ""], new UrlList(numbered, new()).Rows().Select(row => string.Join("|", row.Captions)));
    }

    [Theory]
    [InlineData("http://x.org/1\ta\tb\n", "3 columns and no header")]
    [InlineData("name\tword\nx\ty\n", "no column holds addresses; the columns are name, word")]
    [InlineData("", "is empty")]
    public void A_list_whose_columns_cannot_be_told_says_so(string content, string message)
    {
        var path = folder.Write("x.tsv", content);
        Assert.Contains(
            message,
            Assert.Throws<LitException>(() => new UrlList(path, new())).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Bytes_that_are_no_text_and_very_long_captions_are_no_trouble()
    {
        var path = folder.Write(
            "x.tsv",
            [
                .. "http://x.org/1\t"u8,
                0xff,
                0xfe,
                (byte)'a',
                (byte)'\n',
                .. "http://x.org/2\t"u8,
                .. Enumerable.Repeat((byte)'b', 2_000_000),
                (byte)'\n',
            ]
        );
        var rows = new UrlList(path, new()).Rows().ToList();
        Assert.Equal("\uFFFD\uFFFDa", rows[0].Captions[0]);
        Assert.Equal(2_000_000, rows[1].Captions[0].Length);
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage(
        "Performance",
        "CA1812",
        Justification = "Made by the serializer."
    )]
    private sealed class Row
    {
        public string? URL { get; set; }

        public string? TEXT { get; set; }
    }
}
