using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace LiT.Tests.House;

/// <summary>
/// What a reader may rely on in every file: a line that fits beside another one, a method that fits a screen.
/// </summary>
public sealed class StyleTests
{
    private const int Columns = 120,
        Screen = 50;

    // Methods that do not fit a screen, and why. None grows much, and none comes on the list but with its reason.
    private static readonly string LongMethods = Path.Combine(Root.Folder, "tests/LiT.Tests/House/long-methods.txt");

    private static readonly string[] Folders = ["src", "tests", "benchmarks", "samples"];

    [Fact]
    public void No_line_is_longer_than_a_hundred_and_twenty_columns()
    {
        // A raw string holds somebody else's text (HTML, CSS, JSON, a shell's script), whose lines are its own.
        List<string> longer = [];
        foreach (var (path, root) in Files(Folders))
        {
            var text = root.SyntaxTree.GetText(TestContext.Current.CancellationToken);
            var raw = root.DescendantNodes().Where(IsRaw).Select(node => text.Lines.GetLinePositionSpan(node.Span));
            var exempt = raw.SelectMany(span => Enumerable.Range(span.Start.Line, span.End.Line - span.Start.Line + 1))
                .ToHashSet();
            longer.AddRange(
                text.Lines.Where(line => line.Span.Length > Columns && !exempt.Contains(line.LineNumber))
                    .Select(line => $"{path}:{line.LineNumber + 1} has {line.Span.Length} columns")
            );
        }
        Assert.True(longer.Count == 0, string.Join('\n', longer));
    }

    [Fact]
    public void A_method_fits_a_screen_or_stands_on_the_list_with_its_reason()
    {
        var listed = File.ReadLines(LongMethods)
            .Where(line => line.Length > 0 && line[0] is not ('#' or ' '))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .ToDictionary(line => line[0], line => int.Parse(line[1], CultureInfo.InvariantCulture));
        Dictionary<string, int> found = [];
        foreach (var (path, root) in Files(["src"]))
        foreach (var (name, lines) in Long(root))
            found[$"{path.Replace('\\', '/')["src/".Length..]}:{name}"] = lines;
        var longer = found.Where(one => one.Value > listed.GetValueOrDefault(one.Key));
        Assert.True(!longer.Any(), string.Join('\n', longer.Select(one => $"{one.Key} {one.Value}")));
    }

    /// <summary>Methods with more lines between their braces than a screen has; of one name the longest.</summary>
    private static IEnumerable<(string Name, int Lines)> Long(SyntaxNode root) =>
        root.DescendantNodes()
            .OfType<BaseMethodDeclarationSyntax>()
            .Where(method => !DeclaresAVerb(method))
            .Select(method => (Name: NameOf(method), Lines: LinesOf(method)))
            .Where(method => method.Lines > Screen)
            .GroupBy(method => method.Name, (name, all) => (name, all.Max(one => one.Lines)));

    private static string NameOf(BaseMethodDeclarationSyntax method)
    {
        var own = method is MethodDeclarationSyntax { Identifier.Text: var name } ? name : "new";
        return $"{method.FirstAncestorOrSelf<TypeDeclarationSyntax>()!.Identifier.Text}.{own}";
    }

    // Options one after the other with their help, and what the verb does with them.
    private static bool DeclaresAVerb(BaseMethodDeclarationSyntax method) =>
        method is MethodDeclarationSyntax { ReturnType: IdentifierNameSyntax { Identifier.Text: "Command" } };

    private static int LinesOf(BaseMethodDeclarationSyntax method)
    {
        SyntaxNode? body = method.Body is { } block ? block : method.ExpressionBody;
        if (body is null)
            return 0;
        var span = body.GetLocation().GetLineSpan();
        return span.EndLinePosition.Line - span.StartLinePosition.Line - (body is BlockSyntax ? 1 : 0);
    }

    private static bool IsRaw(SyntaxNode node) =>
        node switch
        {
            LiteralExpressionSyntax literal => literal.Token.Text.StartsWith("\"\"\"", StringComparison.Ordinal),
            InterpolatedStringExpressionSyntax around => around.StringStartToken.Text.Contains(
                "\"\"\"",
                StringComparison.Ordinal
            ),
            _ => false,
        };

    /// <summary>The C# files of some folders, parsed; what a build makes is not among them.</summary>
    private static IEnumerable<(string Path, SyntaxNode Root)> Files(IEnumerable<string> folders) =>
        folders
            .Select(folder => Path.Combine(Root.Folder, folder))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"))
            .Order(StringComparer.Ordinal)
            .Select(path =>
                (
                    Path.GetRelativePath(Root.Folder, path),
                    CSharpSyntaxTree
                        .ParseText(
                            File.ReadAllText(path),
                            new CSharpParseOptions(LanguageVersion.Preview),
                            cancellationToken: TestContext.Current.CancellationToken
                        )
                        .GetRoot(TestContext.Current.CancellationToken)
                )
            );
}
