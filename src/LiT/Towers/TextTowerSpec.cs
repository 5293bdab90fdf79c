using System.Globalization;

namespace LiT.Towers;

/// <summary>
/// A text tower from scratch in one string: <c>text:width=512,depth=6,heads=8</c> with <c>mlp=</c> (4 x width),
/// <c>pool=mean|first|last|max|map</c>, <c>gelu=erf|tanh</c>, <c>dropout=</c> (0) and <c>pad=none</c> (padding seen
/// like any token), or <c>bert:tiny|mini|small|medium|base|large</c> or <c>bert:width=256,depth=6</c>,
/// <c>t5:small|base|large|3b|11b</c>, <c>mt5:small|base|large|xl|xxl</c>, which take <c>pool=</c> and <c>dropout=</c>
/// behind a comma, and BERT <c>gelu=</c>. From scratch erf is the default everywhere, being as good and on a CPU twice
/// as fast.
/// </summary>
internal static class TextTowerSpec
{
    private const string Form = "Write text:width=512,depth=6,heads=8 or bert:base";

    private static readonly string[] Kinds = ["text", "bert", "t5", "mt5"];

    /// <summary>Whether a text is such a string (and not a path or a public name).</summary>
    public static bool Is(string text) =>
        Kinds.Any(kind => text.StartsWith(kind + ":", StringComparison.Ordinal)) && !File.Exists(text);

    /// <summary>The tower that a string describes.</summary>
    /// <param name="spec">As above.</param>
    /// <param name="vocabularySize">Ids of the tokenizer.</param>
    /// <param name="tokenLength">Ids in a row.</param>
    /// <param name="padding">The id that fills rows, masked unless the string says otherwise.</param>
    /// <exception cref="UsageException">The string does not say a tower.</exception>
    public static TextTowerConfig Parse(string spec, int vocabularySize, int tokenLength, int padding = 0)
    {
        var (kind, rest) = spec.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon
            ? (spec[..colon], spec[(colon + 1)..])
            : (spec, "");
        switch (kind)
        {
            case "text":
                return Transformer(
                    new Settings(spec, rest, "width", "depth", "heads", "mlp", "pool", "gelu", "dropout", "pad"),
                    vocabularySize,
                    tokenLength,
                    padding
                );
            case "bert":
                var free =
                    rest.StartsWith("width=", StringComparison.Ordinal)
                    || rest.StartsWith("depth=", StringComparison.Ordinal);
                var bert = new Settings(
                    spec,
                    free ? rest : AfterComma(rest),
                    ["pool", "gelu", "dropout", .. free ? ["width", "depth"] : Array.Empty<string>()]
                );
                return (
                    free
                        ? OfSize(bert.Size("width", 768), bert.Size("depth", 12))
                        : Named(spec, kind, rest, BertConfig.Sizes)
                ) with
                {
                    VocabularySize = vocabularySize,
                    MaxLength = Math.Max(512, tokenLength),
                    Padding = padding,
                    Dropout = bert.Share("dropout"),
                    Pooling = bert.Pooling("first", "last", "mean", "max"),
                    Activation = bert.Gelu("erf", "tanh"),
                };
            case "t5" or "mt5":
                var t5 = new Settings(spec, AfterComma(rest), "pool", "dropout");
                return Named(spec, kind, rest, kind == "t5" ? T5Config.Sizes : T5Config.MultilingualSizes) with
                {
                    VocabularySize = vocabularySize,
                    Padding = padding,
                    Dropout = t5.Share("dropout"),
                    Pooling = t5.Pooling("mean", "last", "first", "max"),
                };
            default:
                throw new UsageException($"'{spec}' is not a text tower. {Form}.");
        }
    }

    private static TextTransformerConfig Transformer(Settings given, int vocabularySize, int tokenLength, int padding)
    {
        var (width, depth) = (given.Size("width", 512), given.Size("depth", 6));
        var heads = given.Size("heads", Math.Max(1, width / 64));
        if (width % heads != 0)
            throw new UsageException(
                $"'{given.Spec}': a width of {width} cannot be divided into {heads} heads. Give a divisor of {width}."
            );
        return new TextTransformerConfig(width, depth, heads, given.Size("mlp", 4 * width), vocabularySize, tokenLength)
        {
            Pooling = given.Pooling("mean", "first", "last", "max", "map"),
            Activation = given.Gelu("erf", "tanh"),
            MaskPadding = given.Choice("pad", "masked", "none") == "masked" ? padding : null,
            Dropout = given.Share("dropout"),
        };
    }

    // As Turc et al. made their 24 small ones: heads of 64, an MLP of four times the width.
    private static BertConfig OfSize(int width, int depth) => new(width, depth, Math.Max(1, width / 64), 4 * width);

    private static T Named<T>(string spec, string kind, string rest, IReadOnlyDictionary<string, T> sizes) =>
        sizes.TryGetValue(rest.Split(',')[0], out var config)
            ? config
            : throw new UsageException(
                $"'{spec}': there is no {kind} of that size. Choose one of {string.Join(", ", sizes.Keys)}."
            );

    private static string AfterComma(string rest) =>
        rest.IndexOf(',', StringComparison.Ordinal) is >= 0 and var comma ? rest[(comma + 1)..] : "";

    /// <summary>The <c>key=value</c> pairs of one string.</summary>
    private sealed class Settings
    {
        private readonly Dictionary<string, string> given = new(StringComparer.Ordinal);

        public Settings(string spec, string text, params string[] keys)
        {
            Spec = spec;
            foreach (
                var pair in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            )
                if (
                    pair.Split('=') is not [var key, { Length: > 0 } value]
                    || !keys.Contains(key, StringComparer.Ordinal)
                    || !given.TryAdd(key, value)
                )
                    throw new UsageException(
                        $"'{spec}': '{pair}' is not understood. {Form}; the keys are {string.Join(", ", keys)}."
                    );
        }

        public string Spec { get; }

        public int Size(string key, int otherwise) =>
            !given.TryGetValue(key, out var text) ? otherwise
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            && size is > 0 and <= 1 << 20
                ? size
            : throw new UsageException($"'{Spec}': {key}={text} is not a size. Give a whole number above 0.");

        public string Choice(string key, params string[] choices) =>
            !given.TryGetValue(key, out var text) ? choices[0]
            : choices.Contains(text, StringComparer.Ordinal) ? text
            : throw new UsageException(
                $"'{Spec}': {key}={text} is unknown. Choose one of {string.Join(", ", choices)}."
            );

        public TextPooling Pooling(params string[] choices) =>
            Enum.Parse<TextPooling>(Choice("pool", choices), ignoreCase: true);

        public Activation Gelu(params string[] choices) =>
            Choice("gelu", choices) == "erf" ? Activation.Gelu : Activation.GeluTanh;

        public double Share(string key) =>
            !given.TryGetValue(key, out var text) ? 0
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var share)
            && share is >= 0 and < 1
                ? share
            : throw new UsageException($"'{Spec}': {key}={text} is not a share. Give a number from 0 to below 1.");
    }
}
