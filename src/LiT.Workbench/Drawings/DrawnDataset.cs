using System.Formats.Tar;
using System.Text;
using System.Text.Json;
using LiT.Data;
using LiT.Files;
using LiT.Images;

namespace LiT.Drawings;

/// <summary>The parts of the embedded data set. No picture of one is a picture of another.</summary>
internal enum DrawnSplit
{
    /// <summary>Labels without captions, to pre-train an image tower on; without the held-out compositions.</summary>
    Pretrain,

    /// <summary>Captions as found on the web, to tune on; without the held-out compositions.</summary>
    Pairs,

    /// <summary>Unseen pictures for choosing settings; without the held-out compositions.</summary>
    Val,

    /// <summary>Unseen pictures for the final numbers; without the held-out compositions.</summary>
    Test,

    /// <summary>Unseen pictures of the held-out compositions only; the label is the composition, "red cat".</summary>
    Compositions,
}

/// <summary>A picture of the embedded data set with all that is known of it.</summary>
/// <param name="Key">Split and number: <c>pairs-000041</c>.</param>
/// <param name="Image">48 x 48 pixels.</param>
/// <param name="Captions">As found on the web in <see cref="DrawnSplit.Pairs"/>, none in
/// <see cref="DrawnSplit.Pretrain"/>, two careful ones elsewhere.</param>
/// <param name="Kind">Class name of the kind.</param>
/// <param name="Colour">Class name of the colour.</param>
/// <param name="Count">How many objects there are: 1, 2 or 3, all alike.</param>
/// <param name="HeldOut">Whether this colour of this kind is kept back from all training.</param>
internal sealed record Drawing(
    string Key,
    RgbImage Image,
    IReadOnlyList<string> Captions,
    string Kind,
    string Colour,
    int Count,
    bool HeldOut
)
{
    /// <summary>Colour and kind as one class name: "red cat".</summary>
    public string Composition => $"{Colour} {Kind}";

    /// <summary>The class: the kind or, where the composition is held out, colour and kind.</summary>
    public string Label => HeldOut ? Composition : Kind;

    /// <summary>The picture as a PNG file.</summary>
    public byte[] EncodePng() => Png.Encode(Image);
}

/// <summary>
/// The data set that the project draws itself: 48 kinds of object in 12 colours with captions, any number of pictures
/// from a seed. The same seed gives the same pictures; every number of every split of every seed has its own.
/// </summary>
internal static class DrawnDataset
{
    private const int SeedBits = 29,
        SplitBits = 3,
        IndexBits = 32;
    private const float RepeatedPictures = .03f;

    /// <summary>Width and height of every picture, in pixels.</summary>
    public const int ImageSize = Studio.Size;

    /// <summary>
    /// The largest seed: split, number and seed share 64 bits, so that no two pictures start from the same state.
    /// </summary>
    public const int LargestSeed = (1 << SeedBits) - 1;

    /// <summary>Draws the first <paramref name="count"/> pictures of a split, one after the other.</summary>
    /// <exception cref="UsageException">The seed is negative or above <see cref="LargestSeed"/>, or the count is
    /// negative.</exception>
    public static IEnumerable<Drawing> Draw(DrawnSplit split, int count, int seed) =>
        Details(split, count, seed).Select(detail => detail.Drawing);

    /// <summary>
    /// The first <paramref name="count"/> pictures of a split as a source of samples, drawn while it is read.
    /// </summary>
    /// <remarks>
    /// Label is the class; the fields are kind, colour, composition, count and heldOut, as in the .tar.
    /// </remarks>
    /// <exception cref="UsageException">As for <see cref="Draw"/>.</exception>
    public static SampleSource Source(DrawnSplit split, int count, int seed)
    {
        Check(count, seed);
        return new DrawnSource(split, count, seed) { Path = $"drawings/{NameOf(split)}" };
    }

