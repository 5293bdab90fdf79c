using LiT.Data;

namespace LiT.Tests.Tuning;

/// <summary>As by kill -9: nothing is written after it.</summary>
internal sealed class Killed : Exception;

/// <summary>Ends a run as its progress says that so many steps are done.</summary>
internal sealed class KillAt(int step) : IProgress<ProgressStep>
{
    public void Report(ProgressStep value)
    {
        if (value.Done >= step)
            throw new Killed();
    }
}

/// <summary>Does something then, and at every later step.</summary>
internal sealed class At(int step, Action action) : IProgress<ProgressStep>
{
    public void Report(ProgressStep value)
    {
        if (value.Done >= step)
            action();
    }
}

/// <summary>A source some of whose samples are others.</summary>
internal sealed class Changed(SampleSource source, Func<Sample, int, Sample> change) : SampleSource
{
    public override string Form => source.Form;

    public override IEnumerable<Sample> Read(Action<Skipped> skip) => source.Read(skip).Select(change);
}
