using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LiT.Bundles;
using LiT.Embedding;
using LiT.Stores;
using LiT.Text;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;
using TorchSharp;

namespace LiT.Tuning.Runs;

/// <summary>What a tuning run made.</summary>
/// <param name="Model">The bundle's folder.</param>
/// <param name="Outcome">The run's numbers.</param>
/// <param name="Options">The options it ran with.</param>
/// <param name="Pairs">Pictures with captions in one epoch.</param>
/// <param name="Captions">Captions, all of them.</param>
/// <param name="DistinctCaptions">Captions that differ.</param>
/// <param name="TruncatedShare">Share of the distinct captions that did not fit a row whole.</param>
internal sealed record TuneResult(
    string Model,
    TuningOutcome Outcome,
    TuningOptions Options,
    int Pairs,
    int Captions,
    int DistinctCaptions,
    double TruncatedShare
)
{
    /// <summary>What the training doctor found in this session.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];
}

/// <summary>
/// A whole run of <c>lit tune</c>: the store (made first where pictures are given), a vocabulary, the text tower, tuning,
/// the bundle. The same request in the same folder goes on where it stopped.
/// </summary>
internal static class TuneRun
{
    private const long MostWeightsInBundle = 25_000_000;
    private const int RowsForStatistics = 10_000,
        PicturesForStatistics = 512;

    /// <summary>A text tower from scratch that fits the data: what a small set says, a small tower can say.</summary>
    private static string DefaultTextTower(long pictures) =>
        pictures switch
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
    public static TuneResult Run(
        TuneRequest request,
        Func<TuningPairs, TuningOptions> choose,
        Action<string> say,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        request = request with { TextTower = request.TextInit ?? request.TextTower };
        CheckTowers(request);
        if (request.TextTower is { } from)
            request = request with { TextTower = LitModel.TextFileOf(from) ?? from };
        RunFolder.Check(request.Out);
        using var source = Source(request, say, progress, cancel);
        request = request with { TextTower = request.TextTower ?? DefaultTextTower(source.Images.Count) };
        var held = HeldOut.Of(source.Images.Count, request.HoldOut);
        IReadOnlyList<string> CaptionsOf(int image) =>
            held.Contains(image) || !Taken(image, source.Images.Count, request.Pictures) ? [] : source.Captions(image);
        var captions = Enumerable.Range(0, source.Images.Count).SelectMany(CaptionsOf);
        var tokenizer = TuningTokenizer.Open(request, captions, say, cancel);
        TuningPairs pairs = new(source.Images, CaptionsOf, tokenizer, request.Seed);
        var options = choose(pairs);
        if (held.Count > 0)
            say($"{held.Count} of {source.Images.Count} pictures are held out to validate on");
        if (request.Pictures is { } most && most < source.Images.Count)
            say($"at most {most} of {source.Images.Count} pictures are tuned on");
        else if (pairs.WithoutCaption > held.Count)
            say(
                $"{pairs.WithoutCaption - held.Count} of {source.Images.Count} pictures have no caption and are left out"
            );
        var truncated = pairs.Counts.Captions == 0 ? 0 : pairs.Counts.Truncated / (double)pairs.Counts.Captions;
        say(
            $"{pairs.Count} pairs, {pairs.DistinctTexts} distinct captions, {pairs.MeanLength:F1} ids on average, {100 * truncated:F1}% cut at {tokenizer.Layout.Length}"
        );

        using var towers = Towers(request, options, source, tokenizer, say);
        CheckRules(towers, options.Optimizer);
        say(
            $"text tower {request.TextTower}: {towers.Text.parameters().Sum(parameter => parameter.numel()):N0} weights, common size {towers.EmbeddingSize}"
        );
        TuningTowers tuning = new(towers, request.Lock, options.Optimizer);
        say(InWords(tuning, request));
        var configuration = Configuration(request, options, source);
        RunFolder.CheckSame(request.Out, configuration);

        List<Finding> findings = [];
        void Find(Finding finding)
        {
            findings.Add(finding);
            say($"doctor: {finding}");
        }
        var validation = TuningValidation.Open(request, source, held, towers, tokenizer, Find, say, progress, cancel);
        if (options.KeepBest is { } by && validation is null)
            throw new UsageException(
                $"--keep-best {by}: there is no validation to judge by. Give --hold-out 0.1, or pictures with --val."
            );
        if (request.Doctor != DoctorMode.Off)
        {
            foreach (var finding in DataExamination.Pairs(pairs, captions))
                Find(finding);
            var needs = Needs(tuning, source, tokenizer, options);
            say(
                $"the run takes about {DataExamination.Size(needs.Memory)} of memory and {DataExamination.Size(needs.Disk)} on the disk"
            );
            foreach (
                var finding in DataExamination.Machine(
                    needs,
                    GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
                    RunFolder.Free(request.Out)
                )
            )
                Find(finding);
            if (request.Doctor == DoctorMode.Stop && findings.Count > 0)
                throw new LitException(
                    $"{request.Data}: {findings[0]} (--doctor stop: {findings.Count} finding{(findings.Count == 1 ? "" : "s")}; --doctor warn goes on.)"
                );
        }
        ContrastiveTuner tuner = new(tuning, pairs, options, request.Compute.Device)
        {
            Validation = validation,
            Doctor = request.Doctor,
            OnFinding = Find,
            OnPace = time =>
            {
                if (request.Doctor != DoctorMode.Off)
                    say(
                        FormattableString.Invariant(
                            $"at this pace the run takes about {(time.TotalSeconds < 90 ? $"{Math.Ceiling(time.TotalSeconds):F0} s" : $"{Math.Ceiling(time.TotalMinutes):F0} min")}"
                        )
                    );
            },
            Progress = progress,
            OnWarning = say,
            OnStart = step =>
            {
                RunFolder.Write(request.Out, configuration);
                if (step == options.Steps)
                    say($"{request.Out}: all {step} steps are done already; nothing is tuned again");
                else if (step > 0)
                    say($"going on from step {step}");
            },
        };
        var outcome = tuner.Run(request.Out, cancel);
        RunFolder.WriteFindings(request.Out, findings);

        var model = Path.Combine(request.Out, "model");
        Save(model, request, options, outcome, towers, tokenizer, source, pairs);
        return new(model, outcome, options, pairs.Count, pairs.Captions, pairs.DistinctTexts, truncated)
        {
            Findings = findings,
        };
    }

