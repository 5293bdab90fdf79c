using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>MLP-Mixer, current and old names: every checkpoint of the folder gives the same outputs.</summary>
public sealed class MixerFixture : IFixtureKind
{
    public string Folder => "mixer_npz";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder) =>
        folder.AllFiles.Where(file => file.EndsWith(".npz", StringComparison.Ordinal)).Select(file => new FixtureCase(file, () =>
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            using var loaded = ImageTowerLoader.Load(folder.PathOf(file));
            var representation = loaded.Tower.call(folder.Nhwc("input.npy"));
            folder.Close(representation, "pre_logits.npy");
            folder.Close(loaded.Tower.Logits("head", representation), "output.npy");
        }));
}
