using System.Diagnostics;
using System.Text.Json;

namespace LiT.Cli.Tests;

/// <summary>Runs the built program as a user would.</summary>
internal static class Lit
{
    /// <summary>The program under test.</summary>
    public static string Program { get; } = FindProgram();

    /// <summary>What a finished run left.</summary>
    public sealed record Outcome(int ExitCode, string Output, string Talk)
    {
        /// <summary>Standard output as JSON.</summary>
        public JsonElement Json => JsonDocument.Parse(Output).RootElement;

        public Outcome Expect(int exitCode)
        {
            Assert.True(ExitCode == exitCode, $"exit code {ExitCode} where {exitCode} was expected.\n{Output}\n{Talk}");
            return this;
        }
    }

    public static Outcome Run(params string[] arguments) => RunIn(Environment.CurrentDirectory, arguments);

    public static Outcome RunIn(string folder, params string[] arguments) =>
        RunIn(folder, new Dictionary<string, string>(), arguments);

    public static Outcome RunIn(string folder, IReadOnlyDictionary<string, string> environment, string[] arguments)
    {
        using var process = Start(folder, environment, arguments);
        var talk = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new(process.ExitCode, output, talk.Result);
    }

    public static Process Start(string folder, params string[] arguments) =>
        Start(folder, new Dictionary<string, string>(), arguments);

    /// <summary>As at a terminal: Ctrl-C is heard, also where a shell in the background ignores it.</summary>
    public static Process StartInFront(string folder, params string[] arguments) =>
        OperatingSystem.IsLinux()
            ? Start(folder, new Dictionary<string, string>(), ["--default-signal=INT", Program, .. arguments], "env")
            : Start(folder, arguments);

    private static Process Start(
        string folder,
        IReadOnlyDictionary<string, string> environment,
        string[] arguments,
        string? program = null
    )
    {
        ProcessStartInfo start = new(program ?? Program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["NO_COLOR"] = "1";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static string FindProgram()
    {
        // artifacts/bin/LiT.Cli.Tests/<configuration>/ → artifacts/bin/LiT.Cli/<configuration>/lit
        var here = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var name = OperatingSystem.IsWindows() ? "lit.exe" : "lit";
        var program = Path.Combine(here.Parent!.Parent!.FullName, "LiT.Cli", here.Name, name);
        return File.Exists(program)
            ? program
            : throw new FileNotFoundException($"{program}: the program under test was not built.");
    }
}
