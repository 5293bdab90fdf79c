using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>vit_jax's Vision Transformers: class token, mean, pre-logits, other resolutions.</summary>
public sealed class VitAugRegFixture : IFixtureKind
{
    public string Folder => "vit_augreg_npz";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder) => VitFixtures.Cases(folder);
}

/// <summary>big_vision's Vision Transformers: all poolings, all layouts of names, bfloat16.</summary>
public sealed class VitBigVisionFixture : IFixtureKind
{
    public string Folder => "vit_bigvision_npz";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder) => VitFixtures.Cases(folder);
}

internal static class VitFixtures
{
    public static IEnumerable<FixtureCase> Cases(FixtureFolder folder) =>
        folder.Runs().Select(run => new FixtureCase(run.Name, () => Check(folder, run)));

    private static void Check(FixtureFolder folder, ImageFixtures.Run run)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var options = new ImageTowerOptions { Pooling = run.Name.StartsWith("pool0", StringComparison.Ordinal) ? VitPooling.First : null };
        using var loaded = ImageTowerLoader.Load(folder.PathOf(run.Weights), options);
        var tower = (VisionTransformer)loaded.Tower;
        var architecture = folder.Meta.GetProperty("architecture");
        Assert.Equal(architecture.GetProperty("width").GetInt32(), ((VitConfig)tower.Config).Width);
        Assert.Equal(architecture.GetProperty("heads").GetInt32(), ((VitConfig)tower.Config).AttentionHeads);

        var images = folder.Nhwc(run.Input);
        var encoded = tower.Encoded(images);
        if (folder.Has($"encoded_{run.Name}.npy")) folder.Close(encoded, $"encoded_{run.Name}.npy");
        if (folder.Has($"pooled_{run.Name}.npy")) folder.Close(tower.Pooled(encoded), $"pooled_{run.Name}.npy");
        var representation = tower.call(images);
        Assert.Equal(tower.Width, representation.shape[1]);
        if (folder.Has($"output_{run.Name}_before_head.npy")) folder.Close(representation, $"output_{run.Name}_before_head.npy");
        folder.Close(tower.HeadNames is [var head] ? tower.Logits(head, representation) : representation, run.Output);

        var patch = ((VitConfig)tower.Config).Patch;
        foreach (var table in folder.AllFiles.Where(file => file.StartsWith("posemb_", StringComparison.Ordinal)
            && run.Name.EndsWith(file["posemb_".Length..^".npy".Length], StringComparison.Ordinal)))
        {
            var positions = tower.Positions(images.shape[2] / patch, images.shape[3] / patch);
            if (tower.state_dict().TryGetValue("posembed", out var learned) && ((VitConfig)tower.Config).Positions == VitPositions.LearnedWithClass)
                positions = cat([learned[0, ..1], positions]);
            folder.Close(positions, table);
        }
    }
}
