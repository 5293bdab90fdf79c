using LiT.Bundles;
using LiT.Checkpoints;
using LiT.Classification;
using LiT.Compute;
using LiT.Files;
using LiT.Text;
using LiT.Towers;
using TorchSharp;

namespace LiT;

/// <summary>
/// A model ready for use: two towers, tokenizer and preprocessing. Pictures and texts go in, embeddings of unit length
/// come out as plain floats. What ends in Async, and the generators, are safe for any number of threads at once: the
/// towers take one call after the other, and give each the bits that it would get alone.
/// </summary>
public sealed partial class LitModel : IDisposable
{
    private const string TextFile = "text.safetensors",
        TextStem = "text",
        ImageStem = "image";

    private readonly string? folder;
    private string? imageFolder;
    private readonly ComputeDevice compute;
    private LockedTower? image;
    private SeenWords? seen;
    private bool seenIsRead,
        imageIsBorrowed;
    private string? textFingerprint,
        publishedName;

    private LitModel(
        ModelDescription description,
        TwoTowers towers,
        CaptionTokenizer tokenizer,
        ComputeDevice compute,
        string? folder
    )
    {
        (Description, Towers, Tokenizer, this.compute, this.folder) = (description, towers, tokenizer, compute, folder);
        towers.eval();
        taught = folder is null
            ? TaughtVectors.None(description.EmbeddingSize)
            : TaughtVectors.Load(folder, description.EmbeddingSize);
    }

    /// <summary>The bundle's folder; null for a model that was never saved.</summary>
    public string? Folder => folder;

    /// <summary>
    /// The language that its text tower speaks, as a code; null where nobody said it. A model that holds several is
    /// opened in one: <see cref="LitSession.Language"/>.
    /// </summary>
    public string? Language => Description.Language;

    /// <summary>The languages that the model's folder holds text towers for besides its own, as codes.</summary>
    public IReadOnlyList<string> Languages => imageFolder is null ? [] : BundleLanguages.In(imageFolder);

    /// <summary>What the model is and how it was made.</summary>
    internal ModelDescription Description { get; }

    /// <summary>
    /// The text tower with heads, temperature and bias; without the image tower, which <see cref="Image"/> loads.
    /// </summary>
    internal TwoTowers Towers { get; }

    /// <summary>What turns texts into rows of ids.</summary>
    internal CaptionTokenizer Tokenizer { get; }

    /// <summary>The locked image tower, loaded when it is first asked for: stores need none.</summary>
    /// <exception cref="LitException">The tower is not at hand, or is not the one that the text tower was tuned
    /// to.</exception>
    internal LockedTower Image
    {
        get
        {
            lock (imageLoading) // an update of a store runs beside the rest
                return image ??= LoadImage();
        }
    }

    /// <summary>
    /// Takes another model's image tower for its own: the same bundle in another language. The other outlives it, and
    /// pictures go through the tower on the other's thread.
    /// </summary>
    internal void Borrow(LitModel from)
    {
        lock (imageLoading)
        {
            imageIsBorrowed |= image is null;
            image ??= from.Image;
        }
    }

    /// <summary>
    /// SHA-256, in hexadecimal, over every weight of the text side (tower, heads, temperature, bias): names the model
    /// in results.
    /// </summary>
    internal string TextFingerprint => textFingerprint ??= WeightsHash.Of(Towers);

    /// <summary>
    /// The supervised heads that came with the image tower, where that can be told without loading it.
    /// </summary>
    internal IReadOnlyList<HeadConfig> ImageHeads =>
        image?.Heads
        ?? (Description.Image.File is { } file ? ImageTowerFile.HeadsOf(Path.Combine(imageFolder ?? ".", file)) : []);

