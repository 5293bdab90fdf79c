using System.Text.Json;
using LiT.Tests.Parity;
using LiT.Text;

namespace LiT.Tests.Text;

/// <summary>WordPiece ids in both readings and LiT's rows, string by string.</summary>
public sealed class WordPieceFixtures : IFixtureKind
{
    private static readonly Dictionary<string, (WordPieceRules Rules, bool LowerCase, bool AsRow)> Fields = new()
    {
        ["bert_lower_ids"] = (WordPieceRules.BertRepository, true, false),
        ["bert_cased_ids"] = (WordPieceRules.BertRepository, false, false),
        ["tftext_lower_ids"] = (WordPieceRules.TensorFlowText, true, false),
        ["tftext_cased_ids"] = (WordPieceRules.TensorFlowText, false, false),
        ["lit_ids"] = (WordPieceRules.TensorFlowText, true, true),
        ["lit_ids_with_bert_repo_rules"] = (WordPieceRules.BertRepository, true, true),
    };

    public string Folder => "tokenizer_wordpiece";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        var vocabulary = folder.PathOf("vocab.txt");
        foreach (var file in folder.AllFiles.Where(file => file.EndsWith("cases.json", StringComparison.Ordinal)))
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(folder.PathOf(file)));
            var cases = json.RootElement.Clone();
            Assert.NotEqual(0, cases.GetArrayLength());
            foreach (
                var field in cases
                    .EnumerateArray()
                    .SelectMany(one => one.EnumerateObject())
                    .Select(p => p.Name)
                    .Distinct()
                    .Where(name => name != "text")
            )
                yield return new(field, () => Compare(cases, field, vocabulary));
        }
    }

    private static void Compare(JsonElement cases, string field, string vocabulary)
    {
        Assert.True(Fields.TryGetValue(field, out var reading), $"{field}: nobody knows this reading");
        var tokenizer = WordPiece.Load(vocabulary, reading.Rules, reading.LowerCase);
        Differences.Expect(cases, field, (text, expected) =>
            reading.AsRow
                ? CaptionTokenizer.LitBert(tokenizer, expected.Length).Row(text, out _)
                : [.. tokenizer.Encode(text).Select(id => (long)id)]
        );
    }
}
