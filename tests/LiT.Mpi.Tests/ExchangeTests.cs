namespace LiT.Mpi.Tests;

/// <summary>Real processes under both launchers: what they exchange, and what a step makes of it.</summary>
public sealed class ExchangeTests
{
    [Theory]
    [InlineData(Mpirun.Open, 2)]
    [InlineData(Mpirun.Mpich, 3)]
    public void Rows_sums_and_words_arrive_whole_and_in_order(string launcher, int processes)
    {
        Mpirun.Need(launcher);
        var job = Mpirun.Worker(launcher, processes, "bytes").Expect(0);
        Assert.Contains($"{processes} processes over {(launcher == Mpirun.Open ? "Open MPI" : "MPICH")}", job.Output);
    }

    [Theory]
    [InlineData(Mpirun.Open, 3)]
    [InlineData(Mpirun.Mpich, 2)]
    public void Loss_and_gradients_of_several_processes_are_those_of_one(string launcher, int processes)
    {
        Mpirun.Need(launcher);
        Mpirun.Worker(launcher, processes, "steps").Expect(0);
    }

    [Fact]
    public void Embeddings_that_travel_in_bfloat16_cost_three_digits_and_no_more()
    {
        Mpirun.Need(Mpirun.Open);
        Mpirun.Worker(Mpirun.Open, 2, "half").Expect(0);
    }
}
