using LiT.Reports;

namespace LiT.Tests.Reports;

public sealed class TuningReportTests : IDisposable
{
    private readonly string run = Directory.CreateTempSubdirectory("lit-report-").FullName;

    [Fact]
    public void A_run_becomes_a_page_with_its_curves_final_numbers_and_settings()
    {
        Metrics(
            """{"step":0,"epoch":0,"loss":6.2,"temperature":10,"bias":0,"lr":0,"i2tAccuracy":0.01,"t2iAccuracy":0.02,"gradNorm":3,"pairsPerSecond":900,"seconds":1}""",
            """{"step":10,"epoch":1,"loss":2.5,"temperature":14,"bias":0,"lr":0.001,"i2tAccuracy":0.5,"t2iAccuracy":0.4,"gradNorm":2,"pairsPerSecond":910,"seconds":60}""",
            """{"step":10,"val":{"loss":2.75,"imageToText":{"r1":0.41,"r5":0.8},"textToImage":{"r1":0.39,"r5":0.7},"medianRank":2}}""",
            """{"step":20,"epoch":2,"loss":1.5,"temperature":15,"bias":0,"lr":0,"i2tAccuracy":0.7,"t2iAccuracy":0.6,"gradNorm":1,"pairsPerSecond":905,"seconds":120}""",
            """{"step":20,"val":{"loss":2.9,"imageToText":{"r1":0.36,"r5":0.82},"textToImage":{"r1":0.35,"r5":0.71},"medianRank":3}}"""
        );
        File.WriteAllText(
            Path.Combine(run, "config.json"),
            """{"lock":"Lu","optimizer":{"name":"<adafactor>","lr":0.001},"resume":null,"layers":[1,2]}"""
        );

        Assert.Equal(Path.Combine(run, "report.html"), TuningReport.Write(run));
        var page = Pages.Parse(File.ReadAllText(Path.Combine(run, "report.html")));
        Pages.Check(TuningReport.Build(run));
        Assert.Equal(
            [
                "Loss",
                "Accuracy within the batch",
                "Temperature",
                "Learning rate",
                "Gradient norm",
                "Pairs per second",
                "Image → text",
                "Text → image",
                "Median rank",
            ],
            page.Descendants("figure")
                .Where(figure => figure.Attribute("class")?.Value == "chart")
                .Select(figure => figure.Element("figcaption")!.Value)
        );
        var rows = page.Descendants("tr").Select(row => row.Elements().Select(cell => cell.Value).ToArray()).ToList();
        Assert.Contains(["validation: image → text recall@1", "41.0%", "36.0%", "41.0%", "10"], rows);
        Assert.Contains(["validation: loss", "2.75", "2.9", "2.75", "10"], rows);
        Assert.Contains(["loss", "6.2", "1.5", "1.5", "20"], rows);
        Assert.Contains(["optimizer.name", "<adafactor>"], rows);
        Assert.Contains("Over 20 steps the loss went from 6.2 to 1.5.", page.Descendants("p").Select(p => p.Value));
        Assert.Equal(
            "36.0%",
            page.Descendants("dl")
                .Single(list => list.Attribute("class")?.Value == "key")
                .Descendants("b")
                .First()
                .Value
        );
    }

    [Fact]
    public void A_run_that_was_killed_and_resumed_shows_what_counts()
    {
        Metrics(
            """{"step":1,"loss":3}""",
            """{"step":2,"loss":99}""",
            """{"step":2,"loss":2}""",
            """{"step":3,"loss":"NaN"}""",
            """{"step":4,"lo"""
        );
        var page = Pages.Check(TuningReport.Build(run));
        Assert.Contains(
            ["loss", "3", "–", "2", "2"],
            page.Descendants("tr").Select(row => row.Elements().Select(cell => cell.Value).ToArray())
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("""{"step":0,"loss":1.5}""")]
    [InlineData("""{"loss":null}""")]
    [InlineData("""{"step":5,"val":{"top1":0.5}}""")]
    public void A_run_that_has_hardly_begun_has_a_page_too(string line)
    {
        Metrics(line);
        Pages.Check(TuningReport.Build(run));
    }

    [Fact]
    public void Files_that_are_missing_or_broken_are_named()
    {
        Assert.Contains(
            "metrics.jsonl: cannot be read",
            Assert.Throws<LitException>(() => TuningReport.Write(run)).Message
        );
        Metrics("""{"step":0}""", "rubbish", """{"step":1}""");
        Assert.Contains("metrics.jsonl, line 2: ", Assert.Throws<LitException>(() => TuningReport.Write(run)).Message);
        Metrics("""{"step":0}""");
        File.WriteAllText(Path.Combine(run, "config.json"), "{");
        Assert.Contains(
            "config.json: cannot be read as JSON",
            Assert.Throws<LitException>(() => TuningReport.Write(run)).Message
        );
        Assert.False(File.Exists(Path.Combine(run, "report.html")));
    }

    public void Dispose() => Directory.Delete(run, recursive: true);

    private void Metrics(params string[] lines) => File.WriteAllLines(Path.Combine(run, "metrics.jsonl"), lines);
}
