namespace LiT.Data;

/// <summary>Which names are pictures, and which names are refused.</summary>
internal static class Pictures
{
    public static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"];

    public static bool IsPicture(string name) =>
        Extensions.Any(extension => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase));

    /// <summary>Why a name from a data set is not taken, or null: such a name leads out of the data set or breaks lines of text.</summary>
    public static string? Refusal(string name) =>
        name.Any(char.IsControl) ? "the name holds a line break or control character; rename it"
        : name.Split('/', '\\').Contains("..") ? "the name leads out of the data set (..)"
        : null;

    /// <summary>A name as one line of text.</summary>
    public static string OneLine(string name) =>
        name.Any(char.IsControl) ? string.Concat(name.Select(c => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString())) : name;
}
