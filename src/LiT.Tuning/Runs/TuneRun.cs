using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LiT.Bundles;
using LiT.Classification;
using LiT.Compute;
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
/// A whole run of <c>lit tune</c>: the store (made first where pictures are given), a vocabulary, the text tower,
/// tuning, the bundle. The same request in the same folder goes on where it stopped.
/// </summary>
internal static class TuneRun
{
    private const long MostWeightsInBundle = 25_000_000;
    private const int RowsForStatistics = 10_000,
        PicturesForStatistics = 512;

    /// <param name="request">What is wanted.</param>
    /// <param name="happened">Told of everything, as it happens, on this thread.</param>
    /// <param name="cancel">Stops with a checkpoint.</param>
    /// <exception cref="LitException">Data, tower or folder cannot be used; the message says why.</exception>
    public static TuneResult Run(TuneRequest request, Action<TuningEvent> happened, CancellationToken cancel = default)
    {
        RunFolder.Check(request.Out);
        RunVoice voice = new(happened);
        using var prepared = PreparedRun.Open(request, voice.Say, voice, cancel);
        prepared.Tell(voice.Say);
        using var towers = Towers(prepared, voice.Say);
        TuningTowers tuning = new(towers, prepared.Request.Lock, prepared.Options.Optimizer)
        {
            Rotation = Rotation(prepared, towers, voice),
        };
        CheckStructure(prepared.Options, tuning);
        CheckTeacher(prepared);
        Tell(prepared, tuning, voice);
        var configuration = Configuration(prepared.Request, prepared.Options, prepared.Source);
        RunFolder.CheckSame(request.Out, configuration);
        var outcome = Train(prepared, tuning, configuration, voice, cancel);
        if (request.IsFirst)
            RunFolder.WriteFindings(request.Out, voice.Findings);
        return Saved(prepared, tuning, outcome, voice);
    }

    /// <summary>What a run would write as its configuration, before anything but its data is read.</summary>
    internal static JsonObject PlanOf(PreparedRun prepared) =>
        Configuration(prepared.Request, prepared.Options, prepared.Source);

    /// <summary>
    /// What embeddings are turned by before they are cut, where widths are nested: a locked image side without a head
    /// cannot learn to put first what says most. Widths that cannot be are refused.
    /// </summary>
    private static torch.Tensor? Rotation(PreparedRun prepared, TwoTowers towers, RunVoice voice)
    {
        var (request, sizes) = (prepared.Request, prepared.Options.Nested);
        if (sizes.Count == 0)
            return null;
        if (sizes.FirstOrDefault(size => size >= towers.EmbeddingSize) is > 0)
            throw SettingException.Of<TuningOptions>(
                s => s.Nested,
                string.Join(",", sizes),
                $"both sides give {towers.EmbeddingSize} numbers",
                $"Give widths below {towers.EmbeddingSize}"
            );
        if (towers.ImageHead is not null || request.Lock.Image != TowerStart.Locked)
            return null;
        var some = prepared.Source.Some(request.ReadsPixels ? 4 * prepared.Source.Width : RowsForStatistics);
        voice.Say(
            $"widths {string.Join(", ", sizes)} are tuned beside {towers.EmbeddingSize}: pictures are locked, so they "
                + $"are cut along the principal directions of {some.Count} of their rows"
        );
        return PrincipalRotation.Of(some).to(request.Compute.Device).DetachFromDisposeScope();
    }

    /// <summary>Neighbours are kept through heads behind towers that stay what they are; there has to be one.</summary>
    private static void CheckStructure(TuningOptions options, TuningTowers tuning)
    {
        if (options.Structure > 0 && tuning.HeadsAlone is (false, false))
            throw SettingException.Of<TuningOptions>(
                s => s.Structure,
                options.Structure,
                "it keeps the neighbours of a locked tower's rows through the head behind it, and there is none here",
                "Give `ImageHead` a size, or `Lock` LL, or leave it out"
            );
    }

