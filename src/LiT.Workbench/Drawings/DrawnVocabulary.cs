using LiT.Drawings.Kinds;

namespace LiT.Drawings;

/// <summary>A noun as captions use it.</summary>
internal sealed record Noun(string One, string Many)
{
    public Noun(string one)
        : this(one, one + "s") { }
}

/// <summary>A kind of object: its class name is the first noun, the other nouns are synonyms that captions also use.</summary>
internal sealed record DrawnKind(Action<Pen> Draw, params Noun[] Nouns)
{
    public string Name => Nouns[0].One;
}

/// <summary>A colour: its class name is the first word, the other words are synonyms that captions also use.</summary>
internal sealed record DrawnColour(ColourRange Range, params string[] Words)
{
    public string Name => Words[0];
}

/// <summary>
/// Everything that the embedded data set can draw and say: 48 kinds of object in 12 colours, their synonyms, and the
/// prompt templates of the zero-shot test. No word stands in two rows, so that a caption names one kind and one colour.
/// </summary>
internal static class DrawnVocabulary
{
    /// <summary>The kinds in class order.</summary>
    internal static readonly DrawnKind[] Kinds =
    [
        new(Animals.Cat, new("cat"), new("kitty", "kitties"), new("feline"), new("kitten")),
        new(Animals.Dog, new("dog"), new("puppy", "puppies"), new("hound"), new("doggy", "doggies")),
        new(Animals.Rabbit, new("rabbit"), new("bunny", "bunnies"), new("hare")),
        new(Animals.Bird, new("bird"), new("songbird"), new("birdie"), new("sparrow")),
        new(Animals.Fish, new("fish", "fish"), new("goldfish", "goldfish"), new("fishie")),
        new(Animals.Butterfly, new("butterfly", "butterflies"), new("moth")),
        new(Animals.Snail, new("snail"), new("slug with a shell", "slugs with shells")),
        new(Animals.Turtle, new("turtle"), new("tortoise"), new("terrapin")),
        new(Vehicles.Car, new("car"), new("automobile"), new("sedan"), new("motorcar")),
        new(Vehicles.Bus, new("bus", "buses"), new("coach", "coaches"), new("omnibus", "omnibuses")),
        new(Vehicles.Bicycle, new("bicycle"), new("bike"), new("pushbike"), new("two-wheeler")),
        new(Vehicles.Sailboat, new("sailboat"), new("yacht"), new("sailing boat")),
        new(Vehicles.Airplane, new("airplane"), new("plane"), new("aircraft", "aircraft"), new("jet")),
        new(Vehicles.Rocket, new("rocket"), new("spaceship"), new("spacecraft", "spacecraft")),
        new(Vehicles.Train, new("train"), new("locomotive"), new("steam engine")),
        new(Vehicles.Balloon, new("hot air balloon"), new("balloon"), new("aerostat")),
        new(Nature.Tree, new("tree"), new("oak"), new("leafy tree")),
        new(Nature.Flower, new("flower"), new("blossom"), new("daisy", "daisies"), new("bloom")),
        new(Nature.Cactus, new("cactus", "cacti"), new("desert plant"), new("succulent")),
        new(Nature.Mushroom, new("mushroom"), new("toadstool"), new("fungus", "fungi")),
        new(Nature.Apple, new("apple"), new("orchard fruit", "orchard fruits")),
        new(Nature.Pear, new("pear"), new("ripe pear")),
        new(Nature.Banana, new("banana"), new("plantain")),
        new(Nature.Cake, new("cake"), new("birthday cake"), new("gateau", "gateaux")),
        new(Nature.IceCream, new("ice cream"), new("ice cream cone"), new("gelato")),
        new(Buildings.House, new("house"), new("cottage"), new("home")),
        new(Buildings.Castle, new("castle"), new("fortress", "fortresses"), new("citadel")),
        new(Buildings.Lighthouse, new("lighthouse"), new("beacon tower")),
        new(Buildings.Tent, new("tent"), new("camping shelter"), new("wigwam")),
        new(Buildings.Windmill, new("windmill"), new("mill")),
        new(ToolsAndSigns.Hammer, new("hammer"), new("mallet"), new("claw hammer")),
        new(
            ToolsAndSigns.Scissors,
            new("pair of scissors", "pairs of scissors"),
            new("pair of shears", "pairs of shears")
        ),
        new(ToolsAndSigns.Key, new("key"), new("door key"), new("latchkey")),
        new(ToolsAndSigns.Pencil, new("pencil"), new("crayon")),
        new(ToolsAndSigns.Star, new("star"), new("five-pointed star")),
        new(ToolsAndSigns.Heart, new("heart"), new("love heart"), new("valentine")),
        new(ToolsAndSigns.Arrow, new("arrow"), new("pointer"), new("direction sign")),
        new(ToolsAndSigns.Moon, new("moon"), new("crescent")),
        new(Things.Anchor, new("anchor"), new("ship's anchor")),
        new(Things.Bell, new("bell"), new("chime"), new("handbell")),
        new(Things.Umbrella, new("umbrella"), new("parasol"), new("brolly", "brollies")),
        new(Things.Cup, new("cup"), new("mug"), new("teacup"), new("coffee cup")),
        new(Things.Chair, new("chair"), new("seat"), new("dining chair")),
        new(Things.Clock, new("clock"), new("alarm clock"), new("timepiece")),
        new(Things.Lamp, new("lamp"), new("table lamp"), new("reading light")),
        new(Things.Guitar, new("guitar"), new("acoustic guitar"), new("ukulele")),
        new(Things.Hat, new("hat"), new("fedora"), new("sunhat")),
        new(Things.Crown, new("crown"), new("coronet"), new("tiara")),
    ];

