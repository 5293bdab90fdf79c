using LiT.Data;

namespace LiT.Evaluation;

/// <summary>The classes of an evaluation and the class of each sample.</summary>
/// <param name="Classes">The classes in index order.</param>
/// <param name="Of">The class of each sample; null where its label is missing or no class.</param>
/// <param name="Unmatched">Samples without a class.</param>
/// <param name="FirstUnmatched">The first label that is no class, for messages; null where labels are missing or all match.</param>
public sealed record Labels(ClassNames Classes, IReadOnlyList<int?> Of, int Unmatched, string? FirstUnmatched)
{
    /// <param name="samples">Labelled samples.</param>
    /// <param name="where">Where they came from, for messages.</param>
    /// <param name="classes">The classes, or null to take the distinct labels in order of their names.</param>
    /// <exception cref="LitException">There are no labels, only numbers without a class list, or none that is a class.</exception>
    public static Labels Match(IReadOnlyList<Sample> samples, string where, ClassNames? classes)
    {
        var given = samples.Select(sample => sample.Label?.Trim()).ToList();
        var distinct = given.OfType<string>().Where(label => label.Length > 0).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (distinct.Count == 0)
            throw new LitException($"{where}: its samples carry no labels. Give data with class folders, .cls files or a label column (--label-column).");
        if (classes is null && distinct.All(label => label.All(char.IsAsciiDigit)))
            throw new LitException($"{where}: its labels are numbers. Give the class names with --classes FILE, one a line, the first for 0.");
        classes ??= new ClassNames(distinct);
        var byLabel = distinct.ToDictionary(label => label, classes.IndexOf, StringComparer.Ordinal);
        // A number beyond the list is no stray name: list and labels are of two data sets.
        if (distinct.Where(label => byLabel[label] is null && label.All(char.IsAsciiDigit)).MaxBy(label => label.Length) is { } beyond)
            throw new LitException($"{where}: label {beyond} occurs, and the class list has {classes.Names.Count} names, for 0 to {classes.Names.Count - 1}. Give the list that belongs to the data, one name for every label.");
        var of = given.Select(label => label is { Length: > 0 } ? byLabel[label] : null).ToList();
        var unmatched = of.Count(index => index is null);
        if (unmatched == of.Count)
            throw new LitException($"{where}: no label is one of the {classes.Names.Count} classes; the first is '{distinct[0]}', the classes begin with '{classes.Names[0]}'. Compare the data's labels with the class list.");
        return new(classes, of, unmatched, distinct.FirstOrDefault(label => byLabel[label] is null));
    }
}
