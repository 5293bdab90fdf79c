using LiT.Data;
using LiT.Embedding;
using LiT.Stores;
using LiT.Text;
using LiT.Towers;
using LiT.Tuning.Contrastive;

namespace LiT.Tuning.Runs;

/// <summary>
/// A run whose data are open and whose options are decided; nothing has been trained. Not safe for several threads.
/// </summary>
internal sealed class PreparedRun : IDisposable
{
    private const int PicturesLookedAt = 10_000;

    private PreparedRun(
        TuneRequest request,
        TuningSource source,
        IReadOnlySet<int> held,
        Func<int, IReadOnlyList<string>> captionsOf,
        CaptionTokenizer tokenizer,
        TuningPairs pairs,
        StoredTexts? texts,
        bool usually
    )
    {
        Texts = texts;
        (Request, Source, Held, CaptionsOf, Tokenizer, Pairs) = (request, source, held, captionsOf, tokenizer, pairs);
        Chosen = TuningDefaults.Resolve(
            request.Settings,
            request.Recipe,
            request.Lock,
            pairs,
            request.Samples.CaptionLanguage?.Split(',').Length ?? 1
        );
        if (texts is not null || request.EmbedsTexts)
            Chosen = Chosen.ForStoredTexts(request.Settings, request.Recipe);
        if (request.Lock.Text == TowerStart.FromScratch && request.Teacher is null)
            Chosen = Chosen.ForCaptions(request.Settings, request.Recipe, SomeCaptions());
        if (request.Lock == LockSetting.LL && request.ImageHead != HeadSpec.None)
            Chosen = Chosen.ForHeadsOfFewPairs(request.Settings, request.Recipe, pairs.Count);
        if (usually && held.Count > 0)
            Chosen = Chosen with { Reasons = [.. Chosen.Reasons, HeldOut.Reason(held.Count)] };
    }

    private IEnumerable<string> SomeCaptions()
    {
        long count = Source.Images.Count,
            some = Math.Min(count, PicturesLookedAt);
        for (var i = 0L; i < some; i++)
            foreach (var caption in CaptionsOf((int)(i * count / some)))
                yield return caption;
    }

    /// <summary>The same with the share that is held out decided.</summary>
    private static TuneRequest Decided(TuneRequest request, TuningSource source)
    {
        if (request.HoldOut is not null)
            return request;
        var (count, most) = (source.Images.Count, request.Pictures ?? int.MaxValue);
        var usual =
            request.Validation is null && Math.Min(count, most) >= HeldOut.FewestPictures
                ? HeldOut.Usual(
                    Math.Min(most, Enumerable.Range(0, count).Count(image => source.Captions(image).Count > 0))
                )
                : 0;
        return request with { HoldOut = usual };
    }

    /// <summary>What was asked, with the text tower decided.</summary>
    public TuneRequest Request { get; }

    /// <summary>The image side.</summary>
    public TuningSource Source { get; }

    /// <summary>The text side, where its rows are stored.</summary>
    public StoredTexts? Texts { get; }

    /// <summary>Images that are validated on.</summary>
    public IReadOnlySet<int> Held { get; }

    /// <summary>Every caption that is tuned on.</summary>
    public IEnumerable<string> Captions => Enumerable.Range(0, Source.Images.Count).SelectMany(CaptionsOf);

    /// <summary>Those of a picture.</summary>
    public Func<int, IReadOnlyList<string>> CaptionsOf { get; }

    /// <summary>What makes rows of ids.</summary>
    public CaptionTokenizer Tokenizer { get; }

    /// <summary>What is tuned on.</summary>
    public TuningPairs Pairs { get; }

    /// <summary>All options, with reasons.</summary>
    public TuningDefaults Chosen { get; }

    /// <summary>All options.</summary>
    public TuningOptions Options => Chosen.Options;

    /// <summary>Share of the distinct captions that do not fit a row whole, 0 to 1.</summary>
    public double TruncatedShare =>
        Pairs.Counts.Captions == 0 ? 0 : Pairs.Counts.Truncated / (double)Pairs.Counts.Captions;

