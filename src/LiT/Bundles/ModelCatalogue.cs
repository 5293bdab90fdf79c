using System.Text.Json;
using System.Text.Json.Serialization;

namespace LiT.Bundles;

/// <summary>Every public checkpoint whose names, sizes and preprocessing are known here; the facts stand in <c>catalogue.json</c>.</summary>
internal static class ModelCatalogue
{
    private const string Resource = "catalogue.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        RespectRequiredConstructorParameters = true,
    };

    private static readonly Lazy<IReadOnlyList<CataloguedModel>> Entries = new(Read);

    private static readonly Lazy<IReadOnlyDictionary<string, CataloguedModel>> ByName = new(() =>
        All.SelectMany(model => model.Aliases.Prepend(model.Name), (model, name) => (name, model))
            .ToDictionary(entry => entry.name, entry => entry.model, StringComparer.OrdinalIgnoreCase)
    );

    /// <summary>All of them, family by family.</summary>
    public static IReadOnlyList<CataloguedModel> All => Entries.Value;

    /// <summary>The model of a name or alias, whatever its case, also with <c>.npz</c> behind it; null where there is none.</summary>
    public static CataloguedModel? Find(string name) =>
        ByName.Value.GetValueOrDefault(name.EndsWith(".npz", StringComparison.OrdinalIgnoreCase) ? name[..^4] : name);

    /// <summary>The licences of those that are published models among some names of towers, a sentence each: what a model made of them carries on.</summary>
    internal static IReadOnlyList<string> LicencesOf(params string?[] names) =>
        [
            .. names
                .OfType<string>()
                .Select(name => Find(name.Split(':')[0]))
                .OfType<CataloguedModel>()
                .Distinct()
                .Select(model => $"{model.Name}: {model.Licence}, {model.Source}"),
        ];

    /// <summary>The models that all the words fit: in name, alias, kind, family, sizes, data or licence.</summary>
    public static IEnumerable<CataloguedModel> Matching(IReadOnlyList<string> words) =>
        All.Where(model =>
            words.All(word => Told(model).Any(text => text.Contains(word, StringComparison.OrdinalIgnoreCase)))
        );

    /// <summary>The names most like one that was mistyped, best first.</summary>
    public static IReadOnlyList<string> Like(string name, int count = 3) =>
        [
            .. All.Select(model =>
                    (model.Name, Distance: Distance(model.Name.ToLowerInvariant(), name.ToLowerInvariant()))
                )
                .Where(entry => entry.Distance <= Math.Max(2, name.Length / 3))
                .OrderBy(entry => entry.Distance)
                .ThenBy(entry => entry.Name, StringComparer.Ordinal)
                .Take(count)
                .Select(entry => entry.Name),
        ];

    private static IEnumerable<string> Told(CataloguedModel model)
    {
        var kind = model.Kind switch
        {
            ModelKind.ImageTower => "image tower",
            ModelKind.TextTower => "text tower",
            _ => "two towers",
        };
        return
        [
            model.Name,
            .. model.Aliases,
            kind,
            model.Family,
            model.Architecture ?? $"{model.Image} {model.Text}",
            model.TrainedOn,
            model.Licence,
        ];
    }

    private static CataloguedModel[] Read()
    {
        using var stream = typeof(ModelCatalogue).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The library was built without {Resource}.");
        return JsonSerializer.Deserialize<CataloguedModel[]>(stream, Json)!;
    }

    // Levenshtein: single letters that have to be put in, taken out or changed.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (
                    row[j],
                    Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1))
                );
        }
        return row[^1];
    }
}
