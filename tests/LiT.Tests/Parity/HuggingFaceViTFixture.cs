using System.Text.Json;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>Hugging Face's ViT in three types, with pooler or classifier, and with interpolated positions.</summary>
public sealed class HuggingFaceViTFixture : IFixtureKind
{
    public string Folder => "hf_vit";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        folder.PathOf("config.json");
        foreach (var file in folder.AllFiles.Where(file => file.EndsWith(".safetensors", StringComparison.Ordinal)))
        {
            var name = Path.GetFileNameWithoutExtension(file);
            yield return new FixtureCase(name, () => Check(folder, file, name, "input.npy"));
            if (folder.WrongConventions(name) is { } wrong)
                yield return new FixtureCase($"{name}, wrong conventions", () => CheckWrong(folder, file, name, wrong));
            if (folder.Has($"{name}_interpolated_cls.npy"))
                yield return new FixtureCase($"{name} interpolated", () =>
                    Check(folder, file, $"{name}_interpolated", "input_interpolated.npy")
                );
        }
    }

    private static void CheckWrong(FixtureFolder folder, string file, string name, JsonElement wrong)
    {
        folder.Differs(wrong, "tanh_gelu", () =>
            Wrong(tower => WrongConventions.SetActivation(tower, Activation.GeluTanh))
        );
        folder.Differs(wrong, "layernorm_eps_1e-6", () => Wrong(tower => WrongConventions.SetNormEps(tower, 1e-6)));

        double Wrong(Action<ImageTower> mistake)
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            using var loaded = ImageTowerLoader.Load(folder.PathOf(file));
            mistake(loaded.Tower);
            return TowerParity.Error(loaded.Tower.call(folder.Floats("input.npy")), folder.Floats($"{name}_cls.npy"));
        }
    }

    private static void Check(FixtureFolder folder, string file, string name, string input)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        using var loaded = ImageTowerLoader.Load(folder.PathOf(file));
        var images = folder.Floats(input);
        var representation = loaded.Tower.call(images);
        folder.Close(representation, $"{name}_cls.npy");
        if (folder.Has($"{name}_last_hidden_state.npy"))
            folder.Close(((HuggingFaceViT)loaded.Tower).Encoded(images), $"{name}_last_hidden_state.npy");
        if (folder.Has($"{name}_logits.npy"))
            folder.Close(loaded.Tower.Logits("classifier", representation), $"{name}_logits.npy");
        if (!folder.Has($"{name}_pooler_output.npy"))
            return;
        using var pooled = ImageTowerLoader.Load(folder.PathOf(file) + ":pooler");
        folder.Close(pooled.Tower.call(images), $"{name}_pooler_output.npy");
    }
}
