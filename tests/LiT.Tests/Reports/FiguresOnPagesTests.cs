using System.Xml.Linq;
using LiT.Images;
using LiT.Reports;
using LiT.Tests.Images;

namespace LiT.Tests.Reports;

public class FiguresOnPagesTests
{
    [Fact]
    public void A_line_chart_draws_each_series_with_its_own_dash_and_mark_and_lists_the_numbers()
    {
        var chart = new LineChart
        {
            Title = "Loss",
            Series = [new("training", [(0, 4), (10, 2), (20, 1)]), new("validation", [(0, 5), (20, 2)])],
        };
        var figure = Pages.Check(Page(chart.Render())).Descendants("figure").Single();
        var series = figure
            .Elements("svg")
            .Descendants("g")
            .Where(g => g.Attribute("class")?.Value.StartsWith("series", StringComparison.Ordinal) == true)
            .ToList();
        Assert.Equal(["series s0", "series s1"], series.Select(g => g.Attribute("class")!.Value));
        Assert.Equal((3, 2), (series[0].Descendants("circle").Count(), series[1].Descendants("rect").Count()));
        Assert.Equal("M52 64.5L259 169.5L466 222", series[0].Element("path")!.Attribute("d")!.Value);
        Assert.Contains(
            "training: from 4 to 1 between step 0 and 20; lowest 1 at 20, highest 4 at 0.",
            figure.Descendants("desc").Single().Value
        );
        Assert.Equal(
            ["0", "4", "5", "10", "2", "", "20", "1", "2"],
            figure.Descendants("tbody").Single().Descendants("tr").Elements().Select(cell => cell.Value)
        );
    }

    public static TheoryData<string, (double, double)[]> Odd =>
        new()
        {
            { "none", [] },
            { "one", [(3, 0.5)] },
            { "one that is none", [(3, double.NaN)] },
            { "a gap", [(0, 1), (1, double.NaN), (2, double.PositiveInfinity), (3, 2)] },
            { "the same twice", [(1, 1), (1, 1)] },
            { "flat", [(0, 0), (100, 0)] },
            { "huge", [(0, -1e300), (1, 1e300)] },
            {
                "many with gaps",
                [.. Enumerable.Range(0, 5000).Select(i => ((double)i, i % 900 < 50 ? double.NaN : Math.Sin(i)))]
            },
        };

    [Theory]
    [MemberData(nameof(Odd), DisableDiscoveryEnumeration = true)]
    public void A_line_chart_takes_any_points(string name, (double, double)[] points)
    {
        foreach (var percent in new[] { false, true })
        {
            var chart = new LineChart
            {
                Title = name,
                Series = [new(name, points), new("other", [(0, 1)])],
                Percent = percent,
                Level = ("chance", 0.1),
            };
            var page = Pages.Check(Page(chart.Render(), (chart with { Series = [new(name, points)] }).Render()));
            Assert.True(page.Descendants("path").Attributes("d").Sum(d => d.Value.Length) < 40_000);
        }
    }

    [Fact]
    public void Many_points_are_drawn_as_means_with_a_band_around_them()
    {
        var chart = new LineChart
        {
            Title = "t",
            Series = [new("s", [.. Enumerable.Range(0, 10_000).Select(i => ((double)i, i % 2 == 0 ? 1.0 : 3.0))])],
        };
        var paths = Pages
            .Check(Page(chart.Render()))
            .Descendants("g")
            .First(g => g.Attribute("class")?.Value == "series s0" && g.Parent!.Attribute("role") is not null)
            .Elements("path")
            .ToList();
        Assert.Equal("band", paths[0].Attribute("class")!.Value);
        Assert.Single(
            paths[1].Attribute("d")!.Value.Split('M', 'L').Skip(1).Select(point => point.Split(' ')[1]).Distinct()
        );
    }

    [Fact]
    public void A_bar_chart_is_a_table_with_value_level_and_interval()
    {
        var chart = new BarChart
        {
            Title = "Right",
            LevelName = "chance",
            Bars = [new("colour <b>", 0.9, 0.85, 0.95, 0.25, "of 400"), new("odd", double.NaN, Level: 0.5)],
        };
        var rows = Pages.Check(Page(chart.Render())).Descendants("tbody").Single().Elements("tr").ToList();
        Assert.Equal(["colour <b>", "odd"], rows.Select(row => row.Element("th")!.Value));
        Assert.Equal("90.0%, chance 25.0% of 400", rows[0].Elements("td").Last().Value);
        Assert.Equal(
            ["85", "95"],
            rows[0]
                .Descendants("line")
                .First()
                .Attributes()
                .Where(a => a.Name == "x1" || a.Name == "x2")
                .Select(a => a.Value)
        );
        Assert.StartsWith("–", rows[1].Elements("td").Last().Value);
        Pages.Check(
            Page(
                new BarChart { Title = "none", Bars = [] }.Render(),
                new BarChart
                {
                    Title = "zero",
                    Bars = [new("a", 0)],
                    Percent = false,
                }.Render()
            )
        );
    }

