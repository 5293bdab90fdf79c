using System.Text.Json;
using LiT.Classification;
using LiT.Data;

namespace LiT.Evaluation;

/// <summary>The classes of an evaluation and the right classes of each sample.</summary>
/// <param name="Classes">The classes in index order.</param>
/// <param name="All">The right classes of each sample: one, several (any of them counts), or none where it is not
/// scored.</param>
/// <param name="Unmatched">Samples without a class.</param>
/// <param name="FirstUnmatched">The first label that is no class, for messages; null where labels are missing or all
/// match.</param>
internal sealed record Labels(ClassNames Classes, IReadOnlyList<int[]> All, int Unmatched, string? FirstUnmatched)
{
    /// <summary>The field of a sample that holds several labels, as a JSON list.</summary>
    public const string SeveralField = "labels";

    /// <summary>The (first) class of each sample; null where its label is missing or no class.</summary>
    public IReadOnlyList<int?> Of => [.. All.Select(labels => labels.Length > 0 ? labels[0] : (int?)null)];

    /// <param name="samples">Labelled samples.</param>
    /// <param name="where">Where they came from, for messages.</param>
    /// <param name="classes">The classes, or null to take the distinct labels in order of their names.</param>
    /// <param name="several">Whether a sample's field <see cref="SeveralField"/> counts in place of its label
    /// (ImageNet-ReaL, ObjectNet).</param>
    /// <exception cref="LitException">There are no labels, only numbers without a class list, or none that is a
    /// class.</exception>
    public static Labels Match(IReadOnlyList<Sample> samples, string where, ClassNames? classes, bool several = false)
    {
        var given = samples
            .Select(sample =>
                several ? Several(sample, where)
                : sample.Label?.Trim() is { Length: > 0 } one ? [one]
                : []
            )
            .ToList();
        var distinct = given
            .SelectMany(labels => labels)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToList();
        if (distinct.Count == 0)
            throw new LitException(
                where,
                "its samples carry no labels",
                "Give data with class folders, .cls files or a label column (`LabelColumn`)"
            );
        if (classes is null && distinct.All(label => label.All(char.IsAsciiDigit)))
            throw new LitException(
                where,
                "its labels are numbers",
                "Give the class names with `Classes` FILE, one a line, the first for 0"
            );
        if (classes is null && SameButForCase(distinct) is var (first, second))
            throw new LitException(
                where,
                $"the labels '{first}' and '{second}' differ only in case, so a picture's class cannot be told",
                "Rename one, or put both into one folder"
            );
        classes ??= new ClassNames(distinct, null);
        var byLabel = distinct.ToDictionary(label => label, classes.IndexOf, StringComparer.Ordinal);
        // A number beyond the list is no stray name: list and labels are of two data sets.
        if (
            distinct
                .Where(label => byLabel[label] is null && label.All(char.IsAsciiDigit))
                .MaxBy(label => label.Length) is
            { } beyond
        )
            throw new LitException(
                where,
                $"label {beyond} occurs, and the class list has {classes.Names.Count} names, for 0 to "
                    + $"{classes.Names.Count - 1}",
                "Give the list that belongs to the data, one name for every label"
            );
        var all = given
            .Select(labels => labels.Select(label => byLabel[label]).OfType<int>().Distinct().ToArray())
            .ToList();
        var unmatched = all.Count(labels => labels.Length == 0);
        if (unmatched == all.Count)
            throw new LitException(
                where,
                $"no label is one of the {classes.Names.Count} classes; the first is '{distinct[0]}', the classes "
                    + $"begin with '{classes.Names[0]}'",
                "Compare the data's labels with the class list"
            );
        return new(classes, all, unmatched, distinct.FirstOrDefault(label => byLabel[label] is null));
    }

    /// <summary>What is odd about the classes and can still be scored, each in one line.</summary>
    public IEnumerable<string> Oddities()
    {
        var seen = All.SelectMany(labels => labels).ToHashSet();
        var empty = Enumerable.Range(0, Classes.Names.Count).Where(c => !seen.Contains(c)).ToList();
        if (empty.Count > 0)
            yield return $"{empty.Count} of {Classes.Names.Count} classes have no picture "
                + $"({string.Join(", ", empty.Take(3).Select(c => $"'{Classes.Names[c]}'"))}"
                + (empty.Count > 3 ? " …" : "")
                + "): "
                + "they can only be answered wrongly. Check that the class list belongs to the data.";
        foreach (var (first, second) in Classes.OfOneName)
            yield return $"the classes {first} and {second} are both called '{Classes.Names[first]}': the text tower "
                + "cannot tell them apart, and the lower number is answered.";
    }

    private static (string, string)? SameButForCase(List<string> labels)
    {
        var twins = labels
            .GroupBy(label => label, StringComparer.OrdinalIgnoreCase)
            .FirstOrDefault(group => group.Count() > 1);
        return twins is null ? null : (twins.ElementAt(0), twins.ElementAt(1));
    }

    private static string[] Several(Sample sample, string where)
    {
        if (!sample.Fields.TryGetValue(SeveralField, out var json))
            return sample.Label?.Trim() is { Length: > 0 } one ? [one] : [];
        try
        {
            return JsonSerializer.Deserialize<string[]>(json) ?? [];
        }
        catch (JsonException damage)
        {
            throw new LitException(
                $"{where}, {sample.Key}: the field '{SeveralField}' is no JSON list of labels. Write "
                    + "[\"a\", \"b\"], or embed the pictures again.",
                damage
            );
        }
    }
}
