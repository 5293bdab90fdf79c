using System.Text.Json;
using LiT.Checkpoints;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>
/// BiT: ResNet-v2 with both paddings of the max pooling and both sets of names, and big_vision's ResNet-v1 with group
/// norms.
/// </summary>
public sealed class BitFixture : IFixtureKind
{
    public string Folder => "bit_resnetv2_npz";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        foreach (
            var checkpoint in folder.AllFiles.Where(file => file.StartsWith("checkpoint", StringComparison.Ordinal))
        )
        {
            // checkpoint_legacy_tf_numbered.npz has the outputs of checkpoint_legacy_tf.npz.
            var name = checkpoint["checkpoint".Length..^".npz".Length];
            while (!folder.Has($"output{name}.npy"))
                name = name[..name.LastIndexOf('_')];
            var both = folder.Has($"output{name}_zero_pad.npy");
            using var file = Checkpoint.Open(folder.PathOf(checkpoint));
            var zeroByDefault =
                both && file.Tensors.Keys.All(key => key.StartsWith("resnet/", StringComparison.Ordinal));
            yield return Case(null, name + (zeroByDefault ? "_zero_pad" : ""));
            // Their case "v2" is the checkpoint without a name behind it.
            if (folder.WrongConventions(name.Length == 0 ? "v2" : name[1..]) is { } wrong)
                yield return new($"{checkpoint}, wrong conventions", () => CheckWrong(folder, checkpoint, name, wrong));
            if (!both)
                continue;
            yield return Case(RootPadding.MinusInfinity, name);
            yield return Case(RootPadding.Zero, name + "_zero_pad");

            FixtureCase Case(RootPadding? padding, string expected) =>
                new($"{checkpoint} {padding?.ToString() ?? "default"}", () =>
                    Check(folder, checkpoint, padding, expected)
                );
        }
    }

    private static void CheckWrong(FixtureFolder folder, string checkpoint, string name, JsonElement wrong)
    {
        folder.Differs(wrong, "weight_std_eps_1e-8 (timm)", () =>
            Wrong(tower => WrongConventions.SetStandardisation(tower, s => s with { Eps = 1e-8 }))
        );
        folder.Differs(wrong, "weight_std_eps_1e-5", () =>
            Wrong(tower => WrongConventions.SetStandardisation(tower, s => s with { Eps = 1e-5 }))
        );
        folder.Differs(wrong, "weight_std_eps_1e-10", () =>
            Wrong(tower => WrongConventions.SetStandardisation(tower, s => s with { Eps = 1e-10 }))
        );
        // meta.json does not say what all is padded so for its figure; the convolutions alone are enough to be seen.
        if (
            wrong.TryGetProperty("SAME padding instead of explicit", out var same)
            && same.ValueKind == JsonValueKind.Number
            && same.GetDouble() > 100 * folder.Tolerance()
        )
        {
            Assert.True(
                Wrong(tower => WrongConventions.SetStandardisation(tower, s => s with { SamePadding = true }))
                    > folder.Tolerance()
            );
            folder.MistakesSeen.Add("SAME padding instead of explicit");
        }
        folder.Differs(wrong, "groupnorm_eps_1e-6", () => Wrong(tower => WrongConventions.SetNormEps(tower, 1e-6)));
        folder.Differs(wrong, "groupnorm_eps_1e-5", () => Wrong(tower => WrongConventions.SetNormEps(tower, 1e-5)));
        folder.Differs(wrong, "max pool padded with zeros instead of -inf", () => Wrong(_ => { }, RootPadding.Zero));

        double Wrong(Action<ImageTower> mistake, RootPadding? padding = null)
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            using var loaded = ImageTowerLoader.Load(
                folder.PathOf(checkpoint),
                new ImageTowerOptions { RootPadding = padding }
            );
            mistake(loaded.Tower);
            return TowerParity.Error(
                loaded.Tower.Logits("head", loaded.Tower.call(folder.Nhwc("input.npy"))),
                folder.Floats($"output{name}.npy")
            );
        }
    }

    private static void Check(FixtureFolder folder, string checkpoint, RootPadding? padding, string expected)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        using var loaded = ImageTowerLoader.Load(
            folder.PathOf(checkpoint),
            new ImageTowerOptions { RootPadding = padding }
        );
        var images = folder.Nhwc("input.npy");
        var locked = loaded.Tower.call(images);
        folder.Close(locked, $"pre_logits{expected}.npy");
        folder.Close(loaded.Tower.Logits("head", locked), $"output{expected}.npy");
        loaded.Tower.Unlock();
        folder.Close(loaded.Tower.call(images), $"pre_logits{expected}.npy");
    }
}
