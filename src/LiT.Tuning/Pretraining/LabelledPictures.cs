using LiT.Data;

namespace LiT.Pretraining;

/// <summary>A picture, unread, with the index of its class in each label column.</summary>
internal sealed record LabelledPicture(string Origin, Func<byte[]> ReadImage, long[] Classes);

/// <summary>
/// The pictures of a source that carry every wanted label, in the source's order, and the names of the classes.
/// Pictures that came out of an archive stay in memory as they are encoded there.
/// </summary>
internal sealed class LabelledPictures
{
    private LabelledPictures(
        IReadOnlyList<LabelledPicture> pictures,
        IReadOnlyList<IReadOnlyList<string>> classNames
    ) => (Pictures, ClassNames) = (pictures, classNames);

    public IReadOnlyList<LabelledPicture> Pictures { get; }

    /// <summary>Class names in index order, for each label column.</summary>
    public IReadOnlyList<IReadOnlyList<string>> ClassNames { get; }

    /// <param name="source">Pictures with labels.</param>
    /// <param name="columns">The label columns.</param>
    /// <param name="known">Class names to go by, or null to take them from the source.</param>
    /// <param name="skip">Told of every sample without a picture or without a label that is known.</param>
    /// <param name="cancel">Stops reading.</param>
    /// <exception cref="LitException">No sample has all the labels, or there is only one class.</exception>
    public static LabelledPictures Read(
        SampleSource source,
        IReadOnlyList<string> columns,
        IReadOnlyList<IReadOnlyList<string>>? known,
        Action<Skipped> skip,
        CancellationToken cancel
    )
    {
        var found = new List<(Sample Sample, string[] Labels)>();
        var fieldNames = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var sample in source.Read(skip))
        {
            cancel.ThrowIfCancellationRequested();
            fieldNames.UnionWith(sample.Fields.Keys);
            if (sample.ReadImage is null)
            {
                skip(new(sample.Key, sample.Origin, "no picture"));
                continue;
            }
            var labels = columns.Select(column => LabelOf(sample, column)).ToArray();
            if (Array.IndexOf(labels, null) is >= 0 and var missing)
            {
                skip(new(sample.Key, sample.Origin, $"no '{columns[missing]}'"));
                continue;
            }
            found.Add((sample, labels.OfType<string>().ToArray()));
        }
        if (found.Count == 0)
            throw new LitException(
                source.Path,
                columns is ["label"]
                    ? "its pictures carry no labels"
                    : $"no picture has a value in {(columns.Count > 1 ? "all of the columns" : "the column")} "
                        + string.Join(", ", columns.Select(column => $"'{column}'")),
                $"`Labels` takes label{string.Concat(fieldNames.Select(name => $", {name}"))} here"
            );
        var names = known
            ?? [.. columns.Select((column, i) => Names(source, column, found.Select(one => one.Labels[i])))];
        var indices = names
            .Select(list => list.Select((name, i) => (name, i)).ToDictionary(one => one.name, one => (long)one.i))
            .ToList();
        var pictures = new List<LabelledPicture>(found.Count);
        foreach (var (sample, labels) in found)
        {
            var classes = new long[columns.Count];
            var unknown = -1;
            for (var i = 0; i < classes.Length; i++)
                if (!indices[i].TryGetValue(labels[i], out classes[i]))
                    unknown = i;
            if (unknown >= 0)
                skip(
                    new(sample.Key, sample.Origin, $"{columns[unknown]} '{labels[unknown]}' was not seen in training")
                );
            else
                pictures.Add(new(sample.Origin, sample.ReadImage!, classes));
        }
        if (pictures.Count == 0)
            throw new LitException(
                source.Path,
                "none of its labels was seen in training",
                "Give pictures of the same classes"
            );
        return new(pictures, names);
    }

    /// <summary>Every picture of a source, in its order, with no classes; labels are not looked at.</summary>
    /// <param name="source">Pictures.</param>
    /// <param name="skip">Told of every sample without a picture.</param>
    /// <param name="cancel">Stops reading.</param>
    /// <exception cref="LitException">No sample has a picture.</exception>
    public static IReadOnlyList<LabelledPicture> Unlabelled(
        SampleSource source,
        Action<Skipped> skip,
        CancellationToken cancel
    )
    {
        var pictures = new List<LabelledPicture>();
        foreach (var sample in source.Read(skip))
        {
            cancel.ThrowIfCancellationRequested();
            if (sample.ReadImage is null)
                skip(new(sample.Key, sample.Origin, "no picture"));
            else
                pictures.Add(new(sample.Origin, sample.ReadImage, []));
        }
        return pictures.Count > 0
            ? pictures
            : throw new LitException(source.Path, "holds no pictures", "Give pictures to train on");
    }

    private static string? LabelOf(Sample sample, string column) =>
        sample.Fields.TryGetValue(column, out var field) ? field
        : column == "label" ? sample.Label
        : null;

    /// <summary>The source's own order of its classes; else numbers by size and words by their letters.</summary>
    private static IReadOnlyList<string> Names(SampleSource source, string column, IEnumerable<string> labels)
    {
        var distinct = labels.ToHashSet();
        if (distinct.Count < 2)
            throw new LitException(
                source.Path,
                $"every '{column}' is '{distinct.First()}'",
                "Training needs two classes or more"
            );
        if (column == "label" && source.Classes is { } classes && distinct.IsSubsetOf(classes))
            return classes;
        return distinct.All(label => long.TryParse(label, out _))
            ? [.. distinct.OrderBy(long.Parse)]
            : [.. distinct.Order(StringComparer.Ordinal)];
    }
}
