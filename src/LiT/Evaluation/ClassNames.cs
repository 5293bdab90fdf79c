using System.Globalization;

namespace LiT.Evaluation;

/// <summary>The classes of a classification, in index order, and which of them a sample's label means.</summary>
public sealed class ClassNames
{
    private readonly Dictionary<string, int> byName = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, int> byAlias = [];

    /// <param name="names">One name a class, aliases separated by commas; the index is the class.</param>
    /// <exception cref="LitException">No class, an empty name, or two classes of one name.</exception>
    public ClassNames(IReadOnlyList<string> names)
    {
        if (names.Count == 0) throw new LitException("There is no class. Name at least one.");
        for (var i = 0; i < names.Count; i++)
        {
            var name = names[i].Trim();
            if (PromptTemplates.Canonicalise(name).Length == 0)
                throw new LitException($"Class {i} is called '{names[i]}', which leaves no word for the text tower. Give it a name with letters or digits.");
            if (!byName.TryAdd(name, i))
                throw new LitException($"Classes {byName[name]} and {i} are both called '{name}'. Give every class a name of its own.");
            foreach (var alias in PromptTemplates.Canonicalise(name, ",").Split(',')) byAlias.TryAdd(alias.Trim(), i);
        }
        Names = names;
    }

    /// <summary>The names in index order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Reads names, one a line; the first line is class 0.</summary>
    public static ClassNames Read(string path)
    {
        var names = NamedLines.Read(path).Select(entry => entry.Line).ToList();
        try
        {
            return new(names);
        }
        catch (LitException trouble)
        {
            throw new LitException($"{path}: {trouble.Message}", trouble);
        }
    }

    /// <summary>
    /// The class that a label means: a name or alias without regard to case, or an index in digits (as in .cls files).
    /// </summary>
    /// <returns>The index, or null where no class fits.</returns>
    public int? IndexOf(string label)
    {
        var name = label.Trim();
        if (byName.TryGetValue(name, out var index)) return index;
        if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < Names.Count) return number;
        return byAlias.TryGetValue(PromptTemplates.Canonicalise(name), out index) ? index : null;
    }
}
