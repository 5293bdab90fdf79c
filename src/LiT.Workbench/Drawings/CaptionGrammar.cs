using System.Globalization;
using System.Text;

namespace LiT.Drawings;

/// <summary>What a caption has to do with its picture.</summary>
internal enum CaptionBond
{
    /// <summary>All that it says is seen.</summary>
    True,

    /// <summary>It describes another picture.</summary>
    Wrong,

    /// <summary>It names nothing that can be seen.</summary>
    Empty,
}

/// <summary>A caption with what is known of it; only the text leaves the data set.</summary>
internal sealed record Caption(string Text, CaptionBond Bond, bool NamesKind, bool NamesColour);

/// <summary>
/// Says what a scene shows, as the web would: in synonyms and many phrasings, with parts left out, with words that
/// belong to no picture, and in one case of fourteen of another picture. <see cref="Careful"/> leaves the faults away.
/// </summary>
internal sealed class CaptionGrammar(Dice dice)
{
    private const float EmptyShare = .04f,
        WrongShare = .07f,
        KindLeftOut = .06f,
        ColourLeftOut = .2f,
        Tagged = .22f;

    /// <summary>One to three captions as they are found.</summary>
    public IReadOnlyList<Caption> AsFound(Scene scene)
    {
        var captions = new Caption[
            dice.Between(0, 1) switch
            {
                < .6f => 1,
                < .88f => 2,
                _ => 3,
            }
        ];
        for (var i = 0; i < captions.Length; i++)
            captions[i] = OneAsFound(scene);
        return captions;
    }

    /// <summary>Two captions that are true and name kind and colour, for measuring retrieval.</summary>
    public IReadOnlyList<Caption> Careful(Scene scene) => [OneCareful(scene), OneCareful(scene)];

    private Caption OneCareful(Scene scene) =>
        new(Styled(Phrase(scene, kind: true, colour: true, details: .85f)), CaptionBond.True, true, true);

    private Caption OneAsFound(Scene scene)
    {
        var bond = dice.Between(0, 1) switch
        {
            < EmptyShare => CaptionBond.Empty,
            < EmptyShare + WrongShare => CaptionBond.Wrong,
            _ => CaptionBond.True,
        };
        if (bond == CaptionBond.Empty)
            return new(Numbered(dice.Pick(Nothings)), bond, false, false);
        if (bond == CaptionBond.Wrong)
            scene = Another(scene);
        var (kind, colour) = dice.Between(0, 1) switch
        {
            < KindLeftOut => (false, true),
            < KindLeftOut + ColourLeftOut => (true, false),
            _ => (true, true),
        };
        var text = Phrase(scene, kind, colour, details: .3f);
        if (dice.Chance(Tagged))
            text += Numbered(dice.Pick(Tags));
        return new(Styled(text), bond, kind, colour);
    }

    /// <summary>A scene with another kind in a colour that may be named with it.</summary>
    private Scene Another(Scene scene)
    {
        var kind = (scene.Kind + 1 + dice.Below(DrawnVocabulary.Kinds.Length - 1)) % DrawnVocabulary.Kinds.Length;
        return scene with { Kind = kind, Colour = DrawnDataset.AllowedColour(kind, dice) };
    }

    /// <param name="scene">What is seen.</param>
    /// <param name="kind">Whether the kind is named.</param>
    /// <param name="colour">Whether the colour is named.</param>
    /// <param name="details">How likely each detail beyond kind and colour is mentioned where there is one.</param>
    private string Phrase(Scene scene, bool kind, bool colour, float details)
    {
        var words = new StringBuilder();
        if (scene.Extent != Extent.Medium && dice.Chance(details))
            words.Append(dice.Pick(scene.Extent == Extent.Big ? Big : Small)).Append(' ');
        if (scene.Tilt != Tilt.Upright && dice.Chance(details))
            words.Append(dice.Pick(scene.Tilt == Tilt.Tilted ? Tilted : UpsideDown)).Append(' ');
        if (colour)
            words.Append(Synonym(DrawnVocabulary.Colours[scene.Colour].Words)).Append(' ');
        var noun = kind ? Synonym(DrawnVocabulary.Kinds[scene.Kind].Nouns) : dice.Pick(Anything);
        var bare = words.Append(scene.Count == 1 ? noun.One : noun.Many).ToString();

        var counted =
            scene.Count == 1
                ? (dice.Chance(.12f) ? "one " : Article(bare)) + bare
                : dice.Pick(scene.Count == 2 ? Two : Three) + " " + bare;
        var frame = dice.Pick(Frames);
        var text = new StringBuilder(
            frame.Replace("{np}", counted).Replace("{bare}", scene.Count == 1 ? bare : counted)
        );
        if (scene.Place != Place.Anywhere && dice.Chance(details * .8f))
            text.Append(' ').Append(PlaceWords[(int)scene.Place]);
        if (dice.Chance(details * .6f) && BackdropWords(scene) is { } behind)
            text.Append(' ').Append(behind);
        return text.ToString();
    }

