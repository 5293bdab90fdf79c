namespace LiT.Bundles;

/// <summary>
/// Further text towers of a bundle over its one locked image tower: <c>languages/de</c> holds a text side with
/// tokenizer, temperature, calibration and golden vectors, described as a bundle's own. <c>languages/mul</c> is one
/// that speaks several languages, which its description names; where there is one of its own for a language, that
/// speaks. A folder comes and goes by a rename.
/// </summary>
internal static class BundleLanguages
{
    public const string FolderName = "languages";

    /// <summary>The code of several languages (ISO 639-2), and the folder of a text tower that speaks them.</summary>
    public const string Several = "mul";

    /// <summary>The languages that a bundle can be asked in besides its own, in order.</summary>
    public static IReadOnlyList<string> In(string bundle) => Spoken(bundle, Folders(bundle));

    /// <summary>
    /// The same while somebody else may be adding or replacing one: nothing is mended.
    /// </summary>
    /// <exception cref="IOException">The folder of languages is not there, or has just gone.</exception>
    public static IReadOnlyList<string> AsTheyAre(string bundle) => Spoken(bundle, FoldersAsTheyAre(bundle));

    /// <summary>The text sides that a bundle holds besides its own, by the names of their folders, in order.</summary>
    public static IReadOnlyList<string> Folders(string bundle)
    {
        var all = Path.Combine(bundle, FolderName);
        if (!Directory.Exists(all))
            return [];
        foreach (var left in Directory.EnumerateDirectories(all, ".*.old"))
            Restore(all, Path.GetFileName(left)[1..^4]);
        return FoldersAsTheyAre(bundle);
    }

    /// <summary>Where a language's text side is, or is to be.</summary>
    public static string FolderOf(string bundle, string code)
    {
        var own = Path.Combine(bundle, FolderName, code);
        var shared = Path.Combine(bundle, FolderName, Several);
        return !IsTextSide(own) && Shared(bundle).Contains(code, StringComparer.OrdinalIgnoreCase) ? shared : own;
    }

    /// <summary>The folder of the text side that speaks a language.</summary>
    /// <param name="bundle">The bundle.</param>
    /// <param name="own">What the bundle's own text side speaks, where that is known.</param>
    /// <param name="language">A code, in any case.</param>
    /// <exception cref="LitException">The bundle has none of that language.</exception>
    public static string Find(string bundle, string? own, string language)
    {
        if (string.Equals(own, language, StringComparison.OrdinalIgnoreCase))
            return bundle;
        var known = In(bundle);
        if (known.Concat(Folders(bundle)).FirstOrDefault(one => IsSame(one, language)) is { } code)
            return FolderOf(bundle, code);
        string[] all = own is null ? [.. known] : [own, .. known];
        throw new LitException(
            bundle,
            $"has no text tower for the language '{language}'; "
                + (
                    all.Length == 0
                        ? "it has one text tower, whose language it does not say"
                        : $"it has {string.Join(", ", all)}"
                ),
            all.Length == 0
                ? "Leave the language out, or add it with `BundleLanguages`"
                : "Give one of these, or add it"
        );
    }

    /// <summary>Where a language's own text side goes.</summary>
    /// <exception cref="LitException">The code is none, or the language is there.</exception>
    public static string PlaceFor(string bundle, string? own, string language, bool replace)
    {
        CheckCode(language);
        if (string.Equals(own, language, StringComparison.OrdinalIgnoreCase))
            throw new LitException(bundle, $"its own text tower speaks {own}", "Give another code");
        var there = Folders(bundle).FirstOrDefault(one => IsSame(one, language));
        if (there is not null && !replace)
            throw new LitException(
                bundle,
                there == Several
                    ? $"holds a text tower for several languages already ({string.Join(", ", Shared(bundle))})"
                    : $"holds a text tower for {there} already",
                "Remove it first, or give `Replace`"
            );
        return Path.Combine(bundle, FolderName, there ?? language);
    }

    /// <exception cref="LitException">Not a language's code.</exception>
    public static void CheckCode(string language)
    {
        if (!LanguageCode.Is(language))
            throw new LitException(
                $"'{language}': no code of a language. Give two or three letters and what follows, such as de or pt-BR."
            );
    }

    /// <summary>Where a text side is made before it takes its place.</summary>
    public static string Beside(string place) =>
        Path.Combine(Path.GetDirectoryName(place)!, $".{Path.GetFileName(place)}.new");

    /// <summary>Puts a finished text side in its place, and what was there away.</summary>
    public static void Put(string place)
    {
        var old = Old(place);
        if (Directory.Exists(old))
            Directory.Delete(old, recursive: true);
        if (Directory.Exists(place))
            Directory.Move(place, old);
        Directory.Move(Beside(place), place);
        if (Directory.Exists(old))
            Directory.Delete(old, recursive: true);
    }

    /// <summary>Takes a language out, or, as <see cref="Several"/>, all that one text tower speaks.</summary>
    /// <exception cref="LitException">The bundle has none of that language, or it is its own, or is spoken by a text
    /// tower that speaks others, too.</exception>
    public static void Remove(string bundle, string? own, string language)
    {
        var place = Find(bundle, own, language);
        if (place == bundle)
            throw new LitException(bundle, $"its own text tower speaks {own}, and stays", "Name one of the others");
        if (!IsSame(Path.GetFileName(place), language))
            throw new LitException(
                bundle,
                $"one text tower speaks {language} and others ({string.Join(", ", Shared(bundle))})",
                $"Remove '{Several}', which takes all of them out"
            );
        var gone = Beside(place);
        if (Directory.Exists(gone))
            Directory.Delete(gone, recursive: true);
        Directory.Move(place, gone);
        Directory.Delete(gone, recursive: true);
    }

    private static IReadOnlyList<string> FoldersAsTheyAre(string bundle) =>
        [
            .. Directory
                .EnumerateDirectories(Path.Combine(bundle, FolderName))
                .Where(IsTextSide)
                .Select(folder => Path.GetFileName(folder))
                .Where(LanguageCode.Is)
                .Order(StringComparer.Ordinal),
        ];

    private static IReadOnlyList<string> Spoken(string bundle, IReadOnlyList<string> folders) =>
        folders.Contains(Several)
            ?
            [
                .. folders
                    .Where(one => one != Several)
                    .Union(Shared(bundle), StringComparer.OrdinalIgnoreCase)
                    .Order(StringComparer.Ordinal),
            ]
            : folders;

    /// <summary>What the text side for several speaks; itself, where its description says no languages.</summary>
    private static IReadOnlyList<string> Shared(string bundle)
    {
        var folder = Path.Combine(bundle, FolderName, Several);
        try
        {
            return IsTextSide(folder) ? ModelDescription.Read(folder).Languages ?? [Several] : [];
        }
        catch (Exception gone) when (gone is LitException or IOException && !IsTextSide(folder))
        {
            return []; // taken out meanwhile
        }
    }

    private static bool IsTextSide(string folder) => File.Exists(Path.Combine(folder, ModelDescription.FileName));

    private static bool IsSame(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);

    // Stopped between the two renames of a replacement, the old one is what there is.
    private static void Restore(string all, string code)
    {
        var place = Path.Combine(all, code);
        if (!Directory.Exists(place))
            Directory.Move(Old(place), place);
    }

    private static string Old(string place) =>
        Path.Combine(Path.GetDirectoryName(place)!, $".{Path.GetFileName(place)}.old");
}
