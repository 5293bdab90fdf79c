using System.Net;
using System.Text.RegularExpressions;

namespace LiT.Downloads;

/// <summary>
/// A row of YFCC100M's metadata (Thomee et al. 2016, yfcc100m_dataset): tab-separated, texts encoded as in addresses.
/// Some copies have a line number before everything. Title, description and tags are the captions, as in CLIP's subset.
/// </summary>
internal static partial class YfccRow
{
    private const int Title = 6,
        Description = 7,
        Tags = 8,
        Page = 13,
        Download = 14,
        License = 15,
        Marker = 22,
        Fewest = 23;

    /// <summary>Where the photo's id stands, or null where a row is of another kind.</summary>
    public static int? Offset(string[] cells)
    {
        foreach (var offset in new[] { 0, 1 })
            if (
                cells.Length >= Fewest + offset
                && IsAddress(cells[Page + offset])
                && IsAddress(cells[Download + offset])
                && cells[offset].Length > 0
                && cells[offset].All(char.IsAsciiDigit)
            )
                return offset;
        return null;

        static bool IsAddress(string cell) => cell.StartsWith("http", StringComparison.OrdinalIgnoreCase);
    }

    public static UrlRow Read(long number, string[] cells, int offset)
    {
        if (cells[Marker + offset] == "1")
            return UrlRow.Bad(number, "a video");
        return UrlRow.Of(
            number,
            cells[Download + offset],
            [
                Plain(cells[Title + offset]),
                Plain(cells[Description + offset]),
                Plain(cells[Tags + offset]).Replace(',', ' '),
            ],
            new Dictionary<string, string>
            {
                ["photo_id"] = cells[offset],
                ["license"] = Plain(cells[License + offset]),
                ["page"] = cells[Page + offset],
            }
        );
    }

    /// <summary>A text without its encoding, its marks of HTML and its line breaks.</summary>
    private static string Plain(string cell)
    {
        var text = Mark().Replace(WebUtility.HtmlDecode(WebUtility.UrlDecode(cell)), " ");
        return Blanks().Replace(text, " ").Trim();
    }

    [GeneratedRegex("<[^<>]{0,500}>")]
    private static partial Regex Mark();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
