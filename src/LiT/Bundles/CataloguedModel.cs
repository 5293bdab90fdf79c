namespace LiT.Bundles;

/// <summary>What a published checkpoint holds.</summary>
internal enum ModelKind
{
    /// <summary>An image tower, with or without a supervised head.</summary>
    ImageTower,

    /// <summary>A text tower.</summary>
    TextTower,

    /// <summary>Both towers, their heads and the temperature.</summary>
    TwoTowers,
}

/// <summary>One file of a published model.</summary>
/// <param name="Name">Its name in the cache.</param>
/// <param name="Url">Where it is published; <c>pkg:nuget/NAME@VERSION#path</c> for a file in a .NET package.</param>
/// <param name="Sha256">Its published hash in hexadecimal; null where none is published.</param>
internal sealed record CataloguedFile(string Name, Uri Url, string? Sha256 = null);

/// <summary>
/// A public checkpoint that the readers here know, as its source describes it. What no source says is null.
/// </summary>
internal sealed record CataloguedModel
{
    /// <summary>How it is called here.</summary>
    public required string Name { get; init; }

    /// <summary>Other names that mean the same.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>What it holds.</summary>
    public required ModelKind Kind { get; init; }

    /// <summary>Whose weights they are.</summary>
    public required string Family { get; init; }

    /// <summary>A single tower's sizes, as a spec from scratch says them: <c>vit:B/16</c>, <c>bert:base</c>.</summary>
    public string? Architecture { get; init; }

    /// <summary>The image tower's sizes, of two towers.</summary>
    public string? Image { get; init; }

    /// <summary>The text tower's sizes, of two towers.</summary>
    public string? Text { get; init; }

    /// <summary>Size of the head on the image side, of two towers, or null for none.</summary>
    public int? ImageHead { get; init; }

    /// <summary>Size of the head on the text side, of two towers, or null for none.</summary>
    public int? TextHead { get; init; }

    /// <summary>Rows of the token embedding, where there is a text tower.</summary>
    public int? Vocabulary { get; init; }

    /// <summary>Ids in a row of text, of two towers.</summary>
    public int? TokenLength { get; init; }

    /// <summary>Whether two towers carry the bias of the sigmoid loss.</summary>
    public bool Bias { get; init; }

    /// <summary>
    /// Number of weights: a single tower's without a supervised head, BERT's without its pooler, T5's encoder; all of
    /// two towers.
    /// </summary>
    public required long Parameters { get; init; }

    /// <summary>Length of the representation; of two towers, the common size.</summary>
    public required int Width { get; init; }

    /// <summary>What happens to a picture first, where there is an image tower.</summary>
    public string? Preprocessing { get; init; }

    /// <summary>The data that it was trained on.</summary>
    public required string TrainedOn { get; init; }

    /// <summary>
    /// The licence that the source states (an SPDX name); where a source states none for the weights alone, its
    /// repository's.
    /// </summary>
    public required string Licence { get; init; }

    /// <summary>The page or repository that publishes it.</summary>
    public required Uri Source { get; init; }

    /// <summary>Size of the weights as the source prints it, or null where it prints none.</summary>
    public string? Size { get; init; }

    /// <summary>What has to stand behind the file's path when it is loaded, because the file does not say it.</summary>
    public string? Options { get; init; }

    /// <summary>What else is good to know.</summary>
    public string? Note { get; init; }

    /// <summary>The files, weights first.</summary>
    public required IReadOnlyList<CataloguedFile> Files { get; init; }

    /// <summary>Whether it is opened as a folder: weights with a config.json beside them.</summary>
    internal bool IsFolder => Files.Any(file => file.Name == "config.json");
}
