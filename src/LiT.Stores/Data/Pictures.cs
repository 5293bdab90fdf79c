using LiT.Files;

namespace LiT.Data;

/// <summary>Which names are pictures, and which names are refused.</summary>
internal static class Pictures
{
    private static readonly string[] Extensions =
    [
        ".jpg",
        ".jpeg",
        ".png",
        ".webp",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".avif",
    ];
    private static readonly string[] Unread = [".heic", ".heif", ".svg", ".jxl", ".jp2", ".cr2", ".nef", ".dng"];

    public const string InWords = ".jpg, .png, .webp, .gif, .bmp, .tif or .avif";

    public static bool IsPicture(string name) =>
        Extensions.Any(extension => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a name is that of a picture whose format is not read.</summary>
    public static bool IsUnread(string name) =>
        Unread.Any(extension => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase));

    /// <summary>Why a file cannot be a picture, or null where it may be one.</summary>
    public static string? Trouble(string path, SampleOptions options)
    {
        var file = new FileInfo(path);
        if (file.LinkTarget is not null)
        {
            if (Linked.Broken(path) is { } broken)
                return broken == Linked.Circle ? broken : "the file that this link points to is not there";
            file = Linked.Info(path);
        }
        return !file.Exists ? "there is no such file"
            : file.Length == 0 ? "the file is empty"
            : file.Length > options.ImageLimit
                ? $"a picture of {file.Length:N0} bytes where at most {options.ImageLimit:N0} are read"
            : null;
    }

    /// <summary>Reads a picture's file.</summary>
    /// <exception cref="LitException">The file is gone, or cannot be read.</exception>
    public static byte[] Bytes(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw new LitException(
                path,
                $"cannot be read ({trouble.Message.TrimEnd('.')})",
                "Check the file and its permissions",
                trouble
            );
        }
    }

    /// <summary>
    /// Why a name from a data set is not taken, or null: such a name leads out of the data set or breaks lines of text.
    /// </summary>
    public static string? Refusal(string name) =>
        name.Any(char.IsControl) ? "the name holds a line break or control character; rename it"
        : name.Split('/', '\\').Contains("..") ? "the name leads out of the data set (..)"
        : null;

    /// <summary>A name as one line of text.</summary>
    public static string OneLine(string name) =>
        name.Any(char.IsControl)
            ? string.Concat(name.Select(c => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString()))
            : name;
}
