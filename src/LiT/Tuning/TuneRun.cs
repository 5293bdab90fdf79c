using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LiT.Evaluation;
using LiT.Pipeline;
using LiT.Stores;
using LiT.Text;
using LiT.Towers;
using TorchSharp;

namespace LiT.Tuning;

/// <summary>What a tuning run made.</summary>
/// <param name="Model">The bundle's folder.</param>
/// <param name="Outcome">The run's numbers.</param>
/// <param name="Options">The options it ran with.</param>
/// <param name="Pairs">Pictures with captions in one epoch.</param>
/// <param name="Captions">Captions, all of them.</param>
/// <param name="DistinctCaptions">Captions that differ.</param>
/// <param name="TruncatedShare">Share of the distinct captions that did not fit a row whole.</param>
public sealed record TuneResult(
    string Model, TuningOutcome Outcome, TuningOptions Options, int Pairs, int Captions, int DistinctCaptions, double TruncatedShare);

/// <summary>
/// A whole run of <c>lit tune</c>: the store (made first where pictures are given), a vocabulary, the text tower, tuning,
/// the bundle. The same request in the same folder goes on where it stopped.
/// </summary>
public static class TuneRun
{
    private const long MostWeightsInBundle = 25_000_000;
    private const int RowsForStatistics = 10_000, PicturesForStatistics = 512;

    /// <summary>A text tower from scratch that fits the data: what a small set says, a small tower can say.</summary>
    private static string DefaultTextTower(long pictures) => pictures switch
    {
        < 50_000 => "text:width=128,depth=2,heads=4",
        < 1_000_000 => "text:width=256,depth=4,heads=4",
        _ => "text:width=512,depth=12,heads=8",
    };

    /// <param name="request">What is wanted.</param>
    /// <param name="choose">The run's options, given the pairs, and a line of words for each choice.</param>
    /// <param name="say">Told what is done and chosen.</param>
    /// <param name="progress">Told of every step.</param>
    /// <param name="cancel">Stops with a checkpoint.</param>
    /// <exception cref="LitException">Data, tower or folder cannot be used; the message says why.</exception>
    public static TuneResult Run(TuneRequest request, Func<TuningPairs, TuningOptions> choose, Action<string> say,
        IProgress<ProgressStep>? progress = null, CancellationToken cancel = default)
    {
        CheckTowers(request);
        RunFolder.Check(request.Out);
        using var source = Source(request, say, progress, cancel);
        request = request with { TextTower = request.TextTower ?? DefaultTextTower(source.Images.Count) };
        var tokenizer = Tokenizer(request, source, say, cancel);
        TuningPairs pairs = new(source.Images, source.Captions, tokenizer, request.Seed);
        var options = choose(pairs);
        if (pairs.WithoutCaption > 0) say($"{pairs.WithoutCaption} of {source.Images.Count} pictures have no caption and are left out");
        var truncated = pairs.Counts.Captions == 0 ? 0 : pairs.Counts.Truncated / (double)pairs.Counts.Captions;
        say($"{pairs.Count} pairs, {pairs.DistinctTexts} distinct captions, {pairs.MeanLength:F1} ids on average, {100 * truncated:F1}% cut at {tokenizer.Layout.Length}");

        using var towers = Towers(request, options, source, tokenizer);
        CheckRules(towers, options.Optimizer);
        say($"text tower {request.TextTower}: {towers.Text.parameters().Sum(parameter => parameter.numel()):N0} weights, common size {towers.EmbeddingSize}");
        TuningTowers tuning = new(towers, request.Lock, options.Optimizer);
        say(InWords(tuning, request));
        var configuration = Configuration(request, options, source);
        RunFolder.CheckSame(request.Out, configuration);

        ContrastiveTuner tuner = new(tuning, pairs, options, request.Compute.Device)
        {
            Validation = Validation(request, source, towers, tokenizer, progress, cancel),
            Progress = progress,
            OnWarning = say,
            OnStart = step =>
            {
                RunFolder.Write(request.Out, configuration);
                if (step == options.Steps) say($"{request.Out}: all {step} steps are done already; nothing is tuned again");
                else if (step > 0) say($"going on from step {step}");
            },
        };
        var outcome = tuner.Run(request.Out, cancel);

        var model = Path.Combine(request.Out, "model");
        Save(model, request, options, outcome, towers, tokenizer, source, pairs);
        return new(model, outcome, options, pairs.Count, pairs.Captions, pairs.DistinctTexts, truncated);
    }

