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
    public void A_RoBERTa_gets_its_start_its_end_and_its_own_padding()
    {
        using var folder = new TemporaryFolder();
        folder.Write("vocab.txt", "<s>\n<pad>\n</s>\n<unk>\na\nred\ncat\n");
        folder.Write(
            "tokenizer_config.json",
            """{"unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>"}"""
        );
        var tokenizer = Open(Fixture("roberta_hf", "roberta_plain.safetensors"), folder["vocab.txt"]);
        Assert.Equal(new TokenLayout(16, 0, 2, 1), tokenizer.Layout);
        Assert.Equal([0, 4, 5, 6, 2, 1], tokenizer.Row("a red cat", out _)[..6]);
    }

    [Fact]
    public void A_padding_that_the_tower_does_not_mask_is_told_and_the_towers_is_taken()
    {
        using var folder = new TemporaryFolder();
        folder.Write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nred\ncat\n");
        List<string> said = [];
        var tokenizer = Open(Fixture("roberta_hf", "roberta_plain.safetensors"), folder["vocab.txt"], said.Add);
        Assert.Equal(new TokenLayout(16, 2, 3, 1), tokenizer.Layout);
        Assert.Contains(said, line => line.Contains("fills rows with the id 0", StringComparison.Ordinal));
    }

    [Fact]
    public void A_RoBERTa_with_a_SentencePiece_model_alone_is_refused()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(
            "are not those of a SentencePiece model alone",
            Assert
                .Throws<LitException>(() => Open(Fixture("roberta_hf", "roberta_plain.safetensors"), Model(folder)))
                .Message
        );
    }

    [Fact]
    public void A_sentence_transformer_gets_the_end_that_it_was_trained_with()
    {
        using var folder = new TemporaryFolder();
        var made = WordPieceTrainer.Train(Captions, new(30), TestContext.Current.CancellationToken);
        made.Save(folder.Path);
        foreach (var file in new[] { "bert_plain.safetensors", "config.json" })
            File.Copy(Fixture("bert_hf", file), folder[file]);
        folder.Write("1_Pooling/config.json", """{"pooling_mode_mean_tokens": true}""");
        var tokenizer = Open(folder["bert_plain.safetensors"], null);
        Assert.Equal(
            new TokenLayout(tokenizer.Layout.Length, made.IdOf("[CLS]"), made.IdOf("[SEP]"), 0),
            tokenizer.Layout
        );
    }

    [Fact]
    public void The_whole_tokenizer_beside_a_tower_goes_before_its_vocab_txt()
    {
        using var folder = new TemporaryFolder();
        foreach (var file in new[] { "bert_plain.safetensors", "config.json" })
            File.Copy(Fixture("bert_hf", file), folder[file]);
        folder.Write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\na\n");
        folder.Write(
            "tokenizer.json",
            """{"model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "b": 3}}}"""
        );
        Assert.IsType<HuggingFaceTokenizer>(Open(folder["bert_plain.safetensors"], null).Tokenizer);
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

    private static CaptionTokenizer Open(string tower, string? tokenizer, Action<string>? say = null) =>
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
            say ?? (_ => { }),
            TestContext.Current.CancellationToken
        );
}
