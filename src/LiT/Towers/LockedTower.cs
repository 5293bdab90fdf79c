using LiT.Images;

namespace LiT.Towers;

/// <summary>
/// An image tower with all that belongs to it: what it takes, what it is, where its weights came from.
/// </summary>
/// <param name="Tower">Evaluation mode; without gradients unless it was loaded for training.</param>
/// <param name="Preprocessing">What makes a picture its input.</param>
/// <param name="Family">Whose weights they are, in words: "ViT (vit_jax, big_vision)".</param>
/// <param name="Architecture">What it is, in words: "ViT-B/16".</param>
/// <param name="Names">How names in the file were matched; null for a tower from scratch.</param>
/// <param name="Fingerprint">
/// SHA-256 in hexadecimal over architecture, weights and preprocessing, heads left out: equal fingerprints, equal
/// representations, from whatever container the weights came.
/// </param>
internal sealed record LockedTower(
    ImageTower Tower,
    Preprocessing Preprocessing,
    string Family,
    string Architecture,
    MatchedNames? Names,
    string Fingerprint
) : IDisposable
{
    /// <summary>What was followed of the settings that stand beside the weights, a line a file.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>What is to be told of those settings, a sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>
    /// What there is to say of those settings before long work begins, a sentence each; warnings begin with that word.
    /// </summary>
    public IEnumerable<string> Remarks =>
        Settings.Select(line => $"followed {line}").Concat(Warnings.Select(line => $"warning: {line}"));

    /// <summary>Number of weights that training would change, heads included.</summary>
    public long ParameterCount { get; } = Tower.WeightCount;

    /// <summary>The supervised heads that came with the weights.</summary>
    public IReadOnlyList<HeadConfig> Heads =>
        Tower.Config?.Heads ?? [.. Tower.HeadNames.Select(name => new HeadConfig(name, 0))];

    /// <summary>
    /// The same tower, not a copy, with another preprocessing: other representations, and so another fingerprint.
    /// </summary>
    public LockedTower With(Preprocessing preprocessing) =>
        preprocessing == Preprocessing
            ? this
            : this with
            {
                Preprocessing = preprocessing,
                Fingerprint = ImageTowerFile.Fingerprint(Tower, preprocessing),
            };

    /// <summary>What <c>lit models show</c> prints.</summary>
    public TowerDescription Describe() =>
        new()
        {
            Architecture = Architecture,
            Family = Family,
            ParameterCount = ParameterCount,
            Width = Tower.Width,
            Heads = Heads,
            Preprocessing = Preprocessing.PreprocessingDescription,
            Names = Names,
            FromScratch = Names is null && Tower is not ForeignTower,
            Fingerprint = Fingerprint,
            Settings = Settings,
            Warnings = Warnings,
        };

    /// <inheritdoc/>
    public void Dispose() => Tower.Dispose();
}
