using System.Text.Json;
using LiT.Towers;

namespace LiT.Onnx;

/// <summary>
/// How rows of ids go through a network, everything resolved: part of the tower's fingerprint, and kept in the notes of
/// the file that a bundle holds.
/// </summary>
internal sealed record OnnxTextWay
{
    private const string Key = "lit.text";

    /// <summary>The input that takes ids.</summary>
    public required string Input { get; init; }

    /// <summary>The value that is taken of it.</summary>
    public required string Output { get; init; }

    /// <summary>The input that takes the mask; null where there is none.</summary>
    public string? Mask { get; init; }

    /// <summary>The input that takes of which text a token is; null where there is none.</summary>
    public string? Types { get; init; }

    /// <summary>The input that takes positions; null where there is none.</summary>
    public string? Positions { get; init; }

    /// <summary>What becomes of the tokens' states, one behind the other; null where the output has none.</summary>
    public IReadOnlyList<TextPooling>? Poolings { get; init; }

    /// <summary>Whether the representation is brought to unit length.</summary>
    public bool UnitLength { get; init; }

    /// <summary>One line of JSON, the same for equal ways.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, OnnxWay.Json);

    /// <summary>As it stands in a file.</summary>
    public IReadOnlyDictionary<string, string> ToNotes() => new Dictionary<string, string> { [Key] = ToJson() };

    /// <summary>What a file's notes say; null where it has none of this project.</summary>
    /// <exception cref="LitException">They are damaged.</exception>
    public static OnnxTextWay? Of(OnnxFile file)
    {
        if (!file.Notes.TryGetValue(Key, out var json))
            return null;
        try
        {
            return JsonSerializer.Deserialize<OnnxTextWay>(json, OnnxWay.Json) ?? throw new JsonException("null");
        }
        catch (Exception damage) when (damage is JsonException or NotSupportedException)
        {
            throw new LitException(
                file.Path,
                $"the notes '{Key}' are damaged ({damage.Message.ReplaceLineEndings(" ").TrimEnd('.')})",
                "Copy the bundle again, or give the network that was exported",
                damage
            );
        }
    }

    /// <summary>What was said with the command, and for the rest what the notes say.</summary>
    public OnnxTextOptions Completing(OnnxTextOptions given) =>
        given with
        {
            Input = given.Input ?? Input,
            Mask = given.Mask ?? Mask,
            Types = given.Types ?? Types,
            Positions = given.Positions ?? Positions,
            Output = given.Output ?? Output,
        };
}
