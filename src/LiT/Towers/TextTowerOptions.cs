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

    /// <summary><c>pool=last|first|mean|max</c>: pooling, in place of what the architecture has.</summary>
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
        foreach (var item in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            options = item.Split('=') switch
            {
                ["heads", var n]
                    when int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var heads) && heads > 0 =>
                    options with
                    {
                        Heads = heads,
                    },
                ["pool", var pooling] when pooling is "last" or "first" or "mean" or "max" => options with
                {
                    Pooling = Enum.Parse<TextPooling>(pooling, ignoreCase: true),
                },
                ["gelu", "tanh"] => options with { Activation = Towers.Activation.GeluTanh },
                ["gelu", "erf"] => options with { Activation = Towers.Activation.Gelu },
                ["pooler"] => options with { Pooler = true },
                _ => throw new UsageException(
                    $"'{spec}': '{item}' is not understood. Behind the path of a text tower may stand "
                        + "heads=N, pool=last|first|mean|max, gelu=tanh|erf, pooler."
                ),
            };
        }
        return options;
    }
}