    /// <summary>Refuses what the setting's letters and the towers' names contradict, before anything is read.</summary>
    private static void CheckTowers(TuneRequest request)
    {
        var (setting, image, text) = (request.Lock, request.ImageTower, request.TextTower);
        if (text is not null && TextTowerSpec.Is(text) != (setting.Text == TowerStart.FromScratch))
            throw new UsageException(
                setting.Text == TowerStart.FromScratch
                    ? $"--lock {setting}: trains the text tower from scratch, and {text} has weights. Give --lock {LockSetting.Of(setting.Image, TowerStart.Unlocked)}, or a tower from scratch such as text:width=256,depth=4,heads=4."
                    : $"--lock {setting}: {text} is a text tower from scratch, and the setting wants a pre-trained one. Give --text-tower a file, or --lock {LockSetting.Of(setting.Image == TowerStart.FromScratch ? TowerStart.Unlocked : setting.Image, TowerStart.FromScratch)}."
            );
        if (image is not null && setting.Image == TowerStart.Locked && ImageTowerLoader.IsSpec(image))
            throw new UsageException(
                $"--lock {setting}: locks the image tower as it is, and {image} is one from scratch, whose weights are random. Name a tower that was trained (lit models list), or give --lock u{setting.Letters[1]}."
            );
        if (setting.Text != TowerStart.FromScratch && text is null)
            throw new UsageException(
                $"--lock {setting}: wants a pre-trained text tower. Name its file with --text-init, or give --lock {setting.Letters[0]}u."
            );
        if (!request.ReadsPixels)
            return;
        var why = setting.Image == TowerStart.Locked ? "--from-pixels" : $"--lock {setting}";
        if (EmbeddingStore.IsStore(request.Data))
            throw new UsageException(
                $"{why}: the image tower reads pictures at every step, and {request.Data} is an embedding store. Give --data the pictures, or tune with --lock Lu."
            );
        if (image is null)
            throw new UsageException(
                $"{why}: needs the image tower itself. Name it with --image-tower, a file or, from scratch, for example vit:Ti/16."
            );
        if (ImageTowerLoader.IsSpec(image) && setting.Image == TowerStart.Unlocked)
            throw new UsageException(
                $"--lock {setting}: {image} is an image tower from scratch, and the setting wants a pre-trained one. Give a file, or --lock uu."
            );
        if (!ImageTowerLoader.IsSpec(image) && setting.Image == TowerStart.FromScratch)
            throw new UsageException(
                $"--lock {setting}: trains the image tower from scratch, and {image} has weights. Give --lock U{setting.Letters[1]}, or a tower from scratch such as vit:Ti/16."
            );
        if (setting.Image != TowerStart.Locked && request.BundleTower == BundleTower.Never)
            throw new UsageException(
                $"--bundle-tower never: with --lock {setting} the image tower is another one afterwards, which only the bundle holds. Leave the option out."
            );
    }

