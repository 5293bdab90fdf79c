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
        foreach (var file in folder.AllFiles.Where(file => file.StartsWith("truncated", StringComparison.Ordinal)))
        {
            var path = folder.PathOf(file);
            yield return new(file, () => ExpectedArray.AssertRefused(path));
        }
        foreach (var file in folder.AllFiles.Where(file => file.StartsWith("pickled", StringComparison.Ordinal)))
        {
            var path = folder.PathOf(file);
            yield return new(file, () => AssertPickled(path, [.. expected.Values.SelectMany(arrays => arrays.Values)]));
        }
    }

    /// <summary>
    /// What is pickled is refused by its name; what is beside it is one of the arrays that are known.
    /// </summary>
    private static void AssertPickled(string path, List<ExpectedArray> known)
    {
        using var scope = NewDisposeScope();
        using var checkpoint = Checkpoint.Open(path);
        Assert.NotEmpty(checkpoint.PassedOver);
        foreach (var phrase in checkpoint.PassedOver)
        {
            Assert.EndsWith(": pickled Python objects, which are never executed", phrase);
            var refusal = Assert.Throws<LitException>(() => checkpoint.Read(phrase[..phrase.LastIndexOf(':')]));
            Assert.Contains("pickled Python objects", refusal.Message);
        }
        Assert.NotEmpty(checkpoint.Tensors);
        foreach (var name in checkpoint.Tensors.Keys)
        {
            var tensor = checkpoint.Read(name);
            Assert.Contains(known, array =>
                array.Shape.SequenceEqual(tensor.shape) && array.Values.SequenceEqual(tensor.Doubles())
            );
        }
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

/// <summary>
/// safetensors_reader: single files against expected.json, the sharded one against an .npz, bad_* refused.
/// </summary>
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
        var index = folder.PathOf(
            folder.AllFiles.Single(file => file.EndsWith(".index.json", StringComparison.Ordinal))
        );
        var sharded = folder.PathOf(
            folder.AllFiles.Single(file => file.EndsWith("expected.npz", StringComparison.Ordinal))
        );
        foreach (var shard in folder.AllFiles.Where(file => file.Contains("-of-", StringComparison.Ordinal)))
            folder.PathOf(shard);
        yield return new("sharded, by its index", () => AssertSameCheckpoints(sharded, index));
        if (index.EndsWith("model.safetensors.index.json", StringComparison.Ordinal))
            yield return new("sharded, by its folder", () =>
                AssertSameCheckpoints(sharded, Path.GetDirectoryName(index)!)
            );
    }

    private static void AssertSameCheckpoints(string expectedPath, string actualPath)
    {
        using var scope = NewDisposeScope();
        using var expected = Checkpoint.Open(expectedPath);
        using var actual = Checkpoint.Open(actualPath);
        Assert.Equal(
            expected.Tensors.Keys.Order(StringComparer.Ordinal),
            actual.Tensors.Keys.Order(StringComparer.Ordinal)
        );
        foreach (var name in expected.Tensors.Keys)
            TensorValues.AssertSame(expected.Read(name), actual.Read(name), name);
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
        var (stateDict, w) = (folder.PathOf("expected_state_dict.npz"), folder.PathOf("expected_w.npz"));
        foreach (var file in folder.AllFiles.Where(file => file.EndsWith(".pth", StringComparison.Ordinal)))
        {
            var path = folder.PathOf(file);
            yield return new(
                file,
                file.Split('_')[0] switch
                {
                    "state" => () => AssertTensors(stateDict, path, foreign: false, whole: true),
                    "nested" or "nested.pth" => () => AssertTensors(stateDict, path, foreign: true, whole: true),
                    "unknown" => () => AssertTensors(w, path, foreign: true, whole: true),
                    _ => () => AssertTensors(w, path, foreign: true, whole: false),
                }
            );
        }
    }

    /// <param name="expectedPath">The tensors as torch gave them to numpy.</param>
    /// <param name="path">The file of torch.save; its names may have something before the expected ones.</param>
    /// <param name="foreign">Something in the file is no tensor, and is named.</param>
    /// <param name="whole">All expected tensors are there, and not only some.</param>
    private static void AssertTensors(string expectedPath, string path, bool foreign, bool whole)
    {
        using var scope = NewDisposeScope();
        using var expected = Checkpoint.Open(expectedPath);
        using var actual = Checkpoint.Open(path);
        Assert.Equal(foreign, actual.PassedOver.Count > 0);
        var first = expected.Tensors.Keys.First();
        var prefix = actual.Tensors.Keys.First(name =>
            name == first || name.EndsWith("." + first, StringComparison.Ordinal)
        )[..^first.Length];
        var found = expected.Tensors.Keys.Where(name => actual.Tensors.ContainsKey(prefix + name)).ToList();
        if (whole)
            Assert.Equal(expected.Tensors.Keys.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        foreach (var name in found)
        {
            var tensor = actual.Read(prefix + name);
            Assert.Equal(actual.Tensors[prefix + name].Type, tensor.dtype);
            Assert.Equal(actual.Tensors[prefix + name].Shape, tensor.shape);
            Assert.True(tensor.is_contiguous());
            if (tensor.dtype == ScalarType.BFloat16)
                tensor = tensor.to(ScalarType.Float32); // numpy has no bfloat16
            TensorValues.AssertSame(expected.Read(name), tensor, name);
        }
    }
}
