using System.Text.Json.Serialization;
using LiT.Bundles;
using LiT.Towers;

namespace LiT.Catalogue;

/// <summary>One tensor of a file.</summary>
internal sealed record TensorFact(string Name, IReadOnlyList<long> Shape, string Type);

/// <summary>What a file, a published name or a spec stands for, in plain words and numbers: what <c>lit models show</c> prints.</summary>
internal sealed record ModelExplanation
{
    /// <summary>"image tower", "text tower", "two towers", "model bundle", "tokenizer", "linear layer", "array" or "tensors".</summary>
    public required string What { get; init; }

    /// <summary>What it is.</summary>
    public required string Architecture { get; init; }

    /// <summary>Whose weights they are.</summary>
    public required string Family { get; init; }

    /// <summary>Number of weights, heads included.</summary>
    public long? ParameterCount { get; init; }

    /// <summary>Length of the representation; of two towers, the common size.</summary>
    public int? Width { get; init; }

    /// <summary>Supervised heads.</summary>
    public IReadOnlyList<HeadConfig>? Heads { get; init; }

    /// <summary>What happens to a picture first.</summary>
    public string? Preprocessing { get; init; }

    /// <summary>Ids of a text tower or tokenizer.</summary>
    public int? VocabularySize { get; init; }

    /// <summary>The longest row of ids, or the row's length.</summary>
    public int? TokenLength { get; init; }

    /// <summary>exp(t) of two towers.</summary>
    public double? Temperature { get; init; }

    /// <summary>b of two towers.</summary>
    public double? Bias { get; init; }

    /// <summary>The image side.</summary>
    public ModelExplanation? Image { get; init; }

    /// <summary>The text side.</summary>
    public ModelExplanation? Text { get; init; }

    /// <summary>The catalogue's entry, of a published name.</summary>
    public CataloguedModel? Published { get; init; }

    /// <summary>Where a published model was downloaded to; null where it was not.</summary>
    public string? DownloadedTo { get; init; }

    /// <summary>What was followed of the settings that stand beside the weights, a line a file.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>What those settings say that is not followed, a sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>What else is to be known, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>SHA-256 over architecture, weights and preprocessing of an image tower.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>How names in the file were matched.</summary>
    public MatchedNames? Names { get; init; }

    /// <summary>What a file holds that is no tower.</summary>
    public IReadOnlyList<TensorFact>? Tensors { get; init; }

    /// <summary>An image tower's description in this form.</summary>
    internal static ModelExplanation Of(TowerDescription tower) =>
        new()
        {
            What = "image tower",
            Architecture = tower.Architecture,
            Family = tower.Family,
            ParameterCount = tower.ParameterCount,
            Width = tower.Width,
            Heads = tower.Heads,
            Preprocessing = tower.Preprocessing,
            Fingerprint = tower.Fingerprint,
            Names = tower.Names,
            Settings = tower.Settings,
            Warnings = tower.Warnings,
        };

    /// <summary>All of it as lines of text.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Lines =>
        [
            .. Facts(),
            .. Side("image side", Image),
            .. Side("text side", Text),
            .. Published is null ? [] : SourceLines(Published),
            .. Settings.Select(line => Row("settings", line)),
            .. Warnings.Select(line => Row("warning", line)),
            .. Notes.Select(note => Row("note", note)),
            .. Weights(),
        ];

    private IEnumerable<string> Facts()
    {
        if (Published is not null)
            yield return Row("name", string.Join(", also ", Published.Aliases.Prepend(Published.Name)));
        yield return Row("what", What);
        yield return Row("architecture", Architecture);
        yield return Row("family", Family);
        if (ParameterCount is { } count)
            yield return Row("parameters", FormattableString.Invariant($"{count:N0}"));
        if (Width is { } width)
            yield return Row(
                What is "two towers" or "model bundle" ? "embedding" : "representation",
                $"{width} numbers"
            );
        if (Preprocessing is not null)
            yield return Row("preprocessing", Preprocessing);
        if (VocabularySize is { } ids)
            yield return Row("vocabulary", FormattableString.Invariant($"{ids:N0} ids"));
        if (TokenLength is { } length)
            yield return Row("row of text", $"{length} ids{(What == "text tower" ? " at most" : "")}");
        if (Temperature is { } temperature)
            yield return Row(
                "temperature",
                FormattableString.Invariant($"{temperature:0.####}{(Bias is { } b ? $", bias {b:0.####}" : "")}")
            );
        foreach (var head in Heads ?? [])
            yield return Row(
                "head",
                $"{head.Name}, {head.Classes} classes"
                    + (head.ClassNames is { } names ? $": {string.Join(", ", names)}" : "")
            );
        if (Fingerprint is not null)
            yield return Row("fingerprint", Fingerprint);
    }

    private IEnumerable<string> Weights()
    {
        if (Names is { } matched)
        {
            yield return Row("weights", $"{matched.Source}; {matched.Names.Count} tensors matched");
            foreach (var name in matched.Names)
                yield return $"  {name.Theirs} [{string.Join(", ", name.Shape)}] -> {name.Ours}"
                    + (name.Change.Length > 0 ? $" ({name.Change})" : "");
            foreach (var skipped in matched.Skipped)
                yield return $"  left out: {skipped}";
            foreach (var outside in matched.Outside)
                yield return $"  not part of the tower: {outside}";
        }
        foreach (var tensor in Tensors ?? [])
            yield return $"  {tensor.Name} [{string.Join(", ", tensor.Shape)}] {tensor.Type}";
    }

    private IEnumerable<string> SourceLines(CataloguedModel model)
    {
        yield return Row("trained on", model.TrainedOn);
        yield return Row("licence", model.Licence);
        yield return Row("source", model.Source.ToString());
        yield return Row("size", model.Size is null ? "not published" : $"{model.Size} as published");
        foreach (var file in model.Files)
            yield return Row(
                "file",
                $"{file.Name} from {file.Url}{(file.Sha256 is null ? "" : $", SHA-256 {file.Sha256}")}"
            );
        yield return Row("here", DownloadedTo ?? $"not downloaded; 'lit models pull {model.Name}' gets it");
    }

    private static IEnumerable<string> Side(string title, ModelExplanation? side) =>
        side is null ? [] : [title, .. side.Lines.Skip(1).Select(line => "  " + line)];

    private static string Row(string title, string text) => $"{title, -15} {text}";
}
