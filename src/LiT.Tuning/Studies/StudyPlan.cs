using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Files;
using LiT.Tuning.Runs;

namespace LiT.Studies;

/// <summary>One way of tuning among those that are compared, whatever its seed.</summary>
/// <param name="Name">Tells it from the others, and names its folder.</param>
/// <param name="Choices">What distinguishes it, by name.</param>
/// <param name="Recipe">All of it.</param>
internal sealed record StudyCell(string Name, IReadOnlyDictionary<string, string> Choices, TuneRecipe Recipe);

/// <summary>
/// What is compared: a recipe that all cells share, values that are varied (every combination is a cell), or cells one
/// by one, each with every seed. As JSON: <c>{"base": {…}, "vary": {"lock": ["Lu", "LU"]}, "cells": [{"name": …}],
/// "seeds": [0, 1]}</c>. A name that is no member of a recipe is one of its options: <c>batch</c>,
/// <c>optimizer.learningRate</c>.
/// </summary>
internal sealed record StudyPlan
{
    private const int MostCells = 1000;

    private static readonly HashSet<string> RecipeMembers =
    [
        .. typeof(TuneRecipe).GetProperties().Select(member => JsonNamingPolicy.CamelCase.ConvertName(member.Name)),
    ];

    /// <summary>What all cells share.</summary>
    public JsonObject Base { get; init; } = [];

    /// <summary>Values to try, by name.</summary>
    public IReadOnlyList<(string Name, IReadOnlyList<JsonNode?> Values)> Vary { get; init; } = [];

    /// <summary>Cells one by one, each a recipe.</summary>
    public IReadOnlyList<JsonObject> Single { get; init; } = [];

    /// <summary>Seeds of every cell.</summary>
    public IReadOnlyList<int> Seeds { get; init; } = [0];

    /// <summary>Reads a study file.</summary>
    /// <exception cref="LitException">It is no JSON, or says something that is not understood.</exception>
    public static StudyPlan Read(string path)
    {
        if (!File.Exists(path))
            throw new SettingException("StudyPlan", path, "there is no such file", "Give a study as JSON");
        try
        {
            var json =
                JsonTrouble.Parse(File.ReadAllText(path)) as JsonObject
                ?? throw new JsonException("an object is expected");
            if (
                json.Select(one => one.Key)
                    .FirstOrDefault(key => key is not ("base" or "vary" or "cells" or "seeds")) is
                { } unknown
            )
                throw new JsonException($"the member {unknown} is not known; base, vary, cells and seeds are");
            return new()
            {
                Base = (JsonObject?)json["base"]?.DeepClone() ?? [],
                Vary =
                [
                    .. (json["vary"]?.AsObject() ?? []).Select(one =>
                        (
                            one.Key,
                            (IReadOnlyList<JsonNode?>)[.. one.Value!.AsArray().Select(value => value?.DeepClone())]
                        )
                    ),
                ],
                Single = [.. (json["cells"]?.AsArray() ?? []).Select(cell => (JsonObject)cell!.AsObject().DeepClone())],
                Seeds = json["seeds"]?.AsArray().Select(seed => seed!.GetValue<int>()).ToList() ?? [0],
            };
        }
        catch (Exception wrong)
            when (wrong is JsonException or InvalidOperationException or NullReferenceException or FormatException)
        {
            throw new LitException(
                $"{path}: cannot be used as a study ({JsonTrouble.Words(wrong)}). "
                    + """Write {"base": {…}, "vary": {"lock": ["Lu", "LU"]}, "seeds": [0, 1, 2]}.""",
                wrong
            );
        }
    }

    /// <summary>
    /// Values of one name from a command line: <c>batch=64,256</c>, with <c>|</c> between values that hold commas.
    /// </summary>
    /// <exception cref="UsageException">There is no name, or no value.</exception>
    public static (string Name, IReadOnlyList<JsonNode?> Values) ParseVary(string text)
    {
        if (text.Split('=', 2) is not [{ Length: > 0 } name, { Length: > 0 } values])
            throw SettingException.Of<StudyPlan>(
                s => s.Vary,
                text,
                null,
                "write NAME=VALUE,VALUE, for example lock=Lu,LU or batch=64,256"
            );
        var mark = values.Contains('|') || values.Contains(':') ? '|' : ',';
        return (
            name,
            [
                .. values
                    .Split(mark, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                    .Select(Value),
            ]
        );
    }

    /// <summary>Every cell, in the order of the values.</summary>
    /// <exception cref="LitException">A cell is no recipe, two have one name, or there are far too many.</exception>
    public IReadOnlyList<StudyCell> Cells()
    {
        var combinations = Vary.Aggregate(new List<List<(string Name, JsonNode? Value)>> { new() }, (all, axis) =>
            [.. all.SelectMany(before => axis.Values.Select(value => before.Append((axis.Name, value)).ToList()))]
        );
        if (combinations.Count > MostCells)
            throw new UsageException(
                $"The study has {combinations.Count:N0} cells. Vary less; {MostCells} are the most."
            );
        List<StudyCell> cells = [];
        if (Vary.Count > 0 || Single.Count == 0)
            foreach (var combination in combinations)
            {
                var recipe = (JsonObject)Base.DeepClone();
                foreach (var (name, value) in combination)
                    Set(recipe, name, value);
                var choices = combination.ToDictionary(one => one.Name, one => Words(one.Value));
                cells.Add(
                    new(
                        choices.Count == 0 ? "run" : string.Join(' ', choices.Select(one => $"{one.Key}={one.Value}")),
                        choices,
                        TuneRecipe.Of(recipe, "the study")
                    )
                );
            }
        foreach (var (own, index) in Single.Select((own, index) => (own, index)))
        {
            var recipe = (JsonObject)Base.DeepClone();
            TuneRecipe.Merge(recipe, own);
            var name = own["name"]?.ToString() ?? $"cell {index + 1}";
            cells.Add(
                new(
                    name,
                    new Dictionary<string, string> { ["cell"] = name },
                    TuneRecipe.Of(recipe, $"the study's cell '{name}'")
                )
            );
        }
        if (cells.GroupBy(cell => Folder(cell.Name)).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new UsageException(
                $"The study has two cells called '{twice.First().Name}'. Give every cell a name of its own."
            );
        return cells;
    }

    /// <summary>A name as a folder's.</summary>
    internal static string Folder(string name) =>
        string.Concat(
            name.Select(letter => char.IsLetterOrDigit(letter) || letter is '-' or '.' or '=' ? letter : '_')
        );

    private static void Set(JsonObject recipe, string name, JsonNode? value)
    {
        var parts = name.Split('.');
        if (!RecipeMembers.Contains(parts[0]))
            parts = ["options", .. parts];
        var at = recipe;
        foreach (var part in parts[..^1])
            at = (JsonObject)(at[part] ??= new JsonObject());
        at[parts[^1]] = value?.DeepClone();
    }

    private static JsonNode? Value(string text)
    {
        if (text == "none")
            return null;
        try
        {
            return
                JsonNode.Parse(text) is JsonValue value
                && value.GetValueKind() is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False
                ? value
                : JsonValue.Create(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }

    private static string Words(JsonNode? value) => value?.ToString() ?? "none";
}
