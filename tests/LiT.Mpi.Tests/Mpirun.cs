using System.Diagnostics;
using System.Globalization;

namespace LiT.Mpi.Tests;

/// <summary>A launcher of this machine.</summary>
internal static class Mpirun
{
    public const string Open = "mpirun.openmpi",
        Mpich = "mpirun.mpich";

    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);

    /// <summary>The command line under test.</summary>
    public static string Lit { get; } = Beside("LiT.Cli", "lit");

    private static string Tests { get; } = Beside("LiT.Mpi.Tests", "LiT.Mpi.Tests");

    /// <summary>What a finished job left.</summary>
    public sealed record Outcome(int ExitCode, string Output, string Talk)
    {
        public Outcome Expect(int exitCode)
        {
            Assert.True(ExitCode == exitCode, $"exit code {ExitCode} where {exitCode} was expected.\n{Output}\n{Talk}");
            return this;
        }
    }

    /// <summary>Skips a test where a launcher is not installed.</summary>
    public static void Need(string launcher) =>
        Assert.SkipUnless(IsThere(launcher), $"{launcher} is not installed (Debian: openmpi-bin, mpich)");

    public static Outcome Worker(string launcher, int processes, string what) =>
        Finish(Start(launcher, processes, Path.GetTempPath(), [Tests, "worker", what]));

    public static Outcome Run(
        string launcher,
        int processes,
        string folder,
        string[] arguments,
        params (string Name, string Value)[] environment
    ) => Finish(Start(launcher, processes, folder, [Lit, .. arguments], environment));

    /// <summary>One process, without a launcher.</summary>
    public static Outcome Alone(string folder, params string[] arguments) => Finish(Start(folder, [Lit, .. arguments]));

    public static Process Start(
        string launcher,
        int processes,
        string folder,
        string[] program,
        params (string Name, string Value)[] environment
    )
    {
        var count = processes.ToString(CultureInfo.InvariantCulture);
        return Start(
            folder,
            launcher == Open
                ? [launcher, "--oversubscribe", "--bind-to", "none", "-n", count, .. program]
                : [launcher, "-n", count, .. program],
            environment
        );
    }

    public static Outcome Finish(Process process)
    {
        using (process)
        {
            var talk = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEndAsync();
            if (!process.WaitForExit(Longest))
            {
                process.Kill(entireProcessTree: true);
                Assert.Fail($"not done within {Longest}: {output.Result}\n{talk.Result}");
            }
            return new(process.ExitCode, output.Result, talk.Result);
        }
    }

    private static Process Start(string folder, string[] command, params (string Name, string Value)[] environment)
    {
        ProcessStartInfo start = new(command[0], command[1..])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["NO_COLOR"] = "1";
        // Open MPI asks twice before it starts anything for root, as whom builds in containers run.
        start.Environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
        start.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
        // Containers are often given 64 MB of shared memory; the file of Open MPI goes elsewhere.
        start.Environment["OMPI_MCA_btl_vader_backing_directory"] = "/tmp";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static bool IsThere(string program) =>
        Environment
            .GetEnvironmentVariable("PATH")!
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)));

    // artifacts/bin/LiT.Mpi.Tests/<configuration>/ → artifacts/bin/<project>/<configuration>/<program>
    private static string Beside(string project, string program)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Path.Combine(here.Parent!.Parent!.FullName, project, here.Name, program);
    }
}
