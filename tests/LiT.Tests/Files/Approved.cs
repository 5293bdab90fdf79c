using System.Runtime.CompilerServices;

namespace LiT.Tests;

/// <summary>
/// Text that somebody has looked at and found right, in tests/LiT.Tests/Approved. A change shows as a failing test; with
/// LIT_APPROVE=1 in the environment the tests write the new text there instead, to be looked at in the diff.
/// </summary>
internal static class Approved
{
    public static void Check(string name, string text, [CallerFilePath] string caller = "")
    {
        if (Environment.GetEnvironmentVariable("LIT_APPROVE") == "1")
        {
            var source = Path.Combine(Path.GetDirectoryName(caller)!, "..", "Approved");
            Directory.CreateDirectory(source);
            File.WriteAllText(Path.Combine(source, name), text);
            return;
        }
        var path = Path.Combine(AppContext.BaseDirectory, "Approved", name);
        Assert.True(
            File.Exists(path),
            $"Approved/{name} is not there. Run the test with LIT_APPROVE=1, and look at what it writes."
        );
        Assert.Equal(File.ReadAllText(path).ReplaceLineEndings("\n"), text);
    }
}
