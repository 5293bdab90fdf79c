using System.Globalization;

namespace LiT.Mpi;

/// <summary>Which library understands the launcher that a process was started by.</summary>
internal enum MpiKind
{
    /// <summary>Nothing started it as one of several.</summary>
    None,

    /// <summary>Open MPI's mpirun, or srun with pmix.</summary>
    OpenMpi,

    /// <summary>MPICH's mpirun (Hydra), or srun with pmi2.</summary>
    Mpich,
}

/// <summary>What a launcher says to a process in its environment, before any library is loaded.</summary>
/// <param name="Kind">Whose launcher it is.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Place">Which of the processes this is, from 0.</param>
/// <param name="Processes">How many were started; null where the launcher does not say.</param>
/// <param name="OnThisMachine">How many of them run on this machine.</param>
internal sealed record Launch(MpiKind Kind, string Name, int Place, int? Processes, int OnThisMachine)
{
    /// <summary>The launch that this process's environment tells of.</summary>
    internal static Launch Here { get; } = Of(Environment.GetEnvironmentVariable);

    /// <exception cref="LitException">Slurm started several processes that cannot find each other.</exception>
    internal static Launch Of(Func<string, string?> variable)
    {
        if (Number("OMPI_COMM_WORLD_RANK") is { } open)
            return new(
                MpiKind.OpenMpi,
                "Open MPI's mpirun",
                open,
                Number("OMPI_COMM_WORLD_SIZE"),
                Number("OMPI_COMM_WORLD_LOCAL_SIZE") ?? 1
            );
        if (Number("PMIX_RANK") is { } pmix)
            return new(MpiKind.OpenMpi, "srun --mpi=pmix", pmix, Number("SLURM_STEP_NUM_TASKS"), OfSlurm());
        if (Number("PMI_RANK") is { } pmi)
            return Number("SLURM_PROCID") is null
                ? new(MpiKind.Mpich, "MPICH's mpirun", pmi, Number("PMI_SIZE"), Number("MPI_LOCALNRANKS") ?? 1)
                : new(MpiKind.Mpich, "srun --mpi=pmi2", pmi, Number("PMI_SIZE"), OfSlurm());
        if (Number("SLURM_STEP_NUM_TASKS") is > 1 and var tasks && Number("SLURM_PROCID") is { } task)
            return new(MpiKind.None, "srun", task, tasks, OfSlurm());
        return new(MpiKind.None, "no launcher", 0, 1, 1);

        int? Number(string name) =>
            int.TryParse(variable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
                : null;

        // "4(x2),3": Slurm counts the tasks of each machine; this one's are taken to be those of the first.
        int OfSlurm() =>
            int.TryParse(
                variable("SLURM_STEP_TASKS_PER_NODE")?.Split('(', ',')[0],
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var tasks
            )
                ? tasks
                : 1;
    }

    /// <summary>
    /// Threads of one process where none are asked for: the cores that the launcher has bound it to, or its share of
    /// the machine's.
    /// </summary>
    /// <param name="bound">Cores that this process may run on.</param>
    /// <param name="all">Cores of the machine.</param>
    internal int Threads(int bound, int all) => bound < all ? bound : Math.Max(1, all / Math.Max(1, OnThisMachine));
}
