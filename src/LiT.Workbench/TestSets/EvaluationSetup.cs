using LiT.Classification;
using LiT.Evaluation;
using LiT.Stores;

namespace LiT.TestSets;

/// <summary>What a user says of an evaluation's data, class names and templates.</summary>
/// <param name="Data">A path, NAME=DIR, or a store.</param>
/// <param name="TestSet">A named set, where the data do not say it; or null.</param>
/// <param name="Classes">A class list, or a folder of xx_classnames.json; or null.</param>
/// <param name="Templates">A set's name or a file, or null.</param>
/// <param name="Language">Which list of a file by language, and which captions; or null.</param>
internal sealed record EvaluationRequest(
    string Data,
    string? TestSet,
    string? Classes,
    string? Templates,
    string? Language
);

/// <summary>
/// Turns what a user says into what is evaluated: a named set brings its classes, templates, labels and metric.
/// </summary>
internal static class EvaluationSetup
{
    /// <summary>Fills in data, classes, templates, labels and metric.</summary>
    /// <param name="request">What was said.</param>
    /// <param name="options">Everything else.</param>
    /// <returns>The data to open, and the options.</returns>
    /// <exception cref="LitException">A name that is not known, or lists that do not fit.</exception>
    public static (string Data, EvaluationOptions Options) Choose(EvaluationRequest request, EvaluationOptions options)
    {
        var (data, set, folder) = Resolve(request);
        var list = Classes(request, set, folder);
        var templates = request.Templates is { } given
            ? TemplateSets.Open(
                WithLanguage(given, request.Language, "zeroshot_classification_templates.json"),
                set?.ClipTemplates,
                Keys(request.Language, set)
            )
            : FolderTemplates(request, set)
                ?? (
                    set is { Metric: not TestSetMetric.Recall }
                        ? TemplateSets.Open(TemplateSets.ClipPaper)
                        : new TemplateList("default", PromptTemplates.Default)
                );
        return (
            data,
            options with
            {
                Classes = list?.Names,
                ClassesFrom = list?.Source ?? options.ClassesFrom,
                Templates = templates.Texts,
                TemplatesFrom = templates.Source,
                TestSet = set,
                Language = request.Language,
            }
        );
    }

    /// <summary>
    /// The languages in a folder of xx_classnames.json, in a JSON object of lists by language, or none.
    /// </summary>
    public static IReadOnlyList<string> LanguagesIn(string classes)
    {
        if (Directory.Exists(classes))
            return
            [
                .. Directory
                    .EnumerateFiles(classes, "*_classnames.json")
                    .Select(path => Path.GetFileName(path).Split('_')[0])
                    .Order(StringComparer.Ordinal),
            ];
        var text = NamedLines.Text(classes);
        if (!text.TrimStart().StartsWith('{'))
            return [];
        using var json = NamedLines.Json(classes, text);
        return [.. json.RootElement.EnumerateObject().Select(member => member.Name)];
    }

    private static (string Data, TestSet? Set, string? Folder) Resolve(EvaluationRequest request)
    {
        var named = request.TestSet is { } name
            ? NamedTestSets.Find(name)
                ?? throw new LitException(
                    $"`TestSet` {name}: there is no test set of this name. Known are "
                        + $"{string.Join(", ", NamedTestSets.All.Select(one => one.Name))}; 'lit data sets' "
                        + "says what they are."
                )
            : null;
        if (EmbeddingStore.IsStore(request.Data))
        {
            using var store = EmbeddingStore.Open(request.Data);
            var source = store.Description?.Source;
            var from = source is null ? null : NamedTestSets.Of(source);
            var folder = source is not null && from is not null ? source[(source.IndexOf('=') + 1)..] : null;
            return (request.Data, named ?? from, folder);
        }
        if (NamedTestSets.TrySplit(request.Data, out var set, out var inside))
            return named is null || named == set
                ? (request.Data, set, inside)
                : throw new LitException($"`TestSet` {named.Name}: `Data` says {set.Name}. Say it once.");
        return named is not null && Directory.Exists(request.Data)
            ? ($"{named.Name}={request.Data}", named, request.Data)
            : (request.Data, named, null);
    }

    private static ClassList? Classes(EvaluationRequest request, TestSet? set, string? folder)
    {
        var given = request.Classes is { } file
            ? ClassLists.Read(WithLanguage(file, request.Language, "classnames.json"), Keys(request.Language, set))
            : null;
        if (set?.Ids is not { } ids)
            return given;
        if (given is null && set.Names is { } names)
            return new(new ClassNames(names, ids), $"the names of {set.Name} that come with the library");
        given ??= (folder is not null ? ImageNetFolders.NamesBeside(folder) : null)
            ?? throw new LitException(
                set.Name,
                $"the names of its {ids.Count} classes are not with the data",
                "Give them with `Classes` FILE: one a line in ImageNet's order, LOC_synset_mapping.txt, "
                    + "imagenet_class_index.json, or CLIP_benchmark's en_classnames.json"
            );
        if (given.Names.Ids is { } own)
        {
            var byId = own.Zip(given.Names.Names)
                .ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
            if (ids.FirstOrDefault(id => !byId.ContainsKey(id)) is { } missing)
                throw new LitException(
                    given.Source,
                    $"has no name for the class {missing}, of {given.Names.Names.Count} that it has",
                    $"Give a list of all {ids.Count} classes of {set.Name}"
                );
            return new(new ClassNames([.. ids.Select(id => byId[id])], ids), given.Source);
        }
        if (given.Names.Names.Count != ids.Count)
            throw new LitException(
                given.Source,
                $"{given.Names.Names.Count} class names, where {set.Name} has {ids.Count} classes",
                "Give one name for every class, in the set's order"
            );
        return new(new ClassNames(given.Names.Names, ids), given.Source);
    }

    private static TemplateList? FolderTemplates(EvaluationRequest request, TestSet? set)
    {
        if (request.Classes is not { } folder || !Directory.Exists(folder) || request.Language is not { } language)
            return null;
        var path = Path.Combine(folder, $"{language}_zeroshot_classification_templates.json");
        return File.Exists(path) ? new(path, PromptTemplates.Read(path, Keys(null, set))) : null;
    }

    private static string WithLanguage(string path, string? language, string ending)
    {
        if (!Directory.Exists(path))
            return path;
        if (language is null)
            throw new LitException(
                path,
                "is a folder",
                $"Say which of its languages with `Language` ({string.Join(", ", LanguagesIn(path))}), or give a file"
            );
        var file = Path.Combine(path, $"{language}_{ending}");
        return File.Exists(file)
            ? file
            : throw new LitException(
                file,
                "there is no such file",
                $"The folder's languages are {string.Join(", ", LanguagesIn(path))}; give one of them"
            );
    }

    private static string[] Keys(string? language, TestSet? set) =>
        [
            .. language is null ? Array.Empty<string>() : [language],
            .. set is null ? Array.Empty<string>() : [.. set.ListKeys, set.Name],
        ];
}
