using LiT.Classification;
using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Evaluation;
using LiT.Images;
using LiT.Reports;

namespace LiT.Tests.Reports;

public sealed class EvaluationPagesTests : IDisposable
{
    private static readonly string[] Names = ["red cat", "dog, <hound>", "=bird"];
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory();

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void A_classification_is_told_as_a_page_with_tables_and_figures_beside_it()
    {
        var pictures = PicturesOnDisk(30);
        var run = Run(30, pictures);
        EvaluationFolder report = new(Path.Combine(folder.FullName, "report"), pictures, null, new(), "run");

        ClassificationPage.Write(run, report);

        var page = Pages.Parse(File.ReadAllText(report.Page));
        Assert.Contains("dog, <hound>", page.Root!.Value);
        Assert.True(page.Descendants("img").Count() >= 5, "mistakes are shown with their pictures");
        Assert.Contains("calibration error", page.Root.Value);
        Assert.All(["classes.png", "confusion.png", "reliability.png"], name =>
        {
            var figure = Decoding.Decode(File.ReadAllBytes(report.PathOf(name)));
            Assert.True(figure.Pixels.Distinct().Count() > 10, $"{name} is blank");
        });
        var classes = File.ReadAllLines(report.PathOf("classes.csv"));
        Assert.Equal("class,pictures,top1,top5,answered", classes[0]);
        Assert.Contains(classes, line => line.StartsWith("\"dog, <hound>\",10,", StringComparison.Ordinal));
        Assert.Contains(classes, line => line.StartsWith("'=bird,10,", StringComparison.Ordinal));
        Assert.Equal(
            30,
            File.ReadAllLines(report.PathOf("confusion.csv"))
                .Skip(1)
                .Sum(line => int.Parse(line.Split(',')[^1], System.Globalization.CultureInfo.InvariantCulture))
        );
    }

    [Fact]
    public void Without_the_pictures_the_page_shows_the_numbers()
    {
        EvaluationFolder report = new(
            Path.Combine(folder.FullName, "report"),
            folder.FullName,
            Path.Combine(folder.FullName, "gone"),
            new()
        );
        Assert.Contains(
            "gone",
            Assert.Throws<LitException>(() => ClassificationPage.Write(Run(30, folder.FullName), report)).Message
        );

        var store = report with { Pictures = PicturesOnDisk(3) }; // most of them are not there
        ClassificationPage.Write(Run(30, folder.FullName), store);
        Assert.Contains("What came out", Pages.Parse(File.ReadAllText(store.Page)).Root!.Value);
    }

    [Fact]
    public void Results_are_compared_and_other_pictures_are_told()
    {
        var pictures = PicturesOnDisk(30);
        foreach (var (name, count) in new[] { ("a", 30), ("b", 30), ("c", 27) })
            ClassificationPage.Write(
                Run(count, pictures),
                new(Path.Combine(folder.FullName, name), pictures, null, new())
            );

        var (rows, reports) = ComparisonPage.Read([
            .. new[] { "a", "b", "c" }.Select(name => Path.Combine(folder.FullName, name)),
        ]);
        EvaluationFolder compared = new(Path.Combine(folder.FullName, "compared"), "", null, new());
        ComparisonPage.Write(compared, rows, reports);

        Assert.Equal([true, true, false], rows.Select(row => row.SamePictures));
        Assert.Equal(rows[0].Top1, rows[1].Top1);
        Assert.Contains(
            "Not all of them are of the same pictures",
            Pages.Parse(File.ReadAllText(compared.Page)).Root!.Value
        );
    }

    [Fact]
    public void What_is_no_result_is_refused_in_one_line()
    {
        var path = Path.Combine(folder.FullName, "other.json");
        File.WriteAllText(path, "{\"a\":1}");
        Assert.Contains(path, Assert.Throws<LitException>(() => ComparisonPage.Read([path])).Message);
        Assert.Contains("no such file", Assert.Throws<LitException>(() => ComparisonPage.Read([path + "x"])).Message);
    }

    [Fact]
    public void A_retrieval_is_told_as_a_page_with_its_curve()
    {
        var pictures = PicturesOnDisk(6);
        Embeddings images = new([1, 0, 0, 1, .6f, .8f, .8f, .6f, -1, 0, 0, -1], 2),
            texts = new([1, 0, 0, 1, .8f, .6f, .6f, .8f, 0, -1, -1, 0], 2);
        var run = ModelEvaluation.Scored(
            "somewhere",
            images,
            texts,
            [.. Enumerable.Range(0, 6).Select(Key)],
            [.. Enumerable.Range(0, 6).Select(i => $"text <{i}>")],
            [.. Enumerable.Range(0, 6).Select(i => (i, i))],
            0,
            10,
            ComputeDevice.Cpu
        );
        EvaluationFolder report = new(Path.Combine(folder.FullName, "report"), pictures, null, new());

        RetrievalPage.Write(run, report);

        var page = Pages.Parse(File.ReadAllText(report.Page));
        Assert.Contains("text <0>", page.Root!.Value);
        Assert.NotEmpty(page.Descendants("img"));
        Assert.Equal(
            "1,"
                + string.Create(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"{run.Report.ImageToText.R1},{run.Report.TextToImage.R1}"
                ),
            File.ReadAllLines(report.PathOf("recall.csv"))[1]
        );
        Assert.True(Decoding.Decode(File.ReadAllBytes(report.PathOf("recall.png"))).Pixels.Distinct().Count() > 10);
    }

