using CsCheck;
using LiT.Data;
using static LiT.Tests.Data.Reading;

namespace LiT.Tests.Data;

public sealed class CaptionTableTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public CaptionTableTests()
    {
        foreach (var name in new[] { "a.jpg", "b.jpg", "sub/c.jpg" })
            folder.Write(name, Picture);
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Metadata_jsonl_names_pictures_texts_labels_and_more()
    {
        folder.Write(
            "metadata.jsonl",
            """
            {"file_name": "a.jpg", "text": "first", "label": "cat", "licence": "CC0"}

            {"file_name": "sub/c.jpg", "text": ["one", "two"]}
            """
        );

        var read = Of(folder.Path);

        Assert.Equal("folder with metadata.jsonl", read.Source.Form);
        Assert.Equal("a.jpg sub/c.jpg", read.Keys);
        Assert.Equal(["first"], read["a.jpg"].Captions);
        Assert.Equal("cat", read["a.jpg"].Label);
        Assert.Equal("CC0", read["a.jpg"].Fields["licence"]);
        Assert.Equal("metadata.jsonl, line 3", read["sub/c.jpg"].Origin);
        Assert.Equal(["one", "two"], read["sub/c.jpg"].Captions);
        Assert.Equal(Picture, read["a.jpg"].ReadImage!());
    }

    [Fact]
    public void Several_rows_of_a_picture_are_several_captions_wherever_they_stand()
    {
        folder.Write(
            "metadata.csv",
            "file_name,text\na.jpg,one\na.jpg,two\nb.jpg,other\na.jpg,\"three, far away\"\nb.jpg,other\n"
        );

        var read = Of(folder.Path);

        Assert.Equal("a.jpg b.jpg", read.Keys);
        Assert.Equal(["one", "two", "three, far away"], read["a.jpg"].Captions);
        Assert.Equal(["other"], read["b.jpg"].Captions);
        Assert.Empty(read.Skipped);
    }

    [Theory]
    [InlineData("a.jpg\tfirst\nb.jpg\tsecond\n", "x.tsv")]
    [InlineData("caption\timage\nfirst\ta.jpg\nsecond\tb.jpg", "x.tsv")]
    [InlineData("\uFEFFfilepath\ttitle\r\na.jpg\tfirst\r\nb.jpg\tsecond\r\n", "x.tsv")]
    [InlineData("\"a.jpg\"\t\"first\"\nb.jpg\tsecond\n", "x.tsv")]
    [InlineData("first,a.jpg\nsecond,b.jpg\n", "x.csv")]
    [InlineData("\"file_name\";\"text\"\n\"a.jpg\";\"first\"\n\"b.jpg\";\"second\"\n", "x.csv")]
    [InlineData("filepath\ttitle\na.jpg\tfirst\nb.jpg\tsecond\n", "x.csv")]
    [InlineData(
        "{\"file_name\": \"a.jpg\", \"text\": \"first\"}\n{\"image\": \"b.jpg\", \"caption\": \"second\"}",
        "x.jsonl"
    )]
    public void Tables_may_have_a_header_or_none_and_their_columns_any_order(string table, string name)
    {
        var read = Of(folder.Write(name, table));

        Assert.Equal("a.jpg b.jpg", read.Keys);
        Assert.Equal(["first", "second"], read.Samples.Select(s => Assert.Single(s.Captions)));
        Assert.Empty(read.Skipped);
    }

    [Fact]
    public void Quoted_cells_hold_separators_line_breaks_and_quotes()
    {
        var read = Of(
            folder.Write(
                "x.csv",
                "file_name,text,label\r\na.jpg,\"one, \"\"two\"\"\r\nthree\",7\r\nb.jpg,plain \"quotes\",8\r\n"
            ),
            new() { Classes = [.. "0123456789".Select(c => $"digit {c}")] }
        );

        Assert.Equal(["one, \"two\"\nthree"], read["a.jpg"].Captions);
        Assert.Equal(["plain \"quotes\""], read["b.jpg"].Captions);
        Assert.Equal(["digit 7", "digit 8"], read.Samples.Select(s => s.Label));
        Assert.Equal("x.csv, line 4", read["b.jpg"].Origin);
    }

    [Fact]
    public void Columns_are_chosen_by_name_or_without_a_header_by_number()
    {
        folder.Write("named.csv", "id,pic,alt,kind\n1,a.jpg,first,cat\n");
        folder.Write("bare.tsv", "1\ta.jpg\tfirst\tcat\n");
        foreach (
            var read in new[]
            {
                Of(
                    folder["named.csv"],
                    new()
                    {
                        ImageColumn = "pic",
                        CaptionColumn = "alt",
                        LabelColumn = "kind",
                    }
                ),
                Of(
                    folder["bare.tsv"],
                    new()
                    {
                        ImageColumn = "2",
                        CaptionColumn = "3",
                        LabelColumn = "4",
                    }
                ),
            }
        )
        {
            Assert.Equal(["first"], read["a.jpg"].Captions);
            Assert.Equal("cat", read["a.jpg"].Label);
            Assert.Equal(["1"], read["a.jpg"].Fields.Values);
        }
    }

    [Theory]
    [InlineData("id\tpic\n1\ta.jpg\n", null, "no column holds a picture's file name", "x.tsv")]
    [InlineData(
        "caption\tpic\nfirst\ta.jpg\n",
        null,
        "the columns are caption, pic. Say which with `ImageColumn`",
        "x.tsv"
    )]
    [InlineData(
        "file_name\ttext\na.jpg\tx\n",
        "picture",
        "no column picture; the columns are file_name, text",
        "x.tsv"
    )]
    [InlineData("a.jpg\tx\ty\n", null, "3 columns and no header", "x.tsv")]
    [InlineData("a.jpg\tx\n", "5", "Give a number from 1 to 2", "x.tsv")]
    [InlineData("", null, "is empty", "x.csv")]
    [InlineData("\"file_name,text\na.jpg,x\n", null, "x.csv, line 1: a quote is opened and not closed", "x.csv")]
    [InlineData("file_name,text\n", null, "has no rows", "x.csv")]
    public void Columns_that_cannot_be_told_are_asked_for(string table, string? image, string what, string name) =>
        Assert.Contains(
            what,
            Assert.Throws<LitException>(() => Of(folder.Write(name, table), new() { ImageColumn = image })).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Every_bad_row_is_reported_with_its_line_and_reading_goes_on()
    {
        var table = folder.Write(
            "captions.tsv",
            [
                .. "image\tcaption\n"u8,
                .. "a.jpg\tgood\n"u8,
                .. "a.jpg\tone\ttoo many\n"u8,
                .. "b.jpg\n"u8,
                .. "missing.jpg\tx\n"u8,
                .. "../../etc/passwd\tx\n"u8,
                .. "/etc/passwd\tx\n"u8,
                .. "https://example.org/x.jpg\tx\n"u8,
                .. "\tx\n"u8,
                .. "b.jpg\t \n"u8,
                .. "sub/c.jpg\tcaf"u8,
                0xe9,
                .. "\n"u8,
            ]
        );

        var read = Of(table);

        Assert.Equal("a.jpg sub/c.jpg", read.Keys);
        Assert.Equal(
            [
                "captions.tsv, line 3: 3 columns where 2 are expected (image, caption). Put one tab on each line.",
                "captions.tsv, line 4: 1 columns where 2 are expected (image, caption). Put one tab on each line.",
                "captions.tsv, line 5: there is no such file",
                $"captions.tsv, line 6: the path leads out of {folder.Path}; give `ImageRoot` with a folder that holds the pictures",
                $"captions.tsv, line 7: the path leads out of {folder.Path}; give `ImageRoot` with a folder that holds the pictures",
                "captions.tsv, line 8: an address where a file is expected; fetch the pictures first (lit data download)",
                "captions.tsv, line 9: no image path",
                "captions.tsv, line 10: empty caption",
            ],
            read.Skipped.OrderBy(s => int.Parse(s.Origin.Split(' ')[^1], null)).Select(s => $"{s.Origin}: {s.Reason}")
        );
        Assert.Equal("captions.tsv, line 11: not valid UTF-8; the bytes that are none were replaced", read.OnlyNote);
        Assert.Equal(["caf\uFFFD"], read["sub/c.jpg"].Captions);
    }

    [Fact]
    public void A_quote_that_is_never_closed_costs_its_line_only()
    {
        var read = Of(folder.Write("x.csv", "file_name,text\na.jpg,\"open\nb.jpg,fine\nsub/c.jpg,fine\n"));

        Assert.Equal("b.jpg sub/c.jpg", read.Keys);
        Assert.StartsWith(
            "x.csv, line 2: a quote is opened and not closed",
            read.OnlySkipped,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Json_lines_that_are_none_are_reported()
    {
        var read = Of(
            folder.Write(
                "metadata.jsonl",
                "{\"file_name\": \"a.jpg\"}\nnot json\n{\"text\": \"x\"}\n[1]\n{\"file_name\": \"\\ud800.jpg\"}\n"
            )
        );

        Assert.Equal("a.jpg", read.Keys);
        Assert.Equal(
            ["metadata.jsonl, line 2", "metadata.jsonl, line 3", "metadata.jsonl, line 4", "metadata.jsonl, line 5"],
            read.Skipped.Select(s => s.Origin)
        );
    }

    [Fact]
    public void Paths_may_be_relative_to_another_folder_and_absolute_inside_it()
    {
        var table = folder.Write("elsewhere/x.csv", $"file_name,text\na.jpg,one\n{folder["b.jpg"]},two\n");

        Assert.Equal(2, Of(table, new() { ImageRoot = folder.Path }).Samples.Count);
    }

    [Fact]
    public void Paths_may_be_written_with_dots_blanks_or_the_other_slash()
    {
        var read = Of(folder.Write("x.csv", "file_name,text\n./a.jpg,one\n a.jpg ,two\nsub\\c.jpg,three\n"));

        Assert.Equal(["one", "two"], read["a.jpg"].Captions);
        Assert.Equal(Picture, read[@"sub\c.jpg"].ReadImage!());
    }

    [Fact]
    public void Whatever_the_captions_hold_a_well_written_csv_gives_them_back()
    {
        var cell = Gen.OneOf(Gen.String[Gen.Char["ab,;\"\t\nü 重"], 1, 12], Gen.Const("\"\""), Gen.Const(",\n"));
        Gen.Select(cell.Array[1, 6], Gen.Bool, Gen.Char[",;\t"])
            .Sample(
                (captions, crlf, separator) =>
                {
                    var end = crlf ? "\r\n" : "\n";
                    var rows = captions.Select(
                        (caption, i) =>
                            $"p{i}.jpg{separator}\"{caption.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
                    );
                    using var table = new DelimitedText(
                        folder.Write("r.csv", $"file_name{separator}text{end}{string.Join(end, rows)}"),
                        tabs: false,
                        new()
                    );
                    foreach (var caption in captions)
                        Assert.Equal([caption], table.Next()!.Captions);
                    Assert.Null(table.Next());
                },
                iter: 300,
                threads: 1
            );
    }

    [Fact]
    public void Text_in_utf16_is_refused_with_what_to_do()
    {
        var table = folder.Write("x.csv", [0xff, 0xfe, .. System.Text.Encoding.Unicode.GetBytes("a.jpg,one\n")]);

        Assert.Contains(
            "Save it as UTF-8",
            Assert.Throws<LitException>(() => Samples.Open(table)).Message,
            StringComparison.Ordinal
        );
    }
}
