using LiT.Checkpoints;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>BiT: ResNet-v2 with both paddings of the max pooling and both sets of names, and big_vision's ResNet-v1 with group norms.</summary>
public sealed class BitFixture : IFixtureKind
{
    public string Folder => "bit_resnetv2_npz";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        foreach (var checkpoint in folder.AllFiles.Where(file => file.StartsWith("checkpoint", StringComparison.Ordinal)))
        {
            // checkpoint_legacy_tf_numbered.npz has the outputs of checkpoint_legacy_tf.npz.
            var name = checkpoint["checkpoint".Length..^".npz".Length];
            while (!folder.Has($"output{name}.npy")) name = name[..name.LastIndexOf('_')];
            var both = folder.Has($"output{name}_zero_pad.npy");
            using var file = Checkpoint.Open(folder.PathOf(checkpoint));
            var zeroByDefault = both && file.Tensors.Keys.All(key => key.StartsWith("resnet/", StringComparison.Ordinal));
            yield return Case(null, name + (zeroByDefault ? "_zero_pad" : ""));
            if (!both) continue;
            yield return Case(RootPadding.MinusInfinity, name);
            yield return Case(RootPadding.Zero, name + "_zero_pad");

            FixtureCase Case(RootPadding? padding, string expected) =>
                new($"{checkpoint} {padding?.ToString() ?? "default"}", () => Check(folder, checkpoint, padding, expected));
        }
    }

    private static void Check(FixtureFolder folder, string checkpoint, RootPadding? padding, string expected)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        using var loaded = ImageTowerLoader.Load(folder.PathOf(checkpoint), new ImageTowerOptions { RootPadding = padding });
        var images = folder.Nhwc("input.npy");
        var locked = loaded.Tower.call(images);
        folder.Close(locked, $"pre_logits{expected}.npy");
        folder.Close(loaded.Tower.Logits("head", locked), $"output{expected}.npy");
        loaded.Tower.Unlock();
        folder.Close(loaded.Tower.call(images), $"pre_logits{expected}.npy");
    }
}