    /// <summary>A teacher that cannot be, or choices of one without it, are refused before anything is made.</summary>
    private static void CheckTeacher(PreparedRun prepared)
    {
        var (request, options) = (prepared.Request, prepared.Options);
        if (request.TeacherStore is not { } folder)
        {
            if (request.Settings.TeacherWeight is { } weight)
                throw WithoutTeacher(nameof(TuningSettings.TeacherWeight), weight);
            if (request.Settings.TeacherTemperature is { } temperature)
                throw WithoutTeacher(nameof(TuningSettings.TeacherTemperature), temperature);
            return;
        }
        if (request.ReadsPixels)
            throw SettingException.Of<TuneRequest>(
                s => s.TeacherStore,
                folder,
                "the image tower reads pictures at every step, whose keys are not known before",
                "Give `Data` a store of the pictures"
            );
        if (options.Loss == ContrastiveLossKind.Cosine)
            throw SettingException.Of<TuneRequest>(
                s => s.TeacherStore,
                folder,
                "the cosine loss compares no picture with the texts of others",
                "Give `Loss` softmax or sigmoid"
            );

        static SettingException WithoutTeacher(string setting, double value) =>
            new(setting, value, "there is no teacher", "Give `TeacherStore`, or leave it out");
    }

    /// <summary>The store that softens targets, met with the run's pictures; null for none.</summary>
    private static TeacherStore? Teacher(PreparedRun prepared, Action<string> say)
    {
        if (prepared.Request.TeacherStore is not { } folder)
            return null;
        TeacherStore teacher = new(folder, prepared.Source.Keys, prepared.Request.Data, say);
        if (teacher.Fingerprint == prepared.Source.Fingerprint)
            say($"{folder} is by the run's own tower: pictures soften targets by how like they are to it itself");
        return teacher;
    }

    private static void Tell(PreparedRun prepared, TuningTowers tuning, RunVoice voice)
    {
        CheckRules(tuning.Towers, prepared.Options.Optimizer);
        var tower = prepared.Texts?.Locked.Tower ?? tuning.Towers.Text;
        var text = tower.parameters().Sum(parameter => parameter.numel());
        voice.Say(
            $"text tower {prepared.Request.TextTower}: {text:N0} weights, common size {tuning.Towers.EmbeddingSize}"
        );
        voice.Say(InWords(tuning, prepared.Request));
    }

    private static TuningOutcome Train(
        PreparedRun prepared,
        TuningTowers tuning,
        JsonObject configuration,
        RunVoice voice,
        CancellationToken cancel
    )
    {
        var (request, options) = (prepared.Request, prepared.Options);
        using var validation = request.IsFirst ? Validation(prepared, tuning, voice, cancel) : null;
        if (options.KeepBest is { } by and not TuningOptions.LastWeights && validation is null && request.IsFirst)
            throw SettingException.Of<TuningOptions>(
                s => s.KeepBest,
                by,
                "there is no validation to judge by",
                "Give `HoldOut` 0.1, or pictures with `Validation`"
            );
        if (request is { IsFirst: true, Doctor: not DoctorMode.Off })
            Examine(prepared, tuning, voice);
        using var teacher = Teacher(prepared, voice.Say);
        var pairs = Drawn(prepared, voice);
        if (teacher is not null)
            pairs = pairs.SoftenedBy(teacher, options.TeacherWeight, options.TeacherTemperature);
        ContrastiveTuner tuner = new(tuning, pairs, options, request.Compute.Device)
        {
            Validation = validation,
            Exchange = request.Exchange,
            Doctor = request.IsFirst ? request.Doctor : DoctorMode.Off,
            OnFinding = voice.Find,
            OnLine = voice.Measured,
            OnPace = request.Doctor == DoctorMode.Off ? null : voice.Pace,
            Progress = voice,
            OnWarning = voice.Say,
            OnStart = step =>
            {
                if (request.IsFirst)
                    RunFolder.Write(request.Out, configuration);
                voice.Started(request.Out, step, options.Steps);
            },
        };
        try
        {
            return tuner.Run(request.Out, cancel);
        }
        catch (Exception) when (request.IsFirst && voice.Findings.Count > 0 && Directory.Exists(request.Out))
        {
            RunFolder.WriteFindings(request.Out, voice.Findings); // what stopped it stands there as well
            throw;
        }
    }

