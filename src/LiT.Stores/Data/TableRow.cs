namespace LiT.Data;

/// <summary>One row of a table of pictures and captions, whatever the table's form.</summary>
/// <param name="Line">The line it begins on, from 1.</param>
/// <param name="Offset">Where it begins in the file, in bytes.</param>
internal sealed record TableRow(long Line, long Offset)
{
    /// <summary>
    /// A picture's path as its key: without blanks around it, "./" before it, and the caption's number behind it, as
    /// Flickr's token files have it (1.jpg#0).
    /// </summary>
    public static string Name(string written)
    {
        var name = written.Trim();
        if (
            name.LastIndexOf('#') is > 0 and var hash
            && hash < name.Length - 1
            && name.AsSpan(hash + 1).IndexOfAnyExceptInRange('0', '9') < 0
            && Pictures.IsPicture(name[..hash])
        )
            name = name[..hash];
        return name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;
    }

    /// <summary>Why the row cannot be used at all.</summary>
    public string? Trouble { get; init; }

    /// <summary>The picture's path.</summary>
    public string Image { get; init; } = "";

    /// <summary>Whether bytes that are no UTF-8 were replaced.</summary>
    public bool Mended { get; init; }

    /// <summary>Captions as written, also empty ones; none where the table has no such column.</summary>
    public IReadOnlyList<string?> Captions { get; init; } = [];

    /// <summary>The label, or null.</summary>
    public string? Label { get; init; }

    /// <summary>The other columns.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Fields { get; init; } = [];
}

/// <summary>Reads the rows of a table one after the other, and again from a known place.</summary>
internal interface ITableReader : IDisposable
{
    /// <summary>Columns that are neither picture, caption nor label, as far as they are known.</summary>
    IReadOnlyList<string> Others { get; }

    /// <summary>The next row, or null after the last.</summary>
    TableRow? Next();

    /// <summary>Goes to a row that was read before.</summary>
    void Seek(long offset, long line);
}
