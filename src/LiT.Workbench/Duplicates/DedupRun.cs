using LiT.Data;
using LiT.Files;
using LiT.Stores;

namespace LiT.Duplicates;

/// <summary>A set of pictures: any form of data, and the store with their embeddings if there is one.</summary>
/// <param name="Source">The pictures; a store's own samples where there is nothing else.</param>
/// <param name="Store">Their embeddings, found by the hash of the bytes; null leaves the scene level out.</param>
internal sealed record ComparedSet(SampleSource Source, EmbeddingStore? Store);

/// <summary>How duplicates are looked for.</summary>
internal sealed record DedupOptions
{
    /// <summary>What counts as a duplicate.</summary>
    public DuplicateRules Rules { get; init; } = new();

    /// <summary>Whether pictures that repeat an earlier one of the same set go.</summary>
    public bool Within { get; init; } = true;

    /// <summary>Pairs of each level and step that the page shows.</summary>
    public int PairsShown { get; init; } = 12;
}

/// <summary>Pictures that a step took out.</summary>
/// <param name="Step">"within", or the evaluation set.</param>
/// <param name="Bytes">By equal bytes.</param>
/// <param name="Picture">By perceptual hash.</param>
/// <param name="Scene">By embedding.</param>
/// <param name="Leaked">Pictures of the evaluation set that have a duplicate in the data; null within.</param>
/// <param name="Of">Pictures of the evaluation set; null within.</param>
internal sealed record DedupStep(string Step, int Bytes, int Picture, int Scene, int? Leaked, int? Of)
{
    /// <summary>All of them.</summary>
    public int Removed => Bytes + Picture + Scene;
}

/// <summary>What was found.</summary>
/// <param name="Pictures">Pictures of the data.</param>
/// <param name="Skipped">Samples that could not be read; they are not kept.</param>
/// <param name="Embedded">Pictures with an embedding; the scene level sees only these.</param>
/// <param name="Kept">Pictures that stay.</param>
/// <param name="Levels">The levels that could be looked at.</param>
/// <param name="Steps">The steps in their order; what one took out, the next does not find again.</param>
internal sealed record DedupResult(
    int Pictures,
    int Skipped,
    int Embedded,
    int Kept,
    IReadOnlyList<DuplicateLevel> Levels,
    IReadOnlyList<DedupStep> Steps
);

/// <summary>
/// Takes duplicates out of a data set: pictures that evaluation sets hold too, one set after the other, then pictures
/// that repeat an earlier one. Writes duplicates.jsonl (each with its pair and level), leaks_N.jsonl (the other side),
/// kept.jsonl and skipped.jsonl. Run again after a kill it goes on where it looked at the last pictures, and ends with
/// the same bytes.
/// </summary>
internal static class DedupRun
{
    /// <summary>
    /// Looks at one part's pictures of all sets, so that <see cref="Run"/> has only to compare. Parts may work at once.
    /// </summary>
    /// <param name="sets">The data that is cleaned, then the evaluation sets, as <see cref="Run"/> gets them.</param>
    /// <param name="part">Which part.</param>
    /// <param name="folder">Where the lists will go.</param>
    /// <param name="rules">As <see cref="Run"/> gets them.</param>
    /// <param name="progress">Told of pictures.</param>
    /// <param name="cancel">Stops soon.</param>
    /// <returns>How many files other parts have still to make.</returns>
    /// <exception cref="LitException">A set cannot be read, or the folder cannot be written.</exception>
    public static int Look(
        IReadOnlyList<ComparedSet> sets,
        StorePart part,
        string folder,
        DuplicateRules rules,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        rules = rules.Checked();
        LockWords own = new()
        {
            File = $".part-{part.Number}",
            Taken = $"another program makes part {part} here",
            Remedy = "Start each part once",
        };
        using var alone = FolderLock.Take(folder, own);
        return sets.Index()
            .Where(one => !PictureMarks.IsOfStore(one.Item.Source, one.Item.Store))
            .Sum(one =>
                PictureMarks.Make(one.Item.Source, part, Marks(folder, one.Index), Shapes(rules), progress, cancel)
            );
    }

