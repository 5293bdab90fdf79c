using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Text;

namespace LiT.Tests.Text;

public class HuggingFaceTokenizerTests
{
    public static IEnumerable<TheoryDataRow<string>> Names() =>
        Directory
            .EnumerateFiles(TokenizerFixture.PathOf("huggingface"), "*.json")
            .Select(file => Path.GetFileNameWithoutExtension(file)!)
            .Where(name => name != "expected")
            .Order(StringComparer.Ordinal)
            .Select(name => new TheoryDataRow<string>(name));

    [Theory]
    [MemberData(nameof(Names))]
    public void Ids_are_those_of_the_reference(string name)
    {
        using var folder = new TemporaryFolder();
        var tokenizer = HuggingFaceTokenizer.Load(TokenizerFixture.WriteHuggingFace(name, folder.Path));
        using var expected = JsonDocument.Parse(
            File.ReadAllBytes(TokenizerFixture.PathOf("huggingface/expected.json"))
        );
        var strings = expected.RootElement.GetProperty("strings").EnumerateArray().Select(s => s.GetString()!).ToList();
        var ids = expected.RootElement.GetProperty("ids").GetProperty(name);
        Assert.True(strings.Count > 100);
        for (var i = 0; i < strings.Count; i++)
            Assert.True(
                ids[i].EnumerateArray().Select(id => id.GetInt32()).SequenceEqual(tokenizer.Encode(strings[i])),
                JsonSerializer.Serialize(strings[i])
            );
    }

    [Theory]
    [InlineData("bert_uncased", new[] { "[CLS]" }, new[] { "[SEP]" })]
    [InlineData("bert_added", new[] { "[CLS]" }, new[] { "[SEP]" })]
    [InlineData("t5", new string[0], new[] { "</s>" })]
    [InlineData("roberta", new[] { "<s>" }, new[] { "</s>" })]
    [InlineData("gemma", new[] { "<s>" }, new string[0])]
    [InlineData("gpt2ish", new string[0], new string[0])]
    public void What_stands_around_a_text_is_read_from_the_post_processor(string name, string[] before, string[] after)
    {
        using var folder = new TemporaryFolder();
        var json = TokenizerFixture.HuggingFace(name == "gpt2ish" ? "roberta" : name);
        if (name == "gpt2ish")
            json["post_processor"] = null;
        var tokenizer = HuggingFaceTokenizer.Load(Written(json, folder));
        Assert.Equal(before, tokenizer.StartIds.Select(tokenizer.PieceOf));
        Assert.Equal(after, tokenizer.EndIds.Select(tokenizer.PieceOf));
    }

    [Theory]
    [InlineData("normalizer", """{"type":"Umlauts"}""", "normalizer: the normalizer Umlauts is not supported")]
    [InlineData(
        "pre_tokenizer",
        """{"type":"Sequence","pretokenizers":[{"type":"UnicodeScripts"}]}""",
        "pre_tokenizer.pretokenizers[0]: the pre-tokenizer UnicodeScripts is not supported"
    )]
    [InlineData(
        "pre_tokenizer",
        """{"type":"Split","pattern":{"Regex":"\\p{Han}"},"behavior":"Isolated","invert":false}""",
        "pre_tokenizer.pattern: the pattern \\p{Han} is not supported"
    )]
    [InlineData(
        "pre_tokenizer",
        """{"type":"Split","pattern":{"String":" "},"behavior":"Sideways","invert":false}""",
        "behavior \"Sideways\" is not supported"
    )]
    [InlineData("post_processor", """{"type":"Stamp"}""", "post_processor: the post-processor Stamp is not supported")]
    [InlineData("model", """{"type":"Guess"}""", "model: the model Guess is not supported")]
    [InlineData(
        "model",
        """{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"a":"b"}}""",
        "model.vocab.a: is \"b\" where a whole number"
    )]
    [InlineData(
        "model",
        """{"type":"WordPiece","unk_token":"[?]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"a":0}}""",
        "model.unk_token: \"[?]\" is not in the vocabulary"
    )]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0},"merges":["a b"]}""", "model: merge 0 needs the piece \"b\"")]
    [InlineData(
        "model",
        """{"type":"BPE","vocab":{"a":0},"merges":["a b c"]}""",
        "model.merges[0]: is \"a b c\" where two pieces"
    )]
    [InlineData(
        "model",
        """{"type":"Unigram","unk_id":3,"vocab":[["a",-1.5]]}""",
        "model.unk_id: 3 is not among the 1 pieces"
    )]
    [InlineData(
        "model",
        """{"type":"Unigram","vocab":[["a",-1.5]]}""",
        "has neither an unk_id nor a piece for every byte"
    )]
    [InlineData(
        "normalizer",
        """{"type":"Precompiled","precompiled_charsmap":"AAAA"}""",
        "normalizer.precompiled_charsmap: its normalisation rules are broken"
    )]
    public void Whatever_is_wrong_is_named_with_its_place(string member, string value, string expected)
    {
        using var folder = new TemporaryFolder();
        var json = TokenizerFixture.HuggingFace("bert_uncased");
        json[member] = JsonNode.Parse(value);
        var path = Written(json, folder);
        var message = Assert.Throws<LitException>(() => HuggingFaceTokenizer.Load(path)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.StartsWith(path, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Supplementary_characters_are_letters_where_the_pattern_asks_for_letters()
    {
        using var folder = new TemporaryFolder();
        var tokenizer = HuggingFaceTokenizer.Load(TokenizerFixture.WriteHuggingFace("clip", folder.Path));
        // U+20000 (a letter) and U+1F600 (a symbol) are words of their own, so each ends with </w>.
        Assert.Equal(
            2,
            tokenizer
                .Encode("\U00020000\U0001F600")
                .Count(id => tokenizer.PieceOf(id).EndsWith("</w>", StringComparison.Ordinal))
        );
    }

    private static string Written(JsonNode json, TemporaryFolder folder)
    {
        File.WriteAllText(folder["tokenizer.json"], json.ToJsonString());
        return folder["tokenizer.json"];
    }
}
