using System.Runtime.CompilerServices;
using LiT.Tuning.Contrastive;

namespace LiT.Mpi;

/// <summary>
/// The processes that <c>mpirun</c> or <c>srun</c> has started with one command, and this one among them. They share
/// the batches of one tuning run, whose folder and data all of them see: the same run as one process makes, but for
/// rounding, and the same bits for the same number of processes. There is one group in the life of a program.
/// </summary>
public sealed class MpiGroup : IDisposable
{
    private readonly MpiThread? thread;
    private readonly MpiLibrary? mpi;
    private bool lost;

    private MpiGroup(IBatchExchange exchange, MpiThread? thread, MpiLibrary? mpi, string library) =>
        (Exchange, this.thread, this.mpi, Library) = (exchange, thread, mpi, library);

    /// <summary>Which of the processes this is, from 0; the first one writes and speaks for all.</summary>
    public int Place => Exchange.Place;

    /// <summary>How many there are.</summary>
    public int Processes => Exchange.Processes;

    /// <summary>The library that they speak with, as it calls itself; "none" for one process.</summary>
    public string Library { get; }

    internal IBatchExchange Exchange { get; }

    /// <summary>Finds the other processes. Without a launcher there is one process, and no library is needed.</summary>
    /// <param name="settings">How they work together; the same for all.</param>
    /// <exception cref="LitException">
    /// There is no MPI of the launcher's kind on this machine, or launcher and library do not fit: each process would
    /// think that it is the only one.
    /// </exception>
    public static MpiGroup Join(MpiSettings? settings = null) => Join(Launch.Here, settings ?? new());

    internal static MpiGroup Join(Launch launch, MpiSettings settings, long pieceBytes = 64 << 20)
    {
        if (launch is { Kind: MpiKind.None, Processes: > 1 })
            throw new LitException(
                launch.Name,
                $"started {launch.Processes} processes and gives them no way to find each other, so each would tune by "
                    + "itself",
                "Give it --mpi=pmix for Open MPI or --mpi=pmi2 for MPICH (srun --mpi=list shows which it has), or "
                    + "start with mpirun"
            );
        if (launch.Kind == MpiKind.None)
            return new(new WholeBatch(), null, null, "none");
        var mpi = MpiLibrary.Load(launch);
        MpiThread thread = new();
        var rank = thread.Do(mpi.Initialize);
        var version = thread.Do(mpi.Version);
        if ((launch.Processes ?? rank.Processes) != rank.Processes)
            throw new LitException(
                launch.Name,
                $"started {launch.Processes} processes, and by {mpi.Name} ({version}) this one is one of "
                    + $"{rank.Processes}: launcher and library do not fit",
                mpi.Kind == MpiKind.OpenMpi
                    ? "Start with Open MPI's mpirun (Debian: mpirun.openmpi), or leave LIT_MPI_LIBRARY out"
                    : "Start with MPICH's mpirun (Debian: mpirun.mpich), or leave LIT_MPI_LIBRARY out"
            );
        return new(new MpiExchange(thread, mpi, rank, settings, pieceBytes), thread, mpi, version);
    }

    /// <summary>Runs a plan together with the other processes, which do the same.</summary>
    /// <param name="plan">The same plan in every process.</param>
    /// <param name="folder">The same folder, on a disk that every machine sees.</param>
    /// <param name="cancel">Any process's stops all, after the step at hand and with a checkpoint.</param>
    /// <returns>What happens, as the process sees it; only the first one validates and saves.</returns>
    /// <exception cref="MpiException">Another process is lost; started again, the job goes on.</exception>
    public async IAsyncEnumerable<TuningEvent> TuneAsync(
        TuningPlan plan,
        string folder,
        [EnumeratorCancellation] CancellationToken cancel = default
    )
    {
        await foreach (var happened in plan.RunAsync(folder, Exchange, cancel).ConfigureAwait(false))
            yield return happened;
    }

    /// <summary>Ends all processes at once, this one last; for a program that has failed.</summary>
    /// <param name="exitCode">What the launcher is told.</param>
    public void Abort(int exitCode)
    {
        lost = true;
        if (mpi is { } library)
            thread?.AskToAbort(exitCode, library.Abort);
    }

    /// <summary>Leaves, when all others do.</summary>
    public void Dispose()
    {
        if (thread is null || lost)
            return;
        lost = true;
        var exchange = (MpiExchange)Exchange;
        thread.Do(() =>
        {
            exchange.Meet(patient: true);
            mpi!.Finish();
            return true;
        });
        thread.Dispose();
        exchange.Dispose();
    }
}