    /// <summary>
    /// Words of a text that no caption had which the model was tuned on, each once; none where the model does not say,
    /// or where the text is a word that it was taught.
    /// </summary>
    /// <exception cref="LitException">The bundle's list of words cannot be read.</exception>
    public IReadOnlyList<string> UnseenWords(string text)
    {
        if (taught.Knows(text))
            return [];
        if (!seenIsRead)
            (seen, seenIsRead) = (folder is null ? null : SeenWords.Load(folder), true);
        return seen?.Missing(text) ?? [];
    }

    /// <summary>Puts a background into the model's folder, in the place of another, and under its hashes.</summary>
    /// <exception cref="LitException">The model is no bundle, or its folder cannot be written to.</exception>
    internal void Keep(Background background)
    {
        var bundle = folder
            ?? throw new LitException(
                "A background is kept inside a bundle, and this model is none. Save it as one first."
            );
        BundleFiles.Exchange(bundle, Background.FileName, background.Save);
    }

    /// <summary>Opens a bundle, or a model that others published as one file.</summary>
    /// <param name="path">A bundle's folder, a run's folder with the bundle in model/, a LiT or SigLIP <c>.npz</c>, or
    /// the name of one that was downloaded.</param>
    /// <param name="compute">Where and in what type to compute.</param>
    /// <param name="vocabulary">The vocabulary of a published file; null for the one beside it. A bundle has its
    /// own.</param>
    /// <param name="language">The language whose text tower is wanted; null for the bundle's own.</param>
    /// <exception cref="LitException">No model is there, it does not speak the language, or a part of it is missing or
    /// damaged.</exception>
    internal static LitModel Load(
        string path,
        ComputeDevice? compute = null,
        string? vocabulary = null,
        string? language = null
    )
    {
        compute ??= ComputeDevice.Cpu;
        if (
            BundleIn(path) is null
            && !Directory.Exists(path)
            && (TowerPath.IsThere(path) || ModelCatalogue.Find(path) is not null)
        )
            return LoadPublished(path, compute, vocabulary, language);
        if (!Path.Exists(path))
            throw new LitException(
                path,
                "no model is there, and no published one has that "
                    + "name"
                    + (ModelCatalogue.Like(path) is { Count: > 0 } like ? $"; there is {string.Join(", ", like)}" : ""),
                "Give the folder that 'lit tune' wrote, a LiT .npz, or a name that 'lit models list' knows"
            );
        var folder = BundleIn(path) ?? path;
        if (vocabulary is not null)
            throw new UsageException(vocabulary, $"{path} is a bundle, which has its own vocabulary", "Leave it out");
        var own = ModelDescription.Read(folder);
        var place = language is null ? folder : BundleLanguages.Find(folder, own.Language, language);
        var description = place == folder ? own : OverTheSameTower(ModelDescription.Read(place), own, place);
        if (description.Languages?.FirstOrDefault(one => IsSame(one, language)) is { } asked)
            description = description with { Language = asked };
        var tokenizer = CaptionTokenizer.Load(place, description.Text.Tokenizer);
        var (imageHead, textHead) = (Built(description.Image.Head), Built(description.Text.Head));
        TwoTowers towers = new(
            null,
            imageHead,
            TextOf(place, description.Text, compute),
            textHead,
            0,
            description.Bias
        );
        try
        {
            using var weights = Checkpoint.Open(Path.Combine(place, description.Text.File));
            WeightMap.Own("the text side of a LiT bundle", towers).Load(new WeightSource(weights), towers);
            CheckTemperature(path, description, towers);
        }
        catch
        {
            towers.Dispose();
            throw;
        }
        (towers.Text as ForeignText)?.PadWith(tokenizer.Layout.Pad, tokenizer.Layout.End == tokenizer.Layout.Pad);
        towers.to(compute.Type).to(compute.Device);
        return new(description, towers, tokenizer, compute, place) { imageFolder = folder };
    }

    private static LitModel LoadPublished(string path, ComputeDevice compute, string? vocabulary, string? language)
    {
        if (language is not null)
            throw new LitException(
                path,
                $"a published model has one text tower, and none for the language '{language}'",
                "Make a bundle of it with `ModelConversion`, which can hold others"
            );
        var published = PublishedModel.Open(path, compute, vocabulary);
        return new(published.Description, published.Towers, published.Tokenizer, compute, null)
        {
            image = published.Image,
            publishedName = Path.GetFileName(path),
        };
    }

