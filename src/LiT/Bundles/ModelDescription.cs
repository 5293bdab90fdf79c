using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using LiT.Files;
using LiT.Images;
using LiT.Text;
using LiT.Towers;

namespace LiT.Bundles;

/// <summary>The sizes of a head.</summary>
internal sealed record HeadShape(int Inputs, int Outputs, int? Hidden = null, bool Standardises = false)
{
    /// <summary>Whether it is gated; null for no.</summary>
    public bool? Gated { get; init; }

    internal static HeadShape? Of(Head? head) =>
        head is null
            ? null
            : new(head.Inputs, head.Outputs, head.Hidden, head.Standardises) { Gated = head.Gated ? true : null };
}

/// <summary>The locked side of a model: which tower it reads, and what that tower takes.</summary>
/// <param name="Tower">How the tower was called: a path or a public name.</param>
/// <param name="Architecture">What it is, in words.</param>
/// <param name="Fingerprint">Hash of its weights and preprocessing: only this tower's representations can be
/// read.</param>
/// <param name="Width">Length of its representation.</param>
/// <param name="Preprocessing">What makes a picture its input.</param>
/// <param name="File">The tower's file inside the bundle, or null where the bundle only names it.</param>
/// <param name="Head">The head on the image side, or null.</param>
internal sealed record ImageSideDescription(
    string Tower,
    string Architecture,
    string Fingerprint,
    int Width,
    Preprocessing Preprocessing,
    string? File,
    HeadShape? Head
)
{
    /// <summary>
    /// Whether the model was tuned on embeddings made elsewhere and knows no tower for them; null for no.
    /// </summary>
    public bool? IsOwn { get; init; }

    /// <summary>The tower whose representations the model reads.</summary>
    internal ExpectedTower Expected => new(Fingerprint, Tower);
}

/// <summary>The tuned side of a model.</summary>
/// <param name="Config">The text tower's sizes.</param>
/// <param name="Tokenizer">Its tokenizer's files and row layout.</param>
/// <param name="File">Text tower, heads, temperature and bias inside the bundle.</param>
/// <param name="Head">The head on the text side, or null.</param>
internal sealed record TextSideDescription(
    TextTowerConfig Config,
    CaptionTokenizerDescription Tokenizer,
    string File,
    HeadShape? Head
)
{
    /// <summary>The tower's own file inside the bundle, where another runtime computes it; null for no.</summary>
    public string? Network { get; init; }
}

/// <summary>What a bundle's model.json says.</summary>
internal sealed record ModelDescription
{
    /// <summary>The file's name inside a bundle.</summary>
    public const string FileName = "model.json";

    private const int CurrentVersion = 1;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    /// <summary>Says that the file is a model's description.</summary>
    public string Format { get; init; } = "LiT model";

    /// <summary>Version of this form.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>The locked side.</summary>
    public required ImageSideDescription Image { get; init; }

    /// <summary>The tuned side.</summary>
    public required TextSideDescription Text { get; init; }

    /// <summary>E, the common size.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>
    /// Widths below the common size that the model was tuned for, too: it can be cut to them. Null for none.
    /// </summary>
    public IReadOnlyList<int>? Nested { get; init; }

    /// <summary>exp(t), what similarities are multiplied by.</summary>
    public required double Temperature { get; init; }

    /// <summary>b of the sigmoid loss, or null for the softmax loss.</summary>
    public double? Bias { get; init; }

    /// <summary>The paper's two letters, image then text: "Lu".</summary>
    public required string Lock { get; init; }

    /// <summary>The language of the captions that the text tower was tuned on, as a code; null where nobody said
    /// it.</summary>
    public string? Language { get; init; }

    /// <summary>The languages of a text tower that speaks several, as codes; null for one.</summary>
    public IReadOnlyList<string>? Languages { get; init; }

    /// <summary>How the model was made: data, counts, settings, seed.</summary>
    public JsonObject? Training { get; init; }

    /// <summary>Licences of the parts that came from elsewhere, as their sources name them.</summary>
    public IReadOnlyList<string> Licences { get; init; } = [];

