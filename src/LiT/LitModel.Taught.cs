using LiT.Bundles;
using LiT.Classification;
using LiT.Images;

namespace LiT;

public sealed partial class LitModel
{
    /// <summary>Pictures that a word is taught from, at least.</summary>
    internal const int FewestPictures = 5;

    private const int PicturesAtOnce = 32;

    // For models that do not say which words they have read.
    private static readonly string[] CommonWords =
    [
        "person",
        "man",
        "woman",
        "child",
        "face",
        "hand",
        "dog",
        "cat",
        "bird",
        "horse",
        "fish",
        "insect",
        "flower",
        "tree",
        "grass",
        "fruit",
        "food",
        "drink",
        "car",
        "truck",
        "bus",
        "bicycle",
        "train",
        "boat",
        "airplane",
        "road",
        "house",
        "building",
        "window",
        "door",
        "room",
        "furniture",
        "chair",
        "table",
        "bed",
        "computer",
        "phone",
        "book",
        "picture",
        "text",
        "sign",
        "logo",
        "toy",
        "ball",
        "tool",
        "machine",
        "clothes",
        "shoe",
        "hat",
        "bag",
        "bottle",
        "cup",
        "plate",
        "sky",
        "cloud",
        "sea",
        "mountain",
        "snow",
        "beach",
        "street",
        "night",
        "pattern",
        "red",
        "blue",
    ];

    private volatile TaughtVectors taught;

    /// <summary>
    /// The words that the model was taught by pictures, in the order in which they were taught; those of its text
    /// tower's own learning are not among them. Safe for concurrent calls.
    /// </summary>
    public IReadOnlyList<TaughtWord> TaughtWords => taught.Words;

