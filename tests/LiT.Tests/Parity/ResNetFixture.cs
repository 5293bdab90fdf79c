using System.Text.Json;
using LiT.Checkpoints;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>
/// torchvision's ResNet, alone and as DINO and MoCo v3 wrap it: every checkpoint of the folder gives the same features.
/// </summary>
public sealed class ResNetFixture : IFixtureKind
{
    public string Folder => "torchvision_resnet";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        foreach (var file in folder.AllFiles.Where(file => Path.GetExtension(file) is ".safetensors" or ".pth"))
            yield return new FixtureCase(file, () =>
            {
                using var scope = NewDisposeScope();
                using var unrecorded = no_grad();
                using var loaded = ImageTowerLoader.Load(folder.PathOf(file));
                var images = folder.Floats("input.npy");
                var features = loaded.Tower.call(images);
                folder.Close(features, "output_features.npy");
                if (file == "checkpoint.safetensors")
                    Assert.Equal(["fc"], loaded.Tower.HeadNames);
                foreach (var head in loaded.Tower.HeadNames)
                    folder.Close(loaded.Tower.Logits(head, features), "output_logits.npy");
                loaded.Tower.Unlock();
                folder.Close(loaded.Tower.call(images), "output_features.npy");
            });
        yield return new FixtureCase("wrong conventions", () =>
            CheckWrong(folder, folder.Meta.GetProperty("cases").GetProperty("error_of_wrong_conventions"))
        );
    }

    private static void CheckWrong(FixtureFolder folder, JsonElement wrong)
    {
        folder.Differs(wrong, "batchnorm_eps_1e-3", () =>
            Wrong("checkpoint.safetensors", tower => WrongConventions.SetNormEps(tower, 1e-3))
        );
        folder.Differs(wrong, "stride in the first 1x1 (caffe style)", () =>
            Wrong("checkpoint.safetensors", WrongConventions.MoveStrideToFirstConvolution)
        );
        folder.Differs(wrong, "momentum encoder used", () => Wrong("moco_v3.pth", tower =>
            {
                using var checkpoint = Checkpoint.Open(folder.PathOf("moco_v3.pth"));
                ResNet
                    .Torchvision.Skipping("fc.{*}", "projector")
                    .Load(new WeightSource(checkpoint, "state_dict.module.momentum_encoder."), tower);
            }));

        double Wrong(string file, Action<ImageTower> mistake)
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            using var loaded = ImageTowerLoader.Load(folder.PathOf(file));
            mistake(loaded.Tower);
            return TowerParity.Error(
                loaded.Tower.call(folder.Floats("input.npy")),
                folder.Floats("output_features.npy")
            );
        }
    }
}
