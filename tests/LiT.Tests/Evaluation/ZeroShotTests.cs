using LiT.Classification;
using LiT.Compute;
using LiT.Evaluation;

namespace LiT.Tests.Evaluation;

public class ZeroShotTests
{
    private static readonly Embeddings Axes = new([1, 0, 0, 0, 1, 0, 0, 0, 1], 3);

    [Fact]
    public void Images_without_a_label_are_left_out_and_any_of_several_labels_counts()
    {
        var score = ZeroShot.Score(
            Axes,
            Axes,
            [
                [1, 0],
                [2],
                [],
            ],
            ["a", "b", "c"]
        );
        Assert.Equal(2, score.N);
        Assert.Equal(0.5, score.Top1);
        Assert.Equal([0, 1, 2], score.Predictions);
        Assert.Equal([0, 0.5, 1], [score.Interval95[0], score.Top1, score.Interval95[1]]);
    }

    [Fact]
    public void A_class_without_images_has_no_accuracy_and_does_not_weigh_in_the_mean()
    {
        var score = ZeroShot.Score(
            Axes,
            Axes,
            [
                [0],
                [0],
                [2],
            ],
            ["a", "b", "c"]
        );
        Assert.Null(score.PerClass[1].Top1);
        Assert.Equal((0.5 + 1) / 2, score.MeanPerClass);
        Assert.Equal(
            [
                [1, 1, 0],
                [0, 0, 0],
                [0, 0, 1],
            ],
            score.Confusion
        );
    }

    [Fact]
    public void A_class_is_the_normalised_mean_of_all_its_prompts()
    {
        var classes = ZeroShot.ClassEmbeddings(Axes, [0, 0, 1], 2);
        Assert.Equal(MathF.Sqrt(0.5f), classes[0][0], 6);
        Assert.Equal(MathF.Sqrt(0.5f), classes[0][1], 6);
        Assert.Equal(1, classes[1][2], 6);
    }

    [Fact]
    public void Each_template_alone_is_scored_like_a_list_of_that_one()
    {
        var random = new Random(5);
        float[] Some(int n) => [.. Enumerable.Range(0, n).Select(_ => (float)random.NextDouble() - .5f)];
        Embeddings images = new(Some(40 * 8), 8),
            prompts = new(Some(3 * 2 * 8), 8);
        int[][] labels = [.. Enumerable.Range(0, 40).Select(i => i == 7 ? Array.Empty<int>() : [i % 3])];
        var scores = ZeroShot.PerTemplate(
            images,
            labels,
            prompts,
            [0, 0, 1, 1, 2, 2],
            [0, 1, 0, 1, 0, 1],
            ["{}", "a {}"],
            3
        );
        for (var template = 0; template < 2; template++)
        {
            var classes = ZeroShot.ClassEmbeddings(
                prompts.Select([template, 2 + template, 4 + template]),
                [0, 1, 2],
                3
            );
            Assert.Equal(ZeroShot.Score(images, classes, labels, ["a", "b", "c"]).Top1, scores[template].Top1);
            Assert.Equal(39, scores[template].N);
        }
    }

    [Fact]
    public void The_best_of_a_row_come_in_order_and_equal_ones_by_index()
    {
        var best = new int[3];
        Similarity.Best([.1f, .9f, .5f, .9f, .5f], best);
        Assert.Equal([1, 3, 2], best);
        Assert.Equal(1, Similarity.RankOf([.1f, .9f, .5f, .9f, .5f], 3));
    }

    [Fact]
    public void No_label_at_all_is_said_and_not_scored() =>
        Assert.Contains(
            "nothing to score",
            Assert
                .Throws<LitException>(() =>
                    ZeroShot.Score(
                        Axes,
                        Axes,
                        [
                            [],
                            [],
                            [],
                        ],
                        ["a", "b", "c"]
                    )
                )
                .Message
        );

    [Theory]
    [InlineData("cat", 0)]
    [InlineData(" DOG ", 1)]
    [InlineData("1", 1)]
    [InlineData("hound", 1)]
    [InlineData("Ice cream", 2)]
    [InlineData("3", null)]
    [InlineData("horse", null)]
    public void A_label_is_a_name_an_alias_or_an_index(string label, int? expected) =>
        Assert.Equal(expected, new ClassNames(["cat", "dog, hound", "ice_cream"]).IndexOf(label));

    [Theory]
    [InlineData("a|b|A", "Classes 0 and 2 are both called 'A'")]
    [InlineData("a|!!!", "Class 1 is called '!!!'")]
    public void Names_that_cannot_serve_are_named(string names, string expected) =>
        Assert.StartsWith(expected, Assert.Throws<LitException>(() => new ClassNames(names.Split('|'))).Message);

    [Fact]
    public void A_template_without_a_place_is_named_with_its_line()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "templates.txt");
        File.WriteAllText(path, "# good ones\na photo of a {}\na photo\n");
        Assert.Contains("templates.txt, line 3", Assert.Throws<LitException>(() => PromptTemplates.Read(path)).Message);
    }
}
