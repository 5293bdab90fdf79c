using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Classification;
using LiT.Compute;
using LiT.Tuning.Contrastive;

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
        using var towers = RunTowers.Create(prepared, voice.Say);
        TuningTowers tuning = new(towers, prepared.Request.Lock, prepared.Options.Optimizer)
        {
            Rotation = RunTowers.Rotation(prepared, towers, voice.Say),
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
        RunTowers.CheckRules(tuning.Towers, prepared.Options.Optimizer);
        var tower = prepared.Texts?.Locked.Tower ?? tuning.Towers.Text;
        voice.Say(
            $"text tower {prepared.Request.TextTower}: {tower.WeightCount:N0} weights, "
                + $"common size {tuning.Towers.EmbeddingSize}"
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
            read is null ? tuning.Towers : RunTowers.Whole(tuning.Towers, read),
            read?.Locked.Tokenizer ?? prepared.Tokenizer,
            () => RunBundle.WordsOf(prepared.Request, prepared.Captions),
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
        var needs = RunNeeds.Of(tuning, prepared.Source, prepared.Tokenizer, prepared.Options);
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
        var (request, pairs) = (prepared.Request, prepared.Pairs);
        var model = Path.Combine(request.Out, "model");
        if (request.IsFirst)
        {
            if (TaughtVectors.InWords(model) is { } lost)
                voice.Say($"warning: the model that was in {model} had been taught {lost}: it is gone with it");
            RunBundle.Save(model, prepared, tuning, outcome);
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

    private static string InWords(TuningTowers tuning, TuneRequest request)
    {
        var all = tuning.Towers.parameters().Sum(parameter => parameter.numel());
        var moving = tuning.Parameters.Sum(parameter => parameter.Tensor.numel());
        return FormattableString.Invariant(
                $"setting {request.Lock}: {moving:N0} weights are tuned, {all - moving:N0} of the model's are locked"
            ) + (request.ReadsPixels ? "" : ", and the image tower behind the store");
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
}
