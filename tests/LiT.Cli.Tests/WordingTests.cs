using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using LiT.Tests;

namespace LiT.Cli.Tests;

/// <summary>The library names its members, and the command line its options, in the same sentences.</summary>
public sealed partial class WordingTests
{
    private static readonly string[] Libraries =
    [
        "LiT",
        "LiT.Mpi",
        "LiT.Onnx",
        "LiT.Server",
        "LiT.Stores",
        "LiT.Tuning",
        "LiT.Workbench",
    ];

    private static readonly Type Wording = Assembly
        .LoadFrom(Path.Combine(Path.GetDirectoryName(Lit.Program)!, "LiT.Cli.dll"))
        .GetType("LiT.Cli.Wording", throwOnError: true)!;

    private static readonly Func<string, string> Said = Wording.GetMethod("Of")!.CreateDelegate<Func<string, string>>();

    private static readonly Dictionary<string, string> Known = (
        (IEnumerable<KeyValuePair<string, string>>)
            Wording.GetProperty("Known", BindingFlags.Static | BindingFlags.NonPublic)!.GetValue(null)!
    ).ToDictionary();

    [Theory]
    [InlineData("more than `MaxBad` allows", "more than --max-bad allows")]
    [InlineData("`Batch` 1: give at least 2.", "--batch 1: give at least 2.")]
    [InlineData("a smaller `LearningRate` or a longer `WarmupSteps`", "a smaller --lr or a longer --warmup")]
    [InlineData("`LowestTemperature, HighestTemperature` 9,3: give two", "--temperature-bounds 9,3: give two")]
    [InlineData("made with `EmbedRun`.", "made with 'lit embed'.")]
    [InlineData("the same `EmbedRun(Update)` again", "the same 'lit embed --update' again")]
    [InlineData("with `EmbedRun(Views: 2)` or more", "with 'lit embed --views 2' or more")]
    [InlineData("`ModelConversion(a.npz, Out: BUNDLE)`", "'lit models convert a.npz --out BUNDLE'")]
    [InlineData("`Batch.tar`, `batch`, `Unheard` and a ` stay", "`Batch.tar`, `batch`, `Unheard` and a ` stay")]
    public void Members_become_options(string library, string commandLine) => Assert.Equal(commandLine, Said(library));

    [Fact]
    public void Every_member_is_one_and_every_option_too()
    {
        var help = string.Concat(
            Approved.Names("help").Select(name => File.ReadAllText(Path.Combine(Tests, "Approved/help", $"{name}.txt")))
        );
        var folder = Path.GetDirectoryName(Lit.Program)!;
        HashSet<string> members =
        [
            .. Libraries
                .Select(name => Assembly.LoadFrom(Path.Combine(folder, $"{name}.dll")))
                .SelectMany(library => library.GetTypes())
                .SelectMany(type =>
                    type.GetProperties()
                        .SelectMany(member => new[] { member.Name, member.PropertyType.Name })
                        .Append(type.Name)
                ),
        ];
        foreach (var (name, words) in Known)
        {
            Assert.All(name.Split(", "), part => Assert.Contains(part, members));
            Assert.True(
                words.StartsWith("--", StringComparison.Ordinal)
                    ? Regex.IsMatch(help, $@"(?m)^ *(-\w, )?{words}\b")
                    : Approved.Names("help").Contains(words.Replace(' ', '-')),
                $"{name} becomes {words}, which is no option and no verb."
            );
        }
    }

    [Fact]
    public void What_the_library_quotes_is_known()
    {
        var quoted = Sources()
            .SelectMany(file =>
                File.ReadLines(file)
                    .Where(line => line.Contains('"') && !line.TrimStart().StartsWith("//", StringComparison.Ordinal))
                    .SelectMany(line => Name().Matches(line).Select(match => (file, match.Groups[1].Value)))
            )
            .ToList();
        Assert.InRange(quoted.Count, 50, int.MaxValue);
        Assert.All(quoted, one => Assert.Contains(one.Value, Known));
    }

    [Fact]
    public void No_string_of_the_library_names_an_option() =>
        Assert.Empty(
            Sources()
                // Pages show whole command lines, to be copied.
                .Where(file => !Path.GetRelativePath(Tests, file).Contains("Reports", StringComparison.Ordinal))
                .Where(file => Path.GetFileName(file) != "QuickstartPage.cs")
                // These are another program's.
                .Where(file => Path.GetFileName(Path.GetDirectoryName(file)) != "LiT.Mpi")
                .SelectMany(file => File.ReadLines(file).Where(line => Option().IsMatch(line)))
        );

    private static string Tests => Path.GetDirectoryName(ThisFile())!;

    private static IEnumerable<string> Sources() =>
        Libraries.SelectMany(name =>
            Directory.EnumerateFiles(Path.Combine(Tests, "../../src", name), "*.cs", SearchOption.AllDirectories)
        );

    private static string ThisFile([CallerFilePath] string file = "") => file;

    [GeneratedRegex(@"`([A-Z]\w*(?:, [A-Z]\w*)*)(?:\([^`]*\))?`")]
    private static partial Regex Name();

    [GeneratedRegex(@"""[^""]*(?<![\w-])--[a-z][a-z-]+|//.*(?<![\w-])--[a-z][a-z-]+")]
    private static partial Regex Option();
}