    private static IValidation? Validation(
        PreparedRun prepared,
        TuningTowers tuning,
        RunVoice voice,
        CancellationToken cancel
    )
    {
        // What is validated on may say what no row is stored of.
        var read = prepared.Request.Validation is null ? null : prepared.Texts;
        return TuningValidation.Open(
            prepared.Request,
            prepared.Source,
            prepared.Held,
            read is null ? tuning.Towers : Whole(tuning.Towers, read),
            read?.Locked.Tokenizer ?? prepared.Tokenizer,
            () => WordsOf(prepared.Request, prepared.Captions),
            voice.Find,
            voice.Say,
            voice,
            cancel
        );
    }

    /// <summary>The pairs as they are drawn, with captions of pictures that look alike where that is wanted.</summary>
    private static TuningPairs Drawn(PreparedRun prepared, RunVoice voice)
    {
        var (pairs, share) = (Shown(prepared), prepared.Options.LookAlikes);
        if (share == 0)
            return pairs;
        if (prepared.Request.ReadsPixels)
            throw Refused("the image tower reads pictures at every step, and there are no stored rows to compare");
        if (pairs.Count > LookAlikes.MostPictures)
            throw Refused(
                FormattableString.Invariant($"{pairs.Count:N0} pictures would have to be compared with each other, ")
                    + FormattableString.Invariant($"and above {LookAlikes.MostPictures:N0} that takes too long")
            );
        voice.Say($"looking for the pictures that look alike, among {pairs.Count}");
        return pairs.Borrowing(share);

        SettingException Refused(string problem) =>
            SettingException.Of<TuningOptions>(s => s.LookAlikes, share, problem, "Give 0");
    }

    /// <summary>The pairs with what is shown of captions: all of one, a part, or several at once.</summary>
    private static TuningPairs Shown(PreparedRun prepared)
    {
        var (request, draws) = (prepared.Request, prepared.Options.CaptionDraws);
        if (draws == CaptionDraws.Whole)
            return prepared.Pairs;
        if (draws.Splits && (request.Texts is not null || request.Teacher is not null))
            throw SettingException.Of<TuningOptions>(
                s => draws.Sentences > 0 ? s.Sentences : s.DropFirst,
                draws.Sentences > 0 ? draws.Sentences : draws.DropFirst,
                "rows of whole captions are stored or taught, and none of their sentences",
                "Give 0"
            );
        TuningPairs shown = new(prepared.Source.Images, prepared.CaptionsOf, prepared.Tokenizer, request.Seed, draws);
        return request.Teacher is { } teacher ? teacher.Teach(shown, prepared.Source, _ => { }) : shown;
    }

    /// <summary>The doctor's look at data and machine before the first step.</summary>
    private static void Examine(PreparedRun prepared, TuningTowers tuning, RunVoice voice)
    {
        var request = prepared.Request;
        if (DataExamination.Amount(prepared.Pairs, prepared.Options) is { } few)
            voice.Find(few);
        foreach (var finding in DataExamination.Pairs(prepared.Pairs, prepared.Captions))
            voice.Find(finding);
        var needs = Needs(tuning, prepared.Source, prepared.Tokenizer, prepared.Options);
        voice.Say(
            $"the run takes about {DataExamination.Size(needs.Memory)} of memory and "
                + $"{DataExamination.Size(needs.Disk)} on the disk"
        );
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        foreach (var finding in DataExamination.Machine(needs, memory, RunFolder.Free(request.Out)))
            voice.Find(finding);
        var findings = voice.Findings;
        if (request.Doctor != DoctorMode.Stop || findings.Count == 0)
            return;
        Directory.CreateDirectory(Path.Combine(request.Out, "checkpoints")); // the folder is a run's from now on
        RunFolder.WriteFindings(request.Out, findings);
        throw new LitException(
            $"{request.Data}: {findings[0]} (`Doctor` stop: {findings.Count} finding"
                + $"{(findings.Count == 1 ? "" : "s")}; `Doctor` warn goes on.)"
        );
    }

