using LiT.Bundles;
using LiT.Catalogue;
using LiT.Towers;

namespace LiT.Tests.Catalogue;

public class ModelCatalogueTests
{
    public static IEnumerable<TheoryDataRow<string>> Names() =>
        ModelCatalogue.All.Select(model => new TheoryDataRow<string>(model.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public void An_entry_s_numbers_are_those_of_towers_of_its_sizes(string name)
    {
        var model = ModelCatalogue.Find(name)!;
        var explanation = ModelExplainer.Blueprint(model);
        Assert.Equal(model.Parameters, explanation.ParameterCount);
        Assert.Equal(model.Width, explanation.Width);
        Assert.Equal(model.Kind != ModelKind.TextTower, model.Preprocessing is not null);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_entry_can_be_downloaded_and_says_where_it_comes_from(string name)
    {
        var model = ModelCatalogue.Find(name)!;
        // Either its own address, or a file in a .NET package, which has a hash then.
        Assert.All(model.Files, file =>
            Assert.Equal(
                file.Url.Scheme == PackageFiles.Scheme && file.Sha256 is not null ? "pkg" : "https",
                file.Url.Scheme
            )
        );
        Assert.All(model.Files, file => Assert.Equal(file.Name, Path.GetFileName(file.Name)));
        Assert.Equal(model.Files.Count, model.Files.DistinctBy(file => file.Name).Count());
        Assert.NotEmpty(model.Licence);
        Assert.Equal(
            model.Kind == ModelKind.TwoTowers,
            model.Files.Any(file =>
                file.Name.EndsWith(".model", StringComparison.Ordinal)
                || file.Name.EndsWith(".txt", StringComparison.Ordinal)
                || file.Name == "tokenizer.json"
            )
                && model.Kind != ModelKind.TextTower
        );
    }

    [Theory]
    [InlineData(
        "vit-b16-augreg-in21k",
        "bit-r50x1",
        "mixer-b16-in21k",
        "dino-vitb16",
        "mocov3-r50",
        "bert-base-uncased"
    )]
    [InlineData("LiT-B16B", "LiT-B16B_2", "LiT-L16L", "LiT-L16S", "LiT-L16Ti", "lit-b16b", "LiT-B16B.npz")]
    [InlineData(
        "t5-small",
        "mt5-base",
        "dinov2-vitg14-reg",
        "siglip-b16-224",
        "siglip2-base-patch16-224",
        "dinov3-vitb16",
        "all-mpnet-base-v2",
        "google/vit-base-patch16-224-in21k",
        "bert-tiny"
    )]
    public void Names_that_people_know_are_found(params string[] names) =>
        Assert.All(names, name => Assert.NotNull(ModelCatalogue.Find(name)));

    [Fact]
    public void A_mistyped_name_brings_those_that_are_like_it_and_words_narrow_the_list()
    {
        Assert.Equal("vit-b16-augreg-in21k", ModelCatalogue.Like("vit-b16-augreg-in2k")[0]);
        Assert.Empty(ModelCatalogue.Like("something else altogether"));
        Assert.Equal(5, ModelCatalogue.Matching(["LiT-"]).Count());
        Assert.All(ModelCatalogue.Matching(["dino", "resnet"]), model => Assert.Equal("dino-resnet50", model.Name));
        Assert.Empty(ModelCatalogue.Matching(["dino", "mixer"]));
    }

    [Fact]
    public void A_name_that_was_not_downloaded_is_one_line_that_says_how_wherever_it_is_given()
    {
        var missing = "Run 'lit models pull dino-vits8' to download it.";
        Assert.Contains(missing, Assert.Throws<LitException>(() => ImageTowerLoader.Load("dino-vits8")).Message);
        Assert.Contains(
            "Run 'lit models pull bert-base-uncased'",
            Assert.Throws<LitException>(() => TextTowerLoader.Load("bert-base-uncased")).Message
        );
        Assert.Contains(
            "Run 'lit models pull LiT-L16Ti'",
            Assert.Throws<LitException>(() => TwoTowersLoader.Load("LiT-L16Ti")).Message
        );
        Assert.Contains(
            "there is dino-vits8",
            Assert.Throws<LitException>(() => ImageTowerLoader.Load("dino-vits88")).Message
        );
    }
}
