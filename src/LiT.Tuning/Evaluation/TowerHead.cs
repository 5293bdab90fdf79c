using LiT.Classification;
using LiT.Compute;
using LiT.Embedding;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Evaluation;

/// <summary>How a tower's own supervised head fares.</summary>
internal sealed record HeadScore(
    string Head,
    int N,
    int Classes,
    double Top1,
    double[] Interval95,
    int Skipped,
    int Unlabelled
);

/// <summary>
/// What a tower answers with the head that it was pre-trained with: the measure that zero-shot is held against.
/// </summary>
internal static class TowerHead
{
    /// <param name="locked">The tower.</param>
    /// <param name="head">One of its heads, or null where it has one.</param>
    /// <param name="path">Labelled pictures, or a store that this tower made.</param>
    /// <param name="options">How to read them.</param>
    /// <param name="classes">Names of the head's outputs; the head's own names where null.</param>
    /// <param name="compute">Where to compute.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <param name="progress">Told after every batch.</param>
    /// <param name="cancel">Stops after the batch under way.</param>
    /// <exception cref="LitException">No such head, or labels that do not fit it.</exception>
    public static HeadScore Score(
        LockedTower locked,
        string? head,
        string path,
        ImageSetOptions options,
        ClassNames? classes,
        ComputeDevice compute,
        int seed = 0,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        var heads = locked.Heads;
        var chosen = heads.Count switch
        {
            0 => throw new LitException(
                "This tower came without a supervised head. Use 'lit eval probe' to see what a linear "
                    + "probe reads from it."
            ),
            1 when head is null => heads[0],
            _ => heads.FirstOrDefault(candidate => candidate.Name == head)
                ?? throw new SettingException(
                    "Head",
                    head,
                    $"this tower's heads are {string.Join(", ", heads.Select(candidate => candidate.Name))}",
                    "Name one"
                ),
        };
        classes ??= chosen.ClassNames is { } names ? new ClassNames(names) : null;
        if (classes is not null && classes.Names.Count != chosen.Classes)
            throw new LitException(
                $"The head '{chosen.Name}' has {chosen.Classes} outputs and there are {classes.Names.Count} "
                    + "class names. Give one name an output."
            );

        using var set = ImageSet.Load(
            path,
            new(locked.Fingerprint, locked.Architecture),
            () => locked,
            options,
            compute,
            progress,
            cancel
        );
        var labels = Labels.Match(set.Samples, path, classes);
        var answers = Answers(locked, chosen.Name, set);
        var hits = answers
            .Select((answer, i) => (answer, label: labels.Of[i]))
            .Where(pair => pair.label is not null)
            .Select(pair => pair.answer == pair.label)
            .ToList();
        return new(
            chosen.Name,
            hits.Count,
            chosen.Classes,
            hits.Count(hit => hit) / (double)hits.Count,
            Bootstrap.Interval95(hits, seed),
            set.Skipped.Count + set.LeftOutBefore,
            labels.Unmatched
        );
    }

    /// <summary>The best output of a head for each picture.</summary>
    internal static int[] Answers(LockedTower locked, string head, ImageSet set)
    {
        List<int> best = new(set.Samples.Count);
        foreach (var block in set.Blocks())
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            var weight = locked.Tower.parameters().First();
            var rows = block.ToTensor().to(weight.device).to(weight.dtype);
            best.AddRange(locked.Tower.Logits(head, rows).argmax(1).cpu().data<long>().Select(answer => (int)answer));
        }
        return [.. best];
    }
}
