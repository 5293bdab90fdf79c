using System.Text.Json;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>
/// DINOv2 in Hugging Face's names, with and without registers, with its classifier on class token and mean patch token.
/// </summary>
public sealed class DinoHuggingFaceFixture : IFixtureKind
{
    private const string Input = "_input.npy",
        Plain = "model.safetensors",
        Classifier = "model_classifier.safetensors";

    public string Folder => "dinov2_hf";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        folder.PathOf("config.json"); // read by the loader, beside the weights
        foreach (var input in folder.AllFiles.Where(name => name.EndsWith(Input, StringComparison.Ordinal)))
        {
            var name = input[..^Input.Length];
            yield return new(name, () => Check(folder, name));
            if (folder.WrongConventions(name) is { } wrong)
                yield return new($"{name}, wrong conventions", () => CheckWrong(folder, name, wrong));
        }
    }

    private static void Check(FixtureFolder folder, string name)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var images = folder.Floats(name + Input);
        foreach (var file in new[] { Plain, Classifier })
        {
            using var alone = ImageTowerLoader.Load(folder.PathOf(file));
            folder.Close(alone.Tower.call(images), $"{name}_cls.npy");
        }
        using var joined = ImageTowerLoader.Load(folder.PathOf(Classifier) + ":patch-mean");
        var representation = joined.Tower.call(images);
        folder.Close(representation[.., (joined.Tower.Width / 2)..], $"{name}_patch_mean.npy");
        folder.Close(joined.Tower.Logits("classifier", representation), $"{name}_logits.npy");
    }

    private static void CheckWrong(FixtureFolder folder, string name, JsonElement wrong)
    {
        folder.Differs(wrong, "tanh_gelu", () =>
            Wrong(tower => WrongConventions.SetActivation(tower, Activation.GeluTanh))
        );
        folder.Differs(wrong, "layernorm_eps_1e-5", () => Wrong(tower => WrongConventions.SetNormEps(tower, 1e-5)));
        folder.Differs(wrong, "layerscale ignored", () => Wrong(WrongConventions.IgnoreLayerScale));
        folder.Differs(wrong, "0.1 offset (Meta's own)", () => Wrong(_ => { }, offset: true));

        double Wrong(Action<ImageTower> mistake, bool offset = false)
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            using var loaded = ImageTowerLoader.Load(folder.PathOf(Plain));
            mistake(loaded.Tower);
            var tower = !offset
                ? loaded.Tower
                : WrongConventions.WithPositions(
                    loaded.Tower,
                    (DinoConfig)loaded.Tower.Config! with
                    {
                        Resampling = PositionResampling.BicubicOffset,
                    },
                    loaded.Tower.state_dict()["posembed"]
                );
            return TowerParity.Error(tower.call(folder.Floats(name + Input)), folder.Floats($"{name}_cls.npy"));
        }
    }
}
