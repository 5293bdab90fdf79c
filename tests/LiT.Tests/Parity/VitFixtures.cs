using System.Text.Json;
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
    public static IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        foreach (var run in folder.Runs())
        {
            yield return new FixtureCase(run.Name, () => Check(folder, run));
            if (folder.WrongConventions(run.Name) is { } wrong)
                yield return new FixtureCase($"{run.Name}, wrong conventions", () => CheckWrong(folder, run, wrong));
        }
    }

    private static void CheckWrong(FixtureFolder folder, ImageFixtures.Run run, JsonElement wrong)
    {
        folder.Differs(wrong, "exact_erf_gelu", () =>
            Wrong(tower => WrongConventions.SetActivation(tower, Activation.Gelu))
        );
        folder.Differs(wrong, "layernorm_eps_1e-5", () => Wrong(tower => WrongConventions.SetNormEps(tower, 1e-5)));
        folder.Differs(wrong, "layernorm_eps_1e-12", () => Wrong(tower => WrongConventions.SetNormEps(tower, 1e-12)));
        folder.Differs(wrong, "bilinear_half_pixel_centres", () => Wrong(_ => { }, halfPixelCentres: true));

        double Wrong(Action<ImageTower> mistake, bool halfPixelCentres = false)
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            using var loaded = ImageTowerLoader.Load(folder.PathOf(run.Weights), Options(folder, run));
            var (tower, images) = (loaded.Tower, folder.Nhwc(run.Input));
            mistake(tower);
            if (halfPixelCentres)
            {
                var config = (VitConfig)tower.Config!;
                var table = WrongConventions.TorchResampled(
                    tower.state_dict()["posembed"],
                    config.Positions == VitPositions.LearnedWithClass ? 1 : 0,
                    config.GridOf(config.Patch),
                    images.shape[2] / config.Patch,
                    images.shape[3] / config.Patch,
                    InterpolationMode.Bilinear
                );
                tower = WrongConventions.WithPositions(
                    tower,
                    config with
                    {
                        ImageSize = (int)images.shape[3],
                        ImageHeight = (int)images.shape[2],
                    },
                    table
                );
            }
            var output = tower.call(images);
            return TowerParity.Error(
                tower.HeadNames is [var head] ? tower.Logits(head, output) : output,
                folder.Floats(run.Output)
            );
        }
    }

    private static ImageTowerOptions Options(FixtureFolder folder, ImageFixtures.Run run) =>
        folder.TrainedGrid() with
        {
            Pooling = run.Name.StartsWith("pool0", StringComparison.Ordinal) ? VitPooling.First : null,
        };

    private static void Check(FixtureFolder folder, ImageFixtures.Run run)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        using var loaded = ImageTowerLoader.Load(folder.PathOf(run.Weights), Options(folder, run));
        var tower = (VisionTransformer)loaded.Tower;
        var architecture = folder.Meta.GetProperty("architecture");
        Assert.Equal(architecture.GetProperty("width").GetInt32(), ((VitConfig)tower.Config).Width);
        Assert.Equal(architecture.GetProperty("heads").GetInt32(), ((VitConfig)tower.Config).AttentionHeads);

        var images = folder.Nhwc(run.Input);
        var encoded = tower.Encoded(images);
        if (folder.Has($"encoded_{run.Name}.npy"))
            folder.Close(encoded, $"encoded_{run.Name}.npy");
        if (folder.Has($"pooled_{run.Name}.npy"))
            folder.Close(tower.Pooled(images), $"pooled_{run.Name}.npy");
        var representation = tower.call(images);
        Assert.Equal(tower.Width, representation.shape[1]);
        if (folder.Has($"output_{run.Name}_before_head.npy"))
            folder.Close(representation, $"output_{run.Name}_before_head.npy");
        folder.Close(tower.HeadNames is [var head] ? tower.Logits(head, representation) : representation, run.Output);

        var patch = ((VitConfig)tower.Config).Patch;
        foreach (
            var table in folder.AllFiles.Where(file =>
                file.StartsWith("posemb_", StringComparison.Ordinal)
                && run.Name.EndsWith(file["posemb_".Length..^".npy".Length], StringComparison.Ordinal)
            )
        )
        {
            var positions = tower.Positions(images.shape[2] / patch, images.shape[3] / patch);
            if (
                tower.state_dict().TryGetValue("posembed", out var learned)
                && ((VitConfig)tower.Config).Positions == VitPositions.LearnedWithClass
            )
                positions = cat([learned[0, ..1], positions]);
            folder.Close(positions, table);
        }
    }
}
