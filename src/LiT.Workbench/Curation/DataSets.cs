using System.Text.Json.Nodes;
using LiT.Data;
using LiT.Stores;

namespace LiT.Curation;

/// <summary>What a run over a data set wrote.</summary>
/// <param name="Counts">Found = written + rejected.</param>
/// <param name="Rules">Each rule's victims; of converting, only what could not be read.</param>
/// <param name="WasComplete">Whether there was nothing to do.</param>
internal sealed record DataSetResult(WrittenCounts Counts, IReadOnlyList<RuleCount> Rules, bool WasComplete);

/// <summary>Reshapes and cleans data sets. A killed run goes on where it was, to the same bytes.</summary>
internal static class DataSets
{
    /// <summary>Writes a source in another form: pictures as they are, captions, labels and fields.</summary>
    /// <param name="source">Any form of data with pictures.</param>
    /// <param name="folder">A new folder, or that of an interrupted run.</param>
    /// <param name="form">The form.</param>
    /// <param name="samplesPerShard">Samples in a shard; one of a gigabyte is closed earlier.</param>
    /// <param name="progress">Told of samples.</param>
    /// <param name="cancel">Stops between two samples; whole shards stay.</param>
    /// <exception cref="LitException">The source cannot be read or holds no picture, or the folder cannot be
    /// written.</exception>
    public static DataSetResult Convert(
        SampleSource source,
        string folder,
        SampleForm form,
        int samplesPerShard = 10_000,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        RefuseStore(source);
        var (counts, rules, was) = RewriteRun.Run(
            source,
            folder,
            form,
            samplesPerShard,
            new JsonObject { ["verb"] = "convert" },
            (sample, _) => Judgement.Keep(sample),
            "converting",
            progress,
            cancel
        );
        return new(counts, rules.All, was);
    }

    /// <summary>
    /// Writes those samples of a source that keep to rules, and of those the captions that do; rejected.jsonl names the
    /// others, each with the rule. A sample goes when its picture breaks a rule or none of its captions is left.
    /// </summary>
    /// <param name="source">Any form of data with pictures; read twice where a rule counts captions.</param>
    /// <param name="folder">A new folder, or that of an interrupted run.</param>
    /// <param name="form">The form that is written.</param>
    /// <param name="rules">The rules.</param>
    /// <param name="samplesPerShard">Samples in a shard.</param>
    /// <param name="progress">Told of samples.</param>
    /// <param name="cancel">Stops between two samples; whole shards stay.</param>
    /// <exception cref="LitException">The source cannot be read, nothing is left, or the folder cannot be
    /// written.</exception>
    public static DataSetResult Filter(
        SampleSource source,
        string folder,
        SampleForm form,
        FilterRules rules,
        int samplesPerShard = 10_000,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        RefuseStore(source);
        var census = new Lazy<CaptionCensus?>(() =>
            Curation.Filter.NeedsCensus(rules)
                ? CaptionCensus.Of(source, rules.MinTokenCount > 1, progress, cancel)
                : null
        );
        var filter = new Lazy<Filter>(() => new(rules, census.Value));
        var made = new JsonObject
        {
            ["verb"] = "filter",
            ["rules"] = System.Text.Json.JsonSerializer.SerializeToNode(rules),
        };
        var (counts, broken, was) = RewriteRun.Run(
            source,
            folder,
            form,
            samplesPerShard,
            made,
            (sample, image) => Judge(filter.Value, rules, sample, image),
            "filtering",
            progress,
            cancel
        );
        return new(counts, broken.All, was);
    }

