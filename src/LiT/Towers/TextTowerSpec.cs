using System.Globalization;

namespace LiT.Towers;

/// <summary>
/// A text tower from scratch in one string: <c>text:width=512,depth=6,heads=8</c> with <c>mlp=</c> (4 x width),
/// <c>pool=mean|first|last|max|map</c>, <c>gelu=erf|tanh</c>, <c>dropout=</c> (0) and <c>pad=none</c> (padding seen like
/// any token), or <c>bert:tiny|mini|small|medium|base|large</c>.
/// </summary>
public static class TextTowerSpec
{
    private const string Form = "Write text:width=512,depth=6,heads=8 or bert:base";

    private static readonly string[] TextKeys = ["width", "depth", "heads", "mlp", "pool", "gelu", "dropout", "pad"];

    /// <summary>Whether a text is such a string (and not a path or a public name).</summary>
    public static bool Is(string text) => text.StartsWith("text:", StringComparison.Ordinal) || text.StartsWith("bert:", StringComparison.Ordinal);

    /// <summary>The tower that a string describes.</summary>
    /// <param name="spec">As above.</param>
    /// <param name="vocabularySize">Ids of the tokenizer.</param>
    /// <param name="tokenLength">Ids in a row.</param>
    /// <param name="padding">The id that fills rows, masked unless the string says otherwise.</param>
    /// <exception cref="UsageException">The string does not say a tower.</exception>
    public static TextTowerConfig Parse(string spec, int vocabularySize, int tokenLength, int padding = 0)
    {
        var (kind, rest) = spec.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon ? (spec[..colon], spec[(colon + 1)..]) : (spec, "");
        return kind switch
        {
            "text" => Transformer(spec, Pairs(spec, rest), vocabularySize, tokenLength, padding),
            _ => throw new UsageException($"'{spec}' is not a text tower. {Form}."),
        };
    }

    private static TextTransformerConfig Transformer(string spec, Dictionary<string, string> given, int vocabularySize, int tokenLength, int padding)
    {
        int Size(string key, int otherwise) => !given.TryGetValue(key, out var text) ? otherwise
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size is > 0 and <= 1 << 20 ? size
            : throw new UsageException($"'{spec}': {key}={text} is not a size. Give a whole number above 0.");
        string Choice(string key, params string[] choices) => !given.TryGetValue(key, out var text) ? choices[0]
            : choices.Contains(text, StringComparer.Ordinal) ? text
            : throw new UsageException($"'{spec}': {key}={text} is unknown. Choose one of {string.Join(", ", choices)}.");
        var (width, depth) = (Size("width", 512), Size("depth", 6));
        var heads = Size("heads", Math.Max(1, width / 64));
        if (width % heads != 0)
            throw new UsageException($"'{spec}': a width of {width} cannot be divided into {heads} heads. Give a divisor of {width}.");
        return new TextTransformerConfig(width, depth, heads, Size("mlp", 4 * width), vocabularySize, tokenLength)
        {
            Pooling = Enum.Parse<TextPooling>(Choice("pool", "mean", "first", "last", "max", "map"), ignoreCase: true),
            Activation = Choice("gelu", "erf", "tanh") == "erf" ? Activation.Gelu : Activation.GeluTanh,
            MaskPadding = Choice("pad", "masked", "none") == "masked" ? padding : null,
            Dropout = !given.TryGetValue("dropout", out var share) ? 0
                : double.TryParse(share, NumberStyles.Float, CultureInfo.InvariantCulture, out var dropout) && dropout is >= 0 and < 1 ? dropout
                : throw new UsageException($"'{spec}': dropout={share} is not a share. Give a number from 0 to below 1."),
        };
    }

    private static Dictionary<string, string> Pairs(string spec, string rest)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in rest.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (pair.Split('=') is not [var key, { Length: > 0 } value] || !TextKeys.Contains(key, StringComparer.Ordinal) || !pairs.TryAdd(key, value))
                throw new UsageException($"'{spec}': '{pair}' is not understood. {Form}; the keys are {string.Join(", ", TextKeys)}.");
        }
        return pairs;
    }
}