    /// <summary>The colours in class order.</summary>
    internal static readonly DrawnColour[] Colours =
    [
        new(new(-7, 5, 76, 94, 41, 51), "red", "crimson", "scarlet"),
        new(new(24, 33, 90, 100, 50, 56), "orange", "tangerine", "amber"),
        new(new(49, 56, 90, 100, 51, 60), "yellow", "golden", "lemon"),
        new(new(104, 140, 48, 78, 31, 44), "green", "emerald", "grassy"),
        new(new(173, 184, 62, 90, 36, 48), "turquoise", "teal", "aqua"),
        new(new(211, 229, 70, 92, 40, 54), "blue", "azure", "navy"),
        new(new(268, 284, 48, 74, 37, 49), "purple", "violet", "lilac"),
        new(new(326, 341, 82, 98, 71, 80), "pink", "magenta", "rosy"),
        new(new(18, 27, 45, 60, 24, 33), "brown", "chestnut", "hazel"),
        new(new(0, 360, 0, 10, 5, 13), "black", "ebony", "inky"),
        new(new(0, 360, 0, 30, 95, 99), "white", "snowy", "ivory"),
        new(new(0, 360, 0, 5, 48, 60), "gray", "grey", "silver"),
    ];

    /// <summary>Prompt templates of the zero-shot test; <c>{}</c> stands for the class. No caption is phrased like one of them.</summary>
    public static IReadOnlyList<string> Templates { get; } =
    [
        "this picture shows a {}.",
        "what you see here is a {}.",
        "an illustration in which there is a {}.",
        "somebody drew this {} for us.",
        "a page with the {} on it.",
        "it looks like a {} to me.",
        "this must be a {}.",
    ];

    /// <summary>The class names of the kinds, in class order.</summary>
    public static IReadOnlyList<string> KindNames { get; } = [.. Kinds.Select(kind => kind.Name)];

    /// <summary>The class names of the colours, in class order.</summary>
    public static IReadOnlyList<string> ColourNames { get; } = [.. Colours.Select(colour => colour.Name)];

    /// <summary>
    /// The compositions "colour kind" that no drawing and no caption of pretraining, tuning or validation shows: one
    /// colour of each kind, four kinds of each colour.
    /// </summary>
    public static IReadOnlyList<string> HeldOutCompositions { get; } =
    [.. Enumerable.Range(0, Kinds.Length).Select(kind => Composition(HeldOutColour(kind), kind))];

    /// <summary>
    /// Every "colour kind", held out or not, colour by colour: the classes among which a held-out composition has to be
    /// found, so that neither its colour nor its kind alone gives it away.
    /// </summary>
    public static IReadOnlyList<string> AllCompositions { get; } =
    [
        .. from colour in Enumerable.Range(0, Colours.Length)
        from kind in Enumerable.Range(0, Kinds.Length)
        select Composition(colour, kind),
    ];

    /// <summary>A colour and a kind as one class name.</summary>
    internal static string Composition(int colour, int kind) => $"{Colours[colour].Name} {Kinds[kind].Name}";

    /// <summary>The colour that is kept back of a kind. Steps of five walk through all twelve colours.</summary>
    internal static int HeldOutColour(int kind) => (5 * kind + 3 + kind / Colours.Length) % Colours.Length;

    internal static bool IsHeldOut(int colour, int kind) => HeldOutColour(kind) == colour;
}
