namespace LiT.Tuning.Runs;

/// <summary>Makes one stream of events of all that a run has to say.</summary>
internal sealed class RunVoice(Action<TuningEvent> happened) : IProgress<ProgressStep>
{
    private readonly List<Finding> findings = [];

    /// <summary>What the doctor found so far.</summary>
    public IReadOnlyList<Finding> Findings => findings;

    /// <inheritdoc/>
    public void Report(ProgressStep value) => happened(new TuningProgressed(value));

    public void Say(string words) => happened(new TuningNote(words));

    public void Find(Finding finding)
    {
        findings.Add(finding);
        happened(new TuningFound(finding.Step, finding.Words, finding.Remedy));
    }

    public void Measured(MetricsLine line)
    {
        happened(new TuningMeasured(line.Step, line.Loss, line.Temperature, line.Lr, line.PairsPerSecond));
        if (line.Val is { } numbers)
            happened(new TuningValidated(line.Step, numbers));
    }

    public void Pace(TimeSpan time) =>
        Say(
            "at this pace the run takes about "
                + (
                    time.TotalSeconds < 90
                        ? $"{Math.Ceiling(time.TotalSeconds):F0} s"
                        : $"{Math.Ceiling(time.TotalMinutes):F0} min"
                )
        );

    public void Started(string folder, long step, long steps)
    {
        happened(new TuningStarted(step, steps));
        if (step == steps)
            Say($"{folder}: all {step} steps are done already; nothing is tuned again");
        else if (step > 0)
            Say($"going on from step {step}");
    }

    public void Saved(string model, TuningOutcome outcome) =>
        happened(new TuningSaved(model, outcome.Steps, outcome.Last.Loss));
}

/// <summary>Events for whoever only wants lines of words and progress.</summary>
internal static class TuningWords
{
    /// <param name="say">Told every line of words.</param>
    /// <param name="progress">Told how far it is.</param>
    public static Action<TuningEvent> To(Action<string> say, IProgress<ProgressStep>? progress = null) =>
        happened =>
        {
            switch (happened)
            {
                case TuningNote note:
                    say(note.Words);
                    break;
                case TuningFound found:
                    say($"doctor: {(found.Step is { } step ? $"step {step}: " : "")}{found.Words} {found.Remedy}");
                    break;
                case TuningProgressed far:
                    progress?.Report(far.Progress);
                    break;
            }
        };
}
