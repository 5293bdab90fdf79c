using System.Text.Json;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

/// <summary>Fixtures/parameter_counts.json against text towers and whole models on the meta device, which cost no memory.</summary>
public class TextParameterCountTests
{
    private static JsonElement Table { get; } =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", "parameter_counts.json"))).RootElement;

    public static IEnumerable<TheoryDataRow<string, long>> Texts() =>
        Table.GetProperty("text").EnumerateObject().Select(entry => new TheoryDataRow<string, long>(entry.Name, entry.Value.GetInt64()));

    public static IEnumerable<TheoryDataRow<string>> Models() =>
        Table.GetProperty("models").EnumerateObject().Select(entry => new TheoryDataRow<string>(entry.Name));

    [Theory]
    [MemberData(nameof(Texts))]
    public void A_named_text_tower_has_its_published_number_of_parameters(string spec, long expected)
    {
        var size = spec.Split(':')[1];
        TextTowerConfig config = spec.Split(':')[0] switch
        {
            "bert" => BertConfig.Sizes[size] with { Pooler = true },
            "t5" => T5Config.Sizes[size],
            _ => T5Config.MultilingualSizes[size],
        };
        using var tower = config.Build(META);
        Assert.Equal(expected, tower.parameters().Sum(weight => weight.numel()));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_published_model_has_its_published_number_of_parameters(string name)
    {
        var said = Table.GetProperty("models").GetProperty(name);
        var f = ImageTowerLoader.ConfigOf(said.GetProperty("image").GetString()!).Build(META);
        var g = TextTowerSpec.Parse(said.GetProperty("text").GetString()!, said.GetProperty("vocabulary").GetInt32(), tokenLength: 16).Build(META);
        using var towers = new TwoTowers(f, HeadOf(f.Width, "imageHead"), g, HeadOf(g.Width, "textHead"), Math.Log(10));
        Assert.Equal(said.GetProperty("parameters").GetInt64(), towers.parameters().Sum(weight => weight.numel()));

        Head? HeadOf(int inputs, string side) =>
            said.GetProperty(side) is { ValueKind: JsonValueKind.Number } size ? new Head(inputs, size.GetInt32(), device: META) : null;
    }
}
