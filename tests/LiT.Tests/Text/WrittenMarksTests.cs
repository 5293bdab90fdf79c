using LiT.Text;

namespace LiT.Tests.Text;

/// <summary>Which captions keep the signs above and below their letters.</summary>
public class WrittenMarksTests
{
    [Theory]
    [InlineData("cafés à la crème, ñandú, Füße", false)]
    [InlineData("mặt cười với mắt cười", false)]
    [InlineData("ёлка и йод", false)]
    [InlineData("笑脸", false)]
    [InlineData("ガラスの家", true)]
    [InlineData("हँसता हुआ चेहरा", true)]
    [InlineData("หน้ายิ้ม", true)]
    [InlineData("웃는 얼굴", true)]
    [InlineData("a red bicycle", false)]
    [InlineData("", false)]
    public void Signs_of_scripts_that_write_with_them_matter_and_accents_do_not(string caption, bool matter)
    {
        Assert.Equal(matter, WrittenMarks.Matter([caption, "another"]));
    }

    [Fact]
    public void A_hundred_words_beside_one_foreign_one_decide()
    {
        Assert.False(WrittenMarks.Matter([.. Enumerable.Repeat("a photo of a house", 100), "ガ"]));
    }

    [Fact]
    public void A_vocabulary_that_keeps_them_tells_words_apart_that_differ_by_them_alone()
    {
        var made = WordPieceTrainer.Train(
            ["ガス", "カス", "가", "Über"],
            new WordPieceTraining(200) { Words = new() { StripAccents = false } },
            TestContext.Current.CancellationToken
        );

        Assert.NotEqual(made.Encode("ガス"), made.Encode("カス"));
        Assert.Equal(made.Encode("über"), made.Encode("ÜBER"));
        Assert.Single(made.Encode("가"));
        var plain = WordPieceTrainer.Train(["ガス", "カス"], cancel: TestContext.Current.CancellationToken);
        Assert.Equal(plain.Encode("ガス"), plain.Encode("カス"));
    }
}
