using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;

namespace LiT.Text.Clip;

/// <summary>Named and numbered characters of HTML, as Python's <c>html.unescape</c> and ftfy 6 read them.</summary>
internal static partial class HtmlEntities
{
    private const int LongestName = 32;

    // Numbers 128 to 159 mean the characters of Windows-1252; five have none there.
    internal const string Windows1252 =
        "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f"
        + "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178";

    private static readonly Lazy<(Dictionary<string, string> Names, Dictionary<string, string> Upper)> Tables = new(
        Read
    );

    /// <summary>Python's <c>html.unescape</c>: what a browser would show, missing semicolons forgiven.</summary>
    internal static string Unescape(string text) =>
        text.Contains('&') ? Reference().Replace(text, match => Character(match.ValueSpan[1..])) : text;

    /// <summary>ftfy's <c>unescape_html</c>: only with a semicolon, but also names in upper case.</summary>
    internal static string UnescapeComplete(string text) =>
        !text.Contains('&')
            ? text
            : CompleteReference()
                .Replace(text, match =>
                {
                    var name = match.Value[1..];
                    if (name[0] != '#')
                        return
                            Tables.Value.Names.TryGetValue(name, out var known)
                            || Tables.Value.Upper.TryGetValue(name, out known)
                            ? known
                            : match.Value;
                    var unescaped = Unescape(match.Value);
                    return unescaped.Contains(';') ? match.Value : unescaped;
                });

    [GeneratedRegex(@"&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)", RegexOptions.CultureInvariant)]
    private static partial Regex Reference();

    [GeneratedRegex("&#?[0-9A-Za-z]{1,24};", RegexOptions.CultureInvariant)]
    private static partial Regex CompleteReference();

    private static string Character(ReadOnlySpan<char> reference)
    {
        if (reference[0] == '#')
            return reference[1] is 'x' or 'X'
                ? Number(reference[2..].TrimEnd(';'), 16)
                : Number(reference[1..].TrimEnd(';'), 10);
        var names = Tables.Value.Names.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var length = Math.Min(reference.Length, LongestName + 1); length > 1; length--)
            if (names.TryGetValue(reference[..length], out var text))
                return string.Concat(text, reference[length..]);
        return string.Concat("&", reference);
    }

    private static string Number(ReadOnlySpan<char> digits, int radix)
    {
        digits = digits.TrimStart('0');
        var style = radix == 16 ? NumberStyles.AllowHexSpecifier : NumberStyles.None;
        var number =
            digits.Length == 0 ? 0
            : digits.Length <= 8 ? int.Parse(digits, style, CultureInfo.InvariantCulture)
            : int.MaxValue;
        return number switch
        {
            0 => "\ufffd",
            '\r' => "\r",
            >= 0x80 and < 0xA0 => Windows1252[number - 0x80].ToString(),
            < 0 or > 0x10FFFF or >= 0xD800 and <= 0xDFFF => "\ufffd",
            <= 8 or 0xB or >= 0xE and <= 0x1F or 0x7F or >= 0xFDD0 and <= 0xFDEF => "",
            _ => (number & 0xFFFE) == 0xFFFE ? "" : char.ConvertFromUtf32(number),
        };
    }

    private static (Dictionary<string, string>, Dictionary<string, string>) Read()
    {
        using var file = typeof(HtmlEntities).Assembly.GetManifestResourceStream("html-entities.bin")!;
        using var lines = new StreamReader(new ZLibStream(file, CompressionMode.Decompress), Encoding.UTF8);
        return (Table(lines), Table(lines));

        static Dictionary<string, string> Table(StreamReader lines)
        {
            var table = new Dictionary<string, string>(StringComparer.Ordinal);
            while (lines.ReadLine() is { Length: > 0 } line)
            {
                var tab = line.IndexOf('\t');
                table.Add(line[..tab], line[(tab + 1)..].Replace("\\n", "\n", StringComparison.Ordinal));
            }
            return table;
        }
    }
}
