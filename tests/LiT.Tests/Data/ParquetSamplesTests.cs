using System.Diagnostics.CodeAnalysis;
using CsCheck;
using LiT.Data;
using Parquet.Serialization;
using static LiT.Tests.Data.Reading;

namespace LiT.Tests.Data;

public sealed class ParquetSamplesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Hugging_faces_image_column_with_class_names_and_lists_of_captions()
    {
        Write(
            "train-00000-of-00001.parquet",
            [
                new HuggingFaceRow
                {
                    image = new() { bytes = Picture, path = "1.jpg" },
                    label = 1,
                    caption = ["one", "two"],
                    width = 7,
                },
                new HuggingFaceRow
                {
                    image = new() { bytes = [4, 5], path = null },
                    label = null,
                    caption = [],
                },
            ],
            new()
            {
                ["huggingface"] =
                    """{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}""",
            }
        );

        var read = Of(folder.Path);

        Assert.Equal("Parquet", read.Source.Form);
        Assert.Equal(2, read.Source.KnownCount);
        Assert.Equal(["cat", "dog"], read.Source.Classes);
        var first = read["train-00000-of-00001.parquet/0"];
        Assert.Equal("train-00000-of-00001.parquet, row 0", first.Origin);
        Assert.Equal(Picture, first.ReadImage!());
        Assert.Equal(["one", "two"], first.Captions);
        Assert.Equal("dog", first.Label);
        Assert.Equal("7", first.Fields["width"]);
        Assert.Equal([4, 5], read.Samples[1].ReadImage!());
        Assert.Null(read.Samples[1].Label);
        Assert.Empty(read.Skipped);
    }

    [Fact]
    public void Img2datasets_columns_with_failed_downloads_and_duplicate_keys()
    {
        Write(
            "00000.parquet",
            [
                new Img2DatasetRow
                {
                    key = "000",
                    jpg = Picture,
                    caption = "a dog",
                    url = "http://x",
                },
                new Img2DatasetRow
                {
                    key = "001",
                    jpg = null,
                    caption = "gone",
                    error_message = "HTTP Error 404",
                },
                new Img2DatasetRow
                {
                    key = "002",
                    jpg = [],
                    caption = "nothing",
                },
                new Img2DatasetRow
                {
                    key = "003",
                    jpg = Picture,
                    caption = null,
                },
                new Img2DatasetRow
                {
                    key = "000",
                    jpg = Picture,
                    caption = "again",
                },
                new Img2DatasetRow
                {
                    key = "../005",
                    jpg = Picture,
                    caption = "out",
                },
                new Img2DatasetRow
                {
                    key = "006",
                    jpg = new byte[2000],
                    caption = "large",
                },
            ]
        );

        var read = Of(folder["00000.parquet"], new() { ImageLimit = 1000 });

        Assert.Equal("000", read.Keys);
        Assert.Equal("http://x", read["000"].Fields["url"]);
        Assert.Equal(
            [
                "row 1: no picture (HTTP Error 404)",
                "row 2: no picture (null)",
                "row 3: empty caption",
                "row 4: duplicate key",
                "row 5: the name leads out of the data set (..)",
                "row 6: a picture of 2,000 bytes where at most 1,000 are read",
            ],
            read.Skipped.Select(s => $"{s.Origin["00000.parquet, ".Length..]}: {s.Reason}")
        );
    }

    [Fact]
    public void A_column_of_paths_names_files_beside_the_table()
    {
        folder.Write("a.jpg", Picture);
        Write(
            "x.parquet",
            [
                new PathRow { image_path = "a.jpg", text = "one" },
                new PathRow { image_path = "b.jpg", text = "two" },
                new PathRow { image_path = "../c.jpg", text = "x" },
            ]
        );

        var read = Of(folder["x.parquet"]);

        Assert.Equal(Picture, Assert.Single(read.Samples).ReadImage!());
        Assert.Equal(["one"], read.Samples[0].Captions);
        Assert.Equal("there is no such file", read.Skipped[0].Reason);
        Assert.Contains("leads out of", read.Skipped[1].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_column_that_is_not_there_is_asked_for()
    {
        Write("x.parquet", [new PathRow { image_path = "a.jpg", text = "one" }]);

        Assert.Contains(
            "no column photo; the columns are image_path, text",
            Trouble(new() { ImageColumn = "photo" }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "no column holds pictures",
            Trouble(new() { ImageColumn = "none" }, "y.parquet", [new NumberRow { none = 1 }]),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Of_several_files_a_damaged_one_is_reported_and_the_others_are_read()
    {
        Write(
            "1.parquet",
            [new PathRow { image_path = folder.Write("a.jpg", Picture)[(folder.Path.Length + 1)..], text = "one" }]
        );
        folder.Write("0.parquet", "PAR1 but not really PAR1");

        var read = Of(folder.Path);

        Assert.Equal("1.parquet/0", read.Keys);
        Assert.StartsWith("0.parquet: cannot be read as Parquet", read.OnlySkipped, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_the_damage_a_row_is_used_or_skipped_and_nothing_else_is_thrown()
    {
        Write(
            "x.parquet",
            Enumerable
                .Range(0, 20)
                .Select(i => new Img2DatasetRow
                {
                    key = $"{i}",
                    jpg = [1, 2, (byte)i],
                    caption = $"caption {i}",
                })
        );
        var whole = File.ReadAllBytes(folder["x.parquet"]);
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte[1, 255], Gen.Bool)
            .Sample(
                (at, mask, cut) =>
                {
                    var bytes = cut ? whole[..at] : [.. whole];
                    if (!cut)
                        bytes[at] ^= mask;
                    var path = Path.Combine(folder.Path, $"{Guid.NewGuid():N}.parquet");
                    File.WriteAllBytes(path, bytes);
                    try
                    {
                        Assert.All(Samples.Open(path).ReadAll(), one =>
                            Assert.True(one.Sample is null != one.Skipped is null)
                        );
                    }
                    catch (LitException) { }
                    finally
                    {
                        File.Delete(path);
                    }
                },
                iter: 400,
                threads: 1
            );
    }

    private string Trouble(SampleOptions options) =>
        Assert.Throws<LitException>(() => Samples.Open(folder["x.parquet"], options)).Message;

    private string Trouble<T>(SampleOptions options, string name, T[] rows)
        where T : class, new()
    {
        Write(name, rows);
        return Assert.Throws<LitException>(() => Samples.Open(folder[name], options)).Message;
    }

    private void Write<T>(string name, IEnumerable<T> rows, Dictionary<string, string>? metadata = null)
        where T : class, new()
    {
        using var file = File.Create(folder[name]);
        ParquetSerializer.SerializeAsync(rows, file, customMetadata: metadata).GetAwaiter().GetResult();
    }

    // The members are named as the columns are.
    [SuppressMessage("Style", "IDE1006")]
    internal sealed class HuggingFaceImage
    {
        public byte[]? bytes { get; set; }
        public string? path { get; set; }
    }

    [SuppressMessage("Style", "IDE1006")]
    internal sealed class HuggingFaceRow
    {
        public HuggingFaceImage? image { get; set; }
        public long? label { get; set; }
        public List<string>? caption { get; set; }
        public int? width { get; set; }
    }

    [SuppressMessage("Style", "IDE1006")]
    internal sealed class Img2DatasetRow
    {
        public string? key { get; set; }
        public byte[]? jpg { get; set; }
        public string? caption { get; set; }
        public string? url { get; set; }
        public string? error_message { get; set; }
    }

    [SuppressMessage("Style", "IDE1006")]
    internal sealed class PathRow
    {
        public string? image_path { get; set; }
        public string? text { get; set; }
    }

    [SuppressMessage("Style", "IDE1006")]
    internal sealed class NumberRow
    {
        public int none { get; set; }
    }
}
