using LiT.Fuzz;
using LiT.Tests.Parity;

namespace LiT.Tests.Checkpoints;

/// <summary>A short run of the fuzzer over every reader; CONTRIBUTING.md says how to run it long.</summary>
public sealed class FuzzTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static IEnumerable<TheoryDataRow<string>> Targets() =>
        FuzzTarget.All(Reference.Copied).Select(target => new TheoryDataRow<string>(target.Name));

    [Theory]
    [MemberData(nameof(Targets))]
    public void A_wrong_file_is_refused_in_one_line_or_read_and_costs_neither_time_nor_memory(string name)
    {
        var target = FuzzTarget.All(Reference.Copied).Single(target => target.Name == name);
        Assert.SkipWhen(target.Seeds.Count == 0, $"The fixtures have no {name} file.");
        foreach (var companion in target.Companions)
            File.Copy(companion, folder[Path.GetFileName(companion)]);
        var run = new FuzzRun(seed: 1, folder.Path) { Patience = TimeSpan.FromSeconds(30) }; // the machine may be busy
        for (var iteration = 0; iteration < 200; iteration++)
            Assert.Null(run.Try(target, iteration)?.What);
        Assert.True(
            run.Refused > 20 && run.Accepted > 2,
            $"{run.Refused} refused, {run.Accepted} read: the mutations do not reach the reader."
        );
    }

    [Fact]
    public void The_fuzzer_finds_what_it_is_meant_to_find()
    {
        var seeds = FuzzTarget.All(Reference.Copied)[0].Seeds;
        Assert.Contains("InvalidOperationException", FirstFinding(_ => throw new InvalidOperationException()));
        Assert.Contains("not one line", FirstFinding(_ => throw new LitException("without an end")));
        Assert.Contains("allocates", FirstFinding(_ => GC.KeepAlive(new byte[40 << 20])));
        Assert.Contains("takes", FirstFinding(_ => Thread.Sleep(20), patience: 0.01));
        Assert.Null(FirstFinding(_ => throw new LitException("x: is wrong. Mend it.")));

        string? FirstFinding(Action<string> read, double patience = 30) =>
            new FuzzRun(0, folder.Path) { Patience = TimeSpan.FromSeconds(patience) }
                .Try(new("bad", seeds, read), 0)
                ?.What;
    }

    [Fact]
    public void Input_number_n_is_always_the_same()
    {
        var target = FuzzTarget.All(Reference.Copied)[0];
        Assert.Equal(new FuzzRun(3, folder.Path).InputOf(target, 17), new FuzzRun(3, folder.Path).InputOf(target, 17));
    }
}
