using LiT.Images;

namespace LiT.Towers;

/// <summary>An image tower with all that belongs to it: what it takes, what it is, where its weights came from.</summary>
/// <param name="Tower">Evaluation mode; without gradients unless it was loaded for training.</param>
/// <param name="Preprocessing">What makes a picture its input.</param>
/// <param name="Family">Whose weights they are, in words: "ViT (vit_jax, big_vision)".</param>
/// <param name="Architecture">What it is, in words: "ViT-B/16".</param>
/// <param name="Names">How names in the file were matched; null for a tower from scratch.</param>
/// <param name="Fingerprint">
/// SHA-256 in hexadecimal over architecture, weights and preprocessing, heads left out: equal fingerprints, equal
/// representations, from whatever container the weights came.
/// </param>
public sealed record LockedTower(
    ImageTower Tower, Preprocessing Preprocessing, string Family, string Architecture, MatchedNames? Names, string Fingerprint) : IDisposable
{
    /// <summary>Number of weights that training would change, heads included.</summary>
    public long ParameterCount { get; } = Tower.parameters().Sum(parameter => parameter.numel());

    /// <summary>The supervised heads that came with the weights.</summary>
    public IReadOnlyList<HeadConfig> Heads => Tower.Config?.Heads ?? [.. Tower.HeadNames.Select(name => new HeadConfig(name, 0))];

    /// <summary>What <c>lit models show</c> prints.</summary>
    public TowerDescription Describe() => new(this);

    /// <inheritdoc/>
    public void Dispose() => Tower.Dispose();
}

/// <summary>A tower in plain words and numbers.</summary>
public sealed record TowerDescription
{
    internal TowerDescription(LockedTower locked)
    {
        (Family, Architecture, ParameterCount, Width) = (locked.Family, locked.Architecture, locked.ParameterCount, locked.Tower.Width);
        (Heads, Names, Fingerprint) = (locked.Heads, locked.Names, locked.Fingerprint);
        Preprocessing = locked.Preprocessing.PreprocessingDescription;
    }

    /// <summary>Whose weights they are.</summary>
    public string Family { get; }

    /// <summary>What the tower is.</summary>
    public string Architecture { get; }

    /// <summary>Number of weights, heads included.</summary>
    public long ParameterCount { get; }

    /// <summary>Length of the representation.</summary>
    public int Width { get; }

    /// <summary>The supervised heads.</summary>
    public IReadOnlyList<HeadConfig> Heads { get; }

    /// <summary>What happens to a picture first.</summary>
    public string Preprocessing { get; }

    /// <summary>How names in the file were matched; null for a tower from scratch.</summary>
    public MatchedNames? Names { get; }

    /// <summary>SHA-256 over architecture, weights and preprocessing.</summary>
    public string Fingerprint { get; }

    /// <summary>All of it as lines of text.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            List<string> lines =
            [
                $"architecture    {Architecture}",
                $"family          {Family}",
                FormattableString.Invariant($"parameters      {ParameterCount:N0}"),
                $"representation  {Width} numbers",
                $"preprocessing   {Preprocessing}",
                .. Heads.Select(head => $"head            {head.Name}, {head.Classes} classes" + (head.ClassNames is { } names ? $": {string.Join(", ", names)}" : "")),
                $"fingerprint     {Fingerprint}",
            ];
            if (Names is not { } matched) return [.. lines, "weights         from scratch, not trained"];
            lines.Add($"weights         {matched.Source}; {matched.Names.Count} tensors matched");
            lines.AddRange(matched.Names.Select(name => $"  {name.Theirs} [{string.Join(", ", name.Shape)}] -> {name.Ours}" + (name.Change.Length > 0 ? $" ({name.Change})" : "")));
            lines.AddRange(matched.Skipped.Select(skipped => $"  left out: {skipped}"));
            lines.AddRange(matched.Outside.Select(outside => $"  not part of the tower: {outside}"));
            return lines;
        }
    }
}
