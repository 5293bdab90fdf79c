using System.Runtime.CompilerServices;

namespace LiT.Tests;

/// <summary>
/// Text that somebody has looked at and found right, in the folder Approved of each test project. What comes out
/// otherwise is written beside it as NAME.received.txt; with LIT_APPROVE=1 in the environment it takes the approved
/// text's place, to be looked at in the diff.
/// </summary>
internal static class Approved
{
    private const string Approve = "LIT_APPROVE";

    /// <summary>Compares a text with the approved one.</summary>
    /// <param name="name">File in Approved, such as "help/eval-absent.txt".</param>
    /// <param name="text">What came out, with what varies scrubbed.</param>
    /// <param name="caller">Source file of the test: its project holds the approved text.</param>
    public static void Check(string name, string text, [CallerFilePath] string caller = "")
    {
        text = text.ReplaceLineEndings("\n");
        var folder = FolderOf(caller);
        var path = Path.Combine(folder, name);
        var received = Path.ChangeExtension(path, $".received{Path.GetExtension(path)}");
        var approved = File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : null;
        if (approved == text)
        {
            File.Delete(received);
            return;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (Environment.GetEnvironmentVariable(Approve) == "1")
        {
            Assert.False(
                IsContinuousIntegration,
                $"{Approve}=1 is set where CI is: a machine approves nothing. Run it where somebody looks at the diff."
            );
            File.WriteAllText(path, text);
            File.Delete(received);
            return;
        }
        File.WriteAllText(received, text);
        var how = $"Look at {received}; if it is right, run this test with {Approve}=1 and commit {path}.";
        Assert.True(approved is not null, $"Approved/{name} is not there. {how}");
        Assert.Fail($"Approved/{name} is another text{FirstDifference(approved!, text)}\n{how}");
    }

    /// <summary>An approved text.</summary>
    public static string Read(string name, [CallerFilePath] string caller = "") =>
        File.ReadAllText(Path.Combine(FolderOf(caller), name)).ReplaceLineEndings("\n");

    /// <summary>Names of the approved texts under a folder in Approved, without their ending.</summary>
    public static IReadOnlyList<string> Names(string under, [CallerFilePath] string caller = "")
    {
        var folder = Path.Combine(FolderOf(caller), under);
        return Directory.Exists(folder)
            ?
            [
                .. Directory
                    .EnumerateFiles(folder, "*.txt")
                    .Select(path => Path.GetFileNameWithoutExtension(path))
                    .Where(name => !name.EndsWith(".received", StringComparison.Ordinal))
                    .Order(StringComparer.Ordinal),
            ]
            : [];
    }

    private static bool IsContinuousIntegration =>
        Environment.GetEnvironmentVariable("CI") is { Length: > 0 } value && value is not ("0" or "false");

    // The sources where the tests were built, so that an accepted text counts without another build; else the copy
    // beside the tests.
    private static string FolderOf(string caller)
    {
        for (var at = Path.GetDirectoryName(caller); at is not null; at = Path.GetDirectoryName(at))
            if (Directory.Exists(at) && Directory.EnumerateFiles(at, "*.csproj").Any())
                return Path.Combine(at, "Approved");
        return Path.Combine(AppContext.BaseDirectory, "Approved");
    }

    private static string FirstDifference(string approved, string received)
    {
        var (was, now) = (approved.Split('\n'), received.Split('\n'));
        var line = 0;
        while (line < was.Length && line < now.Length && was[line] == now[line])
            line++;
        return $", first in line {line + 1}\n  approved: {was.ElementAtOrDefault(line)}\n  received: "
            + $"{now.ElementAtOrDefault(line)}";
    }
}
