using System.Text.Json.Serialization;

namespace LiT.Towers;

/// <summary>A tower in plain words and numbers.</summary>
internal sealed record TowerDescription
{
    /// <summary>Whose weights they are.</summary>
    public required string Family { get; init; }

    /// <summary>What the tower is.</summary>
    public required string Architecture { get; init; }

    /// <summary>Number of weights, heads included.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Length of the representation.</summary>
    public required int Width { get; init; }

    /// <summary>The supervised heads.</summary>
    public required IReadOnlyList<HeadConfig> Heads { get; init; }

    /// <summary>What happens to a picture first.</summary>
    public required string Preprocessing { get; init; }

    /// <summary>What was followed of the settings that stand beside the weights, a line a file.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>What is to be told of those settings, a sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>
    /// How names in the file were matched; null for a tower from scratch, and for one that was read whole.
    /// </summary>
    public MatchedNames? Names { get; init; }

    /// <summary>Whether the weights are random.</summary>
    public bool FromScratch { get; init; } = true;

    /// <summary>SHA-256 over architecture, weights and preprocessing; null where there are no weights yet.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>All of it as lines of text.</summary>
    [JsonIgnore]
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
                .. Heads.Select(head =>
                    $"head            {head.Name}, {head.Classes} classes"
                    + (head.ClassNames is { } names ? $": {string.Join(", ", names)}" : "")
                ),
            ];
            lines.AddRange(Settings.Select(line => $"settings        {line}"));
            lines.AddRange(Warnings.Select(line => $"warning         {line}"));
            if (Fingerprint is not null)
                lines.Add($"fingerprint     {Fingerprint}");
            if (Names is not { } matched)
                return FromScratch ? [.. lines, "weights         from scratch, not trained"] : lines;
            lines.Add($"weights         {matched.Source}; {matched.Names.Count} tensors matched");
            lines.AddRange(
                matched.Names.Select(name =>
                    $"  {name.Theirs} [{string.Join(", ", name.Shape)}] -> {name.Ours}"
                    + (name.Change.Length > 0 ? $" ({name.Change})" : "")
                )
            );
            lines.AddRange(matched.Skipped.Select(skipped => $"  left out: {skipped}"));
            lines.AddRange(matched.Outside.Select(outside => $"  not part of the tower: {outside}"));
            return lines;
        }
    }
}
