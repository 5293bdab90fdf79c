using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>torchvision's ResNet, alone and as DINO and MoCo v3 wrap it: every checkpoint of the folder gives the same features.</summary>
public sealed class ResNetFixture : IFixtureKind
{
    public string Folder => "torchvision_resnet";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder) =>
        folder.AllFiles.Where(file => Path.GetExtension(file) is ".safetensors" or ".pth").Select(file => new FixtureCase(file, () =>
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            using var loaded = ImageTowerLoader.Load(folder.PathOf(file));
            var images = folder.Floats("input.npy");
            var features = loaded.Tower.call(images);
            folder.Close(features, "output_features.npy");
            if (file == "checkpoint.safetensors") Assert.Equal(["fc"], loaded.Tower.HeadNames);
            foreach (var head in loaded.Tower.HeadNames) folder.Close(loaded.Tower.Logits(head, features), "output_logits.npy");
            loaded.Tower.Unlock();
            folder.Close(loaded.Tower.call(images), "output_features.npy");
        }));
}
