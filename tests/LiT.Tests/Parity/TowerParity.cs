using System.Text.Json;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>How towers are compared: the largest difference over the root mean square of what is expected.</summary>
internal static class TowerParity
{
    public static double Tolerance(this FixtureFolder folder) =>
        folder.Meta.GetProperty("tolerance").GetProperty("value").GetDouble();

    /// <summary>Real numbers in the precision that the file has.</summary>
    public static Tensor Floats(this FixtureFolder folder, string name)
    {
        var array = NpyArray.Read(folder.PathOf(name));
        return (array.Type == "<f8" ? tensor(array.Doubles) : tensor(array.Floats)).view([
            .. array.Shape.Select(side => (long)side),
        ]);
    }

    /// <summary>Whole numbers, as int64.</summary>
    public static Tensor Ids(this FixtureFolder folder, string name)
    {
        var array = NpyArray.Read(folder.PathOf(name));
        return tensor(array.Ints).to(int64).view([.. array.Shape.Select(side => (long)side)]);
    }

    public static double Error(Tensor got, Tensor expected)
    {
        Assert.Equal(expected.shape, got.shape);
        return (got - expected).abs().max().to(float64).item<double>()
            / expected.to(float64).square().mean().sqrt().item<double>();
    }

    public static void Close(this FixtureFolder folder, Tensor got, string expected)
    {
        var error = Error(got, folder.Floats(expected));
        Assert.True(
            error <= folder.Tolerance(),
            $"{expected}: error {error:g3}, where {folder.Tolerance():g3} is allowed"
        );
    }

    /// <summary>
    /// Checks that a wrong convention is seen: the error that meta.json names under it is well above the tolerance, and
    /// the tower with the wrong convention makes it.
    /// </summary>
    public static void Differs(
        this FixtureFolder folder,
        JsonElement wrongConventions,
        string convention,
        Func<double> error
    )
    {
        if (
            !wrongConventions.TryGetProperty(convention, out var stated)
            || stated.ValueKind != JsonValueKind.Number
            || stated.GetDouble() < 2 * folder.Tolerance()
        )
            return;
        var made = error();
        folder.MistakesSeen.Add(convention);
        Assert.True(
            made > folder.Tolerance() && made > stated.GetDouble() / 2 && made < stated.GetDouble() * 2,
            $"{convention}: error {made:g3}, where meta.json says {stated.GetDouble():g3}"
        );
    }
}
