using System.Globalization;
using LiT.Images;

namespace LiT.Towers;

/// <summary>How an image tower is loaded, and what its file does not say. Text after the path sets the same: <c>vit.npz:pool=map</c>.</summary>
public sealed record ImageTowerOptions
{
    /// <summary>Where and in what type it computes.</summary>
    public Compute Compute { get; init; } = Compute.Cpu;

    /// <summary>Whether the tower becomes a constant (<see cref="ImageTower.Lock"/>); false leaves it ready for training.</summary>
    public bool Locked { get; init; } = true;

    /// <summary>Decides the weights of a tower from scratch.</summary>
    public long Seed { get; init; }

    /// <summary>Preprocessing in place of the family's own.</summary>
    public Preprocessing? Preprocessing { get; init; }

    /// <summary><c>size=384</c>: side of the pictures to take, in place of the side that the tower was trained with.</summary>
    public int? ImageSize { get; init; }

    /// <summary><c>heads=4</c>: attention heads where the file does not say; every public DINO has width / 64.</summary>
    public int? AttentionHeads { get; init; }

    /// <summary>Reads <c>key=value</c> pairs and single words, separated by commas.</summary>
    /// <exception cref="UsageException">Something unknown, or a value that cannot be.</exception>
    public ImageTowerOptions With(string text, string spec)
    {
        var options = this;
        foreach (var item in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = item.IndexOf('=', StringComparison.Ordinal) is > 0 and var at ? (item[..at], item[(at + 1)..]) : (item, "");
            options = key switch
            {
                "size" => options with { ImageSize = Number(spec, key, value) },
                "heads" => options with { AttentionHeads = Number(spec, key, value) },
                _ => throw new UsageException($"'{spec}': '{item}' is not understood. After a path may stand size=N, heads=N."),
            };
        }
        return options;
    }

    internal static int Number(string spec, string key, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 1 << 20
            ? number
            : throw new UsageException($"'{spec}': {key}={value} is not a size. Give a whole number above 0.");
}