    /// <summary>
    /// Writes a split as a WebDataset, <c>SPLIT.tar</c>, with <c>classes.txt</c> (kinds), <c>colours.txt</c>,
    /// <c>compositions.txt</c> (every colour of every kind), <c>held-out.txt</c> (the compositions kept back) and
    /// <c>templates.txt</c> beside it. Every file is there whole or not at all.
    /// </summary>
    /// <param name="folder">Made where it is missing.</param>
    /// <param name="split">Which part.</param>
    /// <param name="count">Number of pictures.</param>
    /// <param name="seed">From 0 to <see cref="LargestSeed"/>.</param>
    /// <param name="progress">Told of every picture.</param>
    /// <param name="cancel">Stops between two pictures; nothing is left behind.</param>
    /// <returns>The path of the .tar.</returns>
    /// <exception cref="UsageException">As for <see cref="Draw"/>.</exception>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public static string Write(
        string folder,
        DrawnSplit split,
        int count,
        int seed,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        Check(count, seed);
        var path = Path.Combine(folder, $"{NameOf(split)}.tar");
        AtomicFile.Write(path, stream =>
        {
            using var tar = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true);
            var done = 0;
            foreach (var drawing in Draw(split, count, seed))
            {
                cancel.ThrowIfCancellationRequested();
                Add(tar, $"{drawing.Key}.png", drawing.EncodePng());
                if (drawing.Captions.Count > 0)
                    Add(tar, $"{drawing.Key}.txt", Encoding.UTF8.GetBytes(string.Join('\n', drawing.Captions) + "\n"));
                Add(tar, $"{drawing.Key}.json", Labels(drawing));
                progress?.Report(new("drawing", ++done, count, "pictures"));
            }
        });
        Lines("classes.txt", DrawnVocabulary.KindNames);
        Lines("colours.txt", DrawnVocabulary.ColourNames);
        Lines("compositions.txt", DrawnVocabulary.AllCompositions);
        Lines("held-out.txt", DrawnVocabulary.HeldOutCompositions);
        Lines("templates.txt", DrawnVocabulary.Templates);
        return path;

        void Lines(string name, IEnumerable<string> lines) =>
            AtomicFile.WriteAllText(Path.Combine(folder, name), string.Concat(lines.Select(line => line + "\n")));
    }

    /// <summary>The name of a split in paths and options: pretrain, pairs, val, test, compositions.</summary>
    public static string NameOf(DrawnSplit split) => split.ToString().ToLowerInvariant();

    internal static void Check(int count, int seed)
    {
        if (seed is < 0 or > LargestSeed)
            throw new UsageException($"`Seed` {seed}: give a number from 0 to {LargestSeed} for drawings.");
        if (count < 0)
            throw new UsageException($"`Count` {count}: give the number of pictures to draw.");
    }

    /// <summary>Drawings with what their captions are made from.</summary>
    internal static IEnumerable<DrawnDetail> Details(DrawnSplit split, int count, int seed)
    {
        Check(count, seed);
        return Drawn(split, count, seed);
    }

    /// <summary>
    /// The state from which a picture's chance starts: another one for each seed, split and number, by construction.
    /// </summary>
    internal static ulong StateOf(DrawnSplit split, int index, int seed) =>
        SplitMix64.Mixed(((ulong)(uint)seed << (SplitBits + IndexBits)) | ((ulong)split << IndexBits) | (uint)index);

    /// <summary>A colour that this kind may have in training.</summary>
    internal static int AllowedColour(int kind, Dice dice)
    {
        var colour = dice.Below(DrawnVocabulary.Colours.Length - 1);
        return colour < DrawnVocabulary.HeldOutColour(kind) ? colour : colour + 1;
    }

    private static IEnumerable<DrawnDetail> Drawn(DrawnSplit split, int count, int seed)
    {
        using var studio = new Studio();
        var dice = new Dice(0);
        var grammar = new CaptionGrammar(dice);
        for (var index = 0; index < count; index++)
        {
            var state = StateOf(split, index, seed);
            dice.Reseed(state);
            // The web shows many a picture twice, with other words.
            var repeats =
                split == DrawnSplit.Pairs && index > 0 && dice.Chance(RepeatedPictures)
                    ? dice.Below(index)
                    : (int?)null;
            if (repeats is { } earlier)
                state = StateOf(split, earlier, seed);
            var (kind, colour) = Subject(split, state);
            var scene = studio.Draw(kind, colour, ~state, out var image);
            var captions = split switch
            {
                DrawnSplit.Pretrain => [],
                DrawnSplit.Pairs => grammar.AsFound(scene),
                _ => grammar.Careful(scene),
            };
            var drawing = new Drawing(
                $"{NameOf(split)}-{index:D6}",
                image with
                {
                    Pixels = [.. image.Pixels],
                },
                [.. captions.Select(caption => caption.Text).Distinct()],
                DrawnVocabulary.KindNames[kind],
                DrawnVocabulary.ColourNames[colour],
                scene.Count,
                DrawnVocabulary.IsHeldOut(colour, kind)
            );
            yield return new(drawing, scene, captions, repeats);
        }
    }

    /// <summary>
    /// What is drawn, as the state decides it; only <see cref="DrawnSplit.Compositions"/> draws what is held out.
    /// </summary>
    internal static (int Kind, int Colour) Subject(DrawnSplit split, ulong state)
    {
        var dice = new Dice(state ^ 0xA5A5_5A5A_C3C3_3C3C);
        var kind = dice.Below(DrawnVocabulary.Kinds.Length);
        return (
            kind,
            split == DrawnSplit.Compositions ? DrawnVocabulary.HeldOutColour(kind) : AllowedColour(kind, dice)
        );
    }

    private static byte[] Labels(Drawing drawing) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new Dictionary<string, object>
            {
                ["label"] = drawing.Label,
                ["kind"] = drawing.Kind,
                ["colour"] = drawing.Colour,
                ["composition"] = drawing.Composition,
                ["count"] = drawing.Count,
                ["heldOut"] = drawing.HeldOut,
            }
        );

    private static void Add(TarWriter tar, string name, byte[] content) =>
        tar.WriteEntry(
            new UstarTarEntry(TarEntryType.RegularFile, name)
            {
                ModificationTime = DateTimeOffset.UnixEpoch,
                DataStream = new MemoryStream(content, writable: false),
            }
        );
}

/// <summary>
/// A drawing with its scene, its captions before equal ones were dropped, and the number of the picture that it
/// repeats.
/// </summary>
internal sealed record DrawnDetail(Drawing Drawing, Scene Scene, IReadOnlyList<Caption> Captions, int? Repeats);
