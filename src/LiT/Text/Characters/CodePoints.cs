using System.Text;

namespace LiT.Text.Characters;

/// <summary>
/// Text as code points. A surrogate without its other half is read as U+FFFD, as UTF-8 encoders write it.
/// </summary>
internal static class CodePoints
{
    internal static List<int> Of(ReadOnlySpan<char> text)
    {
        var points = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
            points.Add(rune.Value);
        return points;
    }

    internal static int Count(ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
            count++;
        return count;
    }

    internal static string Text(IEnumerable<int> points)
    {
        var text = new StringBuilder();
        foreach (var point in points)
            Append(text, point);
        return text.ToString();
    }

    internal static StringBuilder Append(StringBuilder text, int point) =>
        point < 0x10000
            ? text.Append((char)point)
            : text.Append((char)(0xD7C0 + (point >> 10))).Append((char)(0xDC00 + (point & 0x3FF)));
}