    [Fact]
    public void Several_languages_are_told_as_a_page_over_theirs_with_who_finds_whose_captions()
    {
        string[] codes = ["de", "fr", "<x>"];
        LanguagesReport<RetrievalReport> result = new(
            [.. codes.Select(code => new OfLanguage<RetrievalReport>(code, Retrieved(code)))],
            0.75
        )
        {
            Across = [.. codes.SelectMany(_ => codes, Found).OfType<AcrossRecall>()],
        };
        EvaluationFolder report = new(Path.Combine(folder.FullName, "languages"), folder.FullName, null, new());

        LanguagesPage.Write(result, report);

        var page = Pages.Parse(File.ReadAllText(report.Page)).Root!;
        Assert.Contains("75.0%", page.Value);
        Assert.Contains("<x>, de: 25.0%", page.Value);
        Assert.Contains("the model's own", page.Value);
        Assert.Equal(6, page.Descendants("g").Count(one => (string?)one.Attribute("class") == "cell right"));
        Assert.Equal(
            ["language,textTower,pictures,texts,textToImageR1,imageToTextR1,meanR1", "de,\"de, fr\",4,4,1,1,1"],
            File.ReadAllLines(report.PathOf("languages.csv"))[..2]
        );
        Assert.Equal("de,fr,4,4,0.25,1,1,1,0.25", File.ReadAllLines(report.PathOf("across.csv"))[1]);
        Assert.All(["languages.png", "languages-2.png", "across.png"], name =>
            Assert.True(Decoding.Decode(File.ReadAllBytes(report.PathOf(name))).Pixels.Distinct().Count() > 10, name)
        );

        static AcrossRecall? Found(string asked, string captions) =>
            asked == captions ? null : new(asked, captions, 4, 4, 0.25, 1, 1, 1, 0.25);
    }

    private static RetrievalReport Retrieved(string language)
    {
        Embeddings rows = new([1, 0, 0, 1, -1, 0, 0, -1], 2);
        string[] names = ["a", "b", "c", "d"];
        var report = ModelEvaluation
            .Scored("somewhere", rows, rows, names, names, [(0, 0), (1, 1), (2, 2), (3, 3)], 0, 10, ComputeDevice.Cpu)
            .Report;
        return report with
        {
            Protocol = report.Protocol with { Language = language, TextTower = language == "de" ? "de, fr" : null },
        };
    }

    private static string Key(int i) => $"{i % 3}/{i:00}.png";

    /// <summary>Pictures of three classes; every third of the first class is taken for the second.</summary>
    private static ClassificationRun Run(int count, string where)
    {
        var values = new float[count * 3];
        for (var i = 0; i < count; i++)
            values[i * 3 + (i % 9 == 0 ? 1 : i % 3)] = 1;
        var samples = Enumerable
            .Range(0, count)
            .Select(i => new Sample(Key(i), Key(i)) { Label = Names[i % 3] })
            .ToList();
        var set = ImageSet.Of(where, new(values, 3), samples);
        ClassNames classes = new(["red cat", "dog <hound>", "bird"]);
        Labels labels = new(new(Names), [.. samples.Select((_, i) => new[] { i % 3 })], 0, null);
        IReadOnlyList<Prompt> prompts = PromptTemplates.Fill(classes.Names, ["{}"]);
        return ModelEvaluation.Scored(
            set,
            set.ReadAll(),
            labels,
            prompts,
            new([1, 0, 0, 0, 1, 0, 0, 0, 1], 3),
            new EvaluationOptions { Templates = ["{}"] },
            5,
            ComputeDevice.Cpu
        );
    }

    private string PicturesOnDisk(int count)
    {
        var where = Path.Combine(folder.FullName, $"pictures{count}");
        for (var i = 0; i < count; i++)
        {
            var path = Path.Combine(where, Key(i));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var pixels = new byte[8 * 8 * 3];
            Array.Fill(pixels, (byte)(i * 8));
            File.WriteAllBytes(path, Thumbnail.Encode(new RgbImage(8, 8, pixels), format: ThumbnailFormat.Png));
        }
        return where;
    }
}
