using System.Text.Json.Nodes;
using LiT.Data;

namespace LiT.Curation;

/// <summary>
/// What becomes of a sample: the sample that is written, or the rule that it broke; and the captions it lost.
/// </summary>
internal sealed record Judgement(Sample? Kept, Broken? Rejected, IReadOnlyList<(string Caption, Broken Broken)> Dropped)
{
    public static Judgement Keep(Sample sample) => new(sample, null, []);
}

/// <summary>
/// Reads a source once and writes those of its samples that are kept, in order: pictures are read and judged ahead on
/// the thread pool. Killed and run again it goes on after the last whole shard, to the same bytes.
/// </summary>
internal static class RewriteRun
{
    private const int AheadCount = 32;

    private sealed record Read(Found Found, byte[]? Image, Judgement? Judgement, Skipped? Lost);

    /// <param name="source">What is read.</param>
    /// <param name="folder">Where it is written.</param>
    /// <param name="form">In which form.</param>
    /// <param name="samplesPerShard">Samples in a shard.</param>
    /// <param name="made">Verb and options; another command's folder is refused.</param>
    /// <param name="judge">Decides about a sample with its picture; safe from any thread.</param>
    /// <param name="what">The work in a word, for progress.</param>
    /// <param name="progress">Told of samples.</param>
    /// <param name="cancel">Stops between two samples; whole shards stay.</param>
    /// <returns>What was written and what was not, and by which rule.</returns>
    public static (WrittenCounts Counts, RuleCounts Rules, bool WasComplete) Run(
        SampleSource source,
        string folder,
        SampleForm form,
        int samplesPerShard,
        JsonObject made,
        Func<Sample, byte[], Judgement> judge,
        string what,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        using var found = source.ReadAll().GetEnumerator();
        var any = found.MoveNext(); // an empty source is refused before anything is written
        made["source"] = source.Path;
        using var writer = DataSetWriter.Open(folder, form, samplesPerShard, made);
        var rules = RuleCounts.From(writer.State);
        if (writer.IsComplete)
            return (writer.Counts, rules, true);
        var unreported = 0;
        foreach (var one in Ahead.InOrder(Remaining(), found => Judged(found, judge), AheadCount, cancel))
        {
            Take(one, writer, rules);
            if (++unreported % 16 == 0)
                progress?.Report(
                    new(
                        what,
                        writer.Counts.Found,
                        source.KnownCount,
                        "samples",
                        writer.Counts.Rejected > 0 ? $"{writer.Counts.Rejected} left out" : null
                    )
                );
        }
        if (writer.Counts.Written == 0)
            throw new LitException(
                source.Path,
                $"none of its {writer.Counts.Found} samples is left to write; "
                    + $"{Path.Combine(folder, "rejected.jsonl")} says why for each",
                "Mend the data, or choose other rules and an empty folder"
            );
        return (writer.Finish(rules.ToJson), rules, false);

        IEnumerable<Found> Remaining()
        {
            var resumed = writer.Resumed;
            for (var more = any; more; more = found.MoveNext())
                if (--resumed < 0)
                    yield return found.Current;
        }
    }

    /// <summary>Writes a sample that is kept, and counts and names what is not.</summary>
    private static void Take(Read one, DataSetWriter writer, RuleCounts rules)
    {
        var sample = one.Found.Sample;
        if (one.Found.Skipped is { InPart: true } note)
            writer.Note(note);
        else if ((one.Found.Skipped ?? one.Lost) is { } skipped)
        {
            rules.Reject(new("not read", skipped.Reason), skipped.Key, null);
            writer.Reject(
                new
                {
                    skipped.Key,
                    skipped.Origin,
                    Rule = "not read",
                    How = skipped.Reason,
                }
            );
        }
        else if (one.Judgement!.Kept is { } kept)
        {
            writer.MakeRoom(one.Image!.Length, rules.ToJson);
            foreach (var (caption, broken) in one.Judgement.Dropped)
                rules.Drop(broken, sample!.Key, caption);
            writer.Append(kept, one.Image, rules.ToJson);
        }
        else
        {
            foreach (var (caption, broken) in one.Judgement.Dropped)
                rules.Drop(broken, sample!.Key, caption);
            var broke = one.Judgement.Rejected!.Value;
            rules.Reject(broke, sample!.Key, sample.Captions.Count > 0 ? sample.Captions[0] : null);
            writer.Reject(
                new
                {
                    sample.Key,
                    sample.Origin,
                    broke.Rule,
                    broke.How,
                    sample.Captions,
                }
            );
        }
    }

    private static Read Judged(Found found, Func<Sample, byte[], Judgement> judge)
    {
        if (found.Sample is not { } sample)
            return new(found, null, null, null);
        if (sample.ReadImage is null)
            return new(found, null, null, new(sample.Key, sample.Origin, "no picture"));
        try
        {
            var image = sample.ReadImage();
            return new(found, image, judge(sample, image), null);
        }
        catch (Exception trouble) when (trouble is LitException or IOException or UnauthorizedAccessException)
        {
            return new(found, null, null, new(sample.Key, sample.Origin, trouble.Message));
        }
    }
}