    /// <summary>Refuses what the setting's letters and the towers' names contradict, before anything is read.</summary>
    private static void CheckTowers(TuneRequest request)
    {
        var (setting, image, text) = (request.Lock, request.ImageTower, request.TextTower);
        if (text is not null && TextTowerSpec.Is(text) != (setting.Text == TowerStart.FromScratch))
            throw new UsageException(setting.Text == TowerStart.FromScratch
                ? $"--lock {setting}: trains the text tower from scratch, and {text} has weights. Give --lock {LockSetting.Of(setting.Image, TowerStart.Unlocked)}, or a tower from scratch such as text:width=256,depth=4,heads=4."
                : $"--lock {setting}: {text} is a text tower from scratch, and the setting wants a pre-trained one. Give --text-tower a file, or --lock {LockSetting.Of(setting.Image == TowerStart.FromScratch ? TowerStart.Unlocked : setting.Image, TowerStart.FromScratch)}.");
        if (setting.Text != TowerStart.FromScratch && text is null)
            throw new UsageException($"--lock {setting}: wants a pre-trained text tower. Name its file with --text-tower, or give --lock Lu.");
        if (!request.ReadsPixels) return;
        var why = setting.Image == TowerStart.Locked ? "--from-pixels" : $"--lock {setting}";
        if (EmbeddingStore.IsStore(request.Data))
            throw new UsageException($"{why}: the image tower reads pictures at every step, and {request.Data} is an embedding store. Give --data the pictures, or tune with --lock Lu.");
        if (image is null) throw new UsageException($"{why}: needs the image tower itself. Name it with --image-tower, a file or, from scratch, for example vit:Ti/16.");
        if (ImageTowerLoader.IsSpec(image) && setting.Image == TowerStart.Unlocked)
            throw new UsageException($"--lock {setting}: {image} is an image tower from scratch, and the setting wants a pre-trained one. Give a file, or --lock uu.");
        if (!ImageTowerLoader.IsSpec(image) && setting.Image == TowerStart.FromScratch)
            throw new UsageException($"--lock {setting}: trains the image tower from scratch, and {image} has weights. Give --lock U{setting.Letters[1]}, or a tower from scratch such as vit:Ti/16.");
        if (setting.Image != TowerStart.Locked && request.BundleTower == BundleTower.Never)
            throw new UsageException($"--bundle-tower never: with --lock {setting} the image tower is another one afterwards, which only the bundle holds. Leave the option out.");
    }

    /// <summary>A pattern that matches nothing is a mistake.</summary>
    private static void CheckRules(TwoTowers towers, OptimizerOptions options)
    {
        var names = towers.named_parameters().Select(one => one.name).ToList();
        var patterns = options.LearningRateRules.Select(rule => ("--lr-mult", rule.Pattern))
            .Concat(options.WeightDecayRules.Select(rule => ("--wd-mult", rule.Pattern))).Concat(options.UnlockRules.Select(rule => ("--unlock-after", rule.Pattern)));
        foreach (var (option, pattern) in patterns)
            if (!names.Exists(name => Regex.IsMatch(name, pattern, RegexOptions.CultureInvariant)))
                throw new UsageException($"{option} '{pattern}': no parameter has such a name. Names are like {string.Join(", ", names.GroupBy(name => name.Split('.')[0]).Select(side => side.First()))}.");
    }

