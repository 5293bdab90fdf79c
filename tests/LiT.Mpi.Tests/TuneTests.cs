using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LiT.Tests;

namespace LiT.Mpi.Tests;

/// <summary>The command line as several processes: the same run, to the same bits, however it is stopped.</summary>
public sealed class TuneTests(TuneTests.Made made) : IClassFixture<TuneTests.Made>
{
    private const int Steps = 60;

    private static readonly string[] Small =
    [
        "tune",
        "--data",
        "store",
        "--text-tower",
        "text:width=16,depth=1,heads=2",
        "--batch",
        "24",
        "--micro-batch",
        "8",
        "--image-head",
        "16",
        "--text-head",
        "16",
        "--hold-out",
        "0.2",
        "--checkpoint-every",
        "8",
        "--threads",
        "1",
        "--doctor",
        "off",
    ];

    private readonly TemporaryFolder folder = made.Ready();

    /// <summary>A store, and the run that one process makes of it: all tests begin with these.</summary>
    public sealed class Made : IDisposable
    {
        private TemporaryFolder? folder;

        public TemporaryFolder Ready()
        {
            Mpirun.Need(Mpirun.Open);
            Mpirun.Need(Mpirun.Mpich);
            if (folder is not null)
                return folder;
            TemporaryFolder made = new();
            string[] embed = ["embed", "--image-tower", "cifar-resnet:8", "--data", "pairs.tar", "--out", "store"];
            Mpirun.Alone(made.Path, "data", "draw", "--split", "pairs", "--count", "60", "--out", ".").Expect(0);
            Mpirun.Alone(made.Path, embed).Expect(0);
            Mpirun.Alone(made.Path, Command("one")).Expect(0);
            return folder = made;
        }

        public void Dispose() => folder?.Dispose();
    }

    [Fact]
    public void Any_number_of_processes_makes_the_run_of_one_and_the_same_number_the_same_bits()
    {
        var four = Mpirun.Run(Mpirun.Open, 4, folder.Path, [.. Command("four"), "--mpi", "--json"]).Expect(0);
        Mpirun.Run(Mpirun.Mpich, 4, folder.Path, [.. Command("again"), "--mpi"]).Expect(0);
        Assert.Equal(Weights("four"), Weights("again"));
        Close("one", "four");
        // One process speaks, and writes, for all.
        Assert.Equal(Steps, JsonDocument.Parse(four.Output).RootElement.GetProperty("steps").GetInt64());
        Assert.Equal(Lines("one").Count, Lines("four").Count);
        Assert.Equal(Validated("one").Keys, Validated("four").Keys);
    }

    [Fact]
    public void A_run_that_four_began_two_go_on_with()
    {
        var stopped = Stopped(Mpirun.Open, 4, "changed", "USR1");
        Assert.Contains("stopped with a checkpoint", stopped.Talk);
        Assert.InRange(Lines("changed").Count, 1, Steps - 1);
        var on = Mpirun.Run(Mpirun.Mpich, 2, folder.Path, [.. Command("changed"), "--mpi"]).Expect(0);
        Assert.Contains("going on from step", on.Talk);
        Close("one", "changed");
    }

    [Fact]
    public void A_process_that_is_killed_ends_the_job_with_75_and_the_same_command_goes_on_to_the_same_bits()
    {
        Mpirun.Run(Mpirun.Open, 2, folder.Path, [.. Command("whole"), "--mpi"]).Expect(0);
        var killed = Stopped(Mpirun.Open, 2, "killed", "KILL");
        Assert.Contains("process 1 of 2", killed.Talk);
        Assert.Contains("killed by signal 9", killed.Talk);
        Mpirun.Run(Mpirun.Open, 2, folder.Path, [.. Command("killed"), "--mpi"]).Expect(0);
        Assert.Equal(Weights("whole"), Weights("killed"));
    }

    [Theory]
    [InlineData(Mpirun.Mpich, true)]
    [InlineData(Mpirun.Open, false)] // those that wait for it end by themselves 20 s after SIGTERM
    public async Task A_process_that_hangs_is_named_and_the_job_ends_with_75(string launcher, bool goesOn)
    {
        var run = goesOn ? "hung" : "gone";
        // A busy machine may keep any of them waiting for a second or two.
        string[] late = ["--mpi", "--mpi-late", "6", "--steps", "100000"];
        using var job = Mpirun.Start(launcher, 3, folder.Path, [Mpirun.Lit, .. Small, "--out", run, .. late]);
        var workers = Workers(job, run, 3);
        while (!job.HasExited && Lines(run).Count < 3)
            Thread.Sleep(2);
        Signal("STOP", workers[2]);
        using CancellationTokenSource patience = new(TimeSpan.FromMinutes(5));
        using var end = patience.Token.Register(() => job.Kill(entireProcessTree: true));
        var talk = "";
        while (!talk.Contains("waiting", StringComparison.Ordinal))
            talk = await job.StandardError.ReadLineAsync(TestContext.Current.CancellationToken) ?? "waiting for nobody";
        Assert.Contains("process 0 of 3", talk);
        Assert.Contains($"for process 2 on {Environment.MachineName}", talk);
        Assert.DoesNotContain("process 1 on", talk);
        if (goesOn)
            Signal("CONT", workers[2]);
        Signal("TERM", workers[1]); // one is enough
        await job.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await job.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(75, job.ExitCode);
    }

