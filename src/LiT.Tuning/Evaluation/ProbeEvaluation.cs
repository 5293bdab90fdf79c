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
        ImageSetOptions options = new() { Samples = new() { LabelColumn = labelColumn } };
        (Embeddings Rows, int[] Labels) Load(string path)
        {
            var set = ImageSet.Load(
                path,
                tower,
                () => throw new InvalidOperationException("a store needs no tower"),
                options,
                ComputeDevice.Cpu
            );
            var labels = Labels.Match(set.Samples, path, classes);
            classes ??= labels.Classes;
            var (all, of) = (labels.All, labels.Of);
            int[] rows = [.. Enumerable.Range(0, all.Count).Where(row => all[row].Length > 0)];
            return (set.Representations.Select(rows), [.. rows.Select(row => of[row]!.Value)]);
        }
        (train, trainLabels) = Load(training);
        (test, testLabels) = Load(testing);
        if (train.Size != test.Size)
            throw new LitException(
                $"{testing}: rows of {test.Size} numbers, where {training} has {train.Size}. Give two stores of one tower."
            );
        Classes = classes!;
        if (Enumerable.Range(0, Classes.Names.Count).Except(trainLabels).ToList() is { Count: > 0 } missing)
            Warnings =
            [
                $"{missing.Count} of {Classes.Names.Count} classes have no picture in {training} ('{Classes.Names[missing[0]]}'{(missing.Count > 1 ? " …" : "")}): they cannot be learned.",
            ];
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
