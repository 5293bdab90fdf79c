using System.Text.Json;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>MLP-Mixer, current and old names: every checkpoint of the folder gives the same outputs.</summary>
public sealed class MixerFixture : IFixtureKind
{
    public string Folder => "mixer_npz";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        foreach (var file in folder.AllFiles.Where(file => file.EndsWith(".npz", StringComparison.Ordinal)))
        {
            yield return new FixtureCase(file, () =>
            {
                using var scope = NewDisposeScope();
                using var unrecorded = no_grad();
                using var loaded = ImageTowerLoader.Load(folder.PathOf(file), folder.TrainedGrid());
                var representation = loaded.Tower.call(folder.Nhwc("input.npy"));
                folder.Close(representation, "pre_logits.npy");
                folder.Close(loaded.Tower.Logits("head", representation), "output.npy");
            });
            if (folder.WrongConventions(Path.GetFileNameWithoutExtension(file)) is { } wrong)
                yield return new FixtureCase($"{file}, wrong conventions", () => CheckWrong(folder, file, wrong));
        }
    }

    private static void CheckWrong(FixtureFolder folder, string file, JsonElement wrong)
    {
        folder.Differs(wrong, "exact_erf_gelu", () =>
            Wrong(tower => WrongConventions.SetActivation(tower, Activation.Gelu))
        );
        folder.Differs(wrong, "layernorm_eps_1e-5", () => Wrong(tower => WrongConventions.SetNormEps(tower, 1e-5)));

        double Wrong(Action<ImageTower> mistake)
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            using var loaded = ImageTowerLoader.Load(folder.PathOf(file), folder.TrainedGrid());
            mistake(loaded.Tower);
            return TowerParity.Error(
                loaded.Tower.Logits("head", loaded.Tower.call(folder.Nhwc("input.npy"))),
                folder.Floats("output.npy")
            );
        }
    }
}
