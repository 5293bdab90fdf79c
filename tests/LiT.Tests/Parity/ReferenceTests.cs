namespace LiT.Tests.Parity;

/// <summary>Every fixture folder that is found is run, whole: a kind or a file that nobody knows is a failure.</summary>
public class ReferenceTests
{
    private static readonly Dictionary<string, IFixtureKind> Kinds = typeof(IFixtureKind).Assembly.GetTypes()
        .Where(type => type.IsAssignableTo(typeof(IFixtureKind)) && type is { IsClass: true, IsAbstract: false })
        .Select(type => (IFixtureKind)Activator.CreateInstance(type)!)
        .ToDictionary(kind => kind.Folder);

    public static IEnumerable<TheoryDataRow<string>> FolderNames() =>
        Reference.Folders().Select(folder => new TheoryDataRow<string>(folder.Name));

    [Theory]
    [MemberData(nameof(FolderNames))]
    public void The_product_gives_what_the_reference_gives(string name)
    {
        Assert.True(Kinds.TryGetValue(name, out var kind), $"{name}: no test knows this kind of fixture.");
        var folder = Reference.Open(name);
        var cases = kind.Cases(folder).ToList();
        Assert.NotEmpty(cases);
        var failures = new List<string>();
        foreach (var fixture in cases)
        {
            try { fixture.Run(); }
            catch (Exception difference) { failures.Add($"{name}/{fixture.Name}: {difference.Message}"); }
        }
        failures.AddRange(folder.UnknownFiles.Select(file => $"{name}/{file}: no case reads this file."));
        Assert.True(failures.Count == 0, string.Join(Environment.NewLine, failures));
    }
}