    [Theory]
    [InlineData(Mpirun.Open, "libmpich.so.12", "MPICH's mpirun")]
    [InlineData(Mpirun.Mpich, "libmpi.so.40", "Open MPI's mpirun")]
    public void A_launcher_and_a_library_that_do_not_fit_are_refused(string launcher, string library, string remedy)
    {
        var job = Mpirun.Run(launcher, 2, folder.Path, [.. Command("nothing"), "--mpi"], ("LIT_MPI_LIBRARY", library));
        job.Expect(1);
        Assert.Contains("this one is one of 1", job.Talk);
        Assert.Contains($"Start with {remedy}", job.Talk);
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "nothing")));
    }

    [Theory]
    [InlineData(Mpirun.Open)]
    [InlineData(Mpirun.Mpich)]
    public void A_wrong_option_is_2_and_is_said_once(string launcher)
    {
        foreach (var wrong in new[] { "--lock=XX", "--no-such-option" })
        {
            var job = Mpirun.Run(launcher, 2, folder.Path, [.. Command("nothing"), "--mpi", wrong]).Expect(2);
            Assert.Single(job.Talk.Split('\n'), line => line.StartsWith("lit: ", StringComparison.Ordinal));
        }
    }

    private static string[] Command(string run, params string[] more) =>
        [.. Small, "--out", run, "--steps", Steps.ToString(CultureInfo.InvariantCulture), .. more];

    /// <summary>Starts a job, and signals it after some steps: its launcher, or, to kill, a process.</summary>
    private Mpirun.Outcome Stopped(string launcher, int processes, string run, string signal)
    {
        var job = Mpirun.Start(launcher, processes, folder.Path, [Mpirun.Lit, .. Command(run, "--mpi")]);
        var workers = Workers(job, run, processes);
        while (!job.HasExited && Lines(run).Count < 10)
            Thread.Sleep(2);
        Signal(signal, signal == "KILL" ? workers[1] : job.Id);
        return Mpirun.Finish(job).Expect(75);
    }

    /// <summary>The processes that work on a run, in their order; not those above them.</summary>
    private int[] Workers(Process job, string run, int processes)
    {
        while (!job.HasExited)
        {
            SortedDictionary<int, int> found = [];
            foreach (var process in Directory.EnumerateDirectories("/proc"))
                if (
                    int.TryParse(Path.GetFileName(process), out var id)
                    && Read(process, "cmdline") is { } arguments
                    && arguments.Contains(run)
                    && Read(process, "environ") is { } environment
                    && environment.Any(one => one.StartsWith("LIT_MPI_PARENT=", StringComparison.Ordinal))
                    && IsIn(process)
                    && environment.FirstOrDefault(IsRank) is { } rank
                )
                    found[int.Parse(rank.Split('=')[1], CultureInfo.InvariantCulture)] = id;
            if (found.Count == processes)
                return [.. found.Values];
            Thread.Sleep(2);
        }
        throw new InvalidOperationException($"the job has ended: {Mpirun.Finish(job)}");

        static bool IsRank(string variable) =>
            variable.StartsWith("OMPI_COMM_WORLD_RANK=", StringComparison.Ordinal)
            || variable.StartsWith("PMI_RANK=", StringComparison.Ordinal);

        bool IsIn(string process) => new DirectoryInfo(Path.Combine(process, "cwd")).LinkTarget == folder.Path;

        static string[]? Read(string process, string what)
        {
            try
            {
                return File.ReadAllText(Path.Combine(process, what)).Split('\0');
            }
            catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
            {
                return null; // it has ended
            }
        }
    }

    private static void Signal(string signal, int process)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private byte[] Weights(string run) =>
        File.ReadAllBytes(Path.Combine(folder.Path, run, "model", "text.safetensors"));

    private List<JsonElement> Lines(string run)
    {
        var path = Path.Combine(folder.Path, run, "metrics.jsonl");
        if (!File.Exists(path))
            return [];
        using StreamReader reader = new(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return [.. reader.ReadToEnd().Split('\n')[..^1].Select(line => JsonDocument.Parse(line).RootElement)];
    }

    private Dictionary<string, double> Validated(string run) =>
        Lines(run)[^1].GetProperty("val").EnumerateObject().ToDictionary(one => one.Name, one => one.Value.GetDouble());

    /// <summary>Every step is that of the other run but for rounding.</summary>
    private void Close(string expected, string got)
    {
        foreach (var (one, other) in Lines(expected).Zip(Lines(got)))
        foreach (var (name, tolerance) in new[] { ("loss", 1e-4), ("gradNorm", 1e-3), ("temperature", 1e-3) })
        {
            var (wanted, value) = (one.GetProperty(name).GetDouble(), other.GetProperty(name).GetDouble());
            Assert.True(
                Math.Abs(wanted - value) <= tolerance * Math.Max(1, Math.Abs(wanted)),
                $"step {one.GetProperty("step")}: {name} {value} where {wanted} was expected"
            );
        }
    }
}
