using System.Diagnostics;
using System.Text.Json.Serialization;
using LiT.Classification;
using LiT.Compute;
using LiT.Data;
using LiT.Drawings;
using LiT.Embedding;
using LiT.Evaluation;
using LiT.Search;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Runs;

namespace LiT.Quickstart;

/// <summary>How much is drawn. The defaults take about a minute on two cores.</summary>
internal sealed record QuickstartSize
{
    /// <summary>Pictures with captions to tune on.</summary>
    public int Pairs { get; init; } = 6000;

    /// <summary>Pictures with captions to validate on.</summary>
    public int Validation { get; init; } = 500;

    /// <summary>Unseen pictures to score on.</summary>
    public int Test { get; init; } = 1200;

    /// <summary>Unseen pictures of compositions that were never shown.</summary>
    public int Compositions { get; init; } = 576;

    /// <summary>Updates of the text tower; null leaves them to what is usual for so many pairs.</summary>
    public long? Steps { get; init; }
}

/// <summary>One question of the quickstart with all that it is measured against.</summary>
/// <param name="Question">What was asked.</param>
/// <param name="N">Pictures.</param>
/// <param name="Classes">Answers to choose from.</param>
/// <param name="Top1">Share of right answers, in words, without labels.</param>
/// <param name="Interval95">Bootstrap interval.</param>
/// <param name="Chance">What guessing gives.</param>
/// <param name="Supervised">What the tower's own heads give, which were trained on labels.</param>
internal sealed record QuickstartAccuracy(
    string Question,
    int N,
    int Classes,
    double Top1,
    double[] Interval95,
    double Chance,
    double Supervised
);

/// <summary>What a quickstart came to (field names as in the JSON).</summary>
internal sealed record QuickstartResult
{
    /// <summary>The page.</summary>
    public required string Report { get; init; }

    /// <summary>The tuned model.</summary>
    public required string Model { get; init; }

    /// <summary>Stores of drawings that tuning never saw, to be searched.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Stores { get; init; } = [];

    /// <summary>Pairs that were tuned on.</summary>
    public required int Pairs { get; init; }

    /// <summary>Kinds, colours, compositions.</summary>
    public required IReadOnlyList<QuickstartAccuracy> Classification { get; init; }

    /// <summary>Both ways on unseen pictures.</summary>
    public required RetrievalReport Retrieval { get; init; }

    /// <summary>Seed of everything.</summary>
    public required int Seed { get; init; }

    /// <summary>Time taken, all of it.</summary>
    public required double Seconds { get; init; }
}

/// <summary>
/// The whole of LiT on the embedded data set: draw, embed once with the locked tower, tune a text tower, measure on
/// what was never shown, write a page. Every step is what the verb of that name does.
/// </summary>
internal static class QuickstartRun
{
    private const string TextTower = "text:width=128,depth=2,heads=4";

    /// <param name="folder">Gets data, stores, the run and report.html; run again, finished steps are not done
    /// again.</param>
    /// <param name="size">How much.</param>
    /// <param name="seed">Of drawings, weights and order.</param>
    /// <param name="toServe">
    /// Whether what was made will be searched: then the model tells what matches, and the stores have an index.
    /// </param>
    /// <param name="compute">Where to compute.</param>
    /// <param name="say">Told what is done.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancel">Stops; the same call goes on.</param>
    /// <exception cref="LitException">The folder cannot be written to, or holds another quickstart.</exception>
    public static QuickstartResult Run(
        string folder,
        QuickstartSize size,
        int seed,
        bool toServe,
        ComputeDevice compute,
        Action<string> say,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        Steps steps = new(folder, size, seed, compute, say, progress, cancel);
        var clock = Stopwatch.StartNew();
        steps.Draw();
        using var locked = steps.Embed();
        var tuned = steps.Tune();
        say("measuring on pictures, phrasings and compositions that were never shown");
        using var model = LitModel.Load(tuned.Model, compute);
        var kinds = steps.Classify(model, locked, DrawnSplit.Test, DrawnVocabulary.KindNames, "kind", "kind");
        var colours = steps.Classify(model, locked, DrawnSplit.Test, DrawnVocabulary.ColourNames, "colour", "colour");
        var compositions = steps.Classify(
            model,
            locked,
            DrawnSplit.Compositions,
            EveryComposition(),
            "composition",
            "kind",
            "colour"
        );
        QuickstartResult result = new()
        {
            Report = Path.Combine(folder, "report.html"),
            Model = tuned.Model,
            Pairs = tuned.Pairs,
            Classification =
            [
                Asked("kind of object", kinds),
                Asked("colour", colours),
                Asked("colour and kind never shown together", compositions),
            ],
            Retrieval = steps.Retrieve(model),
            Stores = [steps.Store(DrawnSplit.Test), steps.Store(DrawnSplit.Compositions)],
            Seed = seed,
            Seconds = clock.Elapsed.TotalSeconds,
        };
        QuickstartPage.Write(
            result,
            tuned,
            model,
            steps.Pictures(DrawnSplit.Test),
            kinds.Run.Score,
            kinds.Run.Labels,
            seed
        );
        if (toServe)
        {
            steps.Calibrate(model);
            foreach (var store in result.Stores)
                StoreIndex.Build(store, model, progress, cancel);
        }
        return result;
    }

