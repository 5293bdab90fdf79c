using LiT.Checkpoints;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>CLIP in Hugging Face's names: both towers, their projections and the logits.</summary>
public sealed class ClipHuggingFaceFixture() : ContrastiveHuggingFaceFixture("clip_hf");

/// <summary>SigLIP in Hugging Face's names, which SigLIP 2 of one size has, too.</summary>
public sealed class SiglipHuggingFaceFixture() : ContrastiveHuggingFaceFixture("siglip_hf");

public abstract class ContrastiveHuggingFaceFixture(string folderName) : IFixtureKind
{
    public string Folder => folderName;

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        folder.PathOf("config.json"); // read by the loader, beside the weights
        var file = folder.PathOf("model.safetensors");
        var clip = folder.Has("text_pooled.npy");
        yield return new("image tower", () => folder.Close(Image(folder, file), "image_pooled.npy"));
        yield return new("image tower, projected", () =>
            folder.Close(Image(folder, file + ":projection"), "image_embeds.npy")
        );
        yield return new("mean patch token", () => PatchMean(folder, file, clip));
        if (clip)
            yield return new("text tower", () => folder.Close(Text(folder, file), "text_pooled.npy"));
        yield return new("text tower, projected", () =>
            folder.Close(Text(folder, file, new TextTowerOptions { Projection = true }), "text_embeds.npy")
        );
        yield return new("two towers", () =>
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            using var loaded = TwoTowersLoader.Load(file);
            var towers = loaded.Towers;
            var (zimg, ztxt) = (
                towers.EmbedImages(folder.Floats("images.npy")),
                towers.EmbedTexts(folder.Ids("input_ids.npy"))
            );
            // Logits are as large as the temperature makes them.
            Assert.True(
                TowerParity.Error(towers.Logits(zimg, ztxt), folder.Floats("logits.npy")) <= 4 * folder.Tolerance()
            );
        });
        if (folder.WrongConventions("image_pooled") is { } image)
            yield return new("wrong conventions of the image tower", () =>
            {
                folder.Differs(image, "another gelu", () => Wrong(tower => Swap(tower, clip)));
                folder.Differs(image, "layernorm_eps_1e-12", () =>
                    Wrong(tower => WrongConventions.SetNormEps(tower, 1e-12))
                );
            });
        if (folder.WrongConventions("text_embeds") is { } text)
            yield return new("wrong conventions of the text tower", () =>
            {
                folder.Differs(text, "another gelu", () => WrongText(c => c with { Activation = Other(c.Activation) }));
                folder.Differs(text, "layernorm_eps_1e-12", () => WrongText(c => c with { Eps = 1e-12 }));
                folder.Differs(text, "last place instead of the end", () =>
                    WrongText(c => c with { CausalEnd = c.VocabularySize + 1 })
                );
                folder.Differs(text, "every token sees every token", () => Seeing(folder, file));
            });

        double Wrong(Action<ImageTower> mistake)
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            using var loaded = ImageTowerLoader.Load(file);
            mistake(loaded.Tower);
            return TowerParity.Error(loaded.Tower.call(folder.Floats("images.npy")), folder.Floats("image_pooled.npy"));
        }
        double WrongText(Func<TextTransformerConfig, TextTransformerConfig> change) =>
            TowerParity.Error(
                Text(folder, file, new TextTowerOptions { Projection = true }, config =>
                    change((TextTransformerConfig)config)
                ),
                folder.Floats("text_embeds.npy")
            );
    }

    private static Activation Other(Activation activation) =>
        activation == Activation.Gelu ? Activation.QuickGelu : Activation.Gelu;

    private static void Swap(ImageTower tower, bool clip) =>
        WrongConventions.SetActivation(
            tower,
            clip ? Other(((ClipViTConfig)tower.Config!).Activation) : Activation.Gelu
        );

    private static Tensor Image(FixtureFolder folder, string spec)
    {
        using var unrecorded = no_grad();
        using var loaded = ImageTowerLoader.Load(spec);
        Assert.Empty(loaded.Warnings);
        return loaded.Tower.call(folder.Floats("images.npy"));
    }

    private static void PatchMean(FixtureFolder folder, string file, bool clip)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        if (!clip)
        {
            using var siglip = ImageTowerLoader.Load(file);
            folder.Close(
                ((VisionTransformer)siglip.Tower).Encoded(folder.Floats("images.npy")).mean([1]),
                "patch_mean.npy"
            );
            return;
        }
        using var joined = ImageTowerLoader.Load(file + ":patch-mean");
        var both = joined.Tower.call(folder.Floats("images.npy")).chunk(2, 1);
        folder.Close(both[0], "image_pooled.npy");
        folder.Close(both[1], "patch_mean.npy");
    }

    private static Tensor Text(
        FixtureFolder folder,
        string file,
        TextTowerOptions? options = null,
        Func<TextTowerConfig, TextTowerConfig>? changed = null
    )
    {
        using var unrecorded = no_grad();
        using var tower = FixtureTower.Load(file, options, changed);
        return tower.call(folder.Ids("input_ids.npy"));
    }

    // Attention to all places, the state read where it is right to.
    private static double Seeing(FixtureFolder folder, string file)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        using var checkpoint = Checkpoint.Open(file);
        var found = RecognisedText.In(checkpoint, new TextTowerOptions());
        var end = ((TextTransformerConfig)found.Config).CausalEnd!.Value;
        using var tower = (TextTransformer)
            FixtureTower.Load(file, null, config => (TextTransformerConfig)config with { CausalEnd = null });
        var ids = folder.Ids("input_ids.npy");
        var states = tower.Hidden(tower.Rows(ids));
        var place = ids.eq(end).to(int64).argmax(1).view(-1, 1, 1).expand(-1, 1, states.size(2));
        var x = states.gather(1, place).squeeze(1).matmul(checkpoint.Read("text_projection.weight").t());
        return TowerParity.Error(x, folder.Floats("text_embeds.npy"));
    }
}
