using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>
/// DINO's Vision Transformers. A checkpoint "v2_reg.safetensors" belongs to the cases "v2_reg_CASE_input.npy"; where there
/// is no variant of a checkpoint's whole name, as for "v1_full_checkpoint.pth", the longest beginning that there is counts.
/// </summary>
public sealed class DinoFixture : IFixtureKind
{
    private const string Input = "_input.npy";

    public string Folder => "dino_vit";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        var variants = folder.AllFiles.Where(file => file.EndsWith(".safetensors", StringComparison.Ordinal)).Select(file => Path.GetFileNameWithoutExtension(file)).ToList();
        foreach (var file in folder.AllFiles.Where(file => Path.GetExtension(file) is ".safetensors" or ".pth"))
        {
            var variant = variants.Where(name => Path.GetFileNameWithoutExtension(file).StartsWith(name, StringComparison.Ordinal)).MaxBy(name => name.Length)!;
            var inputs = folder.AllFiles.Where(name => name.EndsWith(Input, StringComparison.Ordinal)
                && name.StartsWith(variant + "_", StringComparison.Ordinal) && !name[(variant.Length + 1)..^Input.Length].Contains('_', StringComparison.Ordinal));
            foreach (var input in inputs)
                yield return new FixtureCase($"{file} {input[..^Input.Length]}", () => Check(folder, file, input[..^Input.Length]));
        }
    }

    private static void Check(FixtureFolder folder, string file, string name)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var heads = folder.Meta.GetProperty("architecture").GetProperty("heads").GetInt32();
        using var loaded = ImageTowerLoader.Load(folder.PathOf(file), new ImageTowerOptions { AttentionHeads = heads, JoinPatchMean = true });
        var tower = (DinoViT)loaded.Tower;
        var images = folder.Floats(name + Input);
        var (patch, width) = (((DinoConfig)tower.Config).Patch, ((DinoConfig)tower.Config).Width);

        var joined = tower.call(images);
        folder.Close(joined[.., ..width], $"{name}_cls.npy");
        folder.Close(joined[.., width..], $"{name}_patch_mean.npy");
        if (folder.Has($"{name}_patch_tokens.npy")) folder.Close(tower.Encoded(images).Patches, $"{name}_patch_tokens.npy");
        if (folder.Has($"{name}_posembed.npy")) folder.Close(tower.Positions(images.shape[2] / patch, images.shape[3] / patch), $"{name}_posembed.npy");

        using var alone = ImageTowerLoader.Load(folder.PathOf(file), new ImageTowerOptions { AttentionHeads = heads });
        folder.Close(alone.Tower.call(images), $"{name}_cls.npy");
    }
}
