using LiT.Checkpoints;
using LiT.Tests.Parity;
using static TorchSharp.torch;

namespace LiT.Tests.Checkpoints;

/// <summary>
/// npz_reader: arrays against expected.json; what is cut off or pickled is refused by name while the rest still reads.
/// </summary>
public sealed class NpzReaderFixture : IFixtureKind
{
    public string Folder => "npz_reader";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        var expected = ExpectedArray.ReadAll(folder);
        foreach (var (file, arrays) in expected)
        {
            var path = folder.PathOf(file);
            yield return file.EndsWith(".npy", StringComparison.Ordinal)
                ? new(file, () => AssertNpy(path, arrays[""]))
                : new(file, () => ExpectedArray.AssertCheckpoint(path, arrays));
        }
        var (truncated, pickled) = (folder.PathOf("truncated.npz"), folder.PathOf("pickled_object.npz"));
        yield return new("truncated.npz", () => ExpectedArray.AssertRefused(truncated));
        yield return new("pickled_object.npz", () =>
        {
            using var scope = NewDisposeScope();
            using var checkpoint = Checkpoint.Open(pickled);
            Assert.Equal(["obj: pickled Python objects, which are never executed"], checkpoint.PassedOver);
            Assert.Contains("pickled Python objects", Assert.Throws<LitException>(() => checkpoint.Read("obj")).Message);
            Assert.Equal(["ok"], checkpoint.Tensors.Keys);
            expected["stored.npz"]["a/f32"].AssertSame(checkpoint.Read("ok"), "ok");
        });
    }

    private static void AssertNpy(string path, ExpectedArray expected)
    {
        using var tensor = Npy.Read(path);
        expected.AssertSame(tensor, path);
        var (values, shape) = Npy.ReadArray<double>(path);
        Assert.Equal(expected.Values, values);
        Assert.Equal(expected.Shape, shape);
    }
}

/// <summary>safetensors_reader: single files against expected.json, the sharded one against an .npz, bad_* refused.</summary>
public sealed class SafetensorsReaderFixture : IFixtureKind
{
    public string Folder => "safetensors_reader";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        foreach (var (file, arrays) in ExpectedArray.ReadAll(folder))
        {
            var path = folder.PathOf(file);
            yield return new(file, () => ExpectedArray.AssertCheckpoint(path, arrays));
        }
        foreach (var file in folder.AllFiles.Where(file => file.StartsWith("bad_", StringComparison.Ordinal)))
        {
            var path = folder.PathOf(file);
            yield return new(file, () => ExpectedArray.AssertRefused(path));
        }
        var (index, sharded) = (folder.PathOf("model.safetensors.index.json"), folder.PathOf("shard_expected.npz"));
        foreach (var shard in folder.AllFiles.Where(file => file.Contains("-of-", StringComparison.Ordinal))) folder.PathOf(shard);
        yield return new("sharded, by its index", () => AssertSameCheckpoints(sharded, index));
        yield return new("sharded, by its folder", () => AssertSameCheckpoints(sharded, Path.GetDirectoryName(index)!));
    }

    private static void AssertSameCheckpoints(string expectedPath, string actualPath)
    {
        using var scope = NewDisposeScope();
        using var expected = Checkpoint.Open(expectedPath);
        using var actual = Checkpoint.Open(actualPath);
        Assert.Equal(expected.Tensors.Keys.Order(StringComparer.Ordinal), actual.Tensors.Keys.Order(StringComparer.Ordinal));
        foreach (var name in expected.Tensors.Keys) TensorValues.AssertSame(expected.Read(name), actual.Read(name), name);
    }
}
