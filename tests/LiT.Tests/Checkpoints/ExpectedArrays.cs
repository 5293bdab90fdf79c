using System.Text.Json;
using LiT.Checkpoints;
using LiT.Tests.Parity;
using static TorchSharp.torch;

namespace LiT.Tests.Checkpoints;

/// <summary>An array as expected.json gives it: values in row-major order, as float64.</summary>
internal sealed record ExpectedArray(long[] Shape, double[] Values)
{
    /// <summary>What expected.json says of each file: names and arrays, or one array under the empty name.</summary>
    public static Dictionary<string, Dictionary<string, ExpectedArray>> ReadAll(FixtureFolder folder)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(folder.PathOf("expected.json")));
        var all = new Dictionary<string, Dictionary<string, ExpectedArray>>();
        foreach (var entry in json.RootElement.EnumerateObject())
        foreach (var file in entry.Name.Split(" and "))
            all[file] = entry.Value.TryGetProperty("values", out _)
                ? new() { [""] = Of(entry.Value) }
                : entry.Value.EnumerateObject().ToDictionary(array => array.Name, array => Of(array.Value));
        return all;
    }

    public void AssertSame(Tensor actual, string name) => TensorValues.AssertValues(actual, Shape, Values, name);

    /// <summary>
    /// Exactly the expected names, with the expected values, twice (a read must not change the next one).
    /// </summary>
    public static void AssertCheckpoint(string path, Dictionary<string, ExpectedArray> expected)
    {
        using var checkpoint = Checkpoint.Open(path);
        Assert.Equal(
            expected.Keys.Order(StringComparer.Ordinal),
            checkpoint.Tensors.Keys.Order(StringComparer.Ordinal)
        );
        foreach (var (name, array) in expected)
        {
            for (var time = 0; time < 2; time++)
            {
                using var scope = NewDisposeScope();
                var tensor = checkpoint.Read(name);
                Assert.Equal(checkpoint.Tensors[name].Type, tensor.dtype);
                Assert.Equal(checkpoint.Tensors[name].Shape, tensor.shape);
                Assert.True(tensor.is_contiguous());
                array.AssertSame(tensor, name);
                if (tensor.dtype != ScalarType.Bool)
                    tensor.add_(1);
            }
        }
    }

    /// <summary>Opening and reading everything ends in one line, whatever is wrong.</summary>
    public static void AssertRefused(string path)
    {
        var refusal = Assert.Throws<LitException>(() =>
        {
            using var scope = NewDisposeScope();
            using var checkpoint = Checkpoint.Open(path);
            foreach (var name in checkpoint.Tensors.Keys)
                checkpoint.Read(name);
        });
        Assert.StartsWith(path, refusal.Message);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    private static ExpectedArray Of(JsonElement array) =>
        new(
            [.. array.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())],
            [.. array.GetProperty("values").EnumerateArray().Select(value => value.GetDouble())]
        );
}