    /// <summary>A pattern that matches nothing is a mistake.</summary>
    private static void CheckRules(TwoTowers towers, OptimizerOptions options)
    {
        var names = towers.named_parameters().Select(one => one.name).ToList();
        var patterns = options
            .LearningRateRules.Select(rule => ("--lr-mult", rule.Pattern))
            .Concat(options.WeightDecayRules.Select(rule => ("--wd-mult", rule.Pattern)))
            .Concat(options.UnlockRules.Select(rule => ("--unlock-after", rule.Pattern)));
        foreach (var (option, pattern) in patterns)
            if (!names.Exists(name => Regex.IsMatch(name, pattern, RegexOptions.CultureInvariant)))
                throw new UsageException(
                    $"{option} '{pattern}': no parameter has such a name. Names are like {string.Join(", ", names.GroupBy(name => name.Split('.')[0]).Select(side => side.First()))}."
                );
    }

    private static string InWords(TuningTowers tuning, TuneRequest request)
    {
        var all = tuning.Towers.parameters().Sum(parameter => parameter.numel());
        var moving = tuning.Parameters.Sum(parameter => parameter.Tensor.numel());
        return FormattableString.Invariant(
                $"setting {request.Lock}: {moving:N0} weights are tuned, {all - moving:N0} of the model's are locked"
            ) + (request.ReadsPixels ? "" : ", and the image tower behind the store");
    }

    private static TuningSource Source(
        TuneRequest request,
        Action<string> say,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    ) =>
        request.ReadsPixels
            ? new PixelSource(request, request.ImageTower!, say, progress, cancel)
            : new StoredSource(
                request,
                EmbeddingStore.IsStore(request.Data) ? request.Data : Embed(request, say, progress, cancel),
                say
            );

    /// <summary>Whether an image is among so many that are spread evenly.</summary>
    private static bool Taken(long image, long count, int? most) =>
        most is not { } number || number >= count || (image + 1) * number / count > image * number / count;

    private static RunNeeds Needs(
        TuningTowers tuning,
        TuningSource source,
        CaptionTokenizer tokenizer,
        TuningOptions options
    )
    {
        var towers = tuning.Towers;
        // A block keeps about 16 numbers a token and channel for its gradient, an image tower about 600 a pixel.
        var depth = Math.Max(1, towers.Text.named_parameters().Count() / 12);
        var texts =
            16L * depth * towers.Text.Width * tokenizer.Layout.Length * Math.Min(options.MicroBatch, options.Batch);
        var pictures = source.Images.Shape is [_, var height, var width]
            ? 600 * height * width * Math.Min(options.ImageMicroBatch ?? options.MicroBatch, options.Batch)
            : 0;
        return RunNeeds.Of(
            tuning.Parameters.Sum(parameter => parameter.Tensor.numel()),
            towers.parameters().Sum(parameter => parameter.numel()),
            texts + pictures,
            towers.EmbeddingSize,
            options
        );
    }

    private static string Embed(
        TuneRequest request,
        Action<string> say,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var source = LiT.Data.Samples.Open(request.Data, request.Samples);
        var spec = request.ImageTower
            ?? throw new UsageException(
                $"--data {request.Data}: pictures have to be embedded first. Name the locked tower with --image-tower, or give an embedding store."
            );
        var folder = Path.Combine(request.Out, "store");
        using var tower = ImageTowerLoader.Load(spec, new ImageTowerOptions { Compute = request.Compute });
        foreach (var remark in tower.Remarks)
            say(remark);
        say($"embedding {request.Data} with {spec} into {folder}");
        var result = EmbedRun.Run(tower, spec, source, folder, new EmbedOptions(), request.Compute, progress, cancel);
        if (result.Counts.Skipped > 0)
            say(
                $"{result.Counts.Skipped} of {result.Counts.Found} samples were skipped; {Path.Combine(folder, "skipped.jsonl")} names each"
            );
        return folder;
    }

