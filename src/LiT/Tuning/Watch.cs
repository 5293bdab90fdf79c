namespace LiT.Tuning;

/// <summary>Stops a run that cannot come to anything any more, and says why.</summary>
internal sealed class Watch(string folder, TuningOptions options, TuningSession session)
{
    // Embeddings of different texts that point the same way are usual at the start (one end token read everywhere), not later.
    private const double Collapsed = 1e-4;
    private const long Patience = 200;
    private long? collapsedSince;

    internal void Check(StepNumbers numbers)
    {
        if (!double.IsFinite(numbers.Loss) || !double.IsFinite(numbers.GradientNorm))
        {
            var what = double.IsFinite(numbers.Loss) ? $"the gradient ({numbers.GradientNorm})" : $"the loss ({numbers.Loss})";
            throw new LitException(FormattableString.Invariant(
                $"{folder}, step {session.Step}: {what} is no finite number, at a learning rate of {options.Optimizer.LearningRate} and a temperature of {session.Temperature:f1}. ") +
                "Tune again into another folder with a smaller --lr or a longer --warmup, and look at the data with 'lit data stats'.");
        }
        if (numbers.TextSpread > Collapsed) collapsedSince = null;
        else collapsedSince ??= session.Step;
        if (collapsedSince is { } since && session.Step - since >= Patience && session.Step > options.WarmupSteps + Patience)
            throw new LitException(FormattableString.Invariant(
                $"{folder}, step {session.Step}: since step {since} all texts have the same embedding, so nothing can be learned from them (loss {numbers.Loss:f3}). ") +
                "Tune again into another folder with a smaller --lr or a longer --warmup.");
    }
}
