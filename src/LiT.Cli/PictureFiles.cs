using LiT.Data;

namespace LiT.Cli;

/// <summary>
/// Pictures that a user names: files as they are, and of a folder every picture in it and in its folders.
/// </summary>
internal static class PictureFiles
{
    /// <param name="given">Files and folders.</param>
    /// <param name="say">Told what a folder holds.</param>
    /// <exception cref="LitException">A folder holds no picture.</exception>
    public static IEnumerable<string> Of(IEnumerable<string> given, Action<string> say)
    {
        EnumerationOptions whole = new() { RecurseSubdirectories = true, AttributesToSkip = 0 };
        foreach (var path in given)
        {
            if (!Directory.Exists(path))
            {
                yield return path;
                continue;
            }
            var files = Directory
                .EnumerateFiles(path, "*", whole)
                .Where(file => !Path.GetFileName(file).StartsWith('.'))
                .Order(StringComparer.Ordinal)
                .ToList();
            var pictures = files.Where(Samples.IsPicture).ToList();
            var others = files.Count - pictures.Count;
            if (pictures.Count == 0)
                throw new LitException(
                    $"{path}: holds no "
                        + $"picture{(others > 0 ? $", only {others} files of other kinds" : "")}. Give a "
                        + "folder with .jpg, .png, .webp, .gif, .bmp, .tif or .avif files."
                );
            say(
                $"{path}: {pictures.Count} "
                    + $"picture{(pictures.Count == 1 ? "" : "s")}"
                    + (others > 0 ? $"; {others} files of other kinds are passed over" : "")
            );
            foreach (var picture in pictures)
                yield return picture;
        }
    }
}
