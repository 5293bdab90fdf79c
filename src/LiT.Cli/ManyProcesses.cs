using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using LiT.Mpi;

namespace LiT.Cli;

/// <summary>
/// The command line as one of the processes of a job (<c>mpirun -n 4 lit tune --mpi …</c>): the first speaks for all,
/// and a process stands between the launcher and the one that works. Killed by whatever it may be, for want of memory
/// most of the time, the one that works can say nothing; the one above it then tells the launcher 75, start me again.
/// </summary>
internal static partial class ManyProcesses
{
    private const string Option = "--mpi",
        Parent = "LIT_MPI_PARENT";
    private const int DeathSignal = 1,
        Kill = 9;
    private const PosixSignal User1 = (PosixSignal)10;

    // Schedulers kill 30 seconds after SIGTERM. Who still waits for a process then, which is gone, says 75 before that.
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(20);

    private static readonly List<IDisposable> heard = [];
    private static TextWriter aloud = Console.Error;

    /// <summary>Whether a command line is that of a job of several processes.</summary>
    public static bool IsAsked(string[] args) => args is ["tune", ..] && args.Contains(Option);

    /// <summary>Whether this process was asked to end by something else than Ctrl-C.</summary>
    public static bool WasTold { get; private set; }

    /// <summary>Does what has to be done before anything else.</summary>
    /// <param name="args">The command line.</param>
    /// <returns>The exit code where the work was another process's.</returns>
    public static int? Begin(string[] args)
    {
        if (Launch.Here.Processes is 1)
            return null;
        // Open MPI gives each process a terminal, to which .NET says hello, in front of the answer, where it knows it.
        Environment.SetEnvironmentVariable("TERM", null);
        if (Environment.GetEnvironmentVariable(Parent) is not { Length: > 0 } parent)
            return StandAbove(args);
        if (OperatingSystem.IsLinux())
        {
            _ = Control(DeathSignal, Kill); // what would go on alone holds up all others
            if (ParentOf().ToString(CultureInfo.InvariantCulture) != parent)
                return ExitCode.Again;
        }
        if (Launch.Here.Place == 0)
            return null;
        Console.SetOut(TextWriter.Null);
        Console.SetError(TextWriter.Null);
        return null;
    }

    /// <summary>SIGTERM and SIGUSR1 end the job with a checkpoint, however often they come.</summary>
    public static void Hear(CancellationTokenSource stop)
    {
        if (OperatingSystem.IsWindows())
            return;
        foreach (var signal in new[] { PosixSignal.SIGTERM, User1 })
            heard.Add(PosixSignalRegistration.Create(signal, context =>
                {
                    context.Cancel = true;
                    if (context.Signal == PosixSignal.SIGTERM && !WasTold)
                        _ = Task.Delay(LongestStop).ContinueWith(_ => Leave(ExitCode.Again), TaskScheduler.Default);
                    WasTold = true;
                    stop.Cancel();
                }));
    }

    /// <summary>Says something that is this process's alone, whichever it is.</summary>
    public static void SayAloud(string words) =>
        aloud.WriteLine(
            Wording.Of(
                $"lit: process {Launch.Here.Place} of {Launch.Here.Processes} on {Environment.MachineName}: "
                    + words.ReplaceLineEndings(" ")
            )
        );

    /// <summary>
    /// Says what went wrong. Where all fail alike the first one's line is enough, and the launcher ends the others
    /// before they come to theirs.
    /// </summary>
    /// <returns>The exit code.</returns>
    public static int Report(Exception trouble, bool verbose)
    {
        var code = trouble switch
        {
            MpiException => ExitCode.Again,
            UsageException => ExitCode.Usage,
            _ => ExitCode.Failed,
        };
        if (Launch.Here.Place == 0)
        {
            Terminal.Report(trouble, verbose);
            return code;
        }
        Thread.Sleep(1500);
        SayAloud(trouble is LitException ? trouble.Message : trouble.ToString());
        return code;
    }

    private static int StandAbove(string[] args)
    {
        ProcessStartInfo same = new(Environment.ProcessPath!) { UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            same.ArgumentList.Add(typeof(ManyProcesses).Assembly.Location);
        foreach (var argument in args)
            same.ArgumentList.Add(argument);
        same.Environment[Parent] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        using var worker = Process.Start(same)!;
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, User1 })
            heard.Add(PosixSignalRegistration.Create(signal, context =>
                {
                    context.Cancel = true;
                    if (context.Signal != PosixSignal.SIGINT) // a terminal tells both
                        _ = Signal(worker.Id, context.Signal == User1 ? 10 : 15);
                }));
        worker.WaitForExit();
        if (worker.ExitCode <= 128 || worker.ExitCode == ExitCode.Interrupted)
            return worker.ExitCode;
        SayAloud(
            $"killed by signal {worker.ExitCode - 128}"
                + (worker.ExitCode == 128 + Kill ? " (the system does that where memory is short)" : "")
                + "; started again, the job goes on from its last checkpoint"
        );
        return ExitCode.Again;
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Control(int what, nint value);

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Leave(int code);

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int ParentOf();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