    /// <summary>
    /// Teaches the model a word, a person or a product by 5 to 50 pictures of it, more being welcome: from then on a
    /// label or a query that is this word means what the pictures have in common, beside everything else that the model
    /// can be asked for. No tower is tuned and no other answer changes; it costs the pictures' way through the image
    /// tower. The word is kept in the model's folder and can be taken out again (<see cref="ForgetAsync"/>). What they
    /// are held against are the pictures of the model's calibration; <c>PictureStore.TeachAsync</c> of LiT.Stores takes
    /// those of a store. Safe for concurrent calls. A server that has the model open learns of it within a second or
    /// two; other programs do when they open it again, or are taught a word themselves.
    /// </summary>
    /// <param name="word">A word or several, of at most 200 letters. It applies where a label or a query is exactly
    /// this, small and capital letters and punctuation aside, and where a template is filled with it; inside of other
    /// texts it does not.</param>
    /// <param name="pictures">Picture files. One that cannot be read is named in the result and passed over.</param>
    /// <param name="again">Whether a word that was taught before is taught anew; otherwise it is refused.</param>
    /// <param name="cancel">Gives it up; nothing was taught then.</param>
    /// <exception cref="LitException">
    /// The word is empty, too long, or was taught already; fewer than 5 pictures can be read; the model is no bundle,
    /// has no image tower, or was never calibrated; its folder cannot be written to.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Task<TaughtWord> TeachAsync(
        string word,
        IEnumerable<string> pictures,
        bool again = false,
        CancellationToken cancel = default
    )
    {
        ArgumentNullException.ThrowIfNull(word);
        ArgumentNullException.ThrowIfNull(pictures);
        string[] files = [.. pictures];
        return RunAsync(
            stop =>
            {
                Lesson lesson = new(word, again);
                Check(lesson, files.Length);
                var (zimg, skipped) = OfFiles(files, stop);
                return Teach(lesson, zimg, null, skipped);
            },
            cancel
        );
    }

    /// <summary>Takes a taught word out of the model; what it says then is the text tower's affair again.</summary>
    /// <param name="word">The word, compared as labels are.</param>
    /// <param name="cancel">Gives it up.</param>
    /// <exception cref="LitException">The model was not taught this word, or its folder cannot be written
    /// to.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Task<TaughtWord> ForgetAsync(string word, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(word);
        return RunAsync(_ => Forget(word), cancel);
    }

    /// <summary>Whether the model knows what pictures are usual, by its calibration.</summary>
    internal bool IsCalibrated => folder is not null && File.Exists(Path.Combine(folder, Background.FileName));

    /// <summary>The taught words with what they were taught to be.</summary>
    internal TaughtVectors Taught => taught;

    /// <summary>Whether a text says nothing to the model: the vocabulary knows no piece of it, and nobody taught
    /// it.</summary>
    internal bool IsUnread(string text) =>
        !taught.Knows(text) && ClassPrompts.IsUnread(PromptTemplates.Canonicalise(text), Tokenizer);

    /// <summary>Refuses what cannot be taught, before any picture is read.</summary>
    /// <exception cref="LitException">See <see cref="TeachAsync"/>.</exception>
    internal void Check(Lesson lesson, int pictures)
    {
        var word = lesson.Word;
        if (folder is null)
            throw new LitException(
                Name,
                "a taught word is kept inside a bundle, and this model is none",
                "Make a bundle of it with `ModelConversion` first"
            );
        LearnFromFolder();
        if (!TaughtVectors.IsWord(word))
            throw new LitException(
                word.Length > TaughtVectors.LongestWord ? $"'{word[..40]}…'" : $"'{word}'",
                word.Length > TaughtVectors.LongestWord
                    ? $"a word of {word.Length} letters, and {TaughtVectors.LongestWord} is the most"
                    : "leaves no word to teach",
                "Give a word with letters or digits"
            );
        if (!lesson.Again && taught.Find(word) is { } known)
            throw new LitException(
                folder,
                $"was taught '{known.Word}' already, from {known.Pictures} pictures",
                "Remove it first, or give `Again`"
            );
        if (taught.Words.Count >= TaughtVectors.Most && !taught.Knows(word))
            throw new LitException(folder, $"was taught {TaughtVectors.Most} words, the most", "Remove some first");
        CheckCount(word, pictures, 0);
    }

    /// <summary>Teaches a word by embedded pictures, and keeps it.</summary>
    /// <param name="lesson">What <see cref="Check"/> lets pass.</param>
    /// <param name="zimg">Its pictures, unit length.</param>
    /// <param name="others">Pictures of whatever else, unit length; null takes those of the calibration.</param>
    /// <param name="skipped">Pictures that could not be read.</param>
    internal TaughtWord Teach(Lesson lesson, Embeddings zimg, Embeddings? others, IReadOnlyList<SkippedPicture> skipped)
    {
        Check(lesson, zimg.Count + skipped.Count);
        var word = lesson.Word;
        CheckCount(word, zimg.Count, skipped.Count);
        others ??= Background.Load(folder!)?.Pictures;
        TaughtWord learned = new(word.Trim(), zimg.Count, others?.Count ?? 0);
        Keep(taught.With(learned, TeachingFrom(others).Vector(zimg)));
        return learned with { Skipped = skipped };
    }

    /// <summary>What makes embeddings of words from pictures, with others that they are told from.</summary>
    /// <param name="others">Pictures of whatever else, unit length; null where there are none.</param>
    /// <exception cref="LitException">There are too few others.</exception>
    internal WordTeaching TeachingFrom(Embeddings? others)
    {
        if (others is null || others.Count < WordTeaching.FewestOthers)
            throw new LitException(
                folder ?? Name,
                others is null
                    ? "what other pictures look like is not known, from which the word's are to be told"
                    : $"there are {others.Count} other pictures, and the word's are to be told from "
                        + $"{WordTeaching.FewestOthers} at least",
                "Give `Data` STORE, any store of this tower, or run `BackgroundMeasurement` once"
            );
        return new(others, EmbedTexts(ReadWords()), Description.Temperature);
    }

    /// <summary>Words that the model can read: of its tuning, where it says them, else common ones.</summary>
    private string[] ReadWords()
    {
        var all = (folder is null ? null : SeenWords.Load(folder))?.Words ?? [];
        if (all.Count < CommonWords.Length)
            return [.. CommonWords.Concat(all)];
        var count = Math.Min(all.Count, WordTeaching.MostWords);
        return [.. Enumerable.Range(0, count).Select(i => all[(int)((long)i * all.Count / count)])];
    }

    /// <summary>The pictures of some files, and those that are none.</summary>
    internal (Embeddings Zimg, IReadOnlyList<SkippedPicture> Skipped) OfFiles(
        IReadOnlyList<string> files,
        CancellationToken cancel
    )
    {
        List<SkippedPicture> skipped = [];
        List<float> rows = [];
        foreach (var some in files.Chunk(PicturesAtOnce))
        {
            cancel.ThrowIfCancellationRequested();
            List<float[]> pixels = [];
            foreach (var file in some)
                try
                {
                    pixels.Add(PixelsOf(file));
                }
                catch (PictureException bad)
                {
                    skipped.Add(new(file, bad.Reason));
                }
                catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
                {
                    skipped.Add(new(file, trouble.Message.TrimEnd('.')));
                }
            if (pixels.Count > 0)
                rows.AddRange(ProjectImages(new(Represent(pixels), Image.Tower.Width)).Values);
        }
        return (new([.. rows], EmbeddingSize), skipped);
    }

    private float[] PixelsOf(string file) =>
        Image.Preprocessing.Pixels(
            File.Exists(file)
                ? File.ReadAllBytes(file)
                : throw new PictureException("there is no such file", file, "Check the path."),
            DecodingOptions.Default.MaxPixels,
            DecodePath.Exact,
            file
        );

    /// <inheritdoc cref="ForgetAsync"/>
    internal TaughtWord Forget(string word)
    {
        LearnFromFolder(); // what another program taught meanwhile stays
        var known = taught.Find(word)
            ?? throw new LitException(
                folder ?? Name,
                $"was not taught '{word}'"
                    + (
                        taught.Words.Count == 0
                            ? ", nor any other word"
                            : $"; there is {string.Join(", ", taught.Words.Take(10).Select(one => $"'{one.Word}'"))}"
                                + (taught.Words.Count > 10 ? " …" : "")
                    ),
                "Give a word that was taught"
            );
        Keep(taught.Without(word));
        return known;
    }

    private static void CheckCount(string word, int pictures, int skipped)
    {
        if (pictures < FewestPictures)
            throw new LitException(
                $"'{word}': {pictures} {(pictures == 1 ? "picture" : "pictures")}"
                    + (skipped > 0 ? $" of {pictures + skipped} can be read" : "")
                    + $", and a word is taught from {FewestPictures} at least. Give more pictures of it."
            );
    }

    private void Keep(TaughtVectors words)
    {
        BundleFiles.Exchange(folder!, TaughtVectors.FileName, words.Save);
        taught = words;
    }
}
