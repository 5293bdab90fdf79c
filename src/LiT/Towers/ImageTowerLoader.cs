using System.Text.Json;
using LiT.Checkpoints;
using LiT.Compute;
using LiT.Images;
using LiT.Towers.Settings;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>What a file turned out to be, from names and shapes alone.</summary>
/// <param name="Family">Whose weights they are, in words.</param>
/// <param name="Source">The part of the file that holds the tower.</param>
/// <param name="Config">Sizes read from shapes.</param>
/// <param name="Names">The table for a tower of that config.</param>
/// <param name="Preprocessing">The family's own, at the size that the weights were trained with.</param>
/// <param name="Int8">Whether the file says that its tower is one of bytes.</param>
internal sealed record RecognisedTower(
    string Family,
    WeightSource Source,
    ImageTowerConfig Config,
    Func<Module, WeightMap> Names,
    Preprocessing Preprocessing,
    bool Int8 = false
)
{
    /// <summary>What was followed of the files that stand beside; null where the family has none.</summary>
    public SettingsReport? Settings { get; init; }

    public RecognisedTower WithoutHeads() =>
        this with
        {
            Config = Config with { Heads = [] },
            Names = tower => Names(tower).Without("heads.", "a head, which was not asked for"),
        };
}

/// <summary>An architecture as the loader knows it.</summary>
/// <param name="Kind">How specs call it: the <c>vit</c> of <c>vit:B/16</c>.</param>
/// <param name="Variants">Some of its variants, for messages.</param>
/// <param name="Named">A variant by its name, or null where it is only read from files.</param>
/// <param name="Preprocessing">What its towers take, by the side of the pictures.</param>
/// <param name="Recognise">The tower in a file, or null where the file is another's. The JSON is config.json where one
/// is beside.</param>
internal sealed record ImageTowerFamily(
    string Kind,
    string Variants,
    Func<string, ImageTowerOptions, ImageTowerConfig>? Named,
    Func<int, Preprocessing> Preprocessing,
    Func<Checkpoint, ImageTowerOptions, JsonElement?, RecognisedTower?> Recognise
);

/// <summary>
/// Where image towers come from: a file of any container, whose family is recognised from names and shapes, or a spec
/// of one from scratch such as <c>vit:B/32</c> or <c>cifar-resnet:20</c>.
/// </summary>
internal static class ImageTowerLoader
{
    // Asked in this order: the more particular names first.
    private static readonly ImageTowerFamily[] Families =
    [
        VisionTransformer.AsFamily,
        BigTransfer.AsFamily,
        GroupNormResNet.AsFamily,
        MlpMixer.AsFamily,
        DinoViT.AsFamily,
        HuggingFaceViT.AsFamily,
        ClipViT.AsFamily,
        ResNet.AsFamily,
        CifarResNet.AsFamily,
    ];

    private static readonly List<ITowerForm> Forms = [];

    /// <summary>
    /// Adds a form of towers that this room does not read itself, such as networks of another runtime.
    /// </summary>
    internal static void Register(ITowerForm form) => Forms.Add(form);

    /// <summary>
    /// The registered form that a file or folder is of; null for a checkpoint, and for what is not there.
    /// </summary>
    internal static ITowerForm? FormOf(string path) => Forms.FirstOrDefault(form => form.Is(path));

    /// <summary>The kinds of towers from scratch with some of their variants, as <c>kind:variant</c>.</summary>
    public static IReadOnlyList<string> SpecExamples =>
        [.. Families.Where(family => family.Named is not null).Select(family => $"{family.Kind}:{family.Variants}")];

    /// <summary>Whether a text is a spec of a tower from scratch (and not a path or a public name).</summary>
    public static bool IsSpec(string text) => FamilyOf(text) is not null;

    /// <summary>A spec with one more option behind it: "vit.npz" and "exif" give "vit.npz:exif".</summary>
    public static string With(string spec, string option) =>
        spec + (FamilyOf(spec) is not null || TowerPath.AtColon(spec).Options.Length > 0 ? "," : ":") + option;

