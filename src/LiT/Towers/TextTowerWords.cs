namespace LiT.Towers;

/// <summary>A text tower's sizes and choices in words.</summary>
internal static class TextTowerWords
{
    /// <summary>The architecture in words, such as "BERT-base, [CLS]".</summary>
    public static string InWords(this TextTowerConfig config) =>
        config switch
        {
            BertConfig bert => $"{NameOf(bert)}, {Of(bert.Pooling)}{(bert.Pooler ? ", pooler" : "")}, "
                + $"{ActivationOf(bert.Activation)}",
            T5Config t5 => $"{NameOf(t5)}, {Of(t5.Pooling)}",
            SentenceConfig sentence => sentence.Encoder.InWords()
                + string.Concat(sentence.Poolings.Skip(1).Select(pooling => $" joined with {Of(pooling)}"))
                + string.Concat(sentence.Steps.Select(step => ", " + step.InWords)),
            TextTransformerConfig text =>
                $"text transformer of width {text.Width}, depth {text.Depth}, {text.Heads} heads, MLP "
                    + $"{text.MlpDim}, {Of(text.Pooling)}, "
                    + $"{ActivationOf(text.Activation)}{(text.MaskPadding is null ? "" : ", padding masked")}",
            ForeignTextConfig foreign => foreign.Words,
            _ => config.GetType().Name,
        };

    /// <summary>Whether the number of attention heads is not known, because the file does not say it.</summary>
    public static bool HeadsAreUnknown(this TextTowerConfig config) => config.Encoding() is BertConfig { Heads: 0 };

    /// <summary>The same of an image tower.</summary>
    public static bool HeadsAreUnknown(this ImageTowerConfig config) =>
        config is DinoConfig { AttentionHeads: 0 } or HuggingFaceViTConfig { AttentionHeads: 0 };

    private static string NameOf(BertConfig bert)
    {
        var kind =
            bert.RelativeBuckets > 0 ? "MPNet"
            : bert.FirstPosition > 0 ? "RoBERTa"
            : "BERT";
        var known = BertConfig
            .Sizes.FirstOrDefault(size =>
                (size.Value.Width, size.Value.Depth, size.Value.Heads, size.Value.MlpDim)
                == (bert.Width, bert.Depth, bert.Heads, bert.MlpDim)
            )
            .Key;
        return known is not null
            ? $"{kind}-{known}"
            : $"{kind} of width {bert.Width}, depth {bert.Depth}, {Layers.HeadsInWords(bert.Heads)}, MLP {bert.MlpDim}";
    }

    private static string NameOf(T5Config t5)
    {
        var (kind, sizes) = t5.Gated ? ("mT5", T5Config.MultilingualSizes) : ("T5", T5Config.Sizes);
        return
            sizes
                .FirstOrDefault(size =>
                    (size.Value.Width, size.Value.Depth, size.Value.Heads, size.Value.MlpDim)
                    == (t5.Width, t5.Depth, t5.Heads, t5.MlpDim)
                )
                .Key
                is { } known
            ? $"{kind}-{known} encoder"
            : $"T5 encoder of width {t5.Width}, depth {t5.Depth}, {t5.Heads} heads of {t5.HeadSize}, "
                + $"MLP {t5.MlpDim}{(t5.Gated ? " gated" : "")}";
    }

    /// <summary>Poolings in words, such as "first token joined with mean over tokens".</summary>
    public static string Of(IEnumerable<TextPooling> poolings) => string.Join(" joined with ", poolings.Select(Of));

    /// <summary>A pooling in words, such as "mean over tokens".</summary>
    public static string Of(TextPooling pooling) =>
        pooling switch
        {
            TextPooling.First => "first token",
            TextPooling.Last => "last token",
            TextPooling.Mean => "mean over tokens",
            TextPooling.Max => "largest over tokens",
            TextPooling.MeanOverRoot => "sum over tokens by the root of their number",
            TextPooling.WeightedMean => "mean over tokens, later ones more",
            _ => "attention pooling",
        };

    private static string ActivationOf(Activation activation) =>
        activation switch
        {
            Activation.Gelu => "GELU (erf)",
            Activation.GeluTanh => "GELU (tanh)",
            Activation.QuickGelu => "GELU (quick)",
            _ => activation.ToString(),
        };
}