    // A network of another runtime is a file beside the weights of the rest.
    private static TextTower TextOf(string folder, TextSideDescription side, ComputeDevice compute)
    {
        if (side.Config is not ForeignTextConfig config)
            return side.Config.Build();
        if (compute.Type != TorchSharp.torch.ScalarType.Float32)
            throw new LitException(
                folder,
                "its text tower, a network in ONNX, computes in its own type on the CPU",
                "Leave `ScalarType` at float32"
            );
        var path = Path.Combine(folder, side.Network ?? "");
        if (!File.Exists(path))
            throw new LitException(
                folder,
                side.Network is null
                    ? "names no file of its text tower"
                    : $"{side.Network}, its text tower, is missing",
                "Copy the bundle again"
            );
        var tower = TextTowerLoader.Load(path).Tower;
        if (tower.Config == config)
            return tower;
        tower.Dispose();
        throw new LitException(path, "is not the text tower that the model was tuned with", "Copy the bundle again");
    }

    private static bool IsSame(string one, string? other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);

    /// <summary>A further text side reads the bundle's own image tower.</summary>
    private static ModelDescription OverTheSameTower(ModelDescription further, ModelDescription own, string place) =>
        further.Image.Fingerprint == own.Image.Fingerprint
            ? further with
            {
                Image = own.Image with { Head = further.Image.Head },
            }
            : throw new LitException(
                place,
                "this text tower was tuned to another image tower than the bundle's",
                "Copy the bundle again, or add the language again"
            );

    /// <summary>Writes a further text side into a bundle, in the place of another of the same language.</summary>
    /// <param name="bundle">The bundle's folder.</param>
    /// <param name="languages">The language's code; several, where one text tower speaks them all.</param>
    /// <param name="towers">Text tower, heads, temperature and bias.</param>
    /// <param name="tokenizer">Its files go along.</param>
    /// <param name="describe">Completes the description.</param>
    /// <param name="words">What the captions of its tuning had, where that is known.</param>
    /// <param name="background">Its calibration, where there is one.</param>
    /// <param name="taught">The words that it was taught, where there are any.</param>
    /// <param name="replace">Whether one of the same language gives way.</param>
    /// <exception cref="LitException">The code is none, the language is there, or the folder cannot be written
    /// to.</exception>
    internal static string SaveLanguage(
        string bundle,
        IReadOnlyList<string> languages,
        TwoTowers towers,
        CaptionTokenizer tokenizer,
        Func<ModelDescription, ModelDescription> describe,
        SeenWords? words,
        Background? background,
        TaughtVectors? taught,
        bool replace
    )
    {
        var own = ModelDescription.Read(bundle);
        var several = languages.Count > 1;
        var place = BundleLanguages.PlaceFor(
            bundle,
            own.Language,
            several ? BundleLanguages.Several : languages[0],
            replace
        );
        var made = BundleLanguages.Beside(place);
        if (Directory.Exists(made))
            Directory.Delete(made, recursive: true); // of a run that was stopped
        Save(
            made,
            towers,
            tokenizer,
            own.Image,
            null,
            description =>
                describe(description) with
                {
                    Language = Path.GetFileName(place),
                    Languages = several ? languages : null,
                },
            words: words
        );
        if (background is not null)
        {
            background.Save(made);
            BundleFiles.Cover(made, Background.FileName);
        }
        if (taught is { Words.Count: > 0 })
        {
            taught.Save(made);
            BundleFiles.Cover(made, TaughtVectors.FileName);
        }
        BundleLanguages.Put(place);
        return place;
    }

