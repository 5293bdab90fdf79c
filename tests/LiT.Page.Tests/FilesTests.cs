using System.Text.RegularExpressions;
using LiT.Tests;

namespace LiT.Page.Tests;

/// <summary>
/// The page's files as they stand: nothing in them reads a string as markup or code, and nothing comes from elsewhere.
/// </summary>
public sealed partial class FilesTests
{
    private static readonly string Folder = Path.Combine(Root.Folder, "src", "LiT.Server", "Page", "wwwroot");

    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(Folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Nothing_is_read_as_markup_or_code_and_nothing_comes_from_elsewhere(string file)
    {
        var text = File.ReadAllText(Path.Combine(Folder, file));
        Assert.DoesNotMatch(Reads(), text);
        Assert.DoesNotMatch(Elsewhere(), text.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal));
        if (file.EndsWith(".html", StringComparison.Ordinal))
            Assert.DoesNotMatch(Inline(), text);
    }

    [Fact]
    public void Every_module_is_told_to_the_browser_beforehand()
    {
        var page = File.ReadAllText(Path.Combine(Folder, "index.html"));
        foreach (var module in Directory.EnumerateFiles(Folder, "*.js").Select(Path.GetFileName))
            Assert.Contains($"\"{module}\"", page, StringComparison.Ordinal);
        // and all of it together is small enough for a slow line
        Assert.InRange(Directory.EnumerateFiles(Folder).Sum(path => new FileInfo(path).Length), 10_000, 120_000);
    }

    [GeneratedRegex(
        @"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.srcdoc|javascript:"
    )]
    private static partial Regex Reads();

    [GeneratedRegex("""https?://|["']//""")]
    private static partial Regex Elsewhere();

    [GeneratedRegex("""<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=""")]
    private static partial Regex Inline();
}
