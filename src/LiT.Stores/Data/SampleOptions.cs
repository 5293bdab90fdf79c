namespace LiT.Data;

/// <summary>
/// How a source is read where its form leaves a choice, and how much of one sample is taken into memory.
/// </summary>
internal sealed record SampleOptions
{
    /// <summary>
    /// The column with the picture (a path, or its bytes in Parquet): a name, or a number from 1 in a table without a
    /// header.
    /// </summary>
    public string? ImageColumn { get; init; }

    /// <summary>
    /// The column (or .json member) with the caption: a name, or a number from 1 in a table without a header.
    /// </summary>
    public string? CaptionColumn { get; init; }

    /// <summary>
    /// The column (or .json member) with the label: a name, or a number from 1 in a table without a header.
    /// </summary>
    public string? LabelColumn { get; init; }

    /// <summary>
    /// The folder that a table's paths are relative to and must stay inside; by default the table's own folder.
    /// </summary>
    public string? ImageRoot { get; init; }

    /// <summary>
    /// Class names in index order (the lines of classes.txt): a label that is an index becomes its name.
    /// </summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>
    /// A file of captions by the pictures' keys, which take the place of the source's own:
    /// <see cref="GivenCaptions"/>.
    /// </summary>
    public string? Captions { get; init; }

    /// <summary>
    /// The captions' language; of a file with several, those of others are left out. Null where nobody said it.
    /// </summary>
    public string? CaptionLanguage { get; init; }

    /// <summary>
    /// Whether pictures that the file does not name keep their own captions; otherwise they have none.
    /// </summary>
    public bool KeepOwnCaptions { get; init; }

    /// <summary>The captions of that file, read; null where none is named.</summary>
    /// <exception cref="LitException">The file cannot be read.</exception>
    public GivenCaptions? Given() =>
        Captions is { } file ? GivenCaptions.Read(file, CaptionLanguage, KeepOwnCaptions) : null;

    /// <summary>The longest encoded picture that is read, in bytes.</summary>
    public int ImageLimit { get; init; } = 128 << 20;

    /// <summary>The longest caption that is used, in bytes of UTF-8.</summary>
    public int CaptionLimit { get; init; } = 64 << 10;
}