    /// <summary>What model.json says stands in the weights as well, and answers are computed with either.</summary>
    private static void CheckTemperature(string path, ModelDescription description, TwoTowers towers)
    {
        if (Math.Abs(towers.Temperature - description.Temperature) <= 1e-4 * towers.Temperature)
            return;
        throw new LitException(
            path,
            FormattableString.Invariant($"model.json says a temperature of {description.Temperature:G6}, ")
                + FormattableString.Invariant($"and the weights have {towers.Temperature:G6}"),
            "Copy the bundle again"
        );
    }

    /// <summary>
    /// The file with the text tower of a bundle, or of a run's bundle; null where the path is neither.
    /// </summary>
    internal static string? TextFileOf(string path) =>
        new[] { path, Path.Combine(path, "model") }
            .Where(folder => File.Exists(Path.Combine(folder, ModelDescription.FileName)))
            .Select(folder => Path.Combine(folder, ModelDescription.Read(folder).Text.Network ?? TextFile))
            .FirstOrDefault();

    /// <summary>
    /// The folder of the bundle that a path means, which may be a run's with the bundle in model/; null where there is
    /// none.
    /// </summary>
    internal static string? BundleIn(string path) =>
        new[] { path, Path.Combine(path, "model") }.FirstOrDefault(folder =>
            File.Exists(Path.Combine(folder, ModelDescription.FileName))
        );

    /// <summary>The image tower that a name means: that of a bundle or of a run, or the name itself.</summary>
    /// <param name="spec">A bundle's folder, a run's, or anything that names a tower.</param>
    /// <exception cref="LitException">The bundle knows no image tower.</exception>
    internal static string ImageTowerOf(string spec)
    {
        if (BundleIn(spec) is not { } bundle)
            return spec;
        var side = ModelDescription.Read(bundle).Image;
        return side switch
        {
            { File: { } file } => Path.Combine(bundle, file),
            { IsOwn: true } => throw new LitException(
                spec,
                "this model was tuned on embeddings made elsewhere and knows no image tower",
                "Name the tower that made them"
            ),
            _ => side.Tower,
        };
    }

    /// <summary>The bundle that a file is a part of; null where it is none's.</summary>
    internal static string? FolderOf(string file) =>
        Path.GetDirectoryName(file) is { } place && File.Exists(Path.Combine(place, ModelDescription.FileName))
            ? place
            : null;

    /// <summary>Whether a path is a bundle's folder, or that of a run with its bundle.</summary>
    internal static bool IsBundle(string path) => BundleIn(path) is not null;

    /// <summary>What the model gives here for the test pictures and texts of a bundle.</summary>
    /// <param name="withImages">Whether the image tower is asked, too.</param>
    internal GoldenVectors Golden(bool withImages = true) =>
        GoldenVectors.Of(Towers, Tokenizer, withImages ? Image : null);

    /// <summary>A bundle's tokenizer alone: no weights are read.</summary>
    /// <param name="path">As for <see cref="Load"/>.</param>
    /// <exception cref="LitException">No bundle is there, or its tokenizer is missing or damaged.</exception>
    internal static CaptionTokenizer TokenizerOf(string path) =>
        CaptionTokenizer.Load(BundleIn(path) ?? path, ModelDescription.Read(BundleIn(path) ?? path).Text.Tokenizer);

