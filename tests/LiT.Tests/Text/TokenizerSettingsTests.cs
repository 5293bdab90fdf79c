using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Text;

namespace LiT.Tests.Text;

/// <summary>What stands beside a vocabulary is followed, refused by name, or told.</summary>
public sealed class TokenizerSettingsTests : IDisposable
{
    private static readonly string[] Pieces =
    [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "schön",
        "schon",
        "##ön",
        "grün",
        "grun",
        "Haus",
        "haus",
        "犬",
        "##犬",
        "猫犬",
    ];

    private readonly TemporaryFolder folder = new();
    private readonly List<string> told = [];

    public void Dispose() => folder.Dispose();

    private ITokenizer Open(string file, string? config = null)
    {
        if (config is not null)
            folder.Write("tokenizer_config.json", config);
        return Tokenizers.Open(folder[file], new TokenizerReading { Warn = told.Add });
    }

    private string[] Read(string text, string config)
    {
        folder.Write("vocab.txt", string.Join('\n', Pieces) + "\n");
        var tokenizer = Open("vocab.txt", config);
        return [.. tokenizer.Encode(text).Select(tokenizer.PieceOf)];
    }

    [Theory]
    [InlineData("""{"do_lower_case": true}""", "Schön grün", "schon grun")]
    [InlineData("""{"do_lower_case": true, "strip_accents": false}""", "Schön grün", "schön grün")]
    [InlineData("""{"do_lower_case": true, "strip_accents": null}""", "Schön grün", "schon grun")]
    [InlineData("""{"do_lower_case": false}""", "schön Haus", "schön Haus")]
    [InlineData("""{"do_lower_case": false, "strip_accents": true}""", "schön Haus", "schon Haus")]
    [InlineData("""{"tokenize_chinese_chars": true}""", "猫犬 犬", "[UNK] 犬 犬")]
    [InlineData("""{"tokenize_chinese_chars": false}""", "猫犬 犬", "猫犬 犬")]
    [InlineData("""{"unk_token": "[MASK]"}""", "zebra", "[MASK]")]
    [InlineData("""{"unk_token": {"content": "[MASK]", "special": true}}""", "zebra", "[MASK]")]
    public void A_vocab_txt_is_read_as_tokenizer_config_json_says(string config, string text, string pieces)
    {
        Assert.Equal(pieces.Split(' '), Read(text, config));
        Assert.Empty(told);
    }

    [Fact]
    public void Accents_that_stay_are_those_of_the_reference()
    {
        folder.Write("vocab.txt", string.Join('\n', Pieces) + "\n");
        var tokenizer = Open("vocab.txt", """{"do_lower_case": true, "strip_accents": false}""");
        var whole = TokenizerFixture.HuggingFace("bert_uncased");
        whole["normalizer"]!["strip_accents"] = false;
        whole["model"]!["vocab"] = new JsonObject(
            Pieces.Select((piece, id) => KeyValuePair.Create(piece, (JsonNode?)id))
        );
        whole["added_tokens"] = new JsonArray();
        whole["post_processor"] = null;
        folder.Write("whole/tokenizer.json", whole.ToJsonString());
        var reference = HuggingFaceTokenizer.Load(folder["whole", "tokenizer.json"]);
        foreach (var text in new[] { "Schön GRÜN", "scho\u0308n", "SCHÖN!", "猫犬犬" })
            Assert.Equal(reference.Encode(text), tokenizer.Encode(text));
    }

    [Fact]
    public void A_bundle_keeps_how_its_vocab_txt_is_read()
    {
        folder.Write("vocab.txt", string.Join('\n', Pieces) + "\n");
        var captions = CaptionTokenizer.LitBert(
            Open("vocab.txt", """{"do_lower_case": true, "strip_accents": false, "tokenize_chinese_chars": false}""")
        );
        Directory.CreateDirectory(folder["bundle"]);
        var description = captions.Save(folder["bundle"]);
        // What stands in the bundle's folder by chance is not the bundle's.
        folder.Write("bundle/tokenizer_config.json", """{"do_lower_case": false, "tokenizer_class": "Other"}""");
        var written = JsonSerializer.Deserialize<CaptionTokenizerDescription>(JsonSerializer.Serialize(description))!;
        var again = CaptionTokenizer.Load(folder["bundle"], written);
        Assert.Equal(captions.Row("Schön 猫犬", out _), again.Row("Schön 猫犬", out _));
    }

    [Fact]
    public void A_plain_vocabulary_says_nothing_more_in_a_bundle()
    {
        folder.Write("vocab.txt", string.Join('\n', Pieces) + "\n");
        var description = CaptionTokenizer.LitBert(Open("vocab.txt")).Save(folder.Path);
        Assert.Null(description.Words);
    }

