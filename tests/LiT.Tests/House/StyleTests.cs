using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace LiT.Tests.House;

/// <summary>
/// What a reader may rely on in every file: a line that fits beside another one, a method that fits a screen.
/// </summary>
public sealed class StyleTests
{
    private const int Columns = 120;

    private static readonly string[] Folders = ["src", "tests", "benchmarks", "samples"];

    [Fact]
    public void No_line_is_longer_than_a_hundred_and_twenty_columns()
    {
        // A raw string holds somebody else's text (HTML, CSS, JSON, a shell's script), whose lines are its own.
        List<string> longer = [];
        foreach (var (path, root) in Files(Folders))
        {
            var text = root.SyntaxTree.GetText(TestContext.Current.CancellationToken);
            var raw = root.DescendantTokens().Where(IsRaw).Select(token => text.Lines.GetLinePositionSpan(token.Span));
            var exempt = raw.SelectMany(span => Enumerable.Range(span.Start.Line, span.End.Line - span.Start.Line + 1))
                .ToHashSet();
            longer.AddRange(
                text.Lines.Where(line => line.Span.Length > Columns && !exempt.Contains(line.LineNumber))
                    .Select(line => $"{path}:{line.LineNumber + 1} has {line.Span.Length} columns")
            );
        }
        Assert.Empty(longer);
    }

    private static bool IsRaw(SyntaxToken token) =>
        token.IsKind(SyntaxKind.SingleLineRawStringLiteralToken)
        || token.IsKind(SyntaxKind.MultiLineRawStringLiteralToken)
        || (
            token.Parent?.FirstAncestorOrSelf<InterpolatedStringExpressionSyntax>() is { } around
            && around.StringStartToken.Text.EndsWith("\"\"\"", StringComparison.Ordinal)
        );

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