    /// <summary>Writes a bundle; model.json comes last, so a folder with it is whole.</summary>
    /// <param name="folder">Made where it is missing; a bundle that is there is replaced.</param>
    /// <param name="towers">Text tower, heads, temperature and bias; an image tower in them is left out.</param>
    /// <param name="tokenizer">Its files go along.</param>
    /// <param name="image">The locked side; <see cref="ImageSideDescription.File"/> is set here.</param>
    /// <param name="locked">The tower itself, to go into the bundle, or null to name it only.</param>
    /// <param name="describe">Completes the description.</param>
    /// <param name="atHand">A tower that is named only, for the golden vectors of its side.</param>
    /// <param name="words">What the captions of its tuning had, where that is known.</param>
    /// <param name="rotation">What embeddings are turned by before they are cut; null for nothing.</param>
    /// <exception cref="LitException">The disk is full, or the folder cannot be written to.</exception>
    internal static ModelDescription Save(
        string folder,
        TwoTowers towers,
        CaptionTokenizer tokenizer,
        ImageSideDescription image,
        LockedTower? locked,
        Func<ModelDescription, ModelDescription> describe,
        LockedTower? atHand = null,
        SeenWords? words = null,
        TorchSharp.torch.Tensor? rotation = null
    )
    {
        Directory.CreateDirectory(folder);
        AtomicFile.RemoveLeft(folder);
        File.Delete(Linked.Target(Path.Combine(folder, ModelDescription.FileName)));
        Background.Remove(folder);
        TaughtVectors.Remove(folder);
        var config = towers.Text.Config
            ?? throw new ArgumentException(
                "Only text towers of the project's own architectures can be saved.",
                nameof(towers)
            );
        Safetensors.Write(
            Path.Combine(folder, TextFile),
            towers
                .state_dict()
                .Where(entry => !entry.Key.StartsWith("image.", StringComparison.Ordinal))
                .Select(entry => (entry.Key, entry.Value)),
            TextTowerFile.Metadata(towers.Text)
        );
        var network = (towers.Text as ForeignText)?.SaveIn(folder, TextStem);
        var imageFile = locked is null ? null : ImageTowerFile.SaveIn(folder, ImageStem, locked);
        var description = describe(
            new ModelDescription
            {
                Image = image with { File = imageFile, Head = HeadShape.Of(towers.ImageHead) },
                Text = new(config, tokenizer.Save(folder), TextFile, HeadShape.Of(towers.TextHead))
                {
                    Network = network,
                },
                EmbeddingSize = towers.EmbeddingSize,
                Temperature = towers.Temperature,
                Bias = towers.Bias?.item<float>(),
                Lock = "Lu",
            }
        );
        GoldenVectors.Of(towers, tokenizer, locked ?? atHand).Write(folder);
        File.Delete(Path.Combine(folder, SeenWords.FileName));
        words?.Write(folder);
        RotationFile.Write(folder, rotation);
        description = description with { Files = BundleFiles.Hashes(folder) };
        AtomicFile.WriteAllText(Path.Combine(folder, ModelDescription.FileName), description.ToJson());
        return description;
    }

    /// <summary>
    /// Embeds texts; equal ones go through the tower once, and those of equal length together. A text that is a taught
    /// word is what it was taught to be.
    /// </summary>
    /// <param name="texts">The texts.</param>
    /// <param name="progress">Told after every batch.</param>
    /// <param name="cancel">Stops between two batches.</param>
    /// <param name="cache">A folder that keeps what is embedded, so that the same call goes on after an interruption;
    /// null keeps nothing.</param>
    /// <returns>ztxt of unit length, one row a text, in their order.</returns>
    internal Embeddings EmbedTexts(
        IReadOnlyList<string> texts,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default,
        string? cache = null
    )
    {
        Embeddings Tower(IReadOnlyList<string> some) =>
            TowerOutputs.Texts(
                Towers,
                Tokenizer,
                some,
                compute,
                progress,
                cancel,
                cache is null ? null : new TextCache(cache, TextFingerprint, Tokenizer, compute)
            );
        var rows = TextMemory is { } memory && cache is null ? memory(texts, Tower) : Tower(texts);
        return taught.Over(texts, rows, unit: true);
    }

    /// <summary>
    /// Embeds prompts for classes; one that a taught word fills is what the word was taught to be, which is not of unit
    /// length: <see cref="ClassMeans"/> keeps it.
    /// </summary>
    internal Embeddings EmbedPrompts(
        IReadOnlyList<Prompt> prompts,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default,
        string? cache = null
    ) =>
        taught.Over(
            [.. prompts.Select(prompt => prompt.Label)],
            EmbedTexts([.. prompts.Select(prompt => prompt.Text)], progress, cancel, cache),
            unit: false
        );

