using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;
using LiT.Bundles;
using LiT.Classification;
using LiT.Compute;
using LiT.Data;
using LiT.Files;
using LiT.Stores;
using LiT.Towers;
using LiT.Tuning.Contrastive;

namespace LiT.Tuning.Runs;

/// <summary>A further text tower for a model's pictures.</summary>
internal sealed record LanguageRequest
{
    /// <summary>The model that gets it: a bundle's folder, or a run's.</summary>
    public required string Model { get; init; }

    /// <summary>
    /// The language, as a code; several, with commas between them, for one text tower that speaks them all, or
    /// <see cref="LanguageRun.All"/> for those that <see cref="Captions"/> have.
    /// </summary>
    public required string Language { get; init; }

    /// <summary>A model whose text tower was tuned to the same image tower; null where one is tuned now.</summary>
    public string? TextTower { get; init; }

    /// <summary>The captions in the language, by key.</summary>
    public string? Captions { get; init; }

    /// <summary>The store whose pictures the captions describe; null where no picture is asked.</summary>
    public string? Data { get; init; }

    /// <summary>Captions that the model's own text tower reads, by the same keys; null for none.</summary>
    public string? Aligned { get; init; }

    /// <summary>The run's folder; null keeps it inside the model until it is done.</summary>
    public string? Out { get; init; }

    /// <summary>What is decided of the run's options.</summary>
    public TuningSettings Settings { get; init; } = new();

    /// <summary>Whether a text tower of the same language gives way.</summary>
    public bool Replace { get; init; }

    /// <summary>Seed of the run.</summary>
    public int Seed { get; init; }

    /// <summary>Where to compute.</summary>
    public ComputeDevice Compute { get; init; } = ComputeDevice.Cpu;
}

/// <summary>What was added.</summary>
/// <param name="Model">The bundle.</param>
/// <param name="Language">The language, or several with commas between them.</param>
/// <param name="Folder">Where the text side is.</param>
/// <param name="Pairs">Captioned pictures, or aligned captions, that it was tuned on; null where it came ready.</param>
/// <param name="Seconds">Seconds of tuning; null where it came ready.</param>
internal sealed record LanguageAdded(string Model, string Language, string Folder, int? Pairs, double? Seconds);

/// <summary>
/// Gives a model a text tower for another language, or for several, over the same locked image tower: one that is there
/// already, one tuned on captions of stored pictures, one tuned to give what the model's own text tower gives for the
/// aligned captions (Multilingual-CLIP, LREC 2022), where not one picture is asked, or one tuned on both at once. Rows
/// are read, none is computed or written.
/// </summary>
internal static class LanguageRun
{
    /// <summary>Every language of the captions but the model's own.</summary>
    public const string All = "all";

    /// <param name="request">What is wanted.</param>
    /// <param name="happened">Told of the tuning.</param>
    /// <param name="cancel">Stops with a checkpoint; the same request goes on.</param>
    /// <exception cref="LitException">The model, captions or store cannot be used, or do not fit.</exception>
    public static LanguageAdded Run(
        LanguageRequest request,
        Action<TuningEvent> happened,
        CancellationToken cancel = default
    )
    {
        var bundle = LitModel.BundleIn(request.Model)
            ?? throw new LitException(
                request.Model,
                "no bundle is there, and only a bundle holds several text towers",
                "Give the folder that was tuned or converted"
            );
        var own = ModelDescription.Read(bundle);
        request = request with { Language = string.Join(',', Codes(request, own.Language)) };
        var name = NameOf(request);
        var place = BundleLanguages.PlaceFor(bundle, own.Language, name, request.Replace);
        if (TaughtVectors.InWords(place) is { } lost)
            happened(
                new TuningNote(
                    $"warning: the text tower for '{name}' that is replaced had been taught {lost}, which goes with it"
                )
            );
        if (request.TextTower is { } ready)
            return Ready(request, bundle, own, ready);
        var folder = request.Out ?? Path.Combine(bundle, BundleLanguages.FolderName, $".{name}.run");
        var added = request.Data is null
            ? FromTexts(request, bundle, folder, happened, cancel)
            : FromPictures(request, bundle, own, folder, happened, cancel);
        if (request.Out is null)
            Directory.Delete(folder, recursive: true);
        return added;
    }

