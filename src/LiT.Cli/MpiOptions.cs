using System.CommandLine;
using LiT.Mpi;

namespace LiT.Cli;

/// <summary>The options of a run that several processes share, and how such a run ends.</summary>
internal sealed class MpiOptions
{
    private readonly Option<bool> mpi = new("--mpi")
    {
        Description =
            "Share every batch with the processes that mpirun or srun --mpi started with this command; exit code 75 "
            + "means 'start me again, I go on where I stopped'.",
    };
    private readonly Option<string> type = new("--mpi-dtype")
    {
        Description = "What embeddings travel in: float32, or bfloat16 for half of the bytes.",
        DefaultValueFactory = _ => "float32",
    };
    private readonly Option<double?> late = new("--mpi-late")
    {
        Description =
            "Seconds after which a process that is missing is named. Default: ten times what a step usually takes, at "
            + "least 20.",
    };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { mpi, type, late })
            command.Options.Add(option);
        type.AcceptOnlyFromAmong("float32", "bfloat16");
        Limits.Numbers(late, seconds => seconds > 0, "a number of seconds above 0");
        command.Validators.Add(result =>
        {
            foreach (Option option in new Option[] { type, late })
                if (result.GetResult(option) is { Implicit: false } && !result.GetValue(mpi))
                    result.AddError($"{option.Name} says how processes work together. Give --mpi with it.");
        });
    }

    /// <summary>Threads of each process where none are asked for.</summary>
    public static int Threads => Launch.Here.Threads(Environment.ProcessorCount, Cores());

    public bool IsAsked(Asked parsed) => parsed.GetValue(mpi);

    /// <summary>Does something as one of the processes, and tells the launcher how it ended.</summary>
    /// <returns>The exit code.</returns>
    public int Together(Asked parsed, CancellationToken cancel, Func<MpiGroup, int> work)
    {
        MpiGroup? group = null;
        var verbose = CommonOptions.IsVerbose(parsed);
        try
        {
            group = MpiGroup.Join(
                new()
                {
                    HalfEmbeddings = parsed.GetValue(type) == "bfloat16",
                    Late = parsed.GetValue(late) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
                    Warn = ManyProcesses.SayAloud,
                }
            );
            Terminal.Say(
                group.Processes == 1
                    ? "one process: mpirun or srun starts several"
                    : $"{group.Processes} processes over {group.Library}, {Threads} threads each"
            );
            var code = work(group);
            group.Dispose();
            return code;
        }
        catch (OperationCanceledException)
        {
            group!.Dispose();
            if (cancel.IsCancellationRequested && !ManyProcesses.WasTold)
                return ExitCode.Interrupted;
            Terminal.Say("stopped with a checkpoint; the same command goes on from there");
            return ExitCode.Again;
        }
        catch (Exception trouble)
        {
            var code = ManyProcesses.Report(trouble, verbose);
            if (group?.Processes > 1)
                group.Abort(code);
            return code;
        }
    }

    // What the machine has, whatever this process is bound to.
    private static int Cores()
    {
        try
        {
            return File.ReadLines("/proc/cpuinfo")
                .Count(line => line.StartsWith("processor", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return Environment.ProcessorCount;
        }
    }
}
