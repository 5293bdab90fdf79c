using LiT.Bundles;
using LiT.Classification;
using LiT.Compute;
using LiT.Embedding;
using LiT.Stores;

namespace LiT.Evaluation;

/// <summary>What labels can get out of the locked tower's representations, between two stores of one tower.</summary>
internal sealed class ProbeEvaluation
{
    private readonly Embeddings train,
        test;
    private readonly int[] trainLabels,
        testLabels;

    /// <param name="training">A store of labelled pictures to fit on.</param>
    /// <param name="testing">A store of labelled pictures to score on.</param>
    /// <param name="classes">The classes, or null for the training store's labels.</param>
    /// <param name="labelColumn">The column with the label, or null for the store's own.</param>
    /// <exception cref="LitException">Stores of two towers, or labels that are no classes.</exception>
    public ProbeEvaluation(string training, string testing, ClassNames? classes, string? labelColumn)
    {
        ExpectedTower? tower;
        using (var store = EmbeddingStore.Open(training))
            tower = store.Description is { } made ? new(made.Fingerprint, made.Tower) : null;
        using (var store = EmbeddingStore.Open(testing))
            if (tower is not null)
                StoreFit.Check(store, tower);
        var given = classes is not null;
        List<string> warnings = [];
        ImageSetOptions options = new() { Samples = new() { LabelColumn = labelColumn } };
        (Embeddings Rows, int[] Labels) Load(string path)
        {
            using var set = ImageSet.Load(
                path,
                tower,
                () => throw new InvalidOperationException("a store needs no tower"),
                options,
                ComputeDevice.Cpu
            );
            var labels = Labels.Match(set.Samples, path, classes);
            var fromTraining = classes is not null && !given;
            classes ??= labels.Classes;
            var of = labels.Of;
            // A picture of a class that training lacks counts, and cannot be answered rightly.
            Dictionary<string, int> strange = new(StringComparer.Ordinal);
            var strangers = 0;
            int? ClassOf(int row)
            {
                if (
                    of[row] is { } known
                    || !fromTraining
                    || set.Samples[row].Label?.Trim() is not { Length: > 0 } label
                )
                    return of[row];
                strangers++;
                if (!strange.TryGetValue(label, out var number))
                    strange.Add(label, number = classes.Names.Count + strange.Count);
                return number;
            }
            int?[] classOf = [.. Enumerable.Range(0, set.Samples.Count).Select(ClassOf)];
            int[] rows = [.. Enumerable.Range(0, classOf.Length).Where(row => classOf[row] is not null)];
            if (strangers > 0)
                warnings.Add(
                    $"{strangers} of {rows.Length} pictures of {path} are of "
                        + $"{(strange.Count == 1 ? "a class" : $"{strange.Count} classes")} that {training} has "
                        + $"no picture of ('{strange.First().Key}'{(strange.Count > 1 ? " …" : "")}): they "
                        + $"count as answered wrongly."
                );
            if (rows.Length < classOf.Length)
                warnings.Add(
                    $"{classOf.Length - rows.Length} of {classOf.Length} pictures of {path} carry no "
                        + $"label{(given ? " that is one of the classes" : "")}; they are left out."
                );
            if (set.LeftOutBefore > 0)
                warnings.Add(
                    $"{set.LeftOutBefore} pictures of {path} could not be read when it was embedded; they are "
                        + $"not scored."
                );
            return (set.Read(rows), [.. rows.Select(row => classOf[row]!.Value)]);
        }
        (train, trainLabels) = Load(training);
        (test, testLabels) = Load(testing);
        if (train.Size != test.Size)
            throw new LitException(
                testing,
                $"rows of {test.Size} numbers, where {training} has {train.Size}",
                "Give two stores of one tower"
            );
        Classes = classes!;
        if (Enumerable.Range(0, Classes.Names.Count).Except(trainLabels).ToList() is { Count: > 0 } missing)
            warnings.Add(
                $"{missing.Count} of {Classes.Names.Count} classes have no picture in {training} "
                    + $"('{Classes.Names[missing[0]]}'{(missing.Count > 1 ? " …" : "")}): they cannot be learned."
            );
        ofClass = [.. Enumerable.Range(0, Classes.Names.Count).Select(c => trainLabels.Count(label => label == c))];
        Warnings = warnings;
    }

    private readonly int[] ofClass; // training pictures of each class

    /// <summary>
    /// Which numbers of pictures a class can be drawn: one beyond what the largest class has would only repeat the
    /// one before.
    /// </summary>
    /// <param name="shots">What is wanted.</param>
    /// <param name="remark">What a reader should know of what is left, or null.</param>
    public IReadOnlyList<int> Shots(IReadOnlyList<int> shots, out string? remark)
    {
        var (fewest, most) = (ofClass.Where(count => count > 0).Min(), ofClass.Max());
        int[] left = [.. shots.Where(count => count <= most)];
        if (left.Length == 0)
            left = [shots.Min()]; // every class gives all it has
        List<string> remarks = [];
        if (left.Length < shots.Count)
            remarks.Add(
                $"no class has more than {most} pictures to fit on: {string.Join(", ", shots.Except(left))} a "
                    + $"class {(shots.Except(left).Count() == 1 ? "is" : "are")} left out."
            );
        if (left.Any(count => count > fewest))
            remarks.Add(
                $"{ofClass.Count(count => count > 0 && count < left.Max())} of {ofClass.Length} classes have "
                    + $"fewer pictures than are drawn (the smallest has {fewest}) and give all they have."
            );
        remark = remarks.Count == 0 ? null : string.Join(" ", remarks);
        return left;
    }

    /// <summary>The classes.</summary>
    public ClassNames Classes { get; }

    /// <summary>What a reader of the numbers should know.</summary>
    public IReadOnlyList<string> Warnings { get; } = [];

    /// <summary>Pictures to fit on, and to score on.</summary>
    public (int Train, int Test) Counts => (train.Count, test.Count);

    /// <inheritdoc cref="LinearProbe.Score"/>
    public ProbeScore Linear(int seed, IProgress<ProgressStep>? progress = null, CancellationToken cancel = default) =>
        LinearProbe.Score(train, trainLabels, test, testLabels, Classes.Names.Count, seed, progress, cancel);

    /// <inheritdoc cref="LinearProbe.FewShot"/>
    public IReadOnlyList<FewShotScore> FewShot(
        IReadOnlyList<int> shots,
        int draws,
        int seed,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    ) =>
        LinearProbe.FewShot(
            train,
            trainLabels,
            test,
            testLabels,
            Classes.Names.Count,
            shots,
            draws,
            seed,
            progress,
            cancel
        );

    /// <inheritdoc cref="Neighbours.Score"/>
    public IReadOnlyList<NeighbourScore> Nearest(IReadOnlyList<int> k, double temperature, int seed) =>
        Neighbours.Score(train, trainLabels, test, testLabels, Classes.Names.Count, k, temperature, seed);
}
