using System.Globalization;
using System.Text.Json.Nodes;
using LiT.Bundles;
using LiT.Compute;
using LiT.Files;
using LiT.Towers;

namespace LiT.Drawings;

/// <summary>
/// The image tower that comes with the library: a small residual network, pre-trained on labels of the drawings alone (no
/// captions, no held-out composition). docs/quickstart-tower.md says how it was made and what it reaches.
/// </summary>
internal static class DrawnTower
{
    private const string Resource = "drawings-tower.safetensors",
        GoldenResource = "drawings-tower.golden.json";

    /// <summary>The tower's supervised heads, named after the fields of <see cref="DrawnDataset.Source"/>.</summary>
    public static IReadOnlyList<string> HeadNames { get; } = ["kind", "colour"];

    /// <summary>Writes the tower as a file that <see cref="ImageTowerLoader.Load(string, ImageTowerOptions?)"/> reads.</summary>
    /// <exception cref="LitException">The place cannot be written to.</exception>
    public static void Write(string path) => AtomicFile.Write(path, file =>
        {
            using var weights = typeof(DrawnTower).Assembly.GetManifestResourceStream(Resource)
                ?? throw new InvalidOperationException($"The library was built without {Resource}.");
            weights.CopyTo(file);
        });

    /// <summary>Computes the tower's golden vectors again.</summary>
    /// <returns>How far they are from those that were written down, in words.</returns>
    /// <exception cref="LitException">They are not the same: this machine computes something else.</exception>
    public static string Check()
    {
        using var stream = typeof(DrawnTower).Assembly.GetManifestResourceStream(GoldenResource)
            ?? throw new InvalidOperationException($"The library was built without {GoldenResource}.");
        var written = ProbeVectors.FromJson(JsonNode.Parse(stream)!);
        using var tower = Load();
        var distance = ProbeVectors.Of(tower, ComputeDevice.Cpu).DistanceTo(written);
        return distance <= GoldenVectors.Tolerance
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{ProbeVectors.Pictures} pictures within {distance:0.0e+0} of their length ({GoldenVectors.Tolerance:0.0e+0} allowed)"
            )
            : throw new LitException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"its golden vectors come out {distance:G2} of their length apart, where {GoldenVectors.Tolerance:0.0e+0} is allowed"
                )
            );
    }

    /// <summary>The tower, ready to embed pictures.</summary>
    /// <exception cref="LitException">The folder for temporary files cannot be written to.</exception>
    public static LockedTower Load(ImageTowerOptions? options = null)
    {
        var folder = Directory.CreateTempSubdirectory("lit-tower-");
        try
        {
            var path = Path.Combine(folder.FullName, Resource);
            Write(path);
            return ImageTowerLoader.Load(path, options);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