    private string Article(string noun) =>
        dice.Chance(.15f) ? "the "
        : "aeiou".Contains(noun[0]) && !noun.StartsWith("uk", StringComparison.Ordinal) ? "an "
        : "a ";

    /// <summary>The class name in more than half of the cases, another word of the row else.</summary>
    private T Synonym<T>(T[] words) =>
        words.Length == 1 || dice.Chance(.55f) ? words[0] : words[1 + dice.Below(words.Length - 1)];

    private string? BackdropWords(Scene scene) =>
        scene.Backdrop switch
        {
            Backdrop.Stripes => dice.Pick(Striped),
            Backdrop.Checks => dice.Pick(Checked),
            Backdrop.Dots => dice.Pick(Dotted),
            _ => scene.DarkBackdrop ? dice.Pick(Dark) : null,
        };

    private string Numbered(string tag) =>
        tag.Replace("{n}", (1 + dice.Below(9999)).ToString(CultureInfo.InvariantCulture));

    private string Styled(string text)
    {
        text = dice.Between(0, 1) switch
        {
            < .82f => text,
            < .93f => char.ToUpperInvariant(text[0]) + text[1..],
            < .97f => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(text),
            _ => text.ToUpperInvariant(),
        };
        return dice.Chance(.15f) ? text + "." : text;
    }

    // Nothing in these lists names a kind or a colour, and no frame is one of the zero-shot templates.
    internal static readonly string[] Frames =
    [
        "{np}",
        "{np}",
        "{np}",
        "{np}",
        "{np}",
        "{bare}",
        "{bare}",
        "{bare}",
        "{bare}",
        "picture of {np}",
        "a picture of {np}",
        "drawing of {np}",
        "a drawing of {np}",
        "image of {np}",
        "cartoon of {np}",
        "{bare} clipart",
        "{bare} icon",
        "{bare} vector graphic",
        "{bare} cartoon",
        "here is {np}",
        "look at {np}",
        "simple drawing of {np}",
        "flat design: {bare}",
        "sticker with {np}",
        "we see {np}",
        "{bare}, drawn by a computer",
        "logo with {np}",
        "how to draw {np}",
    ];

    internal static readonly string[] Tags =
    [
        ", photo {n}",
        " free clipart",
        " on sale",
        " - stock image {n}",
        " hd wallpaper",
        ", best price",
        " #{n}",
        " free download",
        " for kids",
        " - page {n}",
        ", transparent png",
        ", ready to print",
        " (no. {n})",
        ", gift idea",
    ];

    internal static readonly string[] Nothings =
    [
        "img_{n}",
        "untitled {n}",
        "click to enlarge",
        "free clipart",
        "photo {n}",
        "sold out",
        "my best one yet",
        "image not found",
        "stock image {n}",
        "thanks for looking",
        "new in the shop",
        "scan {n}",
    ];

    private static readonly Noun[] Anything = [new("thing"), new("object"), new("shape"), new("figure")];
    private static readonly string[] Big = ["big", "large", "huge"];
    private static readonly string[] Small = ["small", "little", "tiny"];
    private static readonly string[] Tilted = ["tilted", "slanted", "leaning"];
    private static readonly string[] UpsideDown = ["upside-down", "overturned"];
    private static readonly string[] Two = ["two", "a couple of", "2"];
    private static readonly string[] Three = ["three", "a trio of", "3"];
    private static readonly string[] Striped = ["on a striped background", "with stripes behind", "on stripes"];
    private static readonly string[] Checked = ["on a checkered background", "on checks"];
    private static readonly string[] Dotted = ["on a dotted background", "with polka dots behind"];
    private static readonly string[] Dark = ["on a dark background", "in the dark", "at night"];
    private static readonly string[] PlaceWords = ["", "on the left", "on the right", "at the top", "at the bottom"];
}
