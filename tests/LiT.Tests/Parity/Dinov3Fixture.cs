using System.Text.Json;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>DINOv3 in Hugging Face's names: rotary positions, registers, gated and plain MLPs, grids of any
/// shape.</summary>
public sealed class Dinov3Fixture : IFixtureKind
{
    private const string Input = "_input.npy";

    public string Folder => "dinov3_hf";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        folder.PathOf("config.json"); // read by the loader, beside the weights
        var file = folder.PathOf("model.safetensors");
        foreach (var input in folder.AllFiles.Where(name => name.EndsWith(Input, StringComparison.Ordinal)))
        {
            var name = input[..^Input.Length];
            yield return new(name, () => Check(folder, file, name));
            if (folder.WrongConventions(name) is { } wrong)
                yield return new($"{name}, wrong conventions", () => CheckWrong(folder, file, name, wrong));
        }
    }

    private static void Check(FixtureFolder folder, string file, string name)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        using var alone = ImageTowerLoader.Load(file);
        Assert.Empty(alone.Warnings);
        folder.Close(alone.Tower.call(folder.Floats(name + Input)), $"{name}_cls.npy");
        using var joined = ImageTowerLoader.Load(file + ":patch-mean");
        var both = joined.Tower.call(folder.Floats(name + Input)).chunk(2, 1);
        folder.Close(both[0], $"{name}_cls.npy");
        folder.Close(both[1], $"{name}_patch_mean.npy");
    }

    // The angles written out: 2 pi times a coordinate between -1 and 1 times a frequency; rows' first, then columns'.
    private static Rope Oracle(
        DinoConfig config,
        long rows,
        long columns,
        Func<long, long, double, double, (double Y, double X)> place,
        int shift
    )
    {
        var d = config.Width / config.AttentionHeads;
        var angles = new double[rows * columns, d];
        for (var patch = shift; patch < rows * columns; patch++)
        {
            var (y, x) = place(
                rows,
                columns,
                2 * (patch / columns + 0.5) / rows - 1,
                2 * (patch % columns + 0.5) / columns - 1
            );
            for (var i = 0; i < d / 4; i++)
            {
                var turn = 2 * Math.PI / Math.Pow(config.RopeBase!.Value, 4.0 * i / d);
                (angles[patch - shift, i], angles[patch - shift, d / 4 + i]) = (turn * y, turn * x);
                (angles[patch - shift, d / 2 + i], angles[patch - shift, 3 * d / 4 + i]) = (turn * y, turn * x);
            }
        }
        var table = tensor(angles).to(float32).view(rows * columns, 1, 1, d);
        return new(table.cos(), table.sin(), config.AttentionHeads);
    }

    private static void CheckWrong(FixtureFolder folder, string file, string name, JsonElement wrong)
    {
        folder.Differs(wrong, "tanh_gelu", () =>
            Wrong(tower => WrongConventions.SetActivation(tower, Activation.GeluTanh))
        );
        folder.Differs(wrong, "layernorm_eps_1e-6", () => Wrong(tower => WrongConventions.SetNormEps(tower, 1e-6)));
        folder.Differs(wrong, "layerscale ignored", () => Wrong(WrongConventions.IgnoreLayerScale));
        folder.Differs(wrong, "rope_theta_10000", () => Wrong(_ => { }, config => config with { RopeBase = 10_000 }));
        folder.Differs(wrong, "columns before rows", () => Turned((_, _, y, x) => (x, y)));
        folder.Differs(wrong, "coordinates not normalised", () =>
            Turned((rows, columns, y, x) => ((y + 1) / 2 * rows, (x + 1) / 2 * columns))
        );
        folder.Differs(wrong, "positions shifted by the registers", () =>
            Turned((_, _, y, x) => (y, x), shifted: true)
        );

        double Wrong(Action<ImageTower> mistake, Func<DinoConfig, DinoConfig>? change = null)
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            using var loaded = ImageTowerLoader.Load(file);
            mistake(loaded.Tower);
            var tower = loaded.Tower;
            if (change is not null)
            {
                tower = change((DinoConfig)tower.Config!).Build();
                foreach (var (weight, value) in tower.state_dict())
                    value.copy_(loaded.Tower.state_dict()[weight]);
                tower.eval();
            }
            return Error(tower);
        }
        double Turned(Func<long, long, double, double, (double Y, double X)> place, bool shifted = false) =>
            Wrong(tower =>
            {
                var config = (DinoConfig)tower.Config!;
                WrongConventions.SetRope(tower, (rows, columns) =>
                    Oracle(config, rows, columns, place, shifted ? config.Registers : 0)
                );
            });
        double Error(ImageTower tower) =>
            TowerParity.Error(tower.call(folder.Floats(name + Input)), folder.Floats($"{name}_cls.npy"));
    }
}