    /// <summary>An image tower with all that belongs to it.</summary>
    /// <param name="spec">A path, with <c>:option,option</c> behind it where the file does not say enough; or a spec
    /// from scratch.</param>
    /// <param name="options">What is not given in the spec.</param>
    /// <exception cref="LitException">There is no such file, it is damaged, or it is no image tower; the message says
    /// what it looks like.</exception>
    /// <exception cref="UsageException">A variant or option that does not exist.</exception>
    public static LockedTower Load(string spec, ImageTowerOptions? options = null)
    {
        options ??= new ImageTowerOptions();
        if (FamilyOf(spec) is { } family)
            return FromScratch(spec, family, options);
        var (path, given) = TowerPath.Split(spec);
        if (!Path.Exists(path))
            throw TowerPath.Missing(path, "image tower", "vit:B/16 or cifar-resnet:20");
        if (FormOf(path) is { } form)
            return form.Load(path, given, spec, options);
        using var checkpoint = Checkpoint.Open(path);
        return Load(checkpoint, options.With(given, spec));
    }

    /// <summary>The image tower in an open checkpoint.</summary>
    /// <exception cref="LitException">It is no image tower; the message says what it looks like.</exception>
    public static LockedTower Load(Checkpoint checkpoint, ImageTowerOptions? options = null)
    {
        options ??= new ImageTowerOptions();
        var found = Recognised(checkpoint, options) ?? throw Unknown(checkpoint);
        if (!options.Heads)
            found = found.WithoutHeads();
        var tower = Built(found, checkpoint.Path);
        try
        {
            var names = found.Names(tower).Load(found.Source, tower);
            tower = Ended(tower, options.Layers, checkpoint.Path);
            var settings = found.Settings ?? PassedOver(checkpoint, found);
            return Finished(
                tower,
                found.Family,
                names,
                found.Preprocessing,
                options with
                {
                    Int8 = options.Int8 || found.Int8,
                }
            ) with
            {
                Settings = settings.Followed,
                Warnings = settings.Warnings,
            };
        }
        catch
        {
            tower.Dispose();
            throw;
        }
    }

    /// <summary>The image tower in a checkpoint, or null where it holds none that is known here.</summary>
    internal static RecognisedTower? Recognised(Checkpoint checkpoint, ImageTowerOptions options)
    {
        if (ImageTowerFile.Recognise(checkpoint) is { } own)
            return own;
        var config = HuggingFaceConfig.JsonBeside(checkpoint.Path);
        return Families
            .Select(family => family.Recognise(checkpoint, options, config))
            .FirstOrDefault(recognised => recognised is not null);
    }

    /// <summary>What a tower is, in words and numbers; one from scratch is not made for that, however large.</summary>
    /// <inheritdoc cref="Load(string, ImageTowerOptions?)"/>
    public static TowerDescription Describe(string spec)
    {
        if (FamilyOf(spec) is not { } family)
        {
            using var loaded = Load(spec);
            return loaded.Describe();
        }
        var config = ConfigOf(spec, family, new ImageTowerOptions()).Config;
        using var empty = Built(config, spec, new torch.Device(DeviceType.META));
        return new TowerDescription
        {
            Architecture = config.InWords,
            Family = "from scratch",
            ParameterCount = config.CountParameters(),
            Width = empty.Width,
            Heads = config.Heads,
            Preprocessing = Resized(
                family.Preprocessing(config.ImageSize),
                config.ImageSize,
                config.ImageHeight ?? config.ImageSize
            ).PreprocessingDescription,
        };
    }

    /// <summary>The sizes that a spec from scratch stands for.</summary>
    /// <exception cref="UsageException">It is no such spec, or there is no such variant.</exception>
    public static ImageTowerConfig ConfigOf(string spec) =>
        FamilyOf(spec) is { } family
            ? ConfigOf(spec, family, new ImageTowerOptions()).Config
            : throw new UsageException(
                $"'{spec}' is no image tower from scratch. Write for example "
                    + $"{string.Join(" or ", SpecExamples.Select(example => example.Split(',')[0]))}."
            );