    private static string Marks(string folder, int set) => Path.Combine(folder, "marks", $"{set:00}");

    private static bool Shapes(DuplicateRules rules) => rules.Levels.Contains(DuplicateLevel.Picture);

    /// <param name="data">The data that is cleaned.</param>
    /// <param name="against">Evaluation sets that must not be in it.</param>
    /// <param name="folder">Where the lists go.</param>
    /// <param name="options">Levels and thresholds.</param>
    /// <param name="pairs">Told of pairs worth looking at, at the end.</param>
    /// <param name="progress">Told of pictures.</param>
    /// <param name="held">The folder's lock, where the caller has it already; given back here.</param>
    /// <param name="cancel">Stops soon.</param>
    /// <exception cref="LitException">A set cannot be read, stores are of different towers, or the folder cannot be
    /// written.</exception>
    public static DedupResult Run(
        ComparedSet data,
        IReadOnlyList<ComparedSet> against,
        string folder,
        DedupOptions options,
        Action<IReadOnlyList<ShownPair>>? pairs = null,
        IProgress<ProgressStep>? progress = null,
        FolderLock? held = null,
        CancellationToken cancel = default
    )
    {
        using var given = held;
        var rules = options.Rules.Checked();
        foreach (var other in against)
            if (data.Store is { } left && other.Store is { } right)
                DuplicateSearch.CheckSameTower(left, right);
        using var taken = held is null ? FolderLock.Take(folder) : null;
        AtomicFile.RemoveLeft(folder);
        Cleaning cleaning = new(data, folder, options, rules, progress, cancel);
        foreach (var (number, set) in against.Index())
            cleaning.Against(set, number);
        if (options.Within)
            cleaning.Within();
        cleaning.WriteLists();
        pairs?.Invoke(cleaning.Shown);
        return cleaning.Result();
    }

    /// <summary>A data set on its way to being clean.</summary>
    private sealed class Cleaning
    {
        private readonly ComparedSet data;
        private readonly string folder;
        private readonly DedupOptions options;
        private readonly DuplicateRules rules;
        private readonly IProgress<ProgressStep>? progress;
        private readonly CancellationToken cancel;
        private readonly List<Skipped> skipped = [];
        private readonly PictureSet pictures;
        private readonly SortedDictionary<int, (string Step, Match Match, PictureSet Of)> removed = [];
        private readonly List<DedupStep> steps = [];

        public Cleaning(
            ComparedSet data,
            string folder,
            DedupOptions options,
            DuplicateRules rules,
            IProgress<ProgressStep>? progress,
            CancellationToken cancel
        )
        {
            (this.data, this.folder, this.options, this.rules) = (data, folder, options, rules);
            (this.progress, this.cancel) = (progress, cancel);
            pictures = Look(data, 0);
            if (pictures.Count == 0)
                throw new LitException(
                    data.Source.Path,
                    "none of its samples has a picture that could be read",
                    "Check the data"
                );
        }

        /// <summary>Pairs worth looking at.</summary>
        public List<ShownPair> Shown { get; } = [];

        /// <summary>Takes out what an evaluation set holds too.</summary>
        public void Against(ComparedSet set, int number)
        {
            var others = Look(set, number + 1);
            var (ofData, ofOther) = DuplicateSearch.Between(pictures, others, rules, progress, cancel);
            WriteLeaks(Path.Combine(folder, $"leaks_{number}.jsonl"), ofOther.Values, others, pictures);
            var fresh = ofData.Values.Where(match => !removed.ContainsKey(match.Picture)).ToList();
            foreach (var match in fresh)
                removed.Add(match.Picture, (set.Source.Path, match, others));
            steps.Add(Step(set.Source.Path, fresh, ofOther.Count, others.Count));
            Show(ofData.Values, others, set.Source, set.Source.Path);
        }

        /// <summary>Takes out what repeats an earlier picture.</summary>
        public void Within()
        {
            var repeats = DuplicateSearch.Within(pictures, removed.Keys.ToHashSet(), rules, progress, cancel);
            foreach (var match in repeats.Values)
                removed.Add(match.Picture, ("within", match, pictures));
            steps.Add(Step("within", repeats.Values, null, null));
            Show(repeats.Values, pictures, data.Source, "within");
        }

