using System.Text.Json;

namespace LiT.Tests.Parity;

/// <summary>The reference fixtures: the copy beside these tests, or the folder that LIT_REFERENCE_DIR names.</summary>
public static class Reference
{
    /// <summary>
    /// The copy beside these tests, whatever LIT_REFERENCE_DIR says: for tests that only need some right file.
    /// </summary>
    public static string Copied { get; } = Path.Combine(AppContext.BaseDirectory, "Fixtures", "reference");

    public static string Folder { get; } =
        Environment.GetEnvironmentVariable("LIT_REFERENCE_DIR") is { Length: > 0 } elsewhere
            ? Path.GetFullPath(elsewhere)
            : Copied;

    /// <summary>Every folder that holds a meta.json.</summary>
    public static IEnumerable<FixtureFolder> Folders() =>
        Directory
            .EnumerateDirectories(Folder)
            .Order(StringComparer.Ordinal)
            .Where(folder => File.Exists(Path.Combine(folder, "meta.json")))
            .Select(folder => new FixtureFolder(folder));

    /// <summary>
    /// What lies beside the fixtures and is none: a folder without meta.json, a file other than the notes of those who
    /// made them.
    /// </summary>
    public static IEnumerable<string> UnknownEntries(string? elsewhere = null) =>
        Directory
            .EnumerateFileSystemEntries(elsewhere ?? Folder)
            .Order(StringComparer.Ordinal)
            .Where(entry =>
                Path.GetFileName(entry) is not ("README.md" or "cross_checks.json")
                && !File.Exists(Path.Combine(entry, "meta.json"))
            )
            .Select(entry =>
                $"{Path.GetFileName(entry)}: {(Directory.Exists(entry) ? "has no meta.json" : "is no fixture")}."
            );

    public static FixtureFolder Open(string name) => new(Path.Combine(Folder, name));

    public static FixtureFolder OpenCopied(string name) => new(Path.Combine(Copied, name));
}

/// <summary>One fixture folder. Every file that a case reads is noted, so that a file nobody knows shows.</summary>
public sealed class FixtureFolder(string path)
{
    private readonly HashSet<string> used = ["meta.json"];

    /// <summary>The wrong conventions of meta.json that a case made and saw fail.</summary>
    public HashSet<string> MistakesSeen { get; } = [];

    /// <summary>The wrong conventions of meta.json that make an error well above the tolerance.</summary>
    public IEnumerable<string> MistakesNamed(double tolerance) => Named(Meta, false, tolerance).Distinct();

    private static IEnumerable<string> Named(JsonElement element, bool inside, double tolerance) =>
        element.ValueKind != JsonValueKind.Object
            ? []
            : element
                .EnumerateObject()
                .SelectMany(member =>
                    inside && member.Value.ValueKind == JsonValueKind.Number
                        ? member.Value.GetDouble() >= 2 * tolerance
                            ? [member.Name]
                            : []
                        : Named(member.Value, inside || member.Name == "error_of_wrong_conventions", tolerance)
                );

    public string Name => Path.GetFileName(path);

    public JsonElement Meta => JsonDocument.Parse(File.ReadAllText(Path.Combine(path, "meta.json"))).RootElement;

    /// <summary>The full path of a file in the folder; the file counts as known from now on.</summary>
    public string PathOf(string name)
    {
        used.Add(name);
        return Path.Combine(path, name);
    }

    public bool Has(string name) => File.Exists(Path.Combine(path, name));

    public IEnumerable<string> AllFiles =>
        Directory.EnumerateFiles(path).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal);

    public IEnumerable<string> UnknownFiles =>
        Directory
            .EnumerateFiles(path, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(path, file))
            .Order(StringComparer.Ordinal)
            .Where(file => !used.Contains(file));

    /// <summary>What meta.json says under a case's name, or null.</summary>
    public JsonElement? Case(string name) =>
        Meta.TryGetProperty("cases", out var cases) && cases.TryGetProperty(name, out var entry) ? entry : null;

    /// <summary>
    /// The errors that meta.json says typical mistakes make in a case, or null where it says nothing.
    /// </summary>
    public JsonElement? WrongConventions(string name) =>
        Case(name) is { ValueKind: JsonValueKind.Object } entry
        && entry.TryGetProperty("error_of_wrong_conventions", out var wrong)
            ? wrong
            : null;
}

/// <summary>How one kind of fixture is read and checked. Each fixture folder name has exactly one kind.</summary>
public interface IFixtureKind
{
    /// <summary>The folder's name.</summary>
    string Folder { get; }

    /// <summary>
    /// The folder's cases, made from what its meta.json and files say (sizes, names and strings are never assumed).
    /// Every file of the folder is asked for through <see cref="FixtureFolder.PathOf"/> while the cases are listed or
    /// run.
    /// </summary>
    IEnumerable<FixtureCase> Cases(FixtureFolder folder);
}

/// <summary>One check; <see cref="Run"/> throws when the product differs from the reference.</summary>
public sealed record FixtureCase(string Name, Action Run);
