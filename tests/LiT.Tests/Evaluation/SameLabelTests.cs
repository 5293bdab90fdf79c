using LiT.Evaluation;

namespace LiT.Tests.Evaluation;

public class SameLabelTests
{
    // Two dogs, each of whose texts lies at the other; a cat, whose text lies nearer to the second dog than to itself.
    private static readonly Embeddings Images = new([1, 0, 0.8f, 0.6f, 0, 1], 2);
    private static readonly Embeddings Texts = new([0.8f, 0.6f, 1, 0, 0.6f, 0.8f], 2);

    [Fact]
    public void Another_pictures_caption_of_the_same_label_is_right()
    {
        Assert.Equal((3 / 3.0 + 2 / 3.0) / 2, SameLabel.Share(Images, Texts, [0, 1, 2], ["dog", "dog", "cat"]), 1e-12);
        Assert.Equal(1 / 3.0, Retrieval.Score(Images, Texts, [0, 1, 2]).ImageToText.R1, 1e-12);
    }

    [Fact]
    public void Pictures_without_a_label_ask_nothing_and_answer_nothing_right()
    {
        Assert.Equal(1, SameLabel.Share(Images, Texts, [0, 1, 2], ["dog", "dog", null]), 1e-12);
        Assert.Equal(0, SameLabel.Share(Images, Texts, [0, 1, 2], ["dog", null, null]), 1e-12);
    }

    [Fact]
    public void Luck_is_how_often_two_have_one_label()
    {
        Assert.Equal(2 / 9.0, SameLabel.ByLuck(["dog", "cat", null]), 1e-12);
        Assert.Equal(5 / 9.0, SameLabel.ByLuck(["dog", "dog", "cat"]), 1e-12);
    }
}
