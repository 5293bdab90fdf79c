namespace LiT.Drawings;

/// <summary>Where the only object of a picture is, when it is clearly off the middle.</summary>
internal enum Place
{
    Anywhere,
    Left,
    Right,
    Top,
    Bottom,
}

/// <summary>What is painted behind the objects.</summary>
internal enum Backdrop
{
    Plain,
    Gradient,
    Stripes,
    Checks,
    Dots,
    Horizon,
    Blotches,
}

/// <summary>How far the objects are turned.</summary>
internal enum Tilt
{
    Upright,
    Tilted,
    UpsideDown,
}

/// <summary>How much of the picture the only object fills.</summary>
internal enum Extent
{
    Medium,
    Small,
    Big,
}

/// <summary>
/// What a picture shows, in the words that a caption may use of it. Kind and Colour are indices into the vocabulary,
/// Count is the number of objects (1, 2 or 3), all of this kind and colour.
/// </summary>
internal sealed record Scene(
    int Kind,
    int Colour,
    int Count,
    Extent Extent,
    Place Place,
    Tilt Tilt,
    Backdrop Backdrop,
    bool DarkBackdrop
);
