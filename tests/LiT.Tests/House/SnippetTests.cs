using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace LiT.Tests.House;

/// <summary>Every piece of C# that a page shows is compiled, as somebody outside would compile it.</summary>
public sealed partial class SnippetTests
{
    // What a reader has at hand: an application's services, somebody who listens, a way to stop, some captions.
    private const string Before = """
        using System;
        using System.Collections.Generic;
        using System.IO;
        using System.Linq;
        using System.Threading;
        using System.Threading.Tasks;
        using LiT;
        using Microsoft.Extensions.AI;
        using Microsoft.Extensions.DependencyInjection;
        """;
    private const string Around = """
        internal static class Snippet
        {
            internal static async Task Run(
                IServiceCollection services,
                IProgress<ProgressStep> progress,
                IEnumerable<string> captions,
                CancellationToken cancel)
            {
                await Task.Yield();
        """;

    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    public static TheoryData<string, int> Snippets =>
        [
            .. Directory
                .EnumerateFiles(Root.Folder, "*.md")
                .Concat(Directory.EnumerateFiles(Path.Combine(Root.Folder, "docs"), "*.md"))
                .Order(StringComparer.Ordinal)
                .SelectMany(page =>
                    Blocks(page).Select((_, i) => (Path.GetRelativePath(Root.Folder, page).Replace('\\', '/'), i))
                ),
        ];

    [Theory]
    [MemberData(nameof(Snippets))]
    public void A_snippet_compiles(string page, int number)
    {
        var block = Blocks(Path.Combine(Root.Folder, page))[number];
        Assert.True(Compile(block) is var errors && errors.Length == 0, string.Join('\n', [block, .. errors]));
    }

    [Fact]
    public void There_are_snippets_and_a_wrong_one_is_found()
    {
        Assert.Contains(Snippets, row => row.Data.Item1 == "README.md");
        Assert.Contains(Compile("await LitModel.LoadNever(\"run/model\");"), error => error.Contains("LoadNever"));
        // internal
        Assert.Contains(Compile("var rows = new LiT.Compute.WorkThread();"), error => error.Contains("CS0122"));
    }

    private static string[] Compile(string block)
    {
        var lines = block.Split('\n');
        var source = string.Join(
            '\n',
            [
                Before,
                .. lines.Where(line => UsingDirective().IsMatch(line)),
                Around,
                .. lines.Where(line => !UsingDirective().IsMatch(line)),
                "}}",
            ]
        );
        return
        [
            .. CSharpCompilation
                .Create(
                    "Snippets",
                    [CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Latest))],
                    References,
                    new(
                        OutputKind.DynamicallyLinkedLibrary,
                        nullableContextOptions: NullableContextOptions.Enable,
                        allowUnsafe: false
                    )
                )
                .GetDiagnostics()
                .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)
                .Select(diagnostic => diagnostic.ToString()),
        ];
    }

    private static string[] Blocks(string page) =>
        [.. Fenced().Matches(File.ReadAllText(page)).Select(match => match.Groups["code"].Value)];

    [GeneratedRegex(@"^```csharp\r?\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fenced();

    [GeneratedRegex(@"^using [A-Za-z][\w.]*;")]
    private static partial Regex UsingDirective();
}