    private static string InWords(TuningTowers tuning, TuneRequest request)
    {
        var all = tuning.Towers.parameters().Sum(parameter => parameter.numel());
        var moving = tuning.Parameters.Sum(parameter => parameter.Tensor.numel());
        return FormattableString.Invariant($"setting {request.Lock}: {moving:N0} weights are tuned, {all - moving:N0} of the model's are locked") + (request.ReadsPixels ? "" : ", and the image tower behind the store");
    }

    private static TuningSource Source(TuneRequest request, Action<string> say, IProgress<ProgressStep>? progress, CancellationToken cancel) =>
        request.ReadsPixels ? new PixelSource(request, request.ImageTower!, say, progress, cancel)
        : new StoredSource(request, EmbeddingStore.IsStore(request.Data) ? request.Data : Embed(request, say, progress, cancel), say);

    private static RetrievalValidation? Validation(TuneRequest request, TuningSource source, TwoTowers towers, CaptionTokenizer tokenizer,
        IProgress<ProgressStep>? progress, CancellationToken cancel)
    {
        if (request.Validation is not { } data) return null;
        var moving = request.Lock.Image != TowerStart.Locked;
        if (moving && EmbeddingStore.IsStore(data))
            throw new UsageException($"--val {data}: is an embedding store, and the image tower is tuned. Give the pictures.");
        var set = ImageSet.Load(data, new(source.Fingerprint, source.TowerName),
            () => source.Tower ?? throw new LitException($"{data}: pictures to validate on need the image tower. Name it with --image-tower, or give a store."),
            new ImageSetOptions(), request.Compute, progress, cancel);
        return new(towers, tokenizer, set, request.Compute, moving ? source.Tower : null);
    }

    private static string Embed(TuneRequest request, Action<string> say, IProgress<ProgressStep>? progress, CancellationToken cancel)
    {
        var source = LiT.Data.Samples.Open(request.Data, request.Samples);
        var spec = request.ImageTower ?? throw new UsageException($"--data {request.Data}: pictures have to be embedded first. Name the locked tower with --image-tower, or give an embedding store.");
        var folder = Path.Combine(request.Out, "store");
        using var tower = ImageTowerLoader.Load(spec, new ImageTowerOptions { Compute = request.Compute });
        say($"embedding {request.Data} with {spec} into {folder}");
        var result = EmbedRun.Run(tower, spec, source, folder, new EmbedOptions(), request.Compute, progress, cancel);
        if (result.Counts.Skipped > 0) say($"{result.Counts.Skipped} of {result.Counts.Found} samples were skipped; {Path.Combine(folder, "skipped.jsonl")} names each");
        return folder;
    }

    private static CaptionTokenizer Tokenizer(TuneRequest request, TuningSource source, Action<string> say, CancellationToken cancel)
    {
        if (request.Tokenizer is { } path) return CaptionTokenizer.LitBert(Tokenizers.Open(path), request.TokenLength ?? 16);
        var captions = Enumerable.Range(0, source.Images.Count).SelectMany(source.Captions);
        var made = WordPieceTrainer.Train(captions, new WordPieceTraining { Size = request.VocabularySize }, cancel);
        say($"made a vocabulary of {made.VocabularySize} pieces from the captions");
        return CaptionTokenizer.LitBert(made, request.TokenLength ?? 24);
    }