    /// <summary>
    /// Opens the data, embeds pictures where that is asked for, makes a vocabulary, decides the options.
    /// </summary>
    /// <param name="request">What is wanted.</param>
    /// <param name="say">Told what is done.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="LitException">Data or towers cannot be used, or contradict the setting.</exception>
    public static PreparedRun Open(
        TuneRequest request,
        Action<string> say,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        request = request with { TextTower = request.TextInit ?? request.TextTower };
        RunChecks.Texts(request);
        if (request.Texts is null)
            RunChecks.Towers(request); // before any caption is embedded
        var texts = request.Texts is { } stored
            ? new StoredTexts(stored, request.TextTower, request.Tokenizer, request.Compute, say)
            : EmbedTexts(request, say, progress, cancel);
        try
        {
            return Open(request, texts, say, progress, cancel);
        }
        catch
        {
            texts?.Dispose();
            throw;
        }
    }

    private static PreparedRun Open(
        TuneRequest request,
        StoredTexts? texts,
        Action<string> say,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        if (texts is not null)
            request = request with { TextTower = request.TextTower ?? texts.Locked.Name };
        RunChecks.Towers(request);
        if (request.TextTower is { } from)
            request = request with { TextTower = LitModel.TextFileOf(from) ?? from };
        if (request.ImageTower is { } tower)
            request = request with { ImageTower = LitModel.ImageTowerOf(tower) };
        RunChecks.Captions(request);
        var source = OpenSource(request, texts, say, progress, cancel);
        try
        {
            var count = source.Images.Count;
            request = request with { TextTower = request.TextTower ?? DefaultTextTower(count) };
            var usually = request.HoldOut is null;
            request = Decided(request, source);
            var held = HeldOut.Of(count, request.HoldOut!.Value);
            IReadOnlyList<string> CaptionsOf(int image) =>
                held.Contains(image) || !Taken(image, count, request.Pictures) ? [] : source.Captions(image);
            var captions = Enumerable.Range(0, count).SelectMany(CaptionsOf);
            if (held.Count > 0 && !captions.Any() && held.Any(image => source.Captions(image).Count > 0))
                throw SettingException.Of<TuneRequest>(
                    asked => asked.HoldOut,
                    request.HoldOut,
                    $"every picture that has a caption is held out ({held.Count} of {count} pictures), "
                        + "and none is left to tune on",
                    "Give a smaller share, or more pictures with captions"
                );
            var tokenizer = texts?.Tokenizer ?? TuningTokenizer.Open(request, captions, say, cancel);
            TuningPairs pairs = new(source.Images, CaptionsOf, tokenizer, request.Seed);
            if (request.Teacher is { } teacher)
                pairs = teacher.Teach(pairs, source, say);
            var few = request.Pictures < count;
            if (pairs.Count < 2)
                throw new LitException(
                    request.Data,
                    "one picture with a caption is left to tune on"
                        + (held.Count > 0 ? $" ({held.Count} of {count} are held out, as `HoldOut` says)" : "")
                        + (few ? $" (of {count}, `Pictures` takes {request.Pictures})" : "")
                        + ", and a pair needs another to be told from",
                    held.Count > 0 ? "Give more pictures with captions, or leave `HoldOut` out"
                        : few ? "Give a larger number, or leave `Pictures` out"
                        : "Give at least two pictures with captions"
                );
            return new(request, source, held, CaptionsOf, tokenizer, pairs, texts, usually);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Says what was chosen and what the data are.</summary>
    public void Tell(Action<string> say)
    {
        foreach (var reason in Chosen.Reasons)
            say(reason.Words);
        if (Held.Count > 0)
            say(
                Held.Count == 1
                    ? $"1 of {Source.Images.Count} pictures is held out to validate on: "
                        + "among one picture every answer is right"
                    : $"{Held.Count} of {Source.Images.Count} pictures are held out to validate on"
                        + (
                            Options.KeepBest == TuningOptions.LastWeights
                                ? ""
                                : ", and the weights that do best there are the result, the last ones where they "
                                    + "are as good (`KeepBest`)"
                        )
            );
        if (Request.Pictures is { } most && most < Source.Images.Count)
            say($"at most {most} of {Source.Images.Count} pictures are tuned on");
        else if (Pairs.WithoutCaption > Held.Count)
            say(
                $"{Pairs.WithoutCaption - Held.Count} of {Source.Images.Count} pictures have no "
                    + "caption and are left out"
            );
        if (Texts is not null)
            say($"{Pairs.Count} pairs, {Pairs.DistinctTexts} distinct captions, a stored row each");
        else
            say(
                $"{Pairs.Count} pairs, {Pairs.DistinctTexts} distinct captions, {Pairs.MeanLength:F1} ids "
                    + $"on average, {100 * TruncatedShare:F1}% cut at {Tokenizer.Layout.Length}"
            );
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Source.Dispose();
        Texts?.Dispose();
    }

    /// <summary>A text tower from scratch that fits the data: what a small set says, a small tower can say.</summary>
    private static string DefaultTextTower(long pictures) =>
        pictures switch
        {
            < 50_000 => "text:width=128,depth=2,heads=4",
            < 1_000_000 => "text:width=256,depth=4,heads=4",
            _ => "text:width=512,depth=12,heads=8",
        };

    private static TuningSource OpenSource(
        TuneRequest request,
        StoredTexts? texts,
        Action<string> say,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    ) =>
        request.ReadsPixels
            ? new PixelSource(request, request.ImageTower!, say, progress, cancel)
            : new StoredSource(
                request,
                EmbeddingStore.IsStore(request.Data) ? request.Data : Embed(request, say, progress, cancel),
                say,
                texts
            );

    /// <summary>Whether an image is among so many that are spread evenly.</summary>
    private static bool Taken(long image, long count, int? most) =>
        most is not { } number || number >= count || (image + 1) * number / count > image * number / count;

    /// <summary>
    /// Says what a source holds before its pictures are embedded or decoded, and refuses one without captions.
    /// </summary>
    internal static void CheckWords(
        SampleSource source,
        TuneRequest request,
        Action<string> say,
        CancellationToken cancel
    )
    {
        var glance = SourceGlance.Of(source, cancel);
        say(glance.InWords());
        if (glance.WhyNoCaptions(request.Samples.CaptionColumn) is not { } why)
            return;
        if (glance.Whole)
            throw new LitException(why);
        say($"warning: {why}");
    }

    /// <summary>
    /// Puts the captions through a locked text tower once, beside the run, as pictures are put through theirs; null
    /// where the tower reads them at every step. One process does it for all.
    /// </summary>
    private static StoredTexts? EmbedTexts(
        TuneRequest request,
        Action<string> say,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        if (!request.EmbedsTexts || request.Out.Length == 0)
            return null;
        var folder = Path.Combine(request.Out, RunFolder.Texts);
        var tower = TextTowers.Load(request.TextTower!, request.Tokenizer, request.TokenLength, request.Compute, say);
        try
        {
            say($"both towers are locked: each caption goes through {request.TextTower} once, into {folder}");
            if (request.IsFirst)
                TextRun.Run(
                    tower,
                    Samples.Open(request.Data, request.Samples),
                    folder,
                    new()
                    {
                        Type = StoredType.Float32,
                        Update = true,
                        Tokenizer = request.Tokenizer,
                        TokenLength = request.TokenLength,
                        Samples = request.Samples,
                    },
                    request.Compute,
                    progress,
                    cancel
                );
            request.Exchange.Any(false, patient: true); // the texts are whole when the first has embedded them
            return new(folder, tower, request.Compute);
        }
        catch
        {
            tower.Dispose();
            throw;
        }
    }

    private static string Embed(
        TuneRequest request,
        Action<string> say,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var source = Samples.Open(request.Data, request.Samples);
        CheckWords(source, request, say, cancel);
        var spec = request.ImageTower
            ?? throw new UsageException(
                $"`Data` {request.Data}: pictures have to be embedded first. Name the locked tower "
                    + "with `ImageTower`, or give an embedding store."
            );
        var folder = Path.Combine(request.Out, "store");
        using var tower = ImageTowerLoader.Load(spec, new ImageTowerOptions { Compute = request.Compute });
        foreach (var remark in tower.Remarks)
            say(remark);
        say($"embedding {request.Data} with {spec} into {folder}");
        var exchange = request.Exchange;
        EmbedOptions options = new()
        {
            Part = exchange.Processes == 1 ? StorePart.Whole : new(exchange.Place + 1, exchange.Processes),
        };
        var result = EmbedRun.Run(tower, spec, source, folder, options, request.Compute, progress, cancel);
        exchange.Any(false, patient: true); // the store is whole when the last has made its part
        if (result.Counts.Skipped > 0)
            say(
                $"{result.Counts.Skipped} of {result.Counts.Found} samples were skipped; "
                    + $"{Path.Combine(folder, "skipped.jsonl")} names each"
            );
        return folder;
    }
}
