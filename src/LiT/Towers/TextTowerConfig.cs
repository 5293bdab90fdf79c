using System.Text.Json.Serialization;
using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>
/// The sizes and choices of a text tower: all that its weights do not say. It is kept as JSON beside them.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(TextTransformerConfig), "text-transformer")]
[JsonDerivedType(typeof(BertConfig), "bert")]
[JsonDerivedType(typeof(T5Config), "t5")]
[JsonDerivedType(typeof(SentenceConfig), "sentence")]
[JsonDerivedType(typeof(ForeignTextConfig), "foreign")]
internal abstract record TextTowerConfig
{
    /// <summary>A tower of these sizes whose weights are allocated but not filled.</summary>
    /// <param name="device">Where the weights are to be; the meta device gives a tower without numbers.</param>
    internal abstract TextTower Build(Device? device = null);

    /// <summary>What reads the tokens: this, or the encoder of a sentence tower.</summary>
    internal virtual TextTowerConfig Encoding() => this;

    /// <summary>How many blocks it has; 0 where another runtime computes it.</summary>
    internal abstract int BlockCount();

    /// <summary>The tower that ends after so many of this one's blocks.</summary>
    internal abstract TextTowerConfig EndingAfter(int blocks);

    /// <summary>A tower of these sizes, filled as its reference initialises one.</summary>
    internal abstract TextTower Create(Generator random);

    private protected static void Check(int heads, int width, params ReadOnlySpan<int> sizes)
    {
        foreach (var size in (ReadOnlySpan<int>)[heads, width, .. sizes])
            if (size is < 1 or > 1 << 24)
                throw new ArgumentException($"A text tower cannot have a size of {size}.");
        if (width % heads != 0)
            throw new ArgumentException($"A width of {width} cannot be divided into {heads} heads.");
    }
}

/// <summary>How the states of a text's tokens become one representation.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TextPooling>))]
internal enum TextPooling
{
    /// <summary>
    /// The last place of the row, which is always the end token (LiT-L16S, LiT-L16Ti, SigLIP); the last token where
    /// padding is masked.
    /// </summary>
    Last,

    /// <summary>The first place ([CLS]).</summary>
    First,

    /// <summary>The mean over all places; over the tokens alone where padding is masked.</summary>
    Mean,

    /// <summary>The largest value of every channel.</summary>
    Max,

    /// <summary>The sum over the tokens divided by the root of their number (sentence-transformers).</summary>
    MeanOverRoot,

    /// <summary>
    /// The mean over the tokens in which the n-th counts n times (sentence-transformers' weightedmean).
    /// </summary>
    WeightedMean,

    /// <summary>
    /// Multi-head attention pooling: a learned probe attends to the tokens (Zhai et al. 2022, arXiv 2106.04560).
    /// </summary>
    Map,
}
