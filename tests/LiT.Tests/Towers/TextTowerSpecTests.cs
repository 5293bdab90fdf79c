using LiT.Towers;

namespace LiT.Tests.Towers;

public class TextTowerSpecTests
{
    [Theory]
    [InlineData("text:width=512,depth=6,heads=8", 512, 6, 8, 2048, TextPooling.Mean)]
    [InlineData(
        "text:width=192,depth=12,heads=3,mlp=768,pool=last,gelu=tanh,pad=none",
        192,
        12,
        3,
        768,
        TextPooling.Last
    )]
    [InlineData("text:width=256", 256, 6, 4, 1024, TextPooling.Mean)]
    internal void A_text_tower_is_written_as_one_string(
        string spec,
        int width,
        int depth,
        int heads,
        int mlp,
        TextPooling pooling
    )
    {
        var tower = Assert.IsType<TextTransformerConfig>(TextTowerSpec.Parse(spec, 30_522, 16));
        Assert.Equal(
            (width, depth, heads, mlp, 30_522, 16, pooling),
            (tower.Width, tower.Depth, tower.Heads, tower.MlpDim, tower.VocabularySize, tower.MaxLength, tower.Pooling)
        );
    }

    [Theory]
    [InlineData("text:width=0", "width=0 is not a size")]
    [InlineData("text:width=100,heads=8", "cannot be divided into 8 heads")]
    [InlineData("text:colour=red", "'colour=red' is not understood")]
    [InlineData("text:depth=2,depth=3", "'depth=3' is not understood")]
    [InlineData("text:pool=cls", "Choose one of mean, first, last, max, map")]
    [InlineData("text:dropout=1", "dropout=1 is not a share")]
    [InlineData("bert:huge", "Choose one of tiny, mini, small, medium, base, large")]
    [InlineData("bert:base,width=3", "'width=3' is not understood")]
    [InlineData("mt5:11b", "Choose one of small, base, large")]
    [InlineData("gpt:base", "is not a text tower")]
    public void A_string_that_says_no_tower_is_refused_with_what_to_write(string spec, string message) =>
        Assert.Contains(message, Assert.Throws<UsageException>(() => TextTowerSpec.Parse(spec, 100, 16)).Message);

    [Fact]
    public void A_named_size_takes_the_vocabulary_and_padding_of_the_tokenizer()
    {
        var bert = Assert.IsType<BertConfig>(
            TextTowerSpec.Parse("bert:small,dropout=0.1,gelu=erf", 1000, 16, padding: 3)
        );
        Assert.Equal(
            new BertConfig(512, 4, 8, 2048, 1000)
            {
                Padding = 3,
                Dropout = 0.1,
                Activation = Activation.Gelu,
            },
            bert
        );
        var t5 = Assert.IsType<T5Config>(TextTowerSpec.Parse("mt5:small,pool=last", 1000, 16));
        Assert.Equal(
            (512, 8, 6, 64, 1024, 1000, TextPooling.Last, true),
            (t5.Width, t5.Depth, t5.Heads, t5.HeadSize, t5.MlpDim, t5.VocabularySize, t5.Pooling, t5.Gated)
        );
    }

    [Theory]
    [InlineData("text:width=64", true)]
    [InlineData("bert:base", true)]
    [InlineData("bert-base-uncased", false)]
    [InlineData("towers/lit.npz:heads=4", false)]
    public void A_path_or_a_public_name_is_told_apart_from_such_a_string(string text, bool expected) =>
        Assert.Equal(expected, TextTowerSpec.Is(text));
}
