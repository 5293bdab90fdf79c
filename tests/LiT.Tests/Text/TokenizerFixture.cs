using System.Text.Json.Nodes;
using LiT.Text.SentencePieces;

namespace LiT.Tests.Text;

/// <summary>Files under Fixtures/tokenizers, with what they take from the reference fixtures put in.</summary>
internal static class TokenizerFixture
{
    private static readonly string Fixtures = Path.Combine(AppContext.BaseDirectory, "Fixtures");

    internal static string PathOf(string name) => Path.Combine(Fixtures, "tokenizers", name);

    internal static string Reference(string name) => Path.Combine(Fixtures, "reference", name);

    /// <summary>Writes a whole tokenizer.json into a folder.</summary>
    internal static string WriteHuggingFace(string name, string folder)
    {
        var path = Path.Combine(folder, "tokenizer.json");
        File.WriteAllText(path, HuggingFace(name).ToJsonString());
        return path;
    }

    internal static JsonNode HuggingFace(string name) =>
        Filled(JsonNode.Parse(File.ReadAllBytes(PathOf($"huggingface/{name}.json")))!);

    private static JsonNode Filled(JsonNode node)
    {
        if (node is JsonObject { Count: 1 } reference && reference.First() is { Key: ['$', ..] kind, Value: { } file })
            return Taken(kind, Reference(file.GetValue<string>()));
        if (node is JsonObject members)
            foreach (var (name, value) in members.ToList())
                if (value is JsonObject or JsonArray && Filled(value) is var filled && filled != value)
                    members[name] = filled;
        if (node is JsonArray items)
            for (var i = 0; i < items.Count; i++)
                if (items[i] is JsonObject item && Filled(item) is var filled && filled != item)
                    items[i] = filled;
        return node;
    }

    private static JsonNode Taken(string kind, string file)
    {
        if (file.EndsWith("vocab.txt", StringComparison.Ordinal))
            return new JsonObject(
                File.ReadAllText(file)
                    .TrimEnd('\n')
                    .Split('\n')
                    .Select((piece, id) => KeyValuePair.Create(piece, (JsonNode?)id))
            );
        var model = SentencePieceModel.Parse(File.ReadAllBytes(file), file);
        return kind switch
        {
            "$ids" => new JsonObject(
                model.Pieces.Select((piece, id) => KeyValuePair.Create(piece.Text, (JsonNode?)id))
            ),
            "$pieces" => new JsonArray([
                .. model.Pieces.Select(piece => new JsonArray(piece.Text, (double)piece.Score)),
            ]),
            "$charsmap" => JsonValue.Create(Convert.ToBase64String(model.Normalizer.CharacterMap)),
            _ => throw new InvalidOperationException(kind),
        };
    }
}