    private static TwoTowers Towers(
        TuneRequest request,
        TuningOptions options,
        TuningSource source,
        CaptionTokenizer tokenizer,
        Action<string> say
    )
    {
        var spec = request.TextTower!;
        var loaded = TextTowerSpec.Is(spec) ? null : TextTowerLoader.Load(spec);
        foreach (var remark in loaded?.Remarks ?? [])
            say(remark);
        var tower = loaded is null
            ? TextTowerLoader.Create(
                spec,
                tokenizer.Tokenizer.VocabularySize,
                tokenizer.Layout.Length,
                request.Seed,
                tokenizer.Layout.Pad
            )
            : loaded.Tower;
        if (tower.VocabularySize < tokenizer.Tokenizer.VocabularySize)
            throw new LitException(
                $"{spec}: has {tower.VocabularySize} token rows and the tokenizer {tokenizer.Tokenizer.VocabularySize} pieces. Give the tower's own vocabulary with --tokenizer."
            );
        var size =
            request.ImageHead == HeadSpec.None
                ? source.Width
                : request.ImageHead.Size ?? request.TextHead.Size ?? source.Width;
        if (
            (request.TextHead == HeadSpec.None ? tower.Width : request.TextHead.Size ?? size) is var texts
            && texts != size
        )
            throw new UsageException(
                $"--text-head {request.TextHead}: texts would have {texts} numbers and images {size}. Give both sides one size, for example --image-head {texts}."
            );
        TwoTowers towers = new(
            source.InModel,
            ImageHead(source, request, size),
            tower,
            TextHead(request, source, tower.Width, size),
            Math.Log(Math.Clamp(options.Temperature, options.LowestTemperature, options.HighestTemperature)),
            options.Loss == ContrastiveLossKind.Sigmoid ? options.Bias : null
        );
        towers.to(request.Compute.Device);
        return towers;
    }

    /// <summary>The head that a bundle's text tower came with, where it leads to the same image tower; else a fresh one.</summary>
    private static Head? TextHead(TuneRequest request, TuningSource source, int width, int size)
    {
        var head = request.TextHead.Create(width, size, request.Seed + 2);
        var file = request.TextTower!;
        var folder = Path.GetDirectoryName(file) ?? "";
        if (head is null || request.ImageHead != HeadSpec.None || LitModel.TextFileOf(folder) != file)
            return head;
        var description = ModelDescription.Read(folder);
        if (
            description.Image.Fingerprint != source.Fingerprint
            || description.Image.Head is not null
            || description.Text.Head != HeadShape.Of(head)
        )
            return head;
        using var checkpoint = Checkpoints.Checkpoint.Open(file);
        WeightMap.Own("the head of a LiT bundle", head).Load(new WeightSource(checkpoint, "textHead."), head);
        return head;
    }

    /// <summary>A head that sees the tower's representations centred and of equal spread.</summary>
    private static Head? ImageHead(TuningSource source, TuneRequest request, int size)
    {
        if (request.ImageHead == HeadSpec.None)
            return null;
        using var scope = torch.NewDisposeScope();
        var x = source
            .Some(request.ReadsPixels ? PicturesForStatistics : RowsForStatistics)
            .ToTensor()
            .to(torch.ScalarType.Float64);
        var mean = x.mean([0]);
        var deviation = (x - mean).square().mean([0]).sqrt();
        var head = request.ImageHead.Create(source.Width, size, request.Seed + 1, standardises: true)!;
        head.Standardise(mean.to(torch.ScalarType.Float32), deviation.to(torch.ScalarType.Float32));
        return head;
    }

    private static JsonObject Configuration(TuneRequest request, TuningOptions options, TuningSource source) =>
        new()
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
            ["augmentation"] = request.ReadsPixels
                ? JsonSerializer.SerializeToNode(request.Augmentation, TuningOptions.Json)
                : null,
            ["fromPixels"] = request.FromPixels,
            ["validation"] = request.Validation,
            ["holdOut"] = request.HoldOut,
            ["pictures"] = request.Pictures,
            ["seed"] = request.Seed,
            ["options"] = JsonSerializer.SerializeToNode(options, TuningOptions.Json),
        };

    private static void Save(
        string folder,
        TuneRequest request,
        TuningOptions options,
        TuningOutcome outcome,
        TwoTowers towers,
        CaptionTokenizer tokenizer,
        TuningSource source,
        TuningPairs pairs
    )
    {
        var moved = request.Lock.Image != TowerStart.Locked;
        var tower = source.Tower;
        var into = request.BundleTower switch
        {
            _ when moved => tower,
            BundleTower.Always => tower
                ?? throw new LitException(
                    "--bundle-tower always: the image tower is not at hand. Name it with --image-tower."
                ),
            BundleTower.Never => null,
            _ => tower?.ParameterCount <= MostWeightsInBundle ? tower : null,
        };
        ImageSideDescription side = new(
            source.TowerName,
            tower?.Architecture ?? "",
            moved ? ImageTowerFile.Fingerprint(tower!.Tower, source.Preprocessing) : source.Fingerprint,
            source.Width,
            source.Preprocessing,
            null,
            null
        );
        LitModel.Save(
            folder,
            towers,
            tokenizer,
            side,
            into,
            description =>
                description with
                {
                    Lock = request.Lock.Letters,
                    Licences = ModelCatalogue.LicencesOf(source.TowerName, request.TextTower),
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
                },
            atHand: tower
        );
    }
}