    private static TuneResult Saved(PreparedRun prepared, TuningTowers tuning, TuningOutcome outcome, RunVoice voice)
    {
        var (request, pairs, towers) = (prepared.Request, prepared.Pairs, tuning.Towers);
        var model = Path.Combine(request.Out, "model");
        if (request.IsFirst)
        {
            if (TaughtVectors.InWords(model) is { } lost)
                voice.Say($"warning: the model that was in {model} had been taught {lost}: it is gone with it");
            Save(
                model,
                request,
                prepared.Options,
                outcome,
                prepared.Texts is { } texts ? Whole(towers, texts) : towers,
                prepared.Texts?.Locked.Tokenizer ?? prepared.Tokenizer,
                prepared.Source,
                pairs,
                prepared.Captions,
                tuning.Rotation
            );
            voice.Saved(model, outcome);
        }
        request.Exchange.Any(false, patient: true); // the job is not over before the model is written
        return new(
            model,
            outcome,
            prepared.Options,
            pairs.Count,
            pairs.Captions,
            pairs.DistinctTexts,
            prepared.TruncatedShare
        )
        {
            Findings = voice.Findings,
        };
    }

    /// <summary>A pattern that matches nothing is a mistake.</summary>
    private static void CheckRules(TwoTowers towers, OptimizerOptions options)
    {
        var names = towers.named_parameters().Select(one => one.name).ToList();
        var patterns = options
            .LearningRateRules.Select(rule => ("`LearningRateRules`", rule.Pattern))
            .Concat(options.WeightDecayRules.Select(rule => ("`WeightDecayRules`", rule.Pattern)))
            .Concat(options.UnlockRules.Select(rule => ("`UnlockRules`", rule.Pattern)));
        foreach (var (option, pattern) in patterns)
            if (!names.Exists(name => Regex.IsMatch(name, pattern, RegexOptions.CultureInvariant)))
                throw new UsageException(
                    $"{option} '{pattern}': no parameter has such a name. Names are like "
                        + string.Join(", ", names.GroupBy(name => name.Split('.')[0]).Select(side => side.First()))
                        + "."
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

    private static RunNeeds Needs(
        TuningTowers tuning,
        TuningSource source,
        CaptionTokenizer tokenizer,
        TuningOptions options
    )
    {
        var towers = tuning.Towers;
        var texts = RunNeeds.OfText(towers.Text, tokenizer.Layout.Length) * Math.Min(options.MicroBatch, options.Batch);
        // An image tower keeps about 600 numbers a pixel for its gradient.
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

    /// <summary>The same heads behind the text tower itself, temperature and bias as they are now.</summary>
    private static TwoTowers Whole(TwoTowers towers, StoredTexts texts) =>
        new(
            towers.Image,
            towers.ImageHead,
            texts.Locked.Tower,
            towers.TextHead,
            towers.LogTemperature.item<float>(),
            towers.Bias?.item<float>()
        );

    private static TwoTowers Towers(PreparedRun prepared, Action<string> say)
    {
        var (request, options, source, tokenizer) = (
            prepared.Request,
            prepared.Options,
            prepared.Source,
            prepared.Tokenizer
        );
        var tower = prepared.Texts is { } texts ? texts.Tower : Tower(request, tokenizer, say);
        var size =
            request.ImageHead == HeadSpec.None
                ? source.Width
                : request.ImageHead.Size ?? request.TextHead.Size ?? source.Width;
        if (
            (request.TextHead == HeadSpec.None ? tower.Width : request.TextHead.Size ?? size) is var words
            && words != size
        )
            throw SettingException.Of<TuneRequest>(
                s => s.TextHead,
                request.TextHead,
                $"texts would have {words} numbers and images {size}",
                $"Give both sides one size, for example `ImageHead` {words}"
            );
        TwoTowers towers = new(
            source.InModel,
            ImageHead(source, request, size),
            tower,
            TextHead(prepared, tower.Width, size),
            Math.Log(Math.Clamp(options.Temperature, options.LowestTemperature, options.HighestTemperature)),
            options.Loss == ContrastiveLossKind.Sigmoid ? options.Bias : null
        );
        towers.to(request.Compute.Device);
        return towers;
    }

    private static TextTower Tower(TuneRequest request, CaptionTokenizer tokenizer, Action<string> say)
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
        (tower as ForeignText)?.PadWith(tokenizer.Layout.Pad, tokenizer.Layout.End == tokenizer.Layout.Pad);
        TextTowers.CheckVocabulary(tower, tokenizer, spec);
        return tower;
    }

    /// <summary>
    /// The head that a bundle's text tower came with, where it leads to the same image tower; else a fresh one.
    /// </summary>
    private static Head? TextHead(PreparedRun prepared, int width, int size)
    {
        var (request, source) = (prepared.Request, prepared.Source);
        if (prepared.Texts is { } stored && request.TextHead.Gate is not null)
            return Standardised(request.TextHead, stored.Some(RowsForStatistics), width, size, request.Seed + 2);
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
        using var checkpoint = Checkpoints.Checkpoint.Open(Path.Combine(folder, description.Text.File));
        WeightMap.Own("the head of a LiT bundle", head).Load(new WeightSource(checkpoint, "textHead."), head);
        return head;
    }

    /// <summary>A head that sees the tower's representations centred and of equal spread.</summary>
    private static Head? ImageHead(TuningSource source, TuneRequest request, int size)
    {
        if (request.ImageHead == HeadSpec.None)
            return null;
        if (request.ImageHeadOf is { } model)
            return LitModel.ImageHeadOf(model);
        var some = source.Some(request.ReadsPixels ? PicturesForStatistics : RowsForStatistics);
        return Standardised(request.ImageHead, some, source.Width, size, request.Seed + 1);
    }

    private static Head Standardised(HeadSpec spec, Embeddings some, int width, int size, long seed)
    {
        using var scope = torch.NewDisposeScope();
        var x = some.ToTensor().to(torch.ScalarType.Float64);
        var mean = x.mean([0]);
        var deviation = (x - mean).Squared().mean([0]).sqrt();
        var head = spec.Create(width, size, seed, standardises: true)!;
        head.Standardise(mean.to(torch.ScalarType.Float32), deviation.to(torch.ScalarType.Float32));
        return head;
    }

    private static JsonObject Configuration(TuneRequest request, TuningOptions options, TuningSource source)
    {
        JsonObject all = new()
        {
            ["data"] = request.Data,
            ["captions"] = request.Samples.Captions,
            ["captionLanguage"] = request.Samples.CaptionLanguage,
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
            ["validationClasses"] = request.ValidationClasses is { } names
                ? JsonSerializer.SerializeToNode(names.Names, TuningOptions.Json)
                : null,
            ["validationTemplates"] = request.ValidationTemplates.SequenceEqual(PromptTemplates.Default)
                ? null
                : JsonSerializer.SerializeToNode(request.ValidationTemplates, TuningOptions.Json),
            ["holdOut"] = request.HoldOut,
            ["pictures"] = request.Pictures,
            ["texts"] = request.Texts,
            ["seed"] = request.Seed,
            ["execution"] = JsonSerializer.SerializeToNode(Execution.Of(request.Compute), TuningOptions.Json),
            ["options"] = JsonSerializer.SerializeToNode(options, TuningOptions.Json),
        };
        if (request.Teacher is { } teacher)
            all["teacher"] = teacher.Name;
        if (request.TeacherStore is { } store)
            all["teacherStore"] = store;
        return all;
    }

    private static void Save(
        string folder,
        TuneRequest request,
        TuningOptions options,
        TuningOutcome outcome,
        TwoTowers towers,
        CaptionTokenizer tokenizer,
        TuningSource source,
        TuningPairs pairs,
        IEnumerable<string> captions,
        torch.Tensor? rotation
    )
    {
        var moved = request.Lock.Image != TowerStart.Locked;
        var tower = source.Tower;
        var into = request.BundleTower switch
        {
            _ when moved => tower,
            BundleTower.Always => tower
                ?? throw new LitException(
                    "`BundleTower` always: the image tower is not at hand. Name it with `ImageTower`."
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
        )
        {
            IsOwn = source.IsOwn ? true : null,
        };
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
                    Nested = options.Nested.Count > 0 ? options.Nested : null,
                    Language = request.Samples.CaptionLanguage,
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
            atHand: tower,
            words: WordsOf(request, captions),
            rotation
        );
    }

    /// <summary>
    /// The words that the text tower has read. What a pre-trained one read before is known where its bundle says it;
    /// elsewhere the captions bound nothing, and no word can be called unseen.
    /// </summary>
    private static SeenWords? WordsOf(TuneRequest request, IEnumerable<string> captions)
    {
        if (request.Lock.Text == TowerStart.FromScratch)
            return SeenWords.Of(captions);
        return LitModel.FolderOf(request.TextTower!) is { } folder && SeenWords.Load(folder) is { } before
            ? SeenWords.Of(captions, before)
            : null;
    }
}
