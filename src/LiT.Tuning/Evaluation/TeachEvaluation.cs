using System.Diagnostics;
using LiT.Classification;
using LiT.Compute;
using LiT.Embedding;

namespace LiT.Evaluation;

/// <summary>How taught words are measured.</summary>
internal sealed record TeachOptions
{
    /// <summary>Classes of the pictures to score on.</summary>
    public ClassNames? Classes { get; init; }

    /// <summary>Classes of the pictures to teach from; null for those of the pictures to score on.</summary>
    public ClassNames? TaughtClasses { get; init; }

    /// <summary>The classes that are taught, by name; null for all that there are pictures to teach from.</summary>
    public IReadOnlyList<string>? Words { get; init; }

    /// <summary>How the pictures are read.</summary>
    public ImageSetOptions Images { get; init; } = new();

    /// <summary>Prompt templates for all names.</summary>
    public IReadOnlyList<string> Templates { get; init; } = PromptTemplates.Default;

    /// <summary>Pictures a word is taught from; each number is measured.</summary>
    public IReadOnlyList<int> Shots { get; init; } = [5, 10, 50];

    /// <summary>How often they are drawn.</summary>
    public int Draws { get; init; } = 5;

    /// <summary>Seed of the draws.</summary>
    public int Seed { get; init; }
}

/// <summary>What taught words do (field names as in the JSON); means over the draws.</summary>
/// <param name="Pictures">Pictures that each word was taught from.</param>
/// <param name="One">One word taught, beside all the old classes: pictures of it that are called by it, the mean of the
/// words.</param>
/// <param name="OneOld">The same model's share of old pictures that are named rightly, the mean of the words.</param>
/// <param name="All">All words taught, beside all the old classes: pictures of them that are named rightly.</param>
/// <param name="AllOld">The same model's share of old pictures that are named rightly.</param>
/// <param name="Among">The words alone: pictures of them that are named rightly; null for one word.</param>
/// <param name="Probe">A linear probe fitted on the same pictures, among the words alone; null for one word.</param>
/// <param name="Confidence">The mean probability of what is answered, all words taught, over all pictures; calibrated
/// where it is near <paramref name="Right"/>.</param>
/// <param name="Right">The share of all these answers that is right.</param>
internal sealed record TaughtScore(
    int Pictures,
    double One,
    double OneOld,
    double All,
    double AllOld,
    double? Among,
    double? Probe,
    double Confidence,
    double Right
);

