namespace LiT.Data;

/// <summary>
/// What columns of tables and members of JSON are usually called: one list for .csv, .tsv, .jsonl, .json beside a
/// picture, Parquet and lists of addresses. Compared without case, blanks, hyphens and underscores: "Image Name" is
/// "image_name". The first of a list that is there counts.
/// </summary>
internal static class UsualNames
{
    /// <summary>The picture's path, or in Parquet its bytes.</summary>
    public static readonly string[] Images =
    [
        "file_name",
        "file_path",
        "image",
        "image_path",
        "image_file",
        "image_name",
        "image_file_name",
        "img",
        "img_path",
        "jpg",
        "jpeg",
        "png",
        "webp",
        "image_bytes",
        "picture",
        "photo",
        "path",
        "file",
    ];

    /// <summary>What is said of the picture.</summary>
    public static readonly string[] Captions =
    [
        "caption",
        "captions",
        "text",
        "texts",
        "sentence",
        "sentences",
        "description",
        "title",
        "prompt",
        "comment",
        "alt",
        "alt_text",
        "raw",
        "raw_caption",
        "caption_text",
        "txt",
        "image_caption",
    ];

    /// <summary>The picture's class.</summary>
    public static readonly string[] Labels = ["label", "class", "class_name", "label_name", "category"];

    /// <summary>Where the picture is fetched from.</summary>
    public static readonly string[] Addresses =
    [
        "url",
        "image_url",
        "link",
        "image_link",
        "src",
        "download_url",
        "photo_url",
    ];

    /// <summary>Whether a name is one of a list.</summary>
    public static bool Has(string[] usual, string name) => Array.Exists(usual, one => Same(one, name));

    /// <summary>The place of the first usual name among some, or -1.</summary>
    public static int In(IReadOnlyList<string> names, string[] usual)
    {
        foreach (var one in usual)
            for (var i = 0; i < names.Count; i++)
                if (Same(one, names[i]))
                    return i;
        return -1;
    }

    /// <summary>
    /// The place of the column that a user names: as it is written, else without minding case; -1 where there is
    /// none.
    /// </summary>
    public static int Wanted(IReadOnlyList<string> names, string wanted)
    {
        foreach (var comparison in new[] { StringComparison.Ordinal, StringComparison.OrdinalIgnoreCase })
            for (var i = 0; i < names.Count; i++)
                if (names[i].Equals(wanted, comparison))
                    return i;
        return -1;
    }

    private static bool Same(string usual, string name)
    {
        var at = 0;
        foreach (var letter in name)
        {
            if (letter is '_' or '-' or ' ' or '\uFEFF')
                continue;
            while (at < usual.Length && usual[at] == '_')
                at++;
            if (at == usual.Length || char.ToLowerInvariant(letter) != usual[at++])
                return false;
        }
        return at == usual.Length;
    }
}
