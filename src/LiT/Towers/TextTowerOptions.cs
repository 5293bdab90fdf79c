using System.Globalization;

namespace LiT.Towers;

/// <summary>
/// What a file does not say about its text tower. Text behind a path sets the same: <c>lit.npz:heads=4,pool=first</c>.
/// </summary>
internal sealed record TextTowerOptions
{
    /// <summary>
    /// <c>heads=4</c>: attention heads of a BERT whose file lacks them; every public one has width / 64.
    /// </summary>
    public int? Heads { get; init; }

    /// <summary><c>layers=4</c>: the tower ends after so many of its blocks; its norm and its pooling follow
    /// there.</summary>
    public int? Layers { get; init; }

    /// <summary>
    /// <c>projection</c>: the representation is what CLIP's or SigLIP's last layer to the common size gives.
    /// </summary>
    public bool Projection { get; init; }

    /// <summary>
    /// <c>prompt=query</c>: the name of the prefix that is put before every text, one of those that a sentence model
    /// names in its config_sentence_transformers.json.
    /// </summary>
    public string? Prompt { get; init; }

    /// <summary><c>prefix=query: </c>: the prefix itself, blanks at its end included.</summary>
    public string? Prefix { get; init; }

    /// <summary><c>pool=last|first|mean|max|mean-over-root|weighted-mean</c>: pooling, in place of what the
    /// architecture has.</summary>
    public TextPooling? Pooling { get; init; }

    /// <summary><c>gelu=tanh|erf</c>: BERT's nonlinearity, in place of what the file's origin has.</summary>
    public Activation? Activation { get; init; }

    /// <summary><c>pooler</c>: BERT's own pooler follows the [CLS] state.</summary>
    public bool Pooler { get; init; }

    /// <summary>
    /// The tower is only to be described: what the file does not say stays unknown instead of being refused.
    /// </summary>
    internal bool Describing { get; init; }

    /// <summary>Reads <c>key=value</c> pairs and single words, separated by commas.</summary>
    /// <exception cref="UsageException">Something unknown, or a value that cannot be.</exception>
    public TextTowerOptions With(string text, string spec)
    {
        var options = this;
        foreach (var given in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var item = given.TrimStart().StartsWith("prefix=", StringComparison.Ordinal)
                ? given.TrimStart()
                : given.Trim();
            if (item.Length == 0)
                continue;
            options = item.Split('=') switch
            {
                ["heads", var n] when Whole(n) is { } heads => options with { Heads = heads },
                ["layers", var n] when Whole(n) is { } layers => options with { Layers = layers },
                ["pool", var pooling] when PoolingNamed(pooling) is { } named => options with { Pooling = named },
                ["prompt", { Length: > 0 } name] => options with { Prompt = name },
                ["prefix", var prefix] => options with { Prefix = prefix },
                ["gelu", "tanh"] => options with { Activation = Towers.Activation.GeluTanh },
                ["gelu", "erf"] => options with { Activation = Towers.Activation.Gelu },
                ["pooler"] => options with { Pooler = true },
                ["projection"] => options with { Projection = true },
                _ => throw new UsageException(
                    $"'{spec}': '{item}' is not understood. Behind the path of a text tower may stand "
                        + "layers=N, heads=N, pool=last|first|mean|max|mean-over-root|weighted-mean, gelu=tanh|erf, "
                        + "pooler, projection, prompt=NAME, prefix=TEXT."
                ),
            };
        }
        return options;
    }

    private static int? Whole(string number) =>
        int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) && whole > 0
            ? whole
            : null;

    private static TextPooling? PoolingNamed(string word) =>
        word switch
        {
            "last" => TextPooling.Last,
            "first" => TextPooling.First,
            "mean" => TextPooling.Mean,
            "max" => TextPooling.Max,
            "mean-over-root" => TextPooling.MeanOverRoot,
            "weighted-mean" => TextPooling.WeightedMean,
            _ => null,
        };
}
