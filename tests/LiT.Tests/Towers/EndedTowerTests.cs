using System.Text.RegularExpressions;
using LiT.Checkpoints;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

/// <summary>
/// Towers that end after some of their blocks (<c>layers=N</c>) are those of a file that never had the others.
/// </summary>
public sealed partial class EndedTowerTests : IDisposable
{
    private readonly TemporaryFolder temporary = new();

    public void Dispose() => temporary.Dispose();

    [Theory]
    [InlineData("vit_augreg_npz", "checkpoint.npz", "", 1, "encoderblock_1/")]
    [InlineData("dinov2_hf", "model.safetensors", "", 2, "encoder.layer.2.")]
    [InlineData("mixer_npz", "checkpoint.npz", "", 1, "MixerBlock_1/")]
    [InlineData("dino_vit", "v1.safetensors", "heads=4", 2, "blocks.2.")]
    [InlineData("dino_vit", "v2_swiglu.safetensors", "heads=4", 1, "blocks.1.", "blocks.2.")]
    public void An_image_tower(string fixture, string file, string options, int layers, params string[] later)
    {
        var path = Fixture(fixture, file);
        using var ended = ImageTowerLoader.Load($"{path}:{options},layers={layers}");
        using var small = Without(path, layers, later);
        using var expected = ImageTowerLoader.Load(small, new ImageTowerOptions { Heads = false }.With(options, path));
        Assert.Equal(expected.Architecture, ended.Architecture);
        Assert.Equal(expected.Fingerprint, ended.Fingerprint);
    }

    [Theory]
    [InlineData("bert_hf", "bert_plain.safetensors", "", 1, "encoder.layer.1.")]
    [InlineData("mpnet_hf", "model.safetensors", "", 1, "encoder.layer.1.")]
    [InlineData("t5_encoder", "model.safetensors", "", 1, "encoder.block.1.")]
    [InlineData("text_transformer_npz", "checkpoint.npz", "", 2, "encoderblock_2/")]
    [InlineData("text_transformer_npz", "checkpoint.npz", "", 1, "encoderblock_1/", "encoderblock_2/")]
    public void A_text_tower(string fixture, string file, string options, int layers, params string[] later)
    {
        var path = Fixture(fixture, file);
        using var unrecorded = no_grad();
        using var ids = tensor(Enumerable.Range(0, 24).Select(i => (long)(i * 7 % 19 + 1)).ToArray(), [3, 8]);
        using var ended = TextTowerLoader.Load($"{path}:{options},layers={layers}");
        using var small = Without(path, layers, later);
        using var expected = TextTowerLoader.Load(small, new TextTowerOptions().With(options, path));
        Assert.Equal(expected.Tower.Config!.InWords(), ended.Tower.Config!.InWords());
        Assert.True(expected.Tower.call(ids).allclose(ended.Tower.call(ids), rtol: 0, atol: 0));
    }

    [Fact]
    public void A_sentence_tower_keeps_what_stands_behind_its_encoder()
    {
        var folder = Fixture("sentence_bert", "");
        using var whole = TextTowerLoader.Load(folder);
        using var ended = TextTowerLoader.Load(folder + ":layers=1");
        var (all, some) = ((SentenceConfig)whole.Tower.Config!, (SentenceConfig)ended.Tower.Config!);
        Assert.Equal(1, some.BlockCount());
        Assert.Equal(all with { Encoder = some.Encoder }, some);
        Assert.Equal(whole.Tower.Width, ended.Tower.Width);
    }

    [Fact]
    public void All_blocks_are_the_tower_itself()
    {
        var path = Fixture("dino_vit", "v1.safetensors");
        using var whole = ImageTowerLoader.Load(path + ":heads=4");
        using var asked = ImageTowerLoader.Load(path + ":heads=4,layers=3");
        Assert.Equal(whole.Fingerprint, asked.Fingerprint);
    }

    [Theory]
    [InlineData("dino_vit", "v1.safetensors", "heads=4,layers=4", "layers=4, and this tower has 3. Give 1 to 3.")]
    [InlineData("dino_vit", "v1.safetensors", "heads=4,layers=0", "layers=0 is not a size")]
    [InlineData(
        "torchvision_resnet",
        "checkpoint.safetensors",
        "layers=1",
        "for towers whose blocks all give one width"
    )]
    public void More_than_there_are_and_towers_of_stages_are_refused(
        string fixture,
        string file,
        string options,
        string told
    )
    {
        var refused = Assert.Throws<UsageException>(() => ImageTowerLoader.Load($"{Fixture(fixture, file)}:{options}"));
        Assert.Contains(told, refused.Message);
    }

    [Fact]
    public void A_text_tower_has_no_more_than_it_has()
    {
        var path = Fixture("text_transformer_npz", "checkpoint.npz");
        var refused = Assert.Throws<UsageException>(() => TextTowerLoader.Load(path + ":layers=9"));
        Assert.Contains("layers=9, and this tower has 3. Give 1 to 3.", refused.Message);
    }

    [Fact]
    public void One_from_scratch_ends_there_too() =>
        Assert.Equal(
            ((VitConfig)ImageTowerLoader.ConfigOf("vit:Ti/16")) with
            {
                Depth = 5,
            },
            ImageTowerLoader.ConfigOf("vit:Ti/16,layers=5")
        );

    private static string Fixture(string folder, string file) =>
        Path.Combine(AppContext.BaseDirectory, "Fixtures", "reference", folder, file);

    // A file with fewer blocks, beside settings that say so.
    private MemoryCheckpoint Without(string path, int layers, string[] later)
    {
        var config = Path.Combine(Path.GetDirectoryName(path)!, "config.json");
        if (File.Exists(config))
            temporary.Write("config.json", Blocks().Replace(File.ReadAllText(config), $"${{1}}{layers}"));
        using var file = Checkpoint.Open(path);
        return new(
            file.Tensors.Keys.Where(name => !later.Any(part => name.Contains(part, StringComparison.Ordinal)))
                .ToDictionary(name => name, name => file.Read(name))
        )
        {
            Path = temporary[Path.GetFileName(path)],
        };
    }

    [GeneratedRegex("""("num_(?:hidden_)?layers": )\d+""")]
    private static partial Regex Blocks();
}
