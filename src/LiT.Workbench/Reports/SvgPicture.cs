using System.Text.RegularExpressions;
using LiT.Files;
using LiT.Images;
using NetVips;

namespace LiT.Reports;

/// <summary>A figure of a page as a picture file, in the page's light colours on white.</summary>
internal static partial class SvgPicture
{
    private const double Scale = 2;

    /// <summary>Writes the first SVG of a figure as PNG; a figure without one writes nothing.</summary>
    /// <exception cref="LitException">The file cannot be written.</exception>
    public static void Save(string path, Html figure)
    {
        ImageLibrary.Prepare();
        if (Svg().Match(figure.ToString()) is not { Success: true } svg)
            return;
        var size = ViewBox().Match(svg.Value);
        var start = svg.Value.IndexOf('>', StringComparison.Ordinal);
        var markup =
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{size.Groups["width"].Value}\" height=\"{size.Groups["height"].Value}\" {size.Value}><style>{LightStyle.Value}</style>{svg.Value[(start + 1)..]}";
        using var drawn = Image.SvgloadBuffer(System.Text.Encoding.UTF8.GetBytes(markup), scale: Scale);
        using var flat = drawn.Flatten(background: [255, 255, 255]);
        AtomicFile.WriteAllBytes(path, flat.PngsaveBuffer());
    }

    // The renderer knows no variables and no media: colours are written out.
    private static readonly Lazy<string> LightStyle = new(() =>
    {
        var css = Stylesheet.Css.ToString();
        var colours = Variable()
            .Matches(css[..css.IndexOf('}')])
            .ToDictionary(match => match.Groups["name"].Value, match => match.Groups["value"].Value);
        var plain = css[
            css.IndexOf("* {", StringComparison.Ordinal)..css.IndexOf(
                "@media screen and (max-width",
                StringComparison.Ordinal
            )
        ];
        return Use().Replace(plain, match => colours[match.Groups["name"].Value])
            + " svg text { font-family:sans-serif; }";
    });

    [GeneratedRegex("<svg [^>]*role=\"img\".*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Svg();

    [GeneratedRegex("viewBox=\"0 0 (?<width>[0-9.]+) (?<height>[0-9.]+)\"")]
    private static partial Regex ViewBox();

    [GeneratedRegex("(?<name>--[a-z0-9]+):(?<value>[^;]+);")]
    private static partial Regex Variable();

    [GeneratedRegex(@"var\((?<name>--[a-z0-9]+)\)")]
    private static partial Regex Use();
}