        public void WriteLists()
        {
            Lines(
                Path.Combine(folder, "duplicates.jsonl"),
                removed.Values.Select(one => LineOf(one.Match, pictures, one.Of, one.Step))
            );
            Lines(
                Path.Combine(folder, "kept.jsonl"),
                Enumerable
                    .Range(0, pictures.Count)
                    .Where(picture => !removed.ContainsKey(picture))
                    .Select(picture => (object)new { Key = pictures.Key(picture), Origin = pictures.Origin(picture) })
            );
            Lines(
                Path.Combine(folder, "skipped.jsonl"),
                skipped
                    .Where(one => !one.InPart)
                    .Select(one =>
                        (object)
                            new
                            {
                                one.Key,
                                one.Origin,
                                one.Reason,
                            }
                    )
            );
        }

        public DedupResult Result()
        {
            HashSet<DuplicateLevel> seen = [DuplicateLevel.Bytes];
            if (Enumerable.Range(0, pictures.Count).Any(picture => pictures.Shape(picture) is not null))
                seen.Add(DuplicateLevel.Picture);
            if (pictures.Store is not null)
                seen.Add(DuplicateLevel.Scene);
            return new(
                pictures.Count,
                skipped.Count(one => !one.InPart),
                Enumerable.Range(0, pictures.Count).Count(picture => pictures.Row(picture) >= 0),
                pictures.Count - removed.Count,
                [.. seen.Where(rules.Levels.Contains).Order()],
                steps
            );
        }

        private PictureSet Look(ComparedSet set, int number) =>
            PictureMarks.Of(
                set.Source,
                set.Store,
                Marks(folder, number),
                Shapes(rules),
                number == 0 ? skipped.Add : _ => { },
                progress,
                cancel
            );

        private void Show(ICollection<Match> matches, PictureSet others, SampleSource source, string step) =>
            Shown.AddRange(ShownPair.Choose(matches, pictures, others, data.Source, source, step, options.PairsShown));
    }

    /// <summary>The keys that kept.jsonl names.</summary>
    /// <exception cref="LitException">The file is missing or damaged.</exception>
    public static IReadOnlySet<string> KeptKeys(string folder)
    {
        var path = Path.Combine(folder, "kept.jsonl");
        try
        {
            return File.ReadLines(path)
                .Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("key").GetString()!)
                .ToHashSet();
        }
        catch (Exception trouble)
            when (trouble
                    is IOException
                        or UnauthorizedAccessException
                        or System.Text.Json.JsonException
                        or KeyNotFoundException
                        or InvalidOperationException
            )
        {
            throw new LitException(
                path,
                $"cannot be read ({trouble.Message.TrimEnd('.')})",
                "Run 'lit data dedup' again",
                trouble
            );
        }
    }

    private static DedupStep Step(string name, IReadOnlyCollection<Match> matches, int? leaked, int? of)
    {
        int Of(DuplicateLevel level) => matches.Count(match => match.Level == level);
        return new(name, Of(DuplicateLevel.Bytes), Of(DuplicateLevel.Picture), Of(DuplicateLevel.Scene), leaked, of);
    }

    private static object LineOf(Match match, PictureSet of, PictureSet other, string step) =>
        new
        {
            Key = of.Key(match.Picture),
            Origin = of.Origin(match.Picture),
            Step = step,
            match.Level,
            match.Distance,
            Cosine = match.Cosine is { } cosine ? Math.Round(cosine, 6) : (double?)null,
            OfKey = other.Key(match.Of),
            OfOrigin = other.Origin(match.Of),
        };

    private static void WriteLeaks(string path, IEnumerable<Match> leaks, PictureSet test, PictureSet data) =>
        Lines(path, leaks.Select(match => LineOf(match, test, data, test.Path)));

    private static void Lines(string path, IEnumerable<object> lines) => AtomicFile.Write(path, stream =>
        {
            foreach (var line in lines)
            {
                stream.Write(JournalLines.Line(line));
                stream.WriteByte((byte)'\n');
            }
        });
}
