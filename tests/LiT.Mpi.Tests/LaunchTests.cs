namespace LiT.Mpi.Tests;

/// <summary>What launchers say in the environment, as they were seen to say it.</summary>
public sealed class LaunchTests
{
    private static Launch Of(params (string Name, string Value)[] environment) =>
        Launch.Of(name => environment.FirstOrDefault(one => one.Name == name).Value);

    [Fact]
    public void Open_MPIs_mpirun_is_known() =>
        Assert.Equal(
            new(MpiKind.OpenMpi, "Open MPI's mpirun", 2, 4, 2),
            Of(
                ("OMPI_COMM_WORLD_RANK", "2"),
                ("OMPI_COMM_WORLD_SIZE", "4"),
                ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
                ("PMIX_RANK", "2"),
                ("SLURM_PROCID", "0")
            )
        );

    [Fact]
    public void MPICHs_mpirun_is_known() =>
        Assert.Equal(
            new(MpiKind.Mpich, "MPICH's mpirun", 1, 3, 3),
            Of(("PMI_RANK", "1"), ("PMI_SIZE", "3"), ("MPI_LOCALNRANKS", "3"))
        );

    [Fact]
    public void Both_of_sruns_ways_are_known()
    {
        (string, string)[] slurm =
        [
            ("SLURM_PROCID", "3"),
            ("SLURM_STEP_NUM_TASKS", "8"),
            ("SLURM_STEP_TASKS_PER_NODE", "4(x2)"),
        ];
        Assert.Equal(new(MpiKind.OpenMpi, "srun --mpi=pmix", 3, 8, 4), Of([.. slurm, ("PMIX_RANK", "3")]));
        Assert.Equal(
            new(MpiKind.Mpich, "srun --mpi=pmi2", 3, 8, 4),
            Of([.. slurm, ("PMI_RANK", "3"), ("PMI_SIZE", "8")])
        );
    }

    [Fact]
    public void Srun_without_an_interface_is_refused_in_words()
    {
        var alone = Of(("SLURM_PROCID", "1"), ("SLURM_STEP_NUM_TASKS", "4"));
        var refused = Assert.Throws<LitException>(() => MpiGroup.Join(alone, new()));
        Assert.Contains("--mpi=pmix", refused.Message);
    }

    [Fact]
    public void Without_a_launcher_there_is_one_process_and_no_library()
    {
        using var group = MpiGroup.Join(Of(), new());
        Assert.Equal((0, 1, "none"), (group.Place, group.Processes, group.Library));
    }

    [Theory]
    [InlineData(8, 8, 1, 8)]
    [InlineData(8, 8, 3, 2)]
    [InlineData(2, 8, 4, 2)] // the launcher has bound it
    [InlineData(2, 2, 4, 1)]
    public void A_process_takes_the_cores_that_are_its_own(int bound, int all, int here, int threads) =>
        Assert.Equal(threads, new Launch(MpiKind.OpenMpi, "", 0, here, here).Threads(bound, all));
}
