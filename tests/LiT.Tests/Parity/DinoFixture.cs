using System.Text.Json;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>
/// DINO's Vision Transformers. A checkpoint "v2_reg.safetensors" belongs to the cases "v2_reg_CASE_input.npy"; where
/// there is no variant of a checkpoint's whole name, as for "v1_full_checkpoint.pth", the longest beginning that there
/// is counts.
/// </summary>
public sealed class DinoFixture : IFixtureKind
{
    private const string Input = "_input.npy";

    public string Folder => "dino_vit";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        var variants = folder
            .AllFiles.Where(file => file.EndsWith(".safetensors", StringComparison.Ordinal))
            .Select(file => Path.GetFileNameWithoutExtension(file))
            .ToList();
        string? VariantOf(string name) =>
            variants
                .Where(variant => name == variant || name.StartsWith(variant + "_", StringComparison.Ordinal))
                .MaxBy(variant => variant.Length);
        foreach (var file in folder.AllFiles.Where(file => Path.GetExtension(file) is ".safetensors" or ".pth"))
        {
            var variant = VariantOf(Path.GetFileNameWithoutExtension(file));
            var inputs = folder.AllFiles.Where(name =>
                name.EndsWith(Input, StringComparison.Ordinal) && VariantOf(name) == variant
            );
            foreach (var input in inputs)
            {
                var name = input[..^Input.Length];
                yield return new FixtureCase($"{file} {name}", () => Check(folder, file, name));
                if (file == variant + ".safetensors" && folder.WrongConventions(name) is { } wrong)
                    yield return new FixtureCase($"{name}, wrong conventions", () =>
                        CheckWrong(folder, file, name, wrong)
                    );
            }
        }
    }

    private static void CheckWrong(FixtureFolder folder, string file, string name, JsonElement wrong)
    {
        folder.Differs(wrong, "tanh_gelu", () =>
            Wrong(tower => WrongConventions.SetActivation(tower, Activation.GeluTanh))
        );
        folder.Differs(wrong, "layernorm_eps_1e-5", () => Wrong(tower => WrongConventions.SetNormEps(tower, 1e-5)));
        folder.Differs(wrong, "layerscale ignored", () => Wrong(WrongConventions.IgnoreLayerScale));

        folder.Differs(wrong, "no 0.1 offset, no antialias", () => Wrong(_ => { }, plainBicubic: true));

        double Wrong(Action<ImageTower> mistake, bool plainBicubic = false)
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            using var loaded = ImageTowerLoader.Load(
                folder.PathOf(file),
                new ImageTowerOptions
                {
                    AttentionHeads = folder.Meta.GetProperty("architecture").GetProperty("heads").GetInt32(),
                }
            );
            mistake(loaded.Tower);
            var tower = !plainBicubic
                ? loaded.Tower
                : WrongConventions.WithPositions(
                    loaded.Tower,
                    (DinoConfig)loaded.Tower.Config! with
                    {
                        Resampling = PositionResampling.Bicubic,
                    },
                    loaded.Tower.state_dict()["posembed"]
                );
            return TowerParity.Error(tower.call(folder.Floats(name + Input)), folder.Floats($"{name}_cls.npy"));
        }
    }

    private static void Check(FixtureFolder folder, string file, string name)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var heads = folder.Meta.GetProperty("architecture").GetProperty("heads").GetInt32();
        using var loaded = ImageTowerLoader.Load(
            folder.PathOf(file),
            new ImageTowerOptions { AttentionHeads = heads, JoinPatchMean = true }
        );
        var tower = (DinoViT)loaded.Tower;
        var images = folder.Floats(name + Input);
        var (patch, width) = (((DinoConfig)tower.Config).Patch, ((DinoConfig)tower.Config).Width);

        var joined = tower.call(images);
        folder.Close(joined[.., ..width], $"{name}_cls.npy");
        folder.Close(joined[.., width..], $"{name}_patch_mean.npy");
        if (folder.Has($"{name}_patch_tokens.npy"))
            folder.Close(tower.Encoded(images).Patches, $"{name}_patch_tokens.npy");
        if (folder.Has($"{name}_posembed.npy"))
            folder.Close(tower.Positions(images.shape[2] / patch, images.shape[3] / patch), $"{name}_posembed.npy");

        using var alone = ImageTowerLoader.Load(folder.PathOf(file), new ImageTowerOptions { AttentionHeads = heads });
        folder.Close(alone.Tower.call(images), $"{name}_cls.npy");
    }
}