    /// <summary>SHA-256 of every other file of the bundle by its name; null in bundles of earlier versions.</summary>
    public IReadOnlyDictionary<string, string>? Files { get; init; }

    /// <summary>SHA-256 over everything else that the file says; null in bundles of earlier versions.</summary>
    public string? Digest { get; init; }

    internal string ToJson()
    {
        var plain = JsonSerializer.Serialize(this with { Digest = null }, Json);
        return JsonSerializer.Serialize(this with { Digest = DigestOf(plain) }, Json) + "\n";
    }

    /// <summary>Holds the file against its own digest.</summary>
    /// <returns>Whether it has one.</returns>
    /// <exception cref="LitException">It was changed since it was written.</exception>
    internal static bool CheckDigest(string folder)
    {
        var path = Path.Combine(folder, FileName);
        var text = File.ReadAllText(path);
        if ((Parsed(path, text) as JsonObject)?["digest"]?.GetValue<string>() is not { } written)
            return false;
        return DigestOf(text) == written
            ? true
            : throw new LitException(
                path,
                "was changed since the bundle was written: "
                    + "what it says of towers, temperature, lock or files is not what it said then",
                "Copy the bundle again"
            );
    }

    private static JsonNode? Parsed(string path, string text)
    {
        try
        {
            return JsonTrouble.Parse(text);
        }
        catch (JsonException damage)
        {
            throw new LitException(path, $"damaged ({JsonTrouble.Words(damage)})", "Copy the bundle again", damage);
        }
    }

    // Over names and values in the order of the names: a program that only lays the file out anew changes nothing.
    private static string DigestOf(string json)
    {
        var all = (JsonObject)JsonNode.Parse(json)!;
        all.Remove("digest");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Ordered(all)!.ToJsonString())));

        static JsonNode? Ordered(JsonNode? node) =>
            node switch
            {
                JsonObject members => new JsonObject(
                    members
                        .OrderBy(member => member.Key, StringComparer.Ordinal)
                        .Select(member => KeyValuePair.Create(member.Key, Ordered(member.Value)))
                ),
                JsonArray items => new JsonArray([.. items.Select(Ordered)]),
                _ => node?.DeepClone(),
            };
    }

    /// <summary>Nothing outside of the folder is opened because its model.json says so.</summary>
    private void Check(string folder, string path)
    {
        if (Image is null || Text?.Tokenizer is null)
            throw new JsonException("a side, or its tokenizer, is not described");
        foreach (
            var (member, name) in new[]
            {
                ("image.file", Image.File),
                ("text.file", Text.File),
                ("text.network", Text.Network),
                ("text.tokenizer.file", Text.Tokenizer.File),
            }
        )
            if (name is not null && Inside.Refusal(folder, name, Files?.GetValueOrDefault(name)) is { } refusal)
                throw new LitException(
                    $"{path}: {member} '{name.ReplaceLineEndings(" ")}' {refusal}; a model's files stand inside "
                        + $"its folder. "
                        + "Copy the bundle again as it was written."
                );
    }

    /// <exception cref="LitException">The file is missing, damaged or of a later version.</exception>
    internal static ModelDescription Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new LitException(
                folder,
                $"no model is there ({FileName} is missing)",
                "Give the folder that 'lit tune' wrote as RUN/model"
            );
        try
        {
            var description = JsonSerializer.Deserialize<ModelDescription>(File.ReadAllText(path), Json)
                ?? throw new JsonException("null");
            if (description.Format != "LiT model")
                throw new LitException(
                    path,
                    $"its format is '{description.Format}', not a LiT model",
                    "Give the folder that 'lit tune' wrote as RUN/model"
                );
            if (description.Version > CurrentVersion)
                throw new LitException(
                    path,
                    $"version {description.Version} of the format, where this program knows {CurrentVersion}",
                    "Use a newer program"
                );
            description.Check(folder, path);
            return description;
        }
        catch (Exception damage) when (damage is JsonException or NotSupportedException or ArgumentException)
        {
            throw new LitException(path, $"damaged ({JsonTrouble.Words(damage)})", "Copy the bundle again", damage);
        }
    }
}