    /// <summary>The codes that are asked for; the model's own text tower goes on speaking its language.</summary>
    private static string[] Codes(LanguageRequest request, string? own)
    {
        var all = request.Language == All;
        string[] codes =
            all && request.Captions is { } file
                ?
                [
                    .. GivenCaptions
                        .Read(file)
                        .Languages.Where(code => !code.Equals(own, StringComparison.OrdinalIgnoreCase)),
                ]
                :
                [
                    .. request
                        .Language.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                        .Distinct(StringComparer.OrdinalIgnoreCase),
                ];
        if (codes.Length == 0)
            throw all
                ? new LitException(
                    request.Captions!,
                    "does not say which language a caption is in"
                        + (own is null ? "" : $", or all are in {own}, which the model's own text tower speaks"),
                    "Write the column 'language', or give the code"
                )
                : new UsageException($"'{request.Language}': no code of a language. Give one such as de or pt-BR.");
        foreach (var code in codes)
        {
            BundleLanguages.CheckCode(code);
            if (code.Equals(own, StringComparison.OrdinalIgnoreCase))
                throw new LitException(request.Model, $"its own text tower speaks {own}", "Give another code");
        }
        return codes;
    }

    private static string NameOf(LanguageRequest request) =>
        request.Language.Contains(',', StringComparison.Ordinal) ? BundleLanguages.Several : request.Language;

    private static LanguageAdded Ready(LanguageRequest request, string bundle, ModelDescription own, string ready)
    {
        using var model = LitModel.Load(ready, ComputeDevice.Cpu);
        if (model.Description.Image.Fingerprint != own.Image.Fingerprint)
            throw new LitException(
                ready,
                $"its text tower was tuned to another image tower ({model.Description.Image.Tower}, fingerprint "
                    + $"{model.Description.Image.Fingerprint[..12]}) than {bundle}'s ({own.Image.Fingerprint[..12]})",
                "Tune it to rows of the same tower"
            );
        return new(bundle, request.Language, Saved(request, bundle, model, model.Towers), null, null);
    }

    private static LanguageAdded FromPictures(
        LanguageRequest request,
        string bundle,
        ModelDescription own,
        string folder,
        Action<TuningEvent> happened,
        CancellationToken cancel
    )
    {
        using (var store = EmbeddingStore.Open(request.Data!, wordsLater: true))
            StoreFit.Check(store, own.Image.Expected);
        var asked = Tuning(request, request.Data!, folder, request.Captions);
        if (own.Image.Head is { } head)
            asked = ThroughTheModelsHead(asked, bundle, head.Outputs, own.Temperature);
        if (request.Aligned is not null)
            asked = asked with { Teacher = Teacher(request, bundle, cancel) };
        var result = TuneRun.Run(asked, happened, cancel);
        using var model = LitModel.Load(result.Model, ComputeDevice.Cpu);
        return Done(request, bundle, Saved(request, bundle, model, model.Towers), result);
    }

    /// <summary>
    /// The pictures as the model itself sees them, through its image head as it is: all its languages read one row. The
    /// head was made for the temperature that it was tuned with, and captions are told apart no more sharply than that.
    /// </summary>
    private static TuneRequest ThroughTheModelsHead(TuneRequest asked, string bundle, int size, double temperature) =>
        asked with
        {
            ImageHead = new(size),
            ImageHeadOf = bundle,
            Settings = asked.Settings with
            {
                LearningRateRules = [new(@"^imageHead\.", 0)],
                Temperature = Math.Min(new TuningOptions().Temperature, temperature),
                LowestTemperature = Math.Min(1, temperature),
                HighestTemperature = temperature,
            },
        };

    private static LanguageAdded FromTexts(
        LanguageRequest request,
        string bundle,
        string folder,
        Action<TuningEvent> happened,
        CancellationToken cancel
    )
    {
        using var teacher = LitModel.Load(bundle, request.Compute);
        var rows = Path.Combine(bundle, BundleLanguages.FolderName, $".{NameOf(request)}.teacher");
        WriteTeacher(request, teacher, rows, cancel);
        var asked = Tuning(request, rows, folder, null);
        asked = asked with { Settings = asked.Settings with { Loss = ContrastiveLossKind.Cosine } };
        var result = TuneRun.Run(asked, happened, cancel);
        using var student = LitModel.Load(result.Model, ComputeDevice.Cpu);
        // What similarities mean stays the teacher's: its rows stood where pictures will.
        TwoTowers towers = new(
            null,
            teacher.Towers.ImageHead,
            student.Towers.Text,
            student.Towers.TextHead,
            Math.Log(teacher.Description.Temperature),
            teacher.Description.Bias
        );
        var place = Saved(request, bundle, student, towers);
        Directory.Delete(rows, recursive: true);
        return Done(request, bundle, place, result);
    }

