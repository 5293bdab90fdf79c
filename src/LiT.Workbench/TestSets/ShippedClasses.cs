namespace LiT.TestSets;

/// <summary>The class lists that come with the library: facts of the data sets.</summary>
internal static class ShippedClasses
{
    private static readonly Lazy<Dictionary<string, (string Id, string Name)[]>> Lists = new(ReadLists);

    /// <summary>
    /// The 1,000 synset ids of ILSVRC2012 in the order of its class numbers, which is that of the ids.
    /// </summary>
    public static IReadOnlyList<string> ImageNetIds => Ids1000.Value;

    private static readonly Lazy<string[]> Ids1000 = new(() => [.. Lines("imagenet-ids.txt")]);

    public static IReadOnlyList<string> IdsOf(string set) => [.. Lists.Value[set].Select(entry => entry.Id)];

    public static IReadOnlyList<string> NamesOf(string set) => [.. Lists.Value[set].Select(entry => entry.Name)];

    private static Dictionary<string, (string, string)[]> ReadLists()
    {
        var lists = new Dictionary<string, List<(string, string)>>();
        List<(string, string)> list = [];
        foreach (var line in Lines("classes.txt"))
        {
            if (line[0] == '#')
                continue;
            if (line[0] == '[')
                lists.Add(line[1..^1], list = []);
            else
                list.Add(line.Split('\t') is [var id, var name] ? (id, name) : (line, line.Replace('_', ' ')));
        }
        return lists.ToDictionary(entry => entry.Key, entry => entry.Value.ToArray());
    }

    private static IEnumerable<string> Lines(string resource)
    {
        using var stream = typeof(ShippedClasses).Assembly.GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
            if (line.Length > 0)
                yield return line;
    }
}