/// <summary>Taught words, measured (field names as in the JSON).</summary>
/// <param name="Dataset">The pictures to score on.</param>
/// <param name="Taught">The pictures to teach from.</param>
/// <param name="Words">The taught words.</param>
/// <param name="Classes">The old classes: those that are asked for by name alone.</param>
/// <param name="OldPictures">Pictures of the old classes.</param>
/// <param name="NewPictures">Pictures of the words; none of them was taught from.</param>
/// <param name="Old">The share of old pictures that are named rightly before anything is taught.</param>
/// <param name="Untaught">The share of the words' pictures that are named rightly where the words are asked for as they
/// are, untaught, beside the old classes.</param>
/// <param name="Draws">How often pictures were drawn.</param>
/// <param name="Scores">For each number of pictures.</param>
/// <param name="Seconds">Time taken.</param>
internal sealed record TeachReport(
    string Dataset,
    string Taught,
    IReadOnlyList<string> Words,
    int Classes,
    int OldPictures,
    int NewPictures,
    double Old,
    double Untaught,
    int Draws,
    IReadOnlyList<TaughtScore> Scores,
    double Seconds
)
{
    /// <summary>What a reader of the numbers should know.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>
/// Teaches words from a few labelled pictures of a store, drawn several times, and counts what the model then calls
/// pictures that it was not taught from; beside it a linear probe on the same pictures.
/// </summary>
internal sealed class TeachEvaluation
{
    private readonly LitModel model;
    private readonly TeachOptions options;
    private readonly WordTeaching teaching;
    private readonly string[] words;
    private readonly Pool[] pools;
    private readonly Embeddings taughtRows,
        taughtZimg; // the tower's own, and projected
    private readonly string[] oldNames;
    private readonly Embeddings oldZimg;
    private readonly int[] oldOf;
    private readonly Embeddings? newRows,
        newZimg; // null where the undrawn pictures are scored on
    private readonly int[] newOf = [];
    private readonly string dataset,
        taught;

    /// <summary>The rows of a word's pictures to teach from.</summary>
    private sealed record Pool(int[] Rows);

    /// <param name="model">The model; is taught nothing for good.</param>
    /// <param name="dataset">A store, or any form of data: labelled pictures to score on.</param>
    /// <param name="taught">The same, to teach from. Where <paramref name="dataset"/> has no picture of the words,
    /// those that were not drawn are scored on.</param>
    /// <param name="others">What words are told from, unit length; null where there is nothing, which is
    /// refused.</param>
    /// <param name="options">Which words, how many pictures.</param>
    /// <param name="compute">Where to compute.</param>
    /// <exception cref="LitException">Labels that are no classes, words without pictures; the message says
    /// which.</exception>
    public TeachEvaluation(
        LitModel model,
        string dataset,
        string taught,
        Embeddings? others,
        TeachOptions options,
        ComputeDevice compute
    )
    {
        (this.model, this.options, teaching) = (model, options, model.TeachingFrom(others));
        (this.dataset, this.taught) = (dataset, taught);
        ImageSet Load(string path) =>
            ImageSet.Load(path, model.Description.Image.Expected, () => model.Image, options.Images, compute);
        using var set = Load(dataset);
        using var pool = Load(taught);
        var old = Labels.Match(set.Samples, dataset, options.Classes);
        var fresh = Labels.Match(pool.Samples, taught, options.TaughtClasses ?? options.Classes);
        words = [.. Chosen(fresh)];
        pools = [.. words.Select(word => new Pool(RowsOf(fresh, word)))];
        if (Array.FindIndex(pools, one => one.Rows.Length < LitModel.FewestPictures) is >= 0 and var poor)
            throw new LitException(
                taught,
                $"{pools[poor].Rows.Length} pictures of '{words[poor]}', and a word is taught from "
                    + $"{LitModel.FewestPictures} at least",
                "Leave the word out, or give more pictures of it"
            );
        taughtRows = pool.ReadAll();
        taughtZimg = model.ProjectImages(taughtRows);
        var rows = set.ReadAll();
        var zimg = model.ProjectImages(rows);
        var wordOf = words.Index().ToDictionary(one => TaughtVectors.Plain(one.Item), one => one.Index);
        int? WordOf(int row) =>
            old.All[row] is [var c, ..] && wordOf.TryGetValue(TaughtVectors.Plain(old.Classes.Names[c]), out var w)
                ? w
                : null;
        oldNames = [.. old.Classes.Names.Where(name => !wordOf.ContainsKey(TaughtVectors.Plain(name)))];
        var place = oldNames.Index().ToDictionary(one => one.Item, one => one.Index, StringComparer.Ordinal);
        int[] all = [.. Enumerable.Range(0, set.Samples.Count).Where(row => old.All[row].Length > 0)];
        int[] oldOnes = [.. all.Where(row => WordOf(row) is null)];
        int[] newOnes = [.. all.Where(row => WordOf(row) is not null)];
        if (oldOnes.Length == 0)
            throw new LitException(dataset, "every picture in it is of a taught word", "Give pictures of others, too");
        oldZimg = zimg.Select(oldOnes);
        oldOf = [.. oldOnes.Select(row => place[old.Classes.Names[old.All[row][0]]])];
        if (newOnes.Length == 0)
            return;
        (newRows, newZimg) = (rows.Select(newOnes), zimg.Select(newOnes));
        newOf = [.. newOnes.Select(row => WordOf(row)!.Value)];
    }

    /// <summary>Pictures a word has at least: more cannot be drawn and leave some to score on.</summary>
    private int Fewest => pools.Min(one => one.Rows.Length) - (newZimg is null ? 1 : 0);

    /// <summary>Measures.</summary>
    /// <param name="progress">Told after every draw.</param>
    /// <param name="cancel">Stops between two draws.</param>
    /// <exception cref="LitException">There are too few pictures for any of the numbers.</exception>
    public TeachReport Run(IProgress<ProgressStep>? progress = null, CancellationToken cancel = default)
    {
        var clock = Stopwatch.StartNew();
        int[] shots = [.. options.Shots.Where(count => count <= Fewest)];
        if (shots.Length == 0)
            throw new LitException(
                taught,
                $"no word can be taught from {options.Shots.Min()} pictures: the one with the fewest has {Fewest} "
                    + "to spare",
                "Ask for fewer"
            );
        var names = Prompted(oldNames);
        var before = Nearest(oldZimg, names).Best;
        var untaught = Beside(names, Prompted(words));
        var everyNew = newZimg ?? taughtZimg.Select([.. pools.SelectMany(one => one.Rows)]);
        int[] everyOf = newZimg is null
            ? [.. pools.SelectMany((one, w) => Enumerable.Repeat(w, one.Rows.Length))]
            : newOf;
        List<TaughtScore> scores = [];
        foreach (var count in shots)
        {
            List<TaughtScore> draws = [];
            for (var draw = 0; draw < options.Draws; draw++)
            {
                cancel.ThrowIfCancellationRequested();
                draws.Add(Drawn(names, count, draw));
                progress?.Report(
                    new("teaching", scores.Count * options.Draws + draws.Count, shots.Length * options.Draws, "draws")
                );
            }
            scores.Add(Mean(draws));
        }
        return new(
            dataset,
            taught,
            words,
            oldNames.Length,
            oldZimg.Count,
            everyNew.Count,
            Right(before, oldOf),
            Right(Nearest(everyNew, untaught).Best, [.. everyOf.Select(w => oldNames.Length + w)]),
            options.Draws,
            scores,
            clock.Elapsed.TotalSeconds
        )
        {
            Warnings =
            [
                .. ClassPrompts.Unseen(oldNames, PromptTemplates.Fill(oldNames, options.Templates), model.UnseenWords),
            ],
        };
    }

    private IEnumerable<string> Chosen(Labels labels)
    {
        if (options.Words is not { } asked)
            return labels
                .Classes.Names.Where((_, c) => labels.All.Any(own => own.Contains(c)))
                .Select(name => name.Split(',')[0]);
        return asked.Select(word =>
            labels.Classes.IndexOf(word) is { } c
                ? labels.Classes.Names[c].Split(',')[0]
                : throw new LitException(taught, $"has no class '{word}'", "Give names of its classes")
        );
    }

    private static int[] RowsOf(Labels labels, string word)
    {
        var c = labels.Classes.IndexOf(word);
        return [.. Enumerable.Range(0, labels.All.Count).Where(row => c is { } own && labels.All[row].Contains(own))];
    }

    private Embeddings Prompted(IReadOnlyList<string> names)
    {
        var prompts = PromptTemplates.Fill(names, options.Templates);
        return ClassMeans.Of(model.EmbedPrompts(prompts), [.. prompts.Select(one => one.Class)], names.Count);
    }

    private static Embeddings Beside(Embeddings one, Embeddings other) =>
        new([.. one.Values, .. other.Values], one.Size);

    private TaughtScore Drawn(Embeddings names, int count, int draw)
    {
        int[][] drawn =
        [
            .. pools.Select(
                (pool, w) =>
                {
                    var mixed = pool.Rows.ToArray();
                    new Random(unchecked(((options.Seed * 31 + count) * 31 + draw) * 131 + w)).Shuffle(mixed);
                    return mixed[..count];
                }
            ),
        ];
        Embeddings vectors = new([.. drawn.SelectMany(rows => teaching.Vector(taughtZimg.Select(rows)))], names.Size);
        var taken = drawn.SelectMany(some => some).ToHashSet();
        int[] left = [.. pools.SelectMany(one => one.Rows).Where(row => !taken.Contains(row))];
        var fresh = newZimg ?? taughtZimg.Select(left);
        int[] of = newZimg is null
            ? [.. pools.SelectMany((one, w) => one.Rows.Where(row => !taken.Contains(row)).Select(_ => w))]
            : newOf;
        var (one, oneOld) = OneByOne(names, vectors, fresh, of);
        var all = Beside(names, vectors);
        var (bestNew, sureNew) = Named(fresh, all);
        var (bestOld, sureOld) = Named(oldZimg, all);
        int[] answers = [.. of.Select(w => oldNames.Length + w)];
        var right =
            (Right(bestNew, answers) * of.Length + Right(bestOld, oldOf) * oldOf.Length) / (of.Length + oldOf.Length);
        return new(
            count,
            one,
            oneOld,
            Right(bestNew, answers),
            Right(bestOld, oldOf),
            words.Length == 1 ? null : Right(Nearest(fresh, vectors).Best, of),
            words.Length == 1 ? null : Probed(drawn, newRows ?? taughtRows.Select(left), of),
            sureNew.Concat(sureOld).Average(),
            right
        );
    }

    // Beside the old classes a word's own similarity alone is new.
    private (double New, double Old) OneByOne(Embeddings names, Embeddings vectors, Embeddings fresh, int[] of)
    {
        var (own, old, shown) = (0.0, 0.0, 0);
        var (asNew, asOld) = (Nearest(fresh, names).Similarity, Nearest(oldZimg, names));
        float[][] ofNew = Similarities(fresh, vectors),
            ofOld = Similarities(oldZimg, vectors);
        for (var w = 0; w < words.Length; w++)
        {
            int[] rows = [.. Enumerable.Range(0, of.Length).Where(row => of[row] == w)];
            shown += rows.Length > 0 ? 1 : 0;
            own += rows.Length == 0 ? 0 : rows.Count(row => ofNew[row][w] > asNew[row]) / (double)rows.Length;
            old +=
                Enumerable
                    .Range(0, oldOf.Length)
                    .Count(row => asOld.Best[row] == oldOf[row] && ofOld[row][w] <= asOld.Similarity[row])
                / (double)oldOf.Length;
        }
        return (own / shown, old / words.Length);
    }

    private static (int[] Best, float[] Similarity) Nearest(Embeddings zimg, Embeddings classes)
    {
        var (best, similarity) = (new int[zimg.Count], new float[zimg.Count]);
        Similarity.EachRow(zimg, classes, (row, scores) =>
        {
            best[row] = Similarity.ArgMax(scores);
            similarity[row] = scores[best[row]];
        });
        return (best, similarity);
    }

    private static float[][] Similarities(Embeddings zimg, Embeddings classes)
    {
        var all = new float[zimg.Count][];
        Similarity.EachRow(zimg, classes, (row, scores) => all[row] = scores.ToArray());
        return all;
    }

    private double Probed(int[][] drawn, Embeddings test, int[] of)
    {
        int[] rows = [.. drawn.SelectMany(some => some)];
        int[] labels = [.. drawn.SelectMany((some, w) => some.Select(_ => w))];
        var answers = LinearProbe.Few(taughtRows.Select(rows), labels, test, words.Length);
        return Right([.. answers.Select(answer => (int)answer)], of);
    }

    /// <summary>The nearest class of each picture, and its probability.</summary>
    private (int[] Best, double[] Sure) Named(Embeddings zimg, Embeddings classes)
    {
        var (best, sure) = (new int[zimg.Count], new double[zimg.Count]);
        Similarity.EachRow(zimg, classes, (row, scores) =>
        {
            best[row] = Similarity.ArgMax(scores);
            var similarities = new double[scores.Length];
            for (var i = 0; i < similarities.Length; i++)
                similarities[i] = scores[i];
            sure[row] = Probabilities.Of(similarities, model.Description.Temperature, model.Description.Bias)[
                best[row]
            ];
        });
        return (best, sure);
    }

    private static double Right(int[] answers, int[] of) =>
        answers.Zip(of).Count(one => one.First == one.Second) / (double)of.Length;

    private static TaughtScore Mean(List<TaughtScore> draws) =>
        new(
            draws[0].Pictures,
            draws.Average(one => one.One),
            draws.Average(one => one.OneOld),
            draws.Average(one => one.All),
            draws.Average(one => one.AllOld),
            draws.Average(one => one.Among),
            draws.Average(one => one.Probe),
            draws.Average(one => one.Confidence),
            draws.Average(one => one.Right)
        );
}
