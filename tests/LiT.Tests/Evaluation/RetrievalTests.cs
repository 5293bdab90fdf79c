using LiT.Evaluation;

namespace LiT.Tests.Evaluation;

public class RetrievalTests
{
    [Fact]
    public void An_image_counts_when_any_of_its_captions_comes_first()
    {
        float[,] similarity =
        {
            { .9f, .1f, .2f, .3f }, // image 0: own caption first
            { .8f, .1f, .2f, .3f }, // image 1: another's caption first
        };
        var score = Retrieval.Score(similarity, imageOf: [0, 0, 1, 1]);
        Assert.Equal(0.5, score.ImageToText.R1);
        Assert.Equal(1, score.ImageToText.R5);
        Assert.Equal(new BothWays<double>(1.5, 1.5), score.MedianRank);
    }

    [Fact]
    public void Equal_similarities_go_to_the_lower_index_and_are_counted_as_ties()
    {
        float[,] similarity =
        {
            { 1, 1 },
            { 1, 1 },
        };
        var score = Retrieval.Score(similarity, imageOf: [0, 1]);
        Assert.Equal(0.5, score.ImageToText.R1);
        Assert.Equal(new BothWays<int>(2, 2), score.Ties);
    }

    [Fact]
    public void Embeddings_and_their_similarities_give_the_same_numbers()
    {
        var random = new Random(3);
        Embeddings images = new([.. Enumerable.Range(0, 40 * 6).Select(_ => (float)random.Next(-8, 9))], 6);
        Embeddings texts = new([.. Enumerable.Range(0, 90 * 6).Select(_ => (float)random.Next(-8, 9))], 6);
        var imageOf = Enumerable.Range(0, 90).Select(j => j % 40).ToArray();
        var similarity = new float[40, 90];
        for (var i = 0; i < 40; i++)
        for (var j = 0; j < 90; j++)
            similarity[i, j] = images[i].ToArray().Zip(texts[j].ToArray(), (x, y) => x * y).Sum();
        var (slow, fast) = (Retrieval.Score(similarity, imageOf), Retrieval.Score(images, texts, imageOf));
        Assert.Equal(
            (slow.ImageToText, slow.TextToImage, slow.MedianRank, slow.Ties),
            (fast.ImageToText, fast.TextToImage, fast.MedianRank, fast.Ties)
        );
        Assert.Equal(slow.TieBounds, fast.TieBounds);
        Assert.Equal(slow.Ranks.ImageToText, fast.Ranks.ImageToText);
        Assert.Equal(slow.Ranks.TextToImage, fast.Ranks.TextToImage);
    }

    [Fact]
    public void An_image_without_a_text_is_named()
    {
        var trouble = Assert.Throws<LitException>(() => Retrieval.Score(new float[2, 1], imageOf: [1]));
        Assert.Contains("Image 0 has no text", trouble.Message);
    }
}
