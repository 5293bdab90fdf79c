using System.Text.RegularExpressions;
using LiT.Towers;

namespace LiT.Onnx;

/// <summary>
/// What an ONNX file does not say of its text tower, as it stands behind its path:
/// <c>model.onnx:output=sentence_embedding,prefix=query: </c>.
/// </summary>
internal sealed partial record OnnxTextOptions
{
    private const string Names =
        "input=NAME, mask=NAME, types=NAME, positions=NAME, output=NAME, "
        + "pool=first|mean|max|last|mean-over-root|weighted-mean, prompt=NAME, prefix=TEXT";

    /// <summary>The whole as it was given, for messages.</summary>
    public required string Spec { get; init; }

    /// <summary>The input that takes ids; null where it is told by its name, or is the only one.</summary>
    public string? Input { get; init; }

    /// <summary>The input that says which places hold a token.</summary>
    public string? Mask { get; init; }

    /// <summary>The input that says of which of two texts a token is; all are of the first here.</summary>
    public string? Types { get; init; }

    /// <summary>The input that takes 0, 1, 2 …</summary>
    public string? Positions { get; init; }

    /// <summary>
    /// The output, or any value inside the network, that is the representation or the tokens' states.
    /// </summary>
    public string? Output { get; init; }

    /// <summary>What is told of every text tower: pooling, prompt, prefix.</summary>
    public TextTowerOptions Tower { get; init; } = new();

    /// <summary>Reads <c>key=value</c> pairs; names and prefixes may hold commas that no key follows.</summary>
    /// <exception cref="UsageException">Something unknown, or a value that cannot be.</exception>
    public static OnnxTextOptions Parse(string given, string spec)
    {
        OnnxTextOptions options = new() { Spec = spec };
        foreach (var item in Separators().Split(given).Where(part => part.Trim(' ', ',').Length > 0))
        {
            var (key, value) = item.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
                ? (item[..at].Trim(), item[(at + 1)..])
                : (item.Trim(), "");
            options = key switch
            {
                "input" when value.Length > 0 => options with { Input = value },
                "mask" when value.Length > 0 => options with { Mask = value },
                "types" when value.Length > 0 => options with { Types = value },
                "positions" when value.Length > 0 => options with { Positions = value },
                "output" when value.Length > 0 => options with { Output = value },
                "prefix" => options with { Tower = options.Tower with { Prefix = value } },
                "layers" => throw new UsageException(
                    $"'{spec}': {item.Trim()} is for towers that are read from weights. Of a network in ONNX name the "
                        + "value behind the block with output=NAME."
                ),
                "pool" or "prompt" when !value.Contains(',', StringComparison.Ordinal) => options with
                {
                    Tower = options.Tower.With(item.Trim(), spec),
                },
                _ => throw new UsageException(
                    $"'{spec}': '{item.Trim()}' is not understood. After a text tower in ONNX may stand {Names}."
                ),
            };
        }
        return options;
    }

    [GeneratedRegex(
        @"[,:](?=\s*(input|mask|types|positions|output|pool|prompt|prefix|layers)=|\s*$)",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex Separators();
}
