using System.Text.Json;
using LiT.Towers;

namespace LiT.Tests.Towers;

/// <summary>Fixtures/parameter_counts.json against towers on the meta device, which have no numbers and cost no time.</summary>
public class ParameterCountTests
{
    private static JsonElement Table { get; } =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", "parameter_counts.json"))).RootElement;

    public static IEnumerable<TheoryDataRow<string, long>> All() => new[] { "published", "counted" }
        .SelectMany(part => Table.GetProperty(part).EnumerateObject()).Select(entry => new TheoryDataRow<string, long>(entry.Name, entry.Value.GetInt64()));

    public static IEnumerable<TheoryDataRow<string, long>> VisionTransformers() => All().Where(row => row.Data.Item1.StartsWith("vit:", StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(All))]
    public void A_named_variant_has_its_published_number_of_parameters(string spec, long expected) =>
        Assert.Equal(expected, ImageTowerLoader.ConfigOf(spec).CountParameters());

    [Theory]
    [MemberData(nameof(VisionTransformers))]
    public void The_table_agrees_with_the_formula_of_a_Vision_Transformer(string spec, long expected)
    {
        var c = (VitConfig)ImageTowerLoader.ConfigOf(spec);
        long D = c.Width, M = c.MlpDim, P = c.Patch, N = 224 / P * (224 / P);
        var attention = 4 * D * D + 4 * D;
        var mlp = 2 * D * M + M + D;
        var norms = 4 * D;
        Assert.Equal(3 * P * P * D + D + D + (1 + N) * D + c.Depth * (attention + mlp + norms) + 2 * D, expected);
    }

    [Fact]
    public void A_head_adds_its_weights_and_biases()
    {
        var plain = ImageTowerLoader.ConfigOf("vit:Ti/16");
        Assert.Equal(plain.CountParameters() + 192 * 1000 + 1000, (plain with { Heads = [new("head", 1000)] }).CountParameters());
    }
}