    [Theory]
    [InlineData("""{"tokenizer_class": "BertJapaneseTokenizer"}""", "tokenizer_class is \"BertJapaneseTokenizer\"")]
    [InlineData("""{"do_basic_tokenize": false}""", "do_basic_tokenize is false")]
    [InlineData("""{"never_split": ["a"]}""", "never_split is [\"a\"]")]
    [InlineData("""{"wordpieces_prefix": "@@"}""", "wordpieces_prefix is \"@@\"")]
    [InlineData("""{"strip_accents": "no"}""", "strip_accents is \"no\" where true or false is expected")]
    [InlineData("""{"unk_token": 3}""", "unk_token is 3 where a piece is expected")]
    [InlineData("""{"unk_token": "[?]"}""", "no line is [?]")]
    [InlineData("[1]", "is a list and no object")]
    public void What_a_vocab_txt_cannot_follow_is_refused_by_name(string config, string message) =>
        Assert.Contains(
            message,
            Assert.Throws<LitException>(() => Read("a", config)).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void A_key_that_nobody_knows_is_told()
    {
        Read("a", """{"word_shape": "kebab", "model_max_length": 512, "clean_up_tokenization_spaces": true}""");
        Assert.Contains(": word_shape is not known here", Assert.Single(told), StringComparison.Ordinal);
    }

    [Fact]
    public void Added_pieces_that_the_vocabulary_lacks_are_told()
    {
        folder.Write("added_tokens.json", """{"<place>": 15, "[MASK]": 4}""");
        Read("a", "{}");
        Assert.Contains("added_tokens.json", Assert.Single(told), StringComparison.Ordinal);
        Assert.Contains("1 piece such as <place>", told[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"tokenizer_class": "CamembertTokenizer"}""", "tokenizer_class is \"CamembertTokenizer\"")]
    [InlineData("""{"tokenizer_class": "XLMRobertaTokenizer"}""", "does not begin with <unk>, <s> and </s>")]
    [InlineData("""{"tokenizer_class": "AlbertTokenizerFast"}""", "tokenizer_class is \"AlbertTokenizerFast\"")]
    [InlineData("""{"do_lower_case": true}""", "do_lower_case is true")]
    [InlineData("""{"sp_model_kwargs": {"enable_sampling": true}}""", "sp_model_kwargs is")]
    [InlineData("""{"keep_accents": false}""", "keep_accents is false")]
    public void What_a_SentencePiece_model_cannot_follow_is_refused_by_name(string config, string message)
    {
        File.Copy(TokenizerFixture.Reference("tokenizer_sentencepiece/unigram_t5.model"), folder["spiece.model"]);
        Assert.Contains(
            message,
            Assert.Throws<LitException>(() => Open("spiece.model", config)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_T5_beside_its_own_settings_is_read_without_a_word()
    {
        File.Copy(TokenizerFixture.Reference("tokenizer_sentencepiece/unigram_t5.model"), folder["spiece.model"]);
        Open(
            "spiece.model",
            """{"tokenizer_class": "T5Tokenizer", "extra_ids": 100, "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "legacy": false, "sp_model_kwargs": {}}"""
        );
        Assert.Empty(told);
        Open("spiece.model", """{"tokenizer_class": "MyTokenizer"}""");
        Assert.Contains("tokenizer_class MyTokenizer is not known", Assert.Single(told), StringComparison.Ordinal);
    }

    /// <summary>
    /// transformers' XLMRobertaTokenizer: fairseq_tokens_to_ids for the first four, the model's own id plus one for
    /// the others; what the model does not know is 0 there and 3 here.
    /// </summary>
    [Theory]
    [InlineData("""{"tokenizer_class": "XLMRobertaTokenizer"}""", null)]
    [InlineData(null, """{"model_type": "xlm-roberta"}""")]
    public void The_pieces_of_an_XLM_R_have_the_ids_that_fairseq_gave_them(string? settings, string? model)
    {
        const string Name = "tokenizer_sentencepiece/unigram_identity_keepspace";
        File.Copy(TokenizerFixture.Reference(Name + ".model"), folder["sentencepiece.bpe.model"]);
        if (model is not null)
            folder.Write("config.json", model);
        var tokenizer = Open("sentencepiece.bpe.model", settings);
        Assert.Empty(told);
        using var cases = JsonDocument.Parse(File.ReadAllText(TokenizerFixture.Reference(Name + ".cases.json")));
        foreach (var one in cases.RootElement.EnumerateArray())
            Assert.Equal(
                one.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32() is 0 ? 3 : id.GetInt32() + 1),
                tokenizer.Encode(one.GetProperty("text").GetString()!)
            );
        Assert.Equal(1100 + 2, tokenizer.VocabularySize);
        Assert.Equal(
            [0, 1, 2, 3, 1101],
            new[] { "<s>", "<pad>", "</s>", "<unk>", "<mask>" }.Select(piece => tokenizer.IdOf(piece)!.Value)
        );
        Assert.Equal(["<s>", "<mask>"], new[] { 0, 1101 }.Select(tokenizer.PieceOf));

        using var bundle = new TemporaryFolder();
        var written = new CaptionTokenizer(tokenizer, new TokenLayout(16, 0, 2, 1)) { Prefix = "query: " };
        var read = CaptionTokenizer.Load(bundle.Path, written.Save(bundle.Path));
        Assert.Equal(written.Row("a red cat", out _), read.Row("a red cat", out _));
        Assert.Equal(
            tokenizer.Encode("query: a red cat").Take(4),
            read.Row("a red cat", out _).Skip(1).Take(4).Select(id => (int)id)
        );
    }

    [Fact]
    public void A_model_by_the_name_that_shifted_ones_have_is_told()
    {
        var path = folder["sentencepiece.bpe.model"];
        File.Copy(TokenizerFixture.Reference("tokenizer_sentencepiece/unigram_t5.model"), path);
        Open("sentencepiece.bpe.model");
        Assert.Contains("as XLM-R, CamemBERT and mBART", Assert.Single(told), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bert_uncased", """{"do_lower_case": true, "strip_accents": null}""", null)]
    [InlineData("bert_uncased", """{"do_lower_case": false}""", "do_lower_case is false")]
    [InlineData("bert_uncased", """{"tokenize_chinese_chars": false}""", "tokenize_chinese_chars is false")]
    [InlineData("bert_uncased", """{"strip_accents": false}""", "strip_accents is false")]
    [InlineData("roberta", """{"add_prefix_space": true}""", null)]
    [InlineData("roberta", """{"add_prefix_space": false}""", "add_prefix_space is false")]
    [InlineData("t5", """{"anything": 1, "tokenizer_class": "Whatever"}""", null)]
    public void Where_a_tokenizer_json_and_the_settings_beside_it_differ_that_is_told(
        string name,
        string config,
        string? message
    )
    {
        TokenizerFixture.WriteHuggingFace(name, folder.Path);
        Open("tokenizer.json", config);
        if (message is null)
            Assert.Empty(told);
        else
            Assert.Contains(message, Assert.Single(told), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Vocab_json_with_merges_txt_of_a_RoBERTa_is_its_tokenizer_json(bool prefixed)
    {
        var json = TokenizerFixture.HuggingFace("roberta").AsObject();
        json["pre_tokenizer"]!["add_prefix_space"] = prefixed;
        var vocabulary = json["model"]!["vocab"]!.DeepClone().AsObject();
        vocabulary["<mask>"] = 423;
        folder.Write("vocab.json", vocabulary.ToJsonString());
        folder.Write(
            "merges.txt",
            "#version: 0.2\n" + string.Join('\n', json["model"]!["merges"]!.AsArray().Select(Line)) + "\n"
        );
        folder.Write("whole/tokenizer.json", json.ToJsonString());
        var reference = HuggingFaceTokenizer.Load(folder["whole", "tokenizer.json"]);
        var tokenizer = Assert.IsType<HuggingFaceTokenizer>(
            Open(
                "vocab.json",
                $$"""{"tokenizer_class": "RobertaTokenizer", "add_prefix_space": {{(prefixed ? "true" : "false")}}}"""
            )
        );
        Assert.Empty(told);
        Assert.Equal(reference.StartIds, tokenizer.StartIds);
        Assert.Equal(reference.EndIds, tokenizer.EndIds);
        using var strings = JsonDocument.Parse(File.ReadAllBytes(TokenizerFixture.PathOf("huggingface/expected.json")));
        foreach (
            var text in strings.RootElement.GetProperty("strings").EnumerateArray().Select(one => one.GetString()!)
        )
            Assert.Equal(reference.Encode(text), tokenizer.Encode(text));
        Assert.Equal(["tokenizer.json"], tokenizer.Save(folder.Path));

        static string Line(JsonNode? merge) =>
            merge is JsonArray pair ? $"{pair[0]} {pair[1]}" : merge!.GetValue<string>();
    }

    [Fact]
    public void A_unigram_model_needs_only_the_bytes_of_what_it_falls_back_for()
    {
        folder.Write(
            "tokenizer.json",
            """{"version": "1.0", "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["<0xC3>", -0.01], ["<0xA9>", -0.03]], "byte_fallback": true}}"""
        );
        var tokenizer = Open("tokenizer.json");
        Assert.Equal([1, 2], tokenizer.Encode("é"));
        // A run of characters falls back whole: tokenizers, test_unigram_bytefallback.
        Assert.Equal([0], tokenizer.Encode("?é"));
    }
}
