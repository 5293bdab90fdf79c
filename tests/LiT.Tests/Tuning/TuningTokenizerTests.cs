using LiT.Compute;
using LiT.Text;
using LiT.Tuning.Runs;

namespace LiT.Tests.Tuning;

/// <summary>Rows of ids as each pre-trained tower was trained to read them, with vocabularies made here.</summary>
public class TuningTokenizerTests
{
    private static readonly string[] Captions = ["a red cat", "a blue dog", "a red dog"];

    [Fact]
    public void A_BERT_gets_its_start_and_no_end()
    {
        using var folder = new TemporaryFolder();
        var made = WordPieceTrainer.Train(Captions, new(30), TestContext.Current.CancellationToken);
        made.Save(folder.Path);
        var tokenizer = Open(Fixture("bert_hf", "bert_plain.safetensors"), folder["vocab.txt"]);
        Assert.Equal(TokenLayout.LitBert(made.IdOf("[CLS]")!.Value, tokenizer.Layout.Length), tokenizer.Layout);
    }

    [Fact]
    public void A_T5_gets_its_end_and_zeros()
    {
        using var folder = new TemporaryFolder();
        var tokenizer = Open(Fixture("t5_encoder", "model.safetensors"), Model(folder));
        Assert.Equal(TokenLayout.T5(1, 16), tokenizer.Layout);
    }

    [Fact]
    public void A_transformer_of_the_public_models_gets_ends_to_its_full_length()
    {
        using var folder = new TemporaryFolder();
        var tokenizer = Open(Fixture("text_transformer_npz", "checkpoint.npz"), Model(folder));
        Assert.Equal(TokenLayout.Sticky(1, tokenizer.Layout.Length), tokenizer.Layout);
    }

    [Fact]
    public void A_tower_from_scratch_masks_a_padding_that_no_text_has()
    {
        using var folder = new TemporaryFolder();
        var tokenizer = Open("text:width=8,depth=1,heads=1", Model(folder));
        Assert.Equal((1, 0), (tokenizer.Layout.End, tokenizer.Layout.Pad));
        Assert.Equal(tokenizer.Row("A RED cat", out _), tokenizer.Row("a red cat", out _));
    }

    [Fact]
    public void A_pre_trained_tower_without_its_vocabulary_is_refused() =>
        Assert.Contains(
            "--tokenizer",
            Assert.Throws<LitException>(() => Open(Fixture("t5_encoder", "model.safetensors"), null)).Message
        );

    [Fact]
    public void A_vocabulary_of_another_family_is_refused()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(
            "lacks the pieces",
            Assert.Throws<LitException>(() => Open(Fixture("bert_hf", "bert_plain.safetensors"), Model(folder))).Message
        );
    }

    private static string Fixture(string folder, string file) =>
        Path.Combine(AppContext.BaseDirectory, "Fixtures", "reference", folder, file);

    private static string Model(TemporaryFolder folder) =>
        folder.Write(
            "made.model",
            SentencePieceTrainer.Train(Captions, new(40), TestContext.Current.CancellationToken)
        );

    private static CaptionTokenizer Open(string tower, string? tokenizer) =>
        TuningTokenizer.Open(
            new()
            {
                Data = "",
                Out = "",
                TextTower = tower,
                Tokenizer = tokenizer,
                Compute = ComputeDevice.Cpu,
            },
            Captions,
            _ => { },
            TestContext.Current.CancellationToken
        );
}
