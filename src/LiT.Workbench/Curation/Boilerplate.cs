using System.Text.RegularExpressions;

namespace LiT.Curation;

/// <summary>Captions that pages carry whatever the picture shows, and file names.</summary>
internal sealed partial class Boilerplate
{
    /// <summary>Captions that are boilerplate as a whole.</summary>
    private static readonly string[] Whole =
    [
        "image",
        "images",
        "img",
        "photo",
        "photos",
        "picture",
        "pictures",
        "pic",
        "thumbnail",
        "thumb",
        "untitled",
        "no title",
        "no image",
        "no image available",
        "image not available",
        "image not found",
        "photo not available",
        "coming soon",
        "logo",
        "icon",
        "banner",
        "avatar",
        "profile picture",
        "profile photo",
        "placeholder",
        "default",
        "default image",
        "main image",
        "product image",
        "product photo",
        "featured image",
        "cover image",
        "blog image",
        "post image",
        "gallery image",
        "loading",
        "spacer",
        "blank",
        "advertisement",
        "alt",
        "alt text",
        "alt tag",
        "image description",
        "description",
        "screenshot",
        "view larger image",
        "image 1",
        "photo 1",
        "picture 1",
    ];

    /// <summary>Words that make a caption boilerplate wherever they stand.</summary>
    private static readonly string[] Inside =
    [
        "click to enlarge",
        "click here",
        "click for",
        "click image",
        "click on the image",
        "view full size",
        "full size image",
        "enlarge image",
        "zoom image",
        "hover to zoom",
        "share on facebook",
        "share on twitter",
        "share this",
        "follow us",
        "pin it",
        "read more",
        "all rights reserved",
        "add to cart",
        "add to wishlist",
        "free shipping",
        "sign up",
        "log in",
        "subscribe",
        "javascript",
        "your browser does not support",
        "image may contain",
        "may contain an image",
        "royalty free stock",
        "stock photo id",
    ];

    private readonly HashSet<string> whole = [.. Whole.Select(CaptionWords.Plain)];
    private readonly List<string> inside = [.. Inside];

    /// <param name="more">Phrases to add, each taken wherever it stands; empty lines and remarks (# and a blank) are
    /// left out.</param>
    public Boilerplate(IEnumerable<string>? more = null) =>
        inside.AddRange(
            (more ?? [])
                .Select(line => line.Trim())
                .Where(line => line.Length > 0 && !Classification.NamedLines.IsRemark(line))
                .Select(CaptionWords.Plain)
                .Where(line => line.Length > 0)
        );

    /// <summary>The phrase that makes a caption boilerplate, or null.</summary>
    public string? In(string caption)
    {
        if (FileName().IsMatch(caption))
            return "a file name";
        if (Address().IsMatch(caption))
            return "an address";
        var plain = CaptionWords.Plain(caption);
        if (plain.Length == 0)
            return "no word";
        if (whole.Contains(plain))
            return plain;
        var bounded = $" {plain} ";
        return inside.Find(phrase => bounded.Contains($" {phrase} ", StringComparison.Ordinal));
    }

    [GeneratedRegex(
        @"^\s*(\S+\.(jpe?g|png|gif|webp|bmp|tiff?|svg|avif|heic)|"
            + @"(img|dsc|dscn|dscf|p|image|photo|pic|screen ?shot)[-_ ]?\d[\d\W_]*)\s*$",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
    )]
    private static partial Regex FileName();

    [GeneratedRegex(@"^\s*(https?://|www\.)\S+\s*$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Address();
}
