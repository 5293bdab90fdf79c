using System.Text.Json;
using System.Text.RegularExpressions;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>
/// What fixtures of image towers have in common: pictures, and files that meta.json names as "A.npz + B.npy -> C.npy".
/// </summary>
internal static partial class ImageFixtures
{
    /// <summary>One "weights (+ input) -> output" of the meta.json.</summary>
    public sealed record Run(string Weights, string Input, string Output)
    {
        /// <summary>The output's name without "output_" and ".npy".</summary>
        public string Name { get; } = Output["output_".Length..^".npy".Length];
    }

    public static IEnumerable<Run> Runs(this FixtureFolder folder)
    {
        foreach (var entry in folder.Meta.GetProperty("files").EnumerateObject())
            if (Arrow().Match(entry.Name) is { Success: true } arrow)
                yield return new(
                    arrow.Groups["weights"].Value,
                    arrow.Groups["input"] is { Success: true, Value: var input } ? input : "input.npy",
                    arrow.Groups["output"].Value
                );
    }

    [GeneratedRegex(@"^(?<weights>\S+\.\w+)(?: \+ (?<input>\S+\.npy))? -> (?<output>output_\S+\.npy)$")]
    private static partial Regex Arrow();

    /// <summary>
    /// What a file cannot say of itself: the size of the pictures it was trained with, where meta.json says that they
    /// are not square.
    /// </summary>
    public static ImageTowerOptions TrainedGrid(this FixtureFolder folder) =>
        TrainedGrid(folder.Meta.GetProperty("architecture"));

    public static ImageTowerOptions TrainedGrid(JsonElement architecture)
    {
        if (!architecture.TryGetProperty("grid", out var grid) || !architecture.TryGetProperty("patch", out var patch))
            return new();
        var (rows, columns) = (grid[0].GetInt32(), grid[1].GetInt32());
        return rows == columns
            ? new()
            : new() { ImageHeight = rows * patch[0].GetInt32(), ImageSize = columns * patch[1].GetInt32() };
    }

    /// <summary>Pictures of the JAX fixtures, [B, H, W, 3] in the file, as towers take them, [B, 3, H, W].</summary>
    public static Tensor Nhwc(this FixtureFolder folder, string name) =>
        folder.Floats(name).permute(0, 3, 1, 2).contiguous();
}
