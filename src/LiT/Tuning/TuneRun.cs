using System.Text.Json;
using System.Text.Json.Nodes;
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
    private const long RowsForStatistics = 10_000;

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
        if (request.Lock.Image != TowerStart.Locked)
            throw new UsageException($"--lock {request.Lock}: this version tunes on embedded pictures, so the image tower stays locked. Give Lu, LU or LL.");
        RunFolder.Check(request.Out);
        using var store = EmbeddingStore.Open(EmbeddingStore.IsStore(request.Data) ? request.Data : Embed(request, say, progress, cancel));
        using var locked = Tower(request, store, say);
        var fingerprint = store.Fingerprint ?? locked?.Fingerprint
            ?? throw new LitException($"{store.Folder}: the store does not say which tower made it. Name the tower with --image-tower.");
        if (locked is not null) StoreFit.Check(store, new(locked.Fingerprint, request.ImageTower ?? store.Description?.Tower ?? locked.Architecture));

        request = request with { TextTower = request.TextTower ?? DefaultTextTower(store.Rows / store.Views) };
        StoredImages images = new(store, (ulong)request.Seed, ownLength: request.ImageHead is not null);
        var tokenizer = Tokenizer(request, images, say, cancel);
        TuningPairs pairs = new(images, images.Captions, tokenizer, request.Seed);
        var options = choose(pairs);
        if (pairs.WithoutCaption > 0) say($"{pairs.WithoutCaption} of {images.Count} pictures have no caption and are left out");
        var truncated = pairs.Counts.Captions == 0 ? 0 : pairs.Counts.Truncated / (double)pairs.Counts.Captions;
        say($"{pairs.Count} pairs, {pairs.DistinctTexts} distinct captions, {pairs.MeanLength:F1} ids on average, {100 * truncated:F1}% cut at {tokenizer.Layout.Length}");

        using var towers = Towers(request, store, tokenizer);
        say($"text tower {request.TextTower}: {towers.Text.parameters().Sum(parameter => parameter.numel()):N0} weights, common size {towers.EmbeddingSize}");
        var configuration = Configuration(request, options, store, fingerprint);
        RunFolder.CheckSame(request.Out, configuration);

        var validation = request.Validation is null ? null : new RetrievalValidation(towers, tokenizer, ImageSet.Load(request.Validation, new(fingerprint, request.ImageTower ?? store.Description?.Tower ?? "another tower"),
            () => locked ?? throw new LitException($"{request.Validation}: pictures to validate on need the image tower. Name it with --image-tower, or give a store."),
            new ImageSetOptions(), request.Compute, progress, cancel), request.Compute);
        ContrastiveTuner tuner = new(new TuningTowers(towers, tuneImage: false, tuneText: request.Lock.Text != TowerStart.Locked, options.Optimizer), pairs, options, request.Compute.Device)
        {
            Validation = validation,
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
        Save(model, request, options, outcome, towers, tokenizer, store, locked, fingerprint, pairs);
        return new(model, outcome, options, pairs.Count, pairs.Captions, pairs.DistinctTexts, truncated);
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

    /// <summary>The store's tower, if it is at hand: it goes into the bundle and embeds validation pictures.</summary>
    private static LockedTower? Tower(TuneRequest request, EmbeddingStore store, Action<string> say)
    {
        var spec = request.ImageTower ?? store.Description?.Tower;
        if (spec is null) return null;
        if (request.ImageTower is null && !Path.Exists(spec) && !ImageTowerLoader.IsSpec(spec))
        {
            say($"the store's tower, {spec}, is not at hand; the bundle will name it by its fingerprint only");
            return null;
        }
        return ImageTowerLoader.Load(spec, new ImageTowerOptions { Compute = request.Compute });
    }

    private static CaptionTokenizer Tokenizer(TuneRequest request, StoredImages images, Action<string> say, CancellationToken cancel)
    {
        if (request.Tokenizer is { } path) return CaptionTokenizer.LitBert(Tokenizers.Open(path), request.TokenLength ?? 16);
        var captions = Enumerable.Range(0, images.Count).SelectMany(images.Captions);
        var made = WordPieceTrainer.Train(captions, new WordPieceTraining { Size = request.VocabularySize }, cancel);
        say($"made a vocabulary of {made.VocabularySize} pieces from the captions");
        return CaptionTokenizer.LitBert(made, request.TokenLength ?? 24);
    }

    private static TwoTowers Towers(TuneRequest request, EmbeddingStore store, CaptionTokenizer tokenizer)
    {
        var spec = request.TextTower!;
        if (TextTowerSpec.Is(spec) && request.Lock.Text != TowerStart.FromScratch)
            throw new UsageException($"--lock {request.Lock}: {spec} is a text tower from scratch, and the setting wants a pre-trained one. Give --text-tower a file, or --lock Lu.");
        var tower = TextTowerSpec.Is(spec)
            ? TextTowerLoader.Create(spec, tokenizer.Tokenizer.VocabularySize, tokenizer.Layout.Length, request.Seed, tokenizer.Layout.Pad)
            : TextTowerLoader.Load(spec).Tower;
        if (tower.VocabularySize < tokenizer.Tokenizer.VocabularySize)
            throw new LitException($"{spec}: has {tower.VocabularySize} token rows and the tokenizer {tokenizer.Tokenizer.VocabularySize} pieces. Give the tower's own vocabulary with --tokenizer.");
        var size = request.ImageHead ?? store.EmbeddingSize;
        var imageHead = request.ImageHead is { } common ? ImageHead(store, common, request.Seed + 1) : null;
        TwoTowers towers = new(null, imageHead, tower, Head.Create(tower.Width, size, request.Seed + 2), Math.Log(10));
        towers.to(request.Compute.Device);
        return towers;
    }

    /// <summary>A head that sees the stored representations centred and of equal spread.</summary>
    private static Head ImageHead(EmbeddingStore store, int size, int seed)
    {
        var rows = Enumerable.Range(0, (int)Math.Min(store.Rows, RowsForStatistics)).Select(i => i * store.Rows / Math.Min(store.Rows, RowsForStatistics)).ToArray();
        var values = new float[rows.LongLength * store.EmbeddingSize];
        store.ReadRows(rows, values, ownLength: true);
        using var scope = torch.NewDisposeScope();
        var x = new Embeddings(values, store.EmbeddingSize).ToTensor().to(torch.ScalarType.Float64);
        var mean = x.mean([0]);
        var deviation = (x - mean).square().mean([0]).sqrt();
        var head = Head.Create(store.EmbeddingSize, size, seed, standardises: true);
        head.Standardise(mean.to(torch.ScalarType.Float32), deviation.to(torch.ScalarType.Float32));
        return head;
    }

    private static JsonObject Configuration(TuneRequest request, TuningOptions options, EmbeddingStore store, string fingerprint) => new()
    {
        ["data"] = request.Data,
        ["store"] = store.Folder,
        ["fingerprint"] = fingerprint,
        ["textTower"] = request.TextTower,
        ["tokenizer"] = request.Tokenizer,
        ["vocabularySize"] = request.VocabularySize,
        ["tokenLength"] = request.TokenLength,
        ["lock"] = request.Lock.Letters,
        ["imageHead"] = request.ImageHead,
        ["validation"] = request.Validation,
        ["seed"] = request.Seed,
        ["options"] = JsonSerializer.SerializeToNode(options, TuningOptions.Json),
    };

    private static void Save(string folder, TuneRequest request, TuningOptions options, TuningOutcome outcome, TwoTowers towers,
        CaptionTokenizer tokenizer, EmbeddingStore store, LockedTower? locked, string fingerprint, TuningPairs pairs)
    {
        var preprocessing = locked?.Preprocessing
            ?? (store.Description?.Preprocessing is { } json ? Images.Preprocessing.FromJson(json.ToJsonString(), store.Folder) : Images.Preprocessing.LiT(224));
        var into = request.BundleTower switch
        {
            BundleTower.Always => locked ?? throw new LitException("--bundle-tower always: the image tower is not at hand. Name it with --image-tower."),
            BundleTower.Never => null,
            _ => locked?.ParameterCount <= MostWeightsInBundle ? locked : null,
        };
        ImageSideDescription side = new(request.ImageTower ?? store.Description?.Tower ?? "unknown", locked?.Architecture ?? "", fingerprint,
            store.EmbeddingSize, preprocessing, null, null);
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
