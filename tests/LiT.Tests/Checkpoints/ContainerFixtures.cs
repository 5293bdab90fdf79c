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

/// <summary>
/// pth_reader: the tensors of every container of torch.save against what torch itself gave, exactly; what is no tensor
/// neither hinders reading nor is executed.
/// </summary>
public sealed class PthReaderFixture : IFixtureKind
{
    public string Folder => "pth_reader";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        var stateDict = folder.PathOf("expected_state_dict.npz");
        foreach (var file in folder.AllFiles.Where(file => file.StartsWith("state_dict", StringComparison.Ordinal)))
        {
            var path = folder.PathOf(file);
            yield return new(file, () => AssertTensors(stateDict, path, "", whole: true));
        }
        foreach (var file in folder.AllFiles.Where(file => file.StartsWith("nested", StringComparison.Ordinal)))
        {
            var path = folder.PathOf(file);
            yield return new(file, () => AssertTensors(stateDict, path, "state_dict.", whole: true, "argparse.Namespace"));
        }
        var (w, unknown, untrusted) = (folder.PathOf("expected_w.npz"), folder.PathOf("unknown_class.pth"), folder.PathOf("untrusted_global.pth"));
        yield return new("unknown_class.pth", () => AssertTensors(w, unknown, "model.", whole: true, "some_unknown_package.Unknown"));
        yield return new("untrusted_global.pth", () => AssertTensors(w, untrusted, "model.", whole: false, "posix.system"));
    }

    private static void AssertTensors(string expectedPath, string path, string prefix, bool whole, params string[] passedOver)
    {
        using var scope = NewDisposeScope();
        using var expected = Checkpoint.Open(expectedPath);
        using var actual = Checkpoint.Open(path);
        var names = actual.Tensors.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        var missing = expected.Tensors.Keys.Except(names.Select(name => name[prefix.Length..]));
        Assert.NotEmpty(names);
        if (whole) Assert.Empty(missing);
        foreach (var foreign in passedOver) Assert.Contains(actual.PassedOver, phrase => phrase.StartsWith(foreign + ":", StringComparison.Ordinal));
        if (passedOver.Length == 0) Assert.Empty(actual.PassedOver);
        foreach (var name in names)
        {
            var tensor = actual.Read(name);
            Assert.Equal(actual.Tensors[name].Type, tensor.dtype);
            Assert.Equal(actual.Tensors[name].Shape, tensor.shape);
            Assert.True(tensor.is_contiguous());
            if (tensor.dtype == ScalarType.BFloat16) tensor = tensor.to(ScalarType.Float32);      // numpy has no bfloat16
            TensorValues.AssertSame(expected.Read(name[prefix.Length..]), tensor, name);
        }
    }
}