    /// <summary>
    /// Stands between texts and the tower, for whoever is asked for the same texts again and again: is given the texts
    /// and the tower, and gives their rows. Null asks the tower each time.
    /// </summary>
    internal Func<IReadOnlyList<string>, Func<IReadOnlyList<string>, Embeddings>, Embeddings>? TextMemory { get; set; }

    /// <summary>The locked tower's own representations of pictures that are ready for it, [B, width].</summary>
    /// <param name="pictures">The tower's input for each picture, [3, H, W].</param>
    internal float[] Represent(IReadOnlyList<float[]> pictures)
    {
        var rows = new float[pictures.Count * Image.Tower.Width];
        ImageBatch.Represent(Image, pictures, compute, rows);
        return rows;
    }

    /// <summary>Brings the locked tower's representations to the common size and unit length.</summary>
    /// <param name="representations">N x width of the image tower, not of unit length.</param>
    /// <returns>zimg, N x E.</returns>
    internal Embeddings ProjectImages(Embeddings representations) =>
        representations.Size == Description.Image.Width
            ? TowerOutputs.Images(Towers, representations, compute)
            : throw new LitException(
                $"Representations of {representations.Size} numbers: this model's image tower gives "
                    + $"{Description.Image.Width}. Embed the pictures with the model's own tower."
            );

    /// <summary>
    /// Probabilities of some texts for one image: softmax over exp(t) · zimg · ztxt, or a sigmoid for each with a bias.
    /// </summary>
    /// <param name="zimg">One image's embedding of unit length.</param>
    /// <param name="ztxt">Embeddings of unit length, one a text.</param>
    internal double[] Probabilities(ReadOnlySpan<float> zimg, Embeddings ztxt) =>
        Classification.Probabilities.Of(zimg, ztxt, Description.Temperature, Description.Bias);

    private static Head? Built(HeadShape? shape) =>
        shape is null
            ? null
            : new(
                shape.Inputs,
                shape.Outputs,
                shape.Hidden,
                standardises: shape.Standardises,
                gated: shape.Gated == true
            );

    /// <summary>The head on a bundle's image side, with its weights; null for none.</summary>
    /// <exception cref="LitException">The bundle is damaged.</exception>
    internal static Head? ImageHeadOf(string bundle)
    {
        var description = ModelDescription.Read(bundle);
        if (Built(description.Image.Head) is not { } head)
            return null;
        using var weights = Checkpoint.Open(Path.Combine(bundle, description.Text.File));
        WeightMap.Own("the head of a LiT bundle", head).Load(new WeightSource(weights, "imageHead."), head);
        return head;
    }

    private LockedTower LoadImage()
    {
        var side = Description.Image;
        if (side.IsOwn == true)
            throw new LitException(
                folder ?? Name,
                $"this model was tuned on {side.Tower}, which were made elsewhere, and knows no image tower: "
                    + "it reads stores of such embeddings, and no pictures",
                "Give such a store, or tune again with the tower that made them"
            );
        var spec = side.File is { } file ? Path.Combine(imageFolder ?? ".", file) : side.Tower;
        if (side.File is null && !TowerPath.IsThere(spec))
            throw new LitException(
                spec,
                "the bundle names this image tower and does not hold it, and it is not there",
                (ModelCatalogue.Find(spec) is { } model ? $"Run 'lit models pull {model.Name}'" : "Put the file back")
                    + ", "
                    + "or tune with `BundleTower` always"
            );
        var loaded = ImageTowerLoader.Load(
            spec,
            new ImageTowerOptions { Compute = compute, Preprocessing = side.Preprocessing }
        );
        if (loaded.Fingerprint == side.Fingerprint)
            return loaded;
        var found = loaded.Fingerprint;
        loaded.Dispose();
        throw new LitException(
            spec,
            $"this image tower is not the one that the model was tuned to (fingerprint {found[..12]} where "
                + $"{side.Fingerprint[..Math.Min(12, side.Fingerprint.Length)]} is expected)",
            "Put the right file back"
        );
    }
}