    /// <summary>
    /// Writes those samples of a source that a list names, such as <see cref="Duplicates.DedupRun.KeptKeys"/>.
    /// </summary>
    /// <param name="source">The source.</param>
    /// <param name="keys">Keys of the samples that stay.</param>
    /// <param name="folder">A new folder, or that of an interrupted run.</param>
    /// <param name="form">The form.</param>
    /// <param name="samplesPerShard">Samples in a shard.</param>
    /// <param name="progress">Told of samples.</param>
    /// <param name="cancel">Stops between two samples; whole shards stay.</param>
    /// <exception cref="LitException">The source cannot be read or holds no picture, or the folder cannot be
    /// written.</exception>
    public static DataSetResult Keep(
        SampleSource source,
        IReadOnlySet<string> keys,
        string folder,
        SampleForm form,
        int samplesPerShard = 10_000,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        RefuseStore(source);
        var made = new JsonObject { ["verb"] = "keep", ["keys"] = keys.Count };
        var (counts, rules, was) = RewriteRun.Run(
            source,
            folder,
            form,
            samplesPerShard,
            made,
            (sample, _) =>
                keys.Contains(sample.Key)
                    ? Judgement.Keep(sample)
                    : new(null, new("duplicate", "not among those kept"), []),
            "writing",
            progress,
            cancel
        );
        return new(counts, rules.All, was);
    }

    /// <summary>Writes those pictures of an embedding store that a list names, with their rows as they are.</summary>
    /// <param name="store">The store; it must name the tower that made it.</param>
    /// <param name="keys">Keys of the pictures that stay.</param>
    /// <param name="folder">A new folder, or that of an interrupted run.</param>
    /// <param name="cancel">Stops between two pictures; whole shards stay.</param>
    /// <exception cref="LitException">The store comes from elsewhere, or the folder cannot be written.</exception>
    public static StoreCounts Keep(
        EmbeddingStore store,
        IReadOnlySet<string> keys,
        string folder,
        CancellationToken cancel = default
    )
    {
        if (store.Description is not { } description)
            throw new LitException(
                store.Folder,
                "comes from elsewhere and names no tower, so no store can be made of it",
                "Use kept.jsonl"
            );
        if (keys.Count == 0)
            throw new LitException(
                store.Folder,
                "nothing of it is kept, so there is no store to write",
                "Choose a higher threshold"
            );
        using var writer = EmbeddingStoreWriter.Open(
            folder,
            description with
            {
                Source = $"{description.Source}, without duplicates",
            }
        );
        var now = 0L;
        IEnumerable<Found> Kept()
        {
            for (now = 0; now < store.Rows; now += store.Views)
                if (keys.Contains(store.Key(now)))
                    yield return new(
                        new(store.Key(now), store.Origin(now))
                        {
                            Captions = store.Captions(now),
                            Label = store.Label(now),
                            Fields = store.Fields(now),
                        },
                        null
                    );
        }
        foreach (var (shard, found) in writer.Wanted(Kept()))
        {
            cancel.ThrowIfCancellationRequested();
            writer.MoveTo(shard);
            writer.AppendAgain(found.Sample!, store, now);
        }
        return writer.Finish() ?? writer.Counts;
    }

    private static Judgement Judge(Filter filter, FilterRules rules, Sample sample, byte[] image)
    {
        if (filter.Picture(sample, image) is { } broken)
            return new(null, broken, []);
        if (sample.Captions.Count == 0)
            return rules.NeedsCaption
                ? new(null, new(Curation.Filter.NoCaption, "no caption"), [])
                : Judgement.Keep(sample);
        var judged = sample.Captions.Select(caption => (Caption: caption, Broken: filter.Caption(caption))).ToList();
        var dropped = judged
            .Where(one => one.Broken is not null)
            .Select(one => (one.Caption, one.Broken!.Value))
            .ToList();
        if (dropped.Count == 0)
            return Judgement.Keep(sample);
        return dropped.Count < judged.Count
            ? new(
                sample with
                {
                    Captions = [.. judged.Where(one => one.Broken is null).Select(one => one.Caption)],
                },
                null,
                dropped
            )
            : new(null, dropped[0].Value, dropped);
    }

    private static void RefuseStore(SampleSource source)
    {
        if (!source.HasPictures)
            throw new LitException(
                source.Path,
                "holds embeddings and no pictures",
                "Give the data that it was made from"
            );
    }
}
