using System.Text.Json;
using LiT.Text;
using LiT.Text.Clip;

namespace LiT.Tests.Text;

public class ClipTokenizerTests
{
    private static readonly ClipTokenizer Tokenizer = ClipTokenizer.Load(TokenizerFixture.PathOf("clip/vocab.json"));

    private static readonly JsonElement Expected = JsonDocument
        .Parse(File.ReadAllBytes(TokenizerFixture.PathOf("clip/expected.json")))
        .RootElement;

    [Fact]
    public void Ids_are_those_of_the_reference() =>
        Differences.Expect(Expected, "ids", (text, _) => [.. Tokenizer.Encode(text).Select(id => (long)id)]);

    [Fact]
    public void Text_is_cleaned_as_the_reference_cleans_it()
    {
        foreach (var one in Expected.EnumerateArray())
            Assert.Equal(one.GetProperty("clean").GetString(), ClipText.Clean(one.GetProperty("text").GetString()!));
    }

    [Fact]
    public void A_row_begins_with_start_and_keeps_the_end_when_it_is_cut()
    {
        var clip = new CaptionTokenizer(Tokenizer, TokenLayout.Clip(Tokenizer.StartId, Tokenizer.EndId));
        var row = clip.Row("the licence", out var truncated);
        Assert.False(truncated);
        Assert.Equal(77, row.Length);
        Assert.Equal(Tokenizer.StartId, row[0]);
        Assert.Contains(Tokenizer.EndId, row);
        Assert.Equal(0, row[^1]);
        row = clip.Row(string.Concat(Enumerable.Repeat("x y ", 50)), out truncated);
        Assert.True(truncated);
        Assert.Equal(Tokenizer.EndId, row[^1]);
    }

    [Fact]
    public void A_vocabulary_of_another_model_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["vocab.json"], """{"a":0,"b":1,"ab":2}""");
        File.WriteAllText(folder["merges.txt"], "#version: 0.2\na b\n");
        Assert.Contains(
            "not a vocabulary of CLIP",
            Assert.Throws<LitException>(() => ClipTokenizer.Load(folder["vocab.json"])).Message
        );
    }

    [Fact]
    public void Merges_of_another_vocabulary_are_refused()
    {
        using var folder = new TemporaryFolder();
        File.Copy(TokenizerFixture.PathOf("clip/vocab.json"), folder["vocab.json"]);
        File.WriteAllText(folder["merges.txt"], "#version: 0.2\n\u2603 \u2604\n");
        Assert.Contains(
            "merge 0 needs the piece",
            Assert.Throws<LitException>(() => ClipTokenizer.Load(folder["vocab.json"])).Message
        );
    }
}
