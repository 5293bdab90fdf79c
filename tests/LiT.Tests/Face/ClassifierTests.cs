using LiT.Classification;
using LiT.Data;
using LiT.Embedding;
using LiT.Evaluation;
using LiT.Images;
using Microsoft.Extensions.AI;

namespace LiT.Tests.Face;

public sealed class ClassifierTests(SmallModel small) : IClassFixture<SmallModel>
{
    private static readonly string[] Labels = ["a", "b", "c a", "b b b"];
    private readonly CancellationToken cancel = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task A_file_gets_the_answer_that_each_step_done_by_hand_gives(bool fast, bool exif)
    {
        ClassifierOptions options = new()
        {
            Templates = ["{}", "a {} b"],
            FastDecoding = fast,
            HonourExif = exif,
            MinPrecision = 0.5,
            Present = 0.3,
        };
        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        var classifier = await model.ClassifierAsync(Labels, options, cancel);
        foreach (var path in Directory.EnumerateFiles(small.Pictures).Append(small["turned.jpg"]))
        {
            var (probabilities, expected) = ByHand(path, options);
            var answer = await classifier.ClassifyAsync(path, cancel);
            Assert.Equal(
                probabilities.Zip(Labels).OrderByDescending(pair => pair.First).Select(pair => pair.Second),
                answer.Labels.Select(label => label.Label)
            );
            Assert.Equal(probabilities.OrderDescending(), answer.Labels.Select(label => label.Probability));
            Assert.Equal(expected, answer.ExpectedPrecision);
            Assert.Equal(expected < 0.5, answer.NoneOfThese);
            Assert.Equal(answer.NoneOfThese == true ? null : answer.Labels[0], answer.Best);
        }
    }

    [Fact]
    public async Task A_path_its_bytes_a_stream_and_a_content_of_them_get_one_answer()
    {
        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        var classifier = await model.ClassifierAsync(Labels, null, cancel);
        var path = small["turned.jpg"];
        var bytes = File.ReadAllBytes(path);
        var expected = await classifier.ClassifyAsync(path, cancel);
        await using var stream = File.OpenRead(path);
        foreach (
            var answer in new[]
            {
                await classifier.ClassifyAsync(bytes, cancel),
                await classifier.ClassifyAsync(stream, cancel),
                await classifier.ClassifyAsync(new DataContent(bytes, "image/jpeg"), cancel),
                await classifier.ClassifyAsync(
                    new DataContent($"data:image/jpeg;base64,{Convert.ToBase64String(bytes)}"),
                    cancel
                ),
            }
        )
            Assert.Equal(expected.Labels, answer.Labels);
        Assert.True(stream.CanRead);
        Assert.Null(expected.NoneOfThese);
        Assert.Equal(expected.Labels[0], expected.Best);
        Assert.Equal(1, expected.Labels.Sum(label => label.Probability), 6);
    }

    [Fact]
    public async Task Several_files_are_answered_in_their_order_and_a_bad_one_stops_nothing()
    {
        using var model = await LitModel.LoadAsync(small.Published, null, cancel);
        var classifier = await model.ClassifierAsync(Labels, null, cancel);
        File.WriteAllText(small["page.png"], "<html>");
        string[] good = [.. Directory.EnumerateFiles(small.Pictures).Order(StringComparer.Ordinal)];
        string[] paths = [small["missing.png"], .. good, small["page.png"], small.Pictures, good[0]];
        List<ClassifiedFile> answers = [];
        await foreach (var answer in classifier.ClassifyAsync(paths, cancel))
            answers.Add(answer);

        Assert.Equal(paths, answers.Select(answer => answer.Path));
        Assert.Equal("there is no such file", answers[0].Problem);
        Assert.Equal("a web page, not a picture", answers[^3].Problem);
        Assert.StartsWith("is a folder", answers[^2].Problem);
        Assert.Equal(answers[1].Picture!.Labels, answers[^1].Picture!.Labels);
        Assert.All(answers, answer => Assert.True(answer.Picture is null != answer.Problem is null));
        var missing = await Assert.ThrowsAsync<PictureException>(() => classifier.ClassifyAsync(paths[0], cancel));
        Assert.Contains("missing.png: there is no such file. Check the path.", missing.Message);
    }

    [Fact]
    public async Task What_cannot_be_answered_is_refused_with_what_to_do()
    {
        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        using var bare = await LitModel.LoadAsync(small.Other, null, cancel);
        Task<LitException> Refused(LitModel asked, string[] labels, ClassifierOptions? options = null) =>
            Assert.ThrowsAsync<LitException>(() => asked.ClassifierAsync(labels, options, cancel));

        Assert.Contains("no class", (await Refused(model, [])).Message);
        Assert.Contains("both called 'a'", (await Refused(model, ["a", "a"])).Message);
        Assert.Contains("leaves no word", (await Refused(model, ["a", "!"])).Message);
        Assert.Contains("are one to the text tower", (await Refused(model, ["a b", "a_b"])).Message);
        Assert.Contains("Templates: there is none", (await Refused(model, ["a"], new() { Templates = [] })).Message);
        Assert.Contains(
            "'no place' is to have {} once",
            (await Refused(model, ["a"], new() { Templates = ["{}", "no place"] })).Message
        );
        Assert.Contains("MinPrecision 1:", (await Refused(model, ["a"], new() { MinPrecision = 1 })).Message);
        Assert.Contains("Present 0:", (await Refused(model, ["a"], new() { Present = 0 })).Message);
        var none = await Refused(bare, ["a"], new() { MinPrecision = 0.9 });
        Assert.Contains("Calibrate the model once", none.Message);

        var classifier = await model.ClassifierAsync(["a"], null, cancel);
        var type = await Assert.ThrowsAsync<LitException>(() =>
            classifier.ClassifyAsync(new DataContent(SmallModel.Picture(0), "image/x-icon"), cancel)
        );
        Assert.Contains("media type is image/x-icon", type.Message);
        var small1 = await model.ClassifierAsync(["a"], new() { MaxPixels = 10 }, cancel);
        var large = await Assert.ThrowsAsync<PictureException>(() =>
            small1.ClassifyAsync(SmallModel.Picture(0), cancel)
        );
        Assert.Contains("more than 10 pixels", large.Message);
    }

    // Every step as lit classify took it when it was a loop over a file's parts.
    private (double[] Probabilities, double Expected) ByHand(string path, ClassifierOptions options)
    {
        using var lit = LitModel.Load(small.Bundle);
        var prompts = PromptTemplates.Fill(Labels, options.Templates);
        var classes = ZeroShot.ClassEmbeddings(
            lit.EmbedTexts([.. prompts.Select(prompt => prompt.Text)]),
            [.. prompts.Select(prompt => prompt.Class)],
            Labels.Length
        );
        NamingCutOff cutOff = new(Background.Load(small.Bundle)!, classes, options.Present);
        var preprocessing = lit.Image.Preprocessing with
        {
            HonourExif = options.HonourExif,
            Background = new Rgb24(255, 255, 255),
        };
        Preparation preparation = new(preprocessing, 100_000_000, Ahead: 1)
        {
            Decode = options.FastDecoding ? DecodePath.Fast : DecodePath.Exact,
        };
        Found[] found = [new(new Sample(path, path) { ReadImage = () => File.ReadAllBytes(path) }, null)];
        var picture = Assert.Single(PreparedPictures.InOrder(found, preparation, cancel)).Picture!;
        var zimg = lit.ProjectImages(new(lit.Represent([picture.Pixels]), lit.Image.Tower.Width));
        return (lit.Probabilities(zimg[0], classes), cutOff.Precision(zimg)[0]);
    }
}
