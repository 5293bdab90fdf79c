using LiT.Checkpoints;
using LiT.Classification;
using LiT.Evaluation;

namespace LiT.Tests.Evaluation;

public sealed class GivenEmbeddingsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Embeddings_from_elsewhere_are_classified_like_a_models_own()
    {
        Rows("images.npy", [1, 0, 0], [0, 1, 0], [.6f, .8f, 0], [0, 0, 1]);
        Rows("texts.npy", [1, 0, 0], [0, 1, 0], [0, 0, 1]);
        folder.Write("labels.txt", "cat\ndog\tcat\ncat\n\n");
        folder.Write("classes.txt", "cat\ndog\nbird\n");
        var run = GivenEmbeddings.Classify(
            Options() with
            {
                Labels = folder["labels.txt"],
                Classes = ClassNames.Read(folder["classes.txt"]),
                Temperature = 1,
            },
            _ => { }
        );
        Assert.Equal((3, 1), (run.Report.N, run.Report.Unlabelled));
        Assert.Equal(2 / 3.0, run.Report.Top1, 12); // the third is a cat and looks like a dog
        Assert.Equal([new Mistake("cat", "dog", 1)], run.Report.Mistakes);
        Assert.Equal([0, 1, 1, 2], run.Score.Predictions);
        Assert.Equal(Math.Exp(.8) / (Math.Exp(.8) + Math.Exp(.6) + 1), run.Score.Answers[2].Probability!.Value, 6);
        Assert.Contains("'bird'", Assert.Single(run.Report.Warnings)); // a class without a picture

        PredictionFile.Write(folder["answers.jsonl"], run);
        Assert.Contains(
            "\"labels\":[\"cat\"],\"answer\":\"dog\",\"right\":false",
            File.ReadLines(folder["answers.jsonl"]).ElementAt(2)
        );
    }

    [Fact]
    public void Several_prompts_a_class_are_averaged_and_rows_of_other_lengths_are_brought_to_one()
    {
        Rows("images.npy", [5, 0], [0, 1]);
        Rows("texts.npy", [1, 0], [.6f, .8f], [0, 1]);
        Npy.Write(folder["of.npy"], new[] { 0, 0, 1 }, 3);
        Npy.Write(folder["labels.npy"], new[] { 0, -1, 1, -1 }, 2, 2);
        List<string> said = [];
        var run = GivenEmbeddings.Classify(
            Options() with
            {
                TextClasses = folder["of.npy"],
                Labels = folder["labels.npy"],
            },
            said.Add
        );
        Assert.Equal(1, run.Report.Top1);
        Assert.Contains("1 of 2 rows", Assert.Single(said));
        Assert.Equal(2, run.Classes.Count);
    }

    [Fact]
    public void A_text_may_belong_to_several_images_and_some_to_none()
    {
        Rows("images.npy", [1, 0], [0, 1], [.6f, .8f]);
        Rows("texts.npy", [.6f, .8f], [1, 0], [.8f, .6f]);
        folder.Write("pairs.tsv", "0\t1\n1\t0\n2\t0\n");
        var run = GivenEmbeddings.Retrieve(Options() with { Pairs = folder["pairs.tsv"] }, _ => { });
        Assert.Equal(new Recall(1, 1, 1), run.Report.ImageToText);
        Assert.Equal(new Recall(1, 1, 1), run.Report.TextToImage);
        Assert.Equal([0, 0, -1], run.Score.Ranks.TextToImage);
        Assert.Contains("1 texts belong to no image", Assert.Single(run.Report.Warnings));
    }

    [Theory]
    [InlineData("labels.txt", "0\n1\n", "2 lines, where there are 3 images")]
    [InlineData("labels.txt", "0\n1\n7\n", "label 7 occurs, and the class list has 2 names")]
    [InlineData("of.txt", "0\nx\n", "line 2: 'x' is no whole number")]
    [InlineData("pairs.tsv", "0 1\n", "line 1: write the image, one tab, the text")]
    [InlineData("pairs.tsv", "9\t0\n", "there is no image '9'")]
    public void Files_that_do_not_fit_together_are_named(string file, string content, string expected)
    {
        Rows("images.npy", [1, 0], [0, 1], [.6f, .8f]);
        Rows("texts.npy", [1, 0], [0, 1]);
        folder.Write("labels.npy.txt", "0\n1\n0\n");
        var path = folder.Write(file, content);
        var options = Options() with
        {
            Labels = file.StartsWith('l') ? path : folder["labels.npy.txt"],
            TextClasses = file.StartsWith('o') ? path : null,
            Pairs = path,
        };
        var trouble = Assert.Throws<LitException>(() =>
        {
            if (file.StartsWith('p'))
                GivenEmbeddings.Retrieve(options, _ => { });
            else
                GivenEmbeddings.Classify(options, _ => { });
        });
        Assert.Contains(file, trouble.Message);
        Assert.Contains(expected, trouble.Message);
    }

    [Fact]
    public void Rows_that_are_no_numbers_are_named()
    {
        Rows("images.npy", [1, 0], [float.NaN, 1]);
        Rows("texts.npy", [1, 0], [0, 1]);
        Assert.Contains(
            "images.npy, row 1: the numbers are not finite",
            Assert.Throws<LitException>(() => GivenEmbeddings.Classify(Options(), _ => { })).Message
        );
    }

    private GivenOptions Options() => new() { Images = folder["images.npy"], Texts = folder["texts.npy"] };

    private void Rows(string name, params float[][] rows) =>
        Npy.Write(folder[name], rows.SelectMany(row => row).ToArray(), rows.Length, rows[0].Length);
}
