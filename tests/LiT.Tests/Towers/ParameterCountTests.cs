using System.Text.Json;
using LiT.Bundles;
using LiT.Catalogue;
using LiT.Towers;

namespace LiT.Tests.Towers;

/// <summary>
/// Fixtures/parameter_counts.json against image towers, text towers and whole models on the meta device, which have no
/// numbers and cost no time.
/// </summary>
public class ParameterCountTests
{
    private static JsonElement Table { get; } =
        JsonDocument
            .Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", "parameter_counts.json")))
            .RootElement;

    public static IEnumerable<TheoryDataRow<string, long>> Images() =>
        new[] { "published", "counted" }
            .SelectMany(part => Table.GetProperty(part).EnumerateObject())
            .Select(entry => new TheoryDataRow<string, long>(entry.Name, entry.Value.GetInt64()));

    public static IEnumerable<TheoryDataRow<string, long>> VisionTransformers() =>
        Images().Where(row => row.Data.Item1.StartsWith("vit:", StringComparison.Ordinal));

    public static IEnumerable<TheoryDataRow<string, long>> Texts() =>
        Table
            .GetProperty("text")
            .EnumerateObject()
            .Select(entry => new TheoryDataRow<string, long>(entry.Name, entry.Value.GetInt64()));

    public static IEnumerable<TheoryDataRow<string, long>> Models() =>
        Table
            .GetProperty("models")
            .EnumerateObject()
            .Select(entry => new TheoryDataRow<string, long>(entry.Name, entry.Value.GetInt64()));

    [Theory]
    [MemberData(nameof(Images))]
    public void A_named_variant_has_its_published_number_of_parameters(string spec, long expected)
    {
        Assert.Equal(expected, ImageTowerLoader.ConfigOf(spec).CountParameters());
        Assert.Equal(expected, ModelExplainer.Explain(spec).ParameterCount);
    }

    [Theory]
    [MemberData(nameof(VisionTransformers))]
    public void The_table_agrees_with_the_formula_of_a_Vision_Transformer(string spec, long expected)
    {
        var c = (VitConfig)ImageTowerLoader.ConfigOf(spec);
        long D = c.Width,
            M = c.MlpDim,
            P = c.Patch,
            N = 224 / P * (224 / P);
        var attention = 4 * D * D + 4 * D;
        var mlp = 2 * D * M + M + D;
        var norms = 4 * D;
        Assert.Equal(3 * P * P * D + D + D + (1 + N) * D + c.Depth * (attention + mlp + norms) + 2 * D, expected);
    }

    [Fact]
    public void A_head_adds_its_weights_and_biases()
    {
        var plain = ImageTowerLoader.ConfigOf("vit:Ti/16");
        Assert.Equal(
            plain.CountParameters() + 192 * 1000 + 1000,
            (plain with { Heads = [new("head", 1000)] }).CountParameters()
        );
    }

    // transformers counts BERT with its pooler, a square layer with a bias that no tower here needs.
    [Theory]
    [MemberData(nameof(Texts))]
    public void A_named_text_tower_has_its_published_number_of_parameters(string spec, long expected)
    {
        var found = ModelExplainer.Explain(spec);
        var pooler = spec.StartsWith("bert:", StringComparison.Ordinal)
            ? (long)found.Width! * (found.Width.Value + 1)
            : 0;
        Assert.Equal(expected, found.ParameterCount + pooler);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_published_model_has_its_published_number_of_parameters(string name, long expected)
    {
        Assert.Equal(expected, ModelCatalogue.Find(name)!.Parameters);
        Assert.Equal(expected, ModelExplainer.Blueprint(ModelCatalogue.Find(name)!).ParameterCount);
    }

    [Fact]
    public void The_catalogue_s_towers_are_those_of_the_table()
    {
        var known = new[] { "published", "counted", "text" }
            .SelectMany(part => Table.GetProperty(part).EnumerateObject())
            .ToDictionary(entry => entry.Name, entry => entry.Value.GetInt64());
        foreach (var model in ModelCatalogue.All.Where(model => model.Kind != ModelKind.TwoTowers))
        {
            if (model.Architecture is null)
                continue; // another runtime's network, whose sizes are its own
            var plain = model.Architecture.Split(',')[0];
            if (plain.Contains('=', StringComparison.Ordinal))
                continue; // a size in numbers has no row
            Assert.True(known.TryGetValue(plain, out var count), $"{model.Name}: the table lacks {plain}.");
            if (model.Kind == ModelKind.ImageTower && model.Architecture == plain)
                Assert.Equal(count, model.Parameters);
        }
    }
}