    private static TwoTowers Towers(TuneRequest request, TuningOptions options, TuningSource source, CaptionTokenizer tokenizer)
    {
        var spec = request.TextTower!;
        var tower = TextTowerSpec.Is(spec)
            ? TextTowerLoader.Create(spec, tokenizer.Tokenizer.VocabularySize, tokenizer.Layout.Length, request.Seed, tokenizer.Layout.Pad)
            : TextTowerLoader.Load(spec).Tower;
        if (tower.VocabularySize < tokenizer.Tokenizer.VocabularySize)
            throw new LitException($"{spec}: has {tower.VocabularySize} token rows and the tokenizer {tokenizer.Tokenizer.VocabularySize} pieces. Give the tower's own vocabulary with --tokenizer.");
        var size = request.ImageHead == HeadSpec.None ? source.Width : request.ImageHead.Size ?? request.TextHead.Size ?? source.Width;
        if ((request.TextHead == HeadSpec.None ? tower.Width : request.TextHead.Size ?? size) is var texts && texts != size)
            throw new UsageException($"--text-head {request.TextHead}: texts would have {texts} numbers and images {size}. Give both sides one size, for example --image-head {texts}.");
        TwoTowers towers = new(source.InModel, ImageHead(source, request, size), tower, request.TextHead.Create(tower.Width, size, request.Seed + 2),
            Math.Log(options.Temperature), options.Loss == ContrastiveLossKind.Sigmoid ? options.Bias : null);
        towers.to(request.Compute.Device);
        return towers;
    }

    /// <summary>A head that sees the tower's representations centred and of equal spread.</summary>
    private static Head? ImageHead(TuningSource source, TuneRequest request, int size)
    {
        if (request.ImageHead == HeadSpec.None) return null;
        using var scope = torch.NewDisposeScope();
        var x = source.Some(request.ReadsPixels ? PicturesForStatistics : RowsForStatistics).ToTensor().to(torch.ScalarType.Float64);
        var mean = x.mean([0]);
        var deviation = (x - mean).square().mean([0]).sqrt();
        var head = request.ImageHead.Create(source.Width, size, request.Seed + 1, standardises: true)!;
        head.Standardise(mean.to(torch.ScalarType.Float32), deviation.to(torch.ScalarType.Float32));
        return head;
    }

    private static JsonObject Configuration(TuneRequest request, TuningOptions options, TuningSource source) => new()
    {
        ["data"] = request.Data,
        ["store"] = source.Store,
        ["imageTower"] = source.TowerName,
        ["fingerprint"] = source.Fingerprint,
        ["textTower"] = request.TextTower,
        ["tokenizer"] = request.Tokenizer,
        ["vocabularySize"] = request.VocabularySize,
        ["tokenLength"] = request.TokenLength,
        ["lock"] = request.Lock.Letters,
        ["imageHead"] = request.ImageHead.ToString(),
        ["textHead"] = request.TextHead.ToString(),
        ["augmentation"] = request.ReadsPixels ? JsonSerializer.SerializeToNode(request.Augmentation, TuningOptions.Json) : null,
        ["validation"] = request.Validation,
        ["seed"] = request.Seed,
        ["options"] = JsonSerializer.SerializeToNode(options, TuningOptions.Json),
    };

    private static void Save(string folder, TuneRequest request, TuningOptions options, TuningOutcome outcome, TwoTowers towers,
        CaptionTokenizer tokenizer, TuningSource source, TuningPairs pairs)
    {
        var moved = request.Lock.Image != TowerStart.Locked;
        var tower = source.Tower;
        var into = request.BundleTower switch
        {
            _ when moved => tower,
            BundleTower.Always => tower ?? throw new LitException("--bundle-tower always: the image tower is not at hand. Name it with --image-tower."),
            BundleTower.Never => null,
            _ => tower?.ParameterCount <= MostWeightsInBundle ? tower : null,
        };
        ImageSideDescription side = new(source.TowerName, tower?.Architecture ?? "", moved ? ImageTowerFile.Fingerprint(tower!.Tower, source.Preprocessing) : source.Fingerprint,
            source.Width, source.Preprocessing, null, null);
        LitModel.Save(folder, towers, tokenizer, side, into, description => description with
        {
            Lock = request.Lock.Letters,
            Training = new JsonObject
            {
                ["data"] = request.Data,
                ["pairs"] = pairs.Count,
                ["captions"] = pairs.Captions,
                ["steps"] = outcome.ResultStep,
                ["loss"] = JsonSerializer.SerializeToNode(options.Loss, TuningOptions.Json),
                ["seed"] = request.Seed,
                ["options"] = JsonSerializer.SerializeToNode(options, TuningOptions.Json),
            },
        });
    }
}
