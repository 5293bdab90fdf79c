using LiT.Stores;

namespace LiT.Mpi.Tests;

/// <summary>The part of a process as Slurm's and Kubernetes' variables number it.</summary>
public sealed class SchedulerTests
{
    private static StorePart Of(params (string Name, string Value)[] environment) =>
        StorePart.Scheduled(name => environment.FirstOrDefault(one => one.Name == name).Value);

    [Theory]
    [InlineData("0", "0", "7", "1", "8", 1, 8)]
    [InlineData("7", "0", "7", "1", "8", 8, 8)]
    [InlineData("3", "1", "4", "1", "4", 3, 4)]
    [InlineData("14", "10", "18", "4", "3", 2, 3)] // --array=10-18:4
    public void A_task_of_a_Slurm_array(string id, string min, string max, string step, string count, int i, int n) =>
        Assert.Equal(
            new StorePart(i, n),
            Of(
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_MIN", min),
                ("SLURM_ARRAY_TASK_MAX", max),
                ("SLURM_ARRAY_TASK_STEP", step),
                ("SLURM_ARRAY_TASK_COUNT", count),
                ("SLURM_PROCID", "0"),
                ("SLURM_NTASKS", "1")
            )
        );

    [Fact]
    public void A_pod_of_an_Indexed_Job() =>
        Assert.Equal(new StorePart(3, 8), Of(("JOB_COMPLETION_INDEX", "2"), ("LIT_PARTS", "8")));

    [Fact]
    public void A_task_of_srun() => Assert.Equal(new StorePart(2, 4), Of(("SLURM_PROCID", "1"), ("SLURM_NTASKS", "4")));

    [Fact]
    public void What_would_leave_a_part_unmade_is_refused()
    {
        Refused(
            "without gaps",
            ("SLURM_ARRAY_TASK_ID", "5"),
            ("SLURM_ARRAY_TASK_MIN", "1"),
            ("SLURM_ARRAY_TASK_MAX", "5"),
            ("SLURM_ARRAY_TASK_COUNT", "2")
        );
        Refused("LIT_PARTS", ("JOB_COMPLETION_INDEX", "2"));
        Refused("LIT_PARTS", ("JOB_COMPLETION_INDEX", "8"), ("LIT_PARTS", "8"));
        Refused("Indexed Job");

        static void Refused(string words, params (string, string)[] environment) =>
            Assert.Contains(words, Assert.Throws<SettingException>(() => Of(environment)).Message);
    }
}