    [Fact]
    public void A_confusion_picture_shows_the_matrix_and_lists_the_commonest_mistakes_first()
    {
        var confusion = new ConfusionPicture
        {
            Classes = ["cat", "dog", "<i>"],
            Counts =
            [
                [8, 2, 0],
                [5, 5, 0],
                [0, 0, 0],
            ],
        };
        var page = Pages.Check(Page(confusion.Render()));
        Assert.Equal(9, page.Descendants("rect").Count());
        Assert.Contains("13 of 20", page.Descendants("desc").Single().Value);
        Assert.Equal(
            ["dog", "cat", "5", "50.0%", "cat", "dog", "2", "20.0%"],
            page.Descendants("tbody").Single().Descendants("tr").Elements().Select(cell => cell.Value)
        );
        Assert.Contains(page.Descendants("title"), title => title.Value == "dog taken for cat: 5 of 10");
    }

    [Fact]
    public void Confusions_of_no_class_one_class_or_a_thousand_are_shown_as_far_as_they_can_be()
    {
        var many = new ConfusionPicture
        {
            Classes = [.. Enumerable.Range(0, 1000).Select(i => $"class {i}")],
            Counts =
            [
                [3, 1],
            ],
        };
        Assert.Empty(Pages.Check(Page(many.Render())).Descendants("svg"));
        Pages.Check(
            Page(
                new ConfusionPicture { Classes = [], Counts = [] }.Render(),
                new ConfusionPicture
                {
                    Classes = ["one"],
                    Counts =
                    [
                        [7],
                    ],
                }.Render(),
                new ConfusionPicture
                {
                    Classes = [.. Enumerable.Range(0, 60).Select(i => new string('x', i))],
                    Counts = [],
                }.Render()
            )
        );
    }

    [Fact]
    public void Pictures_carry_right_and_wrong_as_sign_and_word_and_hostile_words_as_words()
    {
        const string hostile = "<script>alert(1)</script>";
        var grid = new PictureGrid
        {
            Pictures =
            [
                new(
                    GeneratedPictures.Plain,
                    "sky",
                    [new("sky", 0.75), new("sea", 0.2), new("tree", 0.05), new("left out", 0)]
                ),
                new(GeneratedPictures.Plain, hostile, [new("sky", double.NaN)]),
                new(GeneratedPictures.Plain, null, []),
                new(new RgbImage(400, 300, new byte[360_000]), "large", [new("big", 1)], Right: true),
            ],
        };
        var cards = Pages.Check(Page(grid.Render())).Descendants("figure").ToList();
        Assert.Equal(
            ["✓ right", "✗ wrong", null, "✓ right"],
            cards.Select(card =>
                card.Descendants("span")
                    .FirstOrDefault(e =>
                        e.Attribute("class")?.Value.StartsWith("sign", StringComparison.Ordinal) == true
                    )
                    ?.Value
            )
        );
        Assert.Equal(
            ["sky 75.0%", "sea 20.0%", "tree 5.0%"],
            cards[0].Descendants("li").Select(line => line.Value.Trim())
        );
        Assert.Equal(hostile, cards[1].Element("img")!.Attribute("alt")!.Value);
        Assert.StartsWith("data:image/jpeg", cards[3].Element("img")!.Attribute("src")!.Value);
        Pages.Check(Page(new PictureGrid { Pictures = [] }.Render()));
    }

    [Fact]
    public void A_table_puts_numbers_right_names_rows_and_takes_short_or_no_rows()
    {
        var table = new Table
        {
            Caption = "Results",
            Columns = ["what", "share", "words"],
            Rows =
            [
                ["a", "12.5%", "x"],
                ["b", "–"],
                ["c", "-1", "3 of 4 & more"],
            ],
        };
        var page = Pages.Check(Page(table.Render(), (table with { Rows = [] }).Render()));
        var cells = page.Descendants("tbody")
            .Single()
            .Elements("tr")
            .Select(row => row.Elements().Select(cell => cell.Attribute("class")?.Value).ToArray())
            .ToList();
        Assert.All(cells, row => Assert.Equal(["prose", "number", "prose"], row));
        Assert.Equal(["a", "b", "c"], page.Descendants("tbody").Single().Descendants("th").Select(head => head.Value));
    }

    private static HtmlReport Page(params Html[] parts) =>
        new() { Title = "Test", Sections = [new("Part", null, parts)] };
}
