using System.Globalization;

namespace LiT.Classification;

/// <summary>The classes of a classification, in index order, and which of them a sample's label means.</summary>
internal sealed class ClassNames
{
    private readonly Dictionary<string, int> byName = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, int> byAlias = [];
    private readonly Dictionary<string, int> byId = new(StringComparer.Ordinal);
    private readonly Dictionary<int, int> secondOfName = [];

    /// <param name="names">One name a class, aliases separated by commas; the index is the class.</param>
    /// <exception cref="LitException">No class, an empty name, or two classes of one name.</exception>
    public ClassNames(IReadOnlyList<string> names)
        : this(names, null, sharedNames: false) { }

    /// <param name="names">One name a class, aliases separated by commas; the index is the class.</param>
    /// <param name="ids">What labels call the classes (synset ids, folder names) where it is not the name; or null.</param>
    /// <param name="sharedNames">Whether two classes may have one name, as in published lists; a label that is such a name is then refused.</param>
    /// <exception cref="LitException">No class, an empty name, or two classes of one name or id where that is not allowed.</exception>
    public ClassNames(IReadOnlyList<string> names, IReadOnlyList<string>? ids, bool sharedNames = true)
    {
        if (names.Count == 0)
            throw new LitException("There is no class. Name at least one.");
        if (ids is not null && ids.Count != names.Count)
            throw new LitException(
                $"There are {names.Count} class names for {ids.Count} classes. Give the list that belongs to the data, one name for every class."
            );
        for (var i = 0; i < names.Count; i++)
        {
            var name = names[i].Trim();
            if (PromptTemplates.Canonicalise(name).Length == 0)
                throw new LitException(
                    $"Class {i} is called '{names[i]}', which leaves no word for the text tower. Give it a name with letters or digits."
                );
            if (!byName.TryAdd(name, i))
            {
                if (!sharedNames)
                    throw new LitException(
                        $"Classes {byName[name]} and {i} are both called '{name}'. Give every class a name of its own."
                    );
                secondOfName.TryAdd(byName[name], i);
            }
            foreach (var alias in PromptTemplates.Canonicalise(name, ",").Split(','))
                byAlias.TryAdd(alias.Trim(), i);
            if (ids is not null && !byId.TryAdd(ids[i], i))
                throw new LitException(
                    $"Classes {byId[ids[i]]} and {i} have the same id '{ids[i]}'. Give every class an id of its own."
                );
        }
        (Names, Ids) = (names, ids);
    }

    /// <summary>The names in index order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>What labels call the classes, in index order; null where they use the names.</summary>
    public IReadOnlyList<string>? Ids { get; }

    /// <summary>Pairs of classes that have one name: the text tower cannot tell them apart.</summary>
    public IReadOnlyList<(int First, int Second)> OfOneName => [.. secondOfName.Select(pair => (pair.Key, pair.Value))];

    /// <summary>Reads names, one a line (the first line is class 0), or any of the forms of <see cref="ClassLists"/>.</summary>
    public static ClassNames Read(string path) => ClassLists.Read(path).Names;

    /// <summary>
    /// The class that a label means: an id, a name or alias without regard to case, or an index in digits (as in .cls files).
    /// </summary>
    /// <returns>The index, or null where no class fits.</returns>
    /// <exception cref="LitException">The label is the name of two classes.</exception>
    public int? IndexOf(string label)
    {
        var name = label.Trim();
        if (byId.TryGetValue(name, out var index))
            return index;
        if (byName.TryGetValue(name, out index))
            return secondOfName.TryGetValue(index, out var other)
                ? throw new LitException(
                    $"The label '{name}' is the name of the classes {index} and {other}. Label the data with class numbers, or give the two names of their own."
                )
                : index;
        if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < Names.Count)
            return number;
        return byAlias.TryGetValue(PromptTemplates.Canonicalise(name), out index) ? index : null;
    }
}
