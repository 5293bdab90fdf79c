using System.Xml.Linq;
using LiT.Reports;
using LiT.Tests.Images;

namespace LiT.Tests.Reports;

public class QuickstartReportTests
{
    private const string Hostile = "<script>alert('\"&')</script>\u0007";

    private static readonly QuickstartResults Full = new()
    {
        Title = $"Quickstart {Hostile}",
        Lead = Hostile,
        Facts = [("tower", Hostile)],
        Accuracies =
        [
            new("new pictures", 0.913, 0.1, 2000, 0.9, 0.925, 0.942, Hostile),
            new("new classes", 0.713, 0.125, 800),
        ],
        Composition = [new(Hostile, 0.94, 0.25, 400, 0.91, 0.96, null, Hostile), new("place", double.NaN, 0.5, 0)],
        Retrieval = [new("words → pictures", 0.59, 0.86, 0.93, 1000, 1), new("pictures → words", double.NaN, 0, 0, 0)],
        Loss = [new(Hostile, [(0, 5), (10, double.NaN), (20, 1)])],
        Recall = [new("recall", [(0, 0.1)])],
        Pictures = [new(GeneratedPictures.Plain, Hostile, [new(Hostile, 0.5)])],
        Confusion = new()
        {
            Classes = [Hostile, "b"],
            Counts =
            [
                [1, 2],
                [3, 4],
            ],
        },
        Commands = [new(Hostile, $"./lit classify \"{Hostile}\"")],
    };

    [Fact]
    public void Everything_that_was_found_out_is_on_the_page_and_nothing_of_it_becomes_markup()
    {
        var page = Pages.Check(QuickstartReport.Build(Full));
        Assert.Equal(7, page.Descendants("h2").Count());
        Assert.Equal(7, page.Descendants("nav").Descendants("a").Count());
        Assert.Equal(
            ["91.3%", "71.3%"],
            page.Descendants("dl")
                .Single(list => list.Attribute("class")?.Value == "key")
                .Descendants("b")
                .Select(b => b.Value)
        );
        var rows = page.Descendants("tr").Select(row => row.Elements().Select(cell => cell.Value).ToArray()).ToList();
        Assert.Contains(["new classes", "71.3%", "–", "12.5%", "–", "800", "–"], rows);
        Assert.Contains("alert", page.Descendants("code").Single().Value);
    }

    [Fact]
    public void What_was_not_measured_is_left_out()
    {
        Assert.Empty(Pages.Check(QuickstartReport.Build(new QuickstartResults())).Descendants("section"));
        var page = Pages.Check(QuickstartReport.Build(new QuickstartResults { Retrieval = Full.Retrieval }));
        Assert.Equal("Finding pictures by words, and words by pictures", page.Descendants("h2").Single().Value);
        Assert.Empty(page.Descendants("nav"));
    }

    [Fact]
    public void The_same_results_give_the_same_page() =>
        Assert.Equal(QuickstartReport.Build(Full).Render(), QuickstartReport.Build(Full).Render());

    [Fact]
    public void The_page_is_written_whole()
    {
        var folder = Directory.CreateTempSubdirectory("lit-quickstart-").FullName;
        var path = Path.Combine(folder, "sub", "report.html");
        QuickstartReport.Build(Full).Save(path);
        Assert.Equal(QuickstartReport.Build(Full).Render(), File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));
        Directory.Delete(folder, recursive: true);
    }
}