    /// <summary>
    /// For each key the row that the model's own text tower gives for its aligned captions, their mean.
    /// </summary>
    private static TextTeacher Teacher(LanguageRequest request, string bundle, CancellationToken cancel)
    {
        using var teacher = LitModel.Load(bundle, request.Compute);
        var aligned = GivenCaptions.Read(request.Aligned!, teacher.Language);
        string[] keys = [.. aligned.Keys];
        IReadOnlyList<string>[] texts = [.. keys.Select(aligned.Of)];
        var given = teacher.EmbedTexts([.. texts.SelectMany(own => own)], null, cancel);
        Dictionary<string, float[]> rows = new(StringComparer.Ordinal);
        var next = 0;
        for (var i = 0; i < keys.Length; i++)
        {
            var mean = new float[given.Size];
            foreach (var _ in texts[i])
                TensorPrimitives.Add(mean, given[next++], mean);
            TensorPrimitives.Divide(mean, TensorPrimitives.Norm<float>(mean), mean);
            rows.Add(keys[i], mean);
        }
        return new(request.Aligned!, rows, given.Size);
    }

    /// <summary>Rows of the model's own text tower, each with the captions that are to give it.</summary>
    private static void WriteTeacher(LanguageRequest request, LitModel teacher, string folder, CancellationToken cancel)
    {
        var (words, aligned) = (
            GivenCaptions.Read(request.Captions!, request.Language),
            GivenCaptions.Read(request.Aligned!, teacher.Language)
        );
        List<(string Aligned, IReadOnlyList<string> Words)> pairs = [];
        foreach (var key in words.Keys)
        foreach (var text in aligned.Of(key))
            pairs.Add((text, words.Of(key)));
        if (pairs.Count == 0)
            throw new LitException(
                request.Captions!,
                $"no key of it is in {request.Aligned}: '{words.Keys.First()}' is one, and there one is "
                    + $"'{aligned.Keys.First()}'",
                "Give two files with the same keys"
            );
        var rows = teacher.EmbedTexts([.. pairs.Select(pair => pair.Aligned)], null, cancel);
        Directory.CreateDirectory(Path.Combine(folder, "img_emb"));
        AtomicFile.Write(Path.Combine(folder, "img_emb", "img_emb_0000.npy"), file =>
        {
            file.Write(NpyFile.Head(StoredType.Float32, rows.Count, rows.Size));
            file.Write(MemoryMarshal.AsBytes(rows.Values.AsSpan()));
        });
        AtomicFile.WriteAllText(
            Path.Combine(folder, "captions.json"),
            JsonSerializer.Serialize(pairs.Select(pair => pair.Words))
        );
    }

    private static TuneRequest Tuning(LanguageRequest request, string data, string folder, string? captions) =>
        new()
        {
            Data = data,
            Samples = new() { Captions = captions, CaptionLanguage = request.Language },
            Out = folder,
            Settings = request.Settings,
            BundleTower = BundleTower.Never,
            Seed = request.Seed,
            Compute = request.Compute,
        };

    private static string Saved(LanguageRequest request, string bundle, LitModel from, TwoTowers towers) =>
        LitModel.SaveLanguage(
            bundle,
            request.Language.Split(','),
            towers,
            from.Tokenizer,
            made =>
                made with
                {
                    Lock = from.Description.Lock,
                    Licences = from.Description.Licences,
                    Training = from.Description.Training,
                },
            from.Folder is { } folder ? SeenWords.Load(folder) : null,
            request.TextTower is not null && from.Folder is { } calibrated ? Background.Load(calibrated) : null,
            request.TextTower is null ? null : from.Taught,
            request.Replace
        );

    private static LanguageAdded Done(LanguageRequest request, string bundle, string place, TuneResult result) =>
        new(bundle, request.Language, place, result.Pairs, result.Outcome.Last.Seconds);
}
