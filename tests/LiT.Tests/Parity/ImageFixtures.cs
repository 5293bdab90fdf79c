using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>What fixtures of image towers have in common: pictures, and files that meta.json names as "A.npz + B.npy -> C.npy".</summary>
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
                yield return new(arrow.Groups["weights"].Value, arrow.Groups["input"] is { Success: true, Value: var input } ? input : "input.npy", arrow.Groups["output"].Value);
    }

    [GeneratedRegex(@"^(?<weights>\S+\.\w+)(?: \+ (?<input>\S+\.npy))? -> (?<output>output_\S+\.npy)$")]
    private static partial Regex Arrow();

    /// <summary>Pictures of the JAX fixtures, [B, H, W, 3] in the file, as towers take them, [B, 3, H, W].</summary>
    public static Tensor Nhwc(this FixtureFolder folder, string name) => folder.Floats(name).permute(0, 3, 1, 2).contiguous();
}
