using LiT.Classification;
using LiT.Embedding;
using LiT.Stores;
using LiT.Text;
using LiT.Towers;
using LiT.Tuning.Contrastive;

namespace LiT.Tuning.Runs;

/// <summary>What a run is validated on: pictures given for it, or those held out of its data.</summary>
internal static class TuningValidation
{
    /// <summary>
    /// Retrieval where there are captions, zero-shot classification where there are labels that can be read.
    /// </summary>
    /// <returns>Null where nothing is to be validated on.</returns>
    /// <exception cref="LitException">The data cannot be used, or says nothing to validate on.</exception>
    internal static IValidation? Open(
        TuneRequest request,
        TuningSource source,
        IReadOnlySet<int> held,
        TwoTowers towers,
        CaptionTokenizer tokenizer,
        Func<SeenWords?> words,
        Action<Finding> find,
        Action<string> say,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var moving = request.Lock.Image == TowerStart.Locked ? null : source.Tower;
        if (held.Count > 0)
            return request.Validation is null
                ? new RetrievalValidation(towers, tokenizer, source.Only(held), request.Compute, moving)
                : throw new UsageException(
                    "`HoldOut` and `Validation` both say what to validate on. Give one of them."
                );
        if (request.Validation is not { } path)
            return request.ValidationClasses is null
                ? null
                : throw SettingException.Of<TuneRequest>(
                    s => s.ValidationClasses,
                    "there is nothing to validate on",
                    "Give `Validation` with labelled pictures"
                );
        if (moving is not null && EmbeddingStore.IsStore(path))
            throw SettingException.Of<TuneRequest>(
                s => s.Validation,
                path,
                "is an embedding store, and the image tower is tuned",
                "Give the pictures"
            );
        var set = ImageSet.Load(
            path,
            new(source.Fingerprint, source.TowerName),
            () =>
                source.Tower
                ?? throw new LitException(
                    path,
                    "pictures to validate on need the image tower",
                    "Name it with `ImageTower`, or give a store"
                ),
            new ImageSetOptions { Samples = request.Samples with { KeepOwnCaptions = true } },
            request.Compute,
            progress,
            cancel
        );
        try
        {
            var all = On(set, path, request, towers, tokenizer, words, moving, say);
            if (
                request.Doctor != DoctorMode.Off
                && DataExamination.Overlap(source.PictureHashes(), path, DataExamination.Hashes(path, set.Samples))
                    is { } overlap
            )
                find(overlap);
            return new Validations(all, set);
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    private static List<IValidation> On(
        ImageSet set,
        string path,
        TuneRequest request,
        TwoTowers towers,
        CaptionTokenizer tokenizer,
        Func<SeenWords?> words,
        LockedTower? moving,
        Action<string> say
    )
    {
        List<IValidation> all = [];
        foreach (var remark in set.Remarks)
            say(remark);
        if (HasLabels(set, request.ValidationClasses))
        {
            ZeroShotValidation classes = new(
                towers,
                tokenizer,
                set,
                request.ValidationClasses,
                request.ValidationTemplates,
                request.Compute,
                moving
            );
            foreach (var odd in classes.Oddities(words()))
                say($"warning: {path}: {odd}");
            all.Add(classes);
        }
        if (set.Samples.Any(sample => sample.Captions.Count > 0))
            all.Add(new RetrievalValidation(towers, tokenizer, set, request.Compute, moving));
        if (all.Count == 0)
            throw new LitException(
                path,
                "its pictures have neither captions nor labels to validate on",
                "Give `Validation` data with captions, or labels with `ValidationClasses` FILE"
            );
        return all;
    }

    // Numbers are labels only with the list that they count in.
    private static bool HasLabels(ImageSet set, ClassNames? classes)
    {
        var labels = set
            .Samples.Select(sample => sample.Label?.Trim())
            .Where(label => label?.Length > 0)
            .Distinct()
            .ToList();
        return labels.Count > 0
            && (classes is not null || (labels.Count > 1 && !labels.All(label => label!.All(char.IsAsciiDigit))));
    }
}

/// <summary>Pictures that are kept from a run to validate it on: which, depends on their number alone.</summary>
internal static class HeldOut
{
    /// <summary>Below so many, a part that is left out is missed, and too small to judge by.</summary>
    internal const int FewestPictures = 5_000;

    // Held-out pictures are missed in tuning: docs/results.md has what 1,000 of 20,250 cost.
    private const double UsualShare = 0.02;
    private const int UsuallyFewest = 250,
        UsuallyMost = 1_000;

    /// <summary>The share that is held out where nobody says one.</summary>
    /// <param name="pictures">Pictures with captions.</param>
    internal static double Usual(int pictures) =>
        pictures < FewestPictures
            ? 0
            : Math.Clamp(UsualShare, UsuallyFewest / (double)pictures, UsuallyMost / (double)pictures);

    /// <summary>Why.</summary>
    /// <param name="held">How many are held out.</param>
    internal static TuningReason Reason(int held) =>
        new(
            nameof(TuningSettings.HoldOut),
            FormattableString.Invariant($"{held:N0} pictures held out: there are enough, and a run ")
                + "that nobody watches can be ruined by its length"
        );

    /// <param name="images">Pictures that there are.</param>
    /// <param name="share">Share to hold out, to the nearest whole number: of two pictures or more at least one, and
    /// never all.</param>
    internal static IReadOnlySet<int> Of(int images, double share)
    {
        if (share <= 0 || images < 2)
            return new HashSet<int>();
        var count = Math.Clamp((int)Math.Round(share * images, MidpointRounding.AwayFromZero), 1, images - 1);
        return Enumerable.Range(0, images).OrderBy(image => Draw.Mixed(0x4C6954, (ulong)image)).Take(count).ToHashSet();
    }
}