    private static List<string> EveryComposition() =>
        [
            .. DrawnVocabulary.ColourNames.SelectMany(colour =>
                DrawnVocabulary.KindNames.Select(kind => $"{colour} {kind}")
            ),
        ];

    private static QuickstartAccuracy Asked(string question, (ClassificationRun Run, double Supervised) asked)
    {
        var report = asked.Run.Report;
        return new(question, report.N, report.Classes, report.Top1, report.Interval95, report.Chance, asked.Supervised);
    }

    /// <summary>What a quickstart does, one after the other; what is there already is not made again.</summary>
    private sealed class Steps(
        string folder,
        QuickstartSize size,
        int seed,
        ComputeDevice compute,
        Action<string> say,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        private readonly string data = Path.Combine(folder, "data");

        private readonly Dictionary<DrawnSplit, int> counts = new()
        {
            [DrawnSplit.Pairs] = size.Pairs,
            [DrawnSplit.Val] = size.Validation,
            [DrawnSplit.Test] = size.Test,
            [DrawnSplit.Compositions] = size.Compositions,
        };

        public string Pictures(DrawnSplit split) => Path.Combine(data, $"{DrawnDataset.NameOf(split)}.tar");

        public string Store(DrawnSplit split) => Path.Combine(folder, "stores", DrawnDataset.NameOf(split));

        public void Draw()
        {
            say($"drawing {counts.Values.Sum()} pictures into {data}");
            foreach (var (split, count) in counts)
                if (!File.Exists(Pictures(split)))
                    DrawnDataset.Write(data, split, count, seed, progress, cancel);
        }

        public LockedTower Embed()
        {
            var tower = Path.Combine(folder, "tower.safetensors");
            if (!File.Exists(tower))
                DrawnTower.Write(tower);
            var locked = ImageTowerLoader.Load(tower, new ImageTowerOptions { Compute = compute });
            try
            {
                say(
                    $"embedding each picture once with the locked tower ({locked.Architecture}, "
                        + $"{locked.ParameterCount:N0} weights)"
                );
                foreach (var split in counts.Keys)
                {
                    var source = Samples.Open(Pictures(split));
                    EmbedRun.Run(locked, tower, source, Store(split), new EmbedOptions(), compute, progress, cancel);
                }
                return locked;
            }
            catch
            {
                locked.Dispose();
                throw;
            }
        }

        public TuneResult Tune()
        {
            say("tuning a text tower from scratch to read it");
            TuneRequest request = new()
            {
                Data = Store(DrawnSplit.Pairs),
                TextTower = TextTower,
                Out = Path.Combine(folder, "run"),
                Validation = Store(DrawnSplit.Val),
                VocabularySize = 2000,
                BundleTower = BundleTower.Always,
                Seed = seed,
                Compute = compute,
                Settings = new()
                {
                    Seed = seed,
                    Steps = size.Steps,
                    KeepBest = TuningOptions.LastWeights,
                },
            };
            return TuneRun.Run(request, TuningWords.To(_ => { }, progress), cancel);
        }

        /// <summary>Measures what the model says to what does not belong together, unless it was measured.</summary>
        public void Calibrate(LitModel model)
        {
            if (File.Exists(Path.Combine(model.Folder!, Background.FileName)))
                return;
            say("measuring what matches, on drawings that tuning never saw");
            BackgroundOptions options = new() { Seed = seed };
            model.Keep(BackgroundMeasurement.Of(model, Store(DrawnSplit.Val), options, compute, progress, cancel));
        }

        /// <summary>Zero-shot, and what the tower's own heads answer.</summary>
        public (ClassificationRun Run, double Supervised) Classify(
            LitModel model,
            LockedTower locked,
            DrawnSplit split,
            IReadOnlyList<string> names,
            string column,
            params string[] heads
        )
        {
            EvaluationOptions options = new()
            {
                Classes = new ClassNames(names),
                Templates = DrawnVocabulary.Templates,
                Seed = seed,
                Images = new() { Samples = new() { LabelColumn = column } },
            };
            using var set = ModelEvaluation.Load(model, Store(split), options, compute, cancel: cancel);
            var run = ModelEvaluation.Classify(model, set, options, compute, cancel: cancel);
            return (run, Supervised(locked, set, heads));
        }

        public RetrievalReport Retrieve(LitModel model) =>
            ModelEvaluation
                .Retrieve(model, Store(DrawnSplit.Test), new EvaluationOptions(), compute, cancel: cancel)
                .Report;
    }

    /// <summary>Share of pictures that the tower's own heads answer rightly, all of the heads that are named.</summary>
    private static double Supervised(LockedTower locked, ImageSet set, params string[] heads)
    {
        var right = Enumerable.Repeat(true, set.Samples.Count).ToArray();
        foreach (var head in heads)
        {
            var names = locked.Heads.First(candidate => candidate.Name == head).ClassNames!;
            var answers = TowerHead.Answers(locked, head, set);
            for (var i = 0; i < right.Length; i++)
                right[i] &= names[answers[i]] == set.Samples[i].Fields[head];
        }
        return right.Count(one => one) / (double)right.Length;
    }
}
