namespace LiT.Evaluation;

/// <summary>A short text file of one entry a line: class names, templates.</summary>
internal static class NamedLines
{
    private const long LongestFile = 64 << 20;

    /// <summary>The entries with their line numbers; empty lines and lines that begin with # are passed over.</summary>
    public static IEnumerable<(string Line, int Number)> Read(string path)
    {
        if (Directory.Exists(path)) throw new LitException($"{path}: is a folder. Give a text file with one entry a line.");
        var file = new FileInfo(path);
        if (!file.Exists) throw new LitException($"{path}: there is no such file. Give a text file with one entry a line.");
        if (file.Length > LongestFile)
            throw new LitException($"{path}: {file.Length} bytes are too many for a list of names. Give a text file with one entry a line.");
        return File.ReadLines(path).Select((line, i) => (Line: line.Trim(), Number: i + 1))
            .Where(entry => entry.Line.Length > 0 && entry.Line[0] != '#');
    }
}
