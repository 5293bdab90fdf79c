using System.Text.Json;
using LiT.Tests.Parity;
using LiT.Text;

namespace LiT.Tests.Text;

/// <summary>
/// SentencePiece models of both kinds: ids, decoded text, and rows in the layouts of big_vision, vit_jax and T5.
/// </summary>
public sealed class SentencePieceFixtures : IFixtureKind
{
    public string Folder => "tokenizer_sentencepiece";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder) => CasesOf(folder);

    internal static IEnumerable<FixtureCase> CasesOf(FixtureFolder folder)
    {
        foreach (var model in folder.Meta.GetProperty("models").EnumerateObject())
        {
            var file = folder.PathOf($"{model.Name}.model");
            var cases = JsonDocument.Parse(File.ReadAllBytes(folder.PathOf($"{model.Name}.cases.json"))).RootElement;
            yield return new($"{model.Name}/special ids", () =>
                CompareSpecialIds(SentencePiece.Load(file), model.Value)
            );
            Assert.NotEqual(0, cases.GetArrayLength());
            foreach (
                var field in cases
                    .EnumerateArray()
                    .SelectMany(one => one.EnumerateObject())
                    .Select(p => p.Name)
                    .Distinct()
                    .Where(name => name != "text")
            )
                yield return new($"{model.Name}/{field}", () => Compare(SentencePiece.Load(file), cases, field));
        }
    }

    private static void CompareSpecialIds(SentencePiece tokenizer, JsonElement expected)
    {
        Assert.Equal(expected.GetProperty("size").GetInt32(), tokenizer.VocabularySize);
        Assert.Equal(expected.GetProperty("unk").GetInt32(), tokenizer.UnknownId);
        Assert.Equal(expected.GetProperty("bos").GetInt32(), tokenizer.StartId ?? -1);
        Assert.Equal(expected.GetProperty("eos").GetInt32(), tokenizer.EndId ?? -1);
        Assert.Equal(expected.GetProperty("pad").GetInt32(), tokenizer.PadId ?? -1);
    }

    private static void Compare(SentencePiece tokenizer, JsonElement cases, string field)
    {
        if (field == "decoded")
        {
            foreach (var one in cases.EnumerateArray())
                Assert.Equal(
                    one.GetProperty(field).GetString(),
                    tokenizer.Decode(tokenizer.Encode(one.GetProperty("text").GetString()!))
                );
            return;
        }
        var end = tokenizer.EndId ?? -1;
        Differences.Expect(cases, field, (text, expected) =>
        {
            var (layout, captionCase) = field switch
            {
                "ids" => (null, CaptionCase.AsWritten),
                "sticky_pad1" => (TokenLayout.Sticky(end, expected.Length, pad: 1), CaptionCase.AsWritten),
                "sticky_pad1_lower" => (TokenLayout.Sticky(end, expected.Length, pad: 1), CaptionCase.AsciiLower),
                "vit_jax_lit" => (TokenLayout.Sticky(end, expected.Length), CaptionCase.AsWritten),
                "yes_pad0" => (new TokenLayout(expected.Length, null, end, 0, StickyEnd: false), CaptionCase.AsWritten),
                "t5_pad0" => (TokenLayout.T5(end, expected.Length), CaptionCase.AsWritten),
                _ => throw new InvalidOperationException($"{field}: nobody knows this reading"),
            };
            return layout is null
                ? [.. tokenizer.Encode(text).Select(id => (long)id)]
                : new CaptionTokenizer(tokenizer, layout, captionCase).Row(text, out _);
        });
    }
}