    private static (ImageTowerConfig Config, ImageTowerOptions Options) ConfigOf(
        string spec,
        ImageTowerFamily family,
        ImageTowerOptions options
    )
    {
        var rest = spec[(family.Kind.Length + 1)..];
        var comma = rest.AsSpan().IndexOfAny(',', ':'); // a colon as behind a path: vit:B/16:int8
        options = options.With(comma < 0 ? "" : rest[(comma + 1)..], spec);
        try
        {
            var config = family.Named!(comma < 0 ? rest : rest[..comma], options);
            if (options.Layers is { } blocks)
                config = EndingAfter(config, blocks, spec);
            return (
                options.ImageSize is { } size
                    ? config with
                    {
                        ImageSize = size,
                        ImageHeight = options.ImageHeight == size ? null : options.ImageHeight,
                    }
                    : config,
                options
            );
        }
        catch (ArgumentException wrong)
        {
            throw new UsageException($"'{spec}': {wrong.Message.Split(" (Parameter", 2)[0]}");
        }
    }

    /// <summary>
    /// The sizes that a spec from scratch stands for, and what makes a picture that tower's input; no weights are made.
    /// </summary>
    /// <param name="spec">As in <c>vit:Ti/16</c> or <c>vit:Ti/8,size=32</c>.</param>
    /// <exception cref="UsageException">It is no such spec, or a variant or option that does not exist.</exception>
    public static (ImageTowerConfig Config, Preprocessing Preprocessing) FromScratch(string spec)
    {
        if (FamilyOf(spec) is not { } family)
            throw new UsageException(
                $"'{spec}': is no image tower from scratch. Write for example vit:Ti/16 or "
                    + "vit:Ti/8,size=32 for pictures of 32 pixels."
            );
        var (config, options) = ConfigOf(spec, family, new());
        using (Built(config, spec, new torch.Device(DeviceType.META))) { }
        return (config, PreprocessingOf(family.Preprocessing(config.ImageSize), options));
    }

    private static LockedTower FromScratch(string spec, ImageTowerFamily family, ImageTowerOptions options)
    {
        (var config, options) = ConfigOf(spec, family, options);
        using (Built(config, spec, new torch.Device(DeviceType.META))) { }
        return Finished(
            config.Create(options.Seed),
            "from scratch",
            null,
            family.Preprocessing(config.ImageSize),
            options
        );
    }

    // A tower of another depth is built beside the whole one, whose first blocks it takes over.
    private static ImageTower Ended(ImageTower tower, int? layers, string path)
    {
        if (layers is not { } blocks || tower.Config is not { } config || blocks == config.BlockCount)
            return tower;
        var ended = EndingAfter(config, blocks, path).Build();
        Layers.CopyWeights(tower, ended);
        tower.Dispose();
        return ended;
    }

    private static ImageTowerConfig EndingAfter(ImageTowerConfig config, int blocks, string spec)
    {
        var ended = config.EndingAfter(blocks)
            ?? throw new UsageException(
                $"'{spec}': layers={blocks} is for towers whose blocks all give one width. Leave it away."
            );
        Layers.CheckCount(blocks, config.BlockCount, spec);
        return ended;
    }

    // Tells sizes that cannot be before anything is allocated for them.
    private static ImageTower Built(ImageTowerConfig config, string spec, torch.Device device)
    {
        try
        {
            return config.Build(device);
        }
        catch (ArgumentException wrong)
        {
            throw new UsageException($"'{spec}': {wrong.Message.Split(" (Parameter", 2)[0]}");
        }
    }

    private static LockedTower Finished(
        ImageTower tower,
        string family,
        MatchedNames? names,
        Preprocessing preprocessing,
        ImageTowerOptions options
    )
    {
        preprocessing = PreprocessingOf(preprocessing, options);
        if (options.Int8 && options.Locked)
            return FinishedInt8(tower, family, names, preprocessing, options.Compute);
        var fingerprint = ImageTowerFile.Fingerprint(tower, preprocessing, int8: false);
        tower.to(options.Compute.Type).to(options.Compute.Device);
        if (options.Locked)
            tower.Lock();
        else
            tower.eval();
        return new LockedTower(tower, preprocessing, family, tower.Config!.InWords, names, fingerprint);
    }

    // The weights are hashed while bytes are made of them.
    private static LockedTower FinishedInt8(
        ImageTower tower,
        string family,
        MatchedNames? names,
        Preprocessing preprocessing,
        ComputeDevice compute
    )
    {
        if (Int8.WhyNot(tower, compute) is { } reason)
            throw Int8.CannotBe(reason);
        tower.to(compute.Type);
        var fingerprint = Task.Run(() => ImageTowerFile.Fingerprint(tower, preprocessing, int8: true));
        try
        {
            tower.Lock();
            tower.BecomeInt8(preprocessing, compute);
        }
        finally
        {
            Task.WaitAny(fingerprint);
        } // until then nobody may dispose of the tower
        return new LockedTower(
            tower,
            preprocessing,
            family,
            tower.Config!.InWords + ", int8",
            names,
            fingerprint.GetAwaiter().GetResult()
        );
    }

    /// <summary>A family's preprocessing, and what the options say otherwise.</summary>
    internal static Preprocessing PreprocessingOf(Preprocessing preprocessing, ImageTowerOptions options)
    {
        preprocessing = options.Preprocessing
            ?? (
                options.ImageSize is { } size
                    ? Resized(preprocessing, size, options.ImageHeight ?? size)
                    : preprocessing
            );
        if (options.Resize is { } method)
            preprocessing = preprocessing with { Method = method };
        return preprocessing with
        {
            HonourExif = preprocessing.HonourExif || options.HonourExif,
            Background = options.Background ?? preprocessing.Background,
        };
    }

    /// <summary>The same preprocessing for pictures of another size; the shorter side goes along.</summary>
    internal static Preprocessing Resized(Preprocessing preprocessing, int width, int height) =>
        (width, height) == (preprocessing.Width, preprocessing.Height)
            ? preprocessing
            : preprocessing with
            {
                Width = width,
                Height = height,
                ShorterSide = (int)
                    Math.Round(
                        (double)preprocessing.ShorterSide
                            * Math.Max(width, height)
                            / Math.Max(preprocessing.Width, preprocessing.Height)
                    ),
            };

    // Sizes from a file may be anything; what torch says to them is one line here.
    private static ImageTower Built(RecognisedTower found, string path)
    {
        try
        {
            found.Source.Believable(found.Config.BlockCount);
            using (var sizes = found.Config.Build(new torch.Device(DeviceType.META)))
            {
                var (wanted, there) = (
                    sizes.parameters().Sum(weight => weight.numel()),
                    found.Source.Tensors.Values.Sum(tensor => tensor.Count)
                );
                if (wanted / 2 > there)
                    throw new LitException(
                        path,
                        $"says that its image tower has {wanted} weights, and holds {there}",
                        "Check that the file is complete"
                    );
            }
            return found.Config.Build();
        }
        catch (Exception wrong)
            when (wrong is ArgumentException or ArithmeticException or System.Runtime.InteropServices.ExternalException)
        {
            throw new LitException(
                path,
                $"{wrong.Message.Split(" (Parameter", 2)[0].Split('\n')[0].TrimEnd('.')}",
                "Check where the file comes from",
                wrong
            );
        }
    }

    private static ImageTowerFamily? FamilyOf(string spec) =>
        File.Exists(spec) || Directory.Exists(spec)
            ? null
            : Families.FirstOrDefault(family =>
                family.Named is not null && spec.StartsWith(family.Kind + ":", StringComparison.Ordinal)
            );

    // Those of vit_jax and big_vision have no settings beside them.
    private static SettingsReport PassedOver(Checkpoint checkpoint, RecognisedTower found)
    {
        var report = new SettingsReport();
        var config = HuggingFaceConfig.Beside(checkpoint.Path);
        if (HuggingFaceConfig.Names(config))
            HuggingFaceConfig.PassOver(config, found.Family, report);
        ProcessorSettings.PassOver(checkpoint.Path, report);
        return report;
    }

    private static LitException Unknown(Checkpoint checkpoint)
    {
        var names = checkpoint.Tensors.Keys.Order(StringComparer.Ordinal).ToList();
        var like = OtherModels.Like(checkpoint, forPictures: true);
        return new LitException(
            $"{checkpoint.Path}: is no image tower that is known here. "
                + $"{OtherModels.Named(checkpoint, forPictures: true)}"
                + (
                    like is not null ? ""
                    : Likeness.Of(checkpoint) is { } family ? $"{family} "
                    : ""
                )
                + (
                    names.Count == 0
                        ? "It holds no tensors. "
                        : $"It holds {names.Count} tensors, such as {string.Join(", ", names.Take(4))}. "
                )
                + "Give a ViT, BiT, MLP-Mixer, ResNet, DINO or Hugging Face ViT checkpoint, or a file of this project."
        );
    }
}
