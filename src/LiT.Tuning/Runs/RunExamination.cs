using System.Globalization;
using LiT.Tuning.Contrastive;

namespace LiT.Tuning.Runs;

/// <summary>
/// The training doctor while a run goes on: looks at every step's numbers and every validation and says in words what
/// goes wrong, each complaint once. It never changes a run; what cannot come to anything any more it stops.
/// </summary>
/// <param name="options">The run's.</param>
/// <param name="mode">What is done with a finding.</param>
/// <param name="tell">Told of every finding.</param>
internal sealed class RunExamination(TuningOptions options, DoctorMode mode, Action<Finding> tell)
{
    /// <summary>Steps that are looked at together; fewer would take the noise of small batches for trouble.</summary>
    internal const int Window = 100;

    // Embeddings of different texts that point the same way are usual at the start (one end token read everywhere), not
    // later.
    private const double Collapsed = 1e-4;
    private const long Patience = 200;
    private const double StillChance = 0.98,
        Vanished = 1e-5,
        Exploded = 30,
        NothingLeft = 0.005;
    private const int WorseInARow = 3;
    private const int NoBetterInARow = 2;
    private const double MuchBetterThanChance = 4,
        MuchSharper = 1.5;
    private const double HardlyHeld = 100; // a bound below is there to hold the temperature

    private static readonly string[] Telling = ["top1", "sameLabel", "meanRecall", "textToImageR1", "imageToTextR1"];

    private readonly HashSet<Complaint> told = [];
    private readonly Queue<StepNumbers> last = new();
    private readonly List<double> calm = [];
    private readonly List<Validated> validated = [];
    private double temperatureNow;
    private long? collapsedSince,
        atBoundSince;

    /// <summary>Looks at a step.</summary>
    /// <param name="step">Updates done.</param>
    /// <param name="numbers">What it was like.</param>
    /// <param name="temperature">After it.</param>
    /// <exception cref="DoctorStop">The run cannot go on, or was asked to stop at what was found.</exception>
    internal void Look(long step, StepNumbers numbers, double temperature)
    {
        temperatureNow = temperature;
        if (!double.IsFinite(numbers.Loss) || !double.IsFinite(numbers.GradientNorm))
            throw Ended(NotANumber(step, numbers, temperature));
        if (numbers.TextSpread > Collapsed)
            collapsedSince = null;
        else
            collapsedSince ??= step;
        if (collapsedSince is { } since && step - since >= Patience && step > options.WarmupSteps + Patience)
            throw Ended(
                new(
                    Complaint.Collapse,
                    step,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"since step {since} all texts have the same embedding, so nothing can be "
                            + $"learned from them (loss {numbers.Loss:f3})."
                    ),
                    "Tune again into another folder with a smaller `LearningRate` or a longer `WarmupSteps`."
                )
            );
        if (mode == DoctorMode.Off)
            return;
        last.Enqueue(numbers);
        if (last.Count > Window)
            last.Dequeue();
        LookAtTemperature(step, temperature);
        if (last.Count < Window || step <= options.WarmupSteps + Window)
            return;
        LookAtGradients(step);
        LookAtChance(step);
        LookAtNothingLeft(step);
    }

    private void LookAtNothingLeft(long step)
    {
        if (options.Loss != ContrastiveLossKind.Softmax || last.Any(one => one.Loss > NothingLeft))
            return;
        Tell(
            new(
                Complaint.LearnedByHeart,
                step,
                FormattableString.Invariant(
                    $"the loss has been {last.Max(one => one.Loss):f3} or less for {Window} steps: "
                ) + "every caption is told from the others of its batch, and further steps teach nothing.",
                "Tune on more pairs or for fewer `Steps`; `HoldOut` 0.1 shows what the model knows of pictures "
                    + "it has not seen."
            )
        );
    }

    /// <summary>A finding that ends the run; it is told like every other.</summary>
    private DoctorStop Ended(Finding finding)
    {
        if (told.Add(finding.Name))
            tell(finding);
        return new(finding);
    }

    /// <summary>Looks at a validation.</summary>
    /// <param name="step">Updates done.</param>
    /// <param name="validation">Its numbers by name.</param>
    /// <param name="guessing">What guessing gives for them, where that is known.</param>
    /// <exception cref="DoctorStop">The run was asked to stop at what was found.</exception>
    internal void Look(
        long step,
        IReadOnlyDictionary<string, double> validation,
        IReadOnlyDictionary<string, Guessing>? guessing = null
    )
    {
        if (mode == DoctorMode.Off)
            return;
        var accuracy = last.Count == 0 ? 0 : last.Average(one => (one.ImageToText + one.TextToImage) / 2);
        // One number speaks for a validation: the more are looked at, the more often one of them falls by luck.
        if (Telling.FirstOrDefault(validation.ContainsKey) is not { } name)
            return;
        validated.Add(new(step, validation[name], accuracy, temperatureNow));
        var best = validated.MaxBy(one => one.Value)!;
        var guess = guessing is not null && guessing.TryGetValue(name, out var known) ? known : (Guessing?)null;
        // What never rose above chance cannot fall: its ups and downs are luck.
        if (guess?.Explains(best.Value) == true)
        {
            if (validated.Count > WorseInARow)
                LookAtGuessing(step, name, (best.Value, guess.Value.Share), (validated[0].Accuracy, accuracy));
            return;
        }
        Validated[] since = [.. validated.SkipWhile(one => one != best).Skip(1)];
        LookAtSharpness(name, best, since);
        LookAtFall(name, best, since, guess?.Count);
    }

    /// <summary>
    /// Three in a row far below the best: a dip comes back, an overfitted tower does not. Far is a tenth, or less where
    /// there are so many questions that less is no chance: two deviations of a difference.
    /// </summary>
    private void LookAtFall(string name, Validated best, Validated[] since, int? questions)
    {
        var chance = questions is { } count
            ? 2 * Math.Sqrt(2 * best.Value * (1 - best.Value) / count)
            : double.MaxValue;
        var far = best.Value - Math.Min(0.1 * best.Value, chance);
        if (since.Length < WorseInARow || since.TakeLast(WorseInARow).Any(one => one.Value > far))
            return;
        var now = since[^1];
        var (from, to) = (Percent(best.Value), Percent(now.Value));
        if (now.Accuracy > best.Accuracy)
            Tell(
                new(
                    Complaint.Overfitting,
                    now.Step,
                    $"validation {name} has fallen from {from} to {to} while accuracy in training "
                        + $"rose from {Percent(best.Accuracy)} to {Percent(now.Accuracy)}: the text "
                        + "tower learns the captions by heart.",
                    $"{Kept(name, best)}, and tune for fewer `Epochs`, "
                        + "with a smaller text tower, dropout or more data."
                )
            );
        else
            Tell(
                new(
                    Complaint.ValidationFalls,
                    now.Step,
                    $"validation {name} has fallen from {from} to {to}, and training gets no "
                        + $"better either ({Percent(best.Accuracy)}, now {Percent(now.Accuracy)}).",
                    $"{Kept(name, best)}, and lower `LearningRate`."
                )
            );
    }

    private string Kept(string name, Validated best) =>
        options.KeepBest is { } by
            ? $"The weights that did best by {by} are the result" + (by == name ? $" (step {best.Step} so far)" : "")
            : $"Keep the best weights with `KeepBest` {name}";

    /// <summary>
    /// A temperature that goes on rising while what is held out gets no better tells captions of a batch apart that say
    /// the same of other pictures.
    /// </summary>
    private void LookAtSharpness(string name, Validated best, Validated[] since)
    {
        if (since.Length < NoBetterInARow || temperatureNow < MuchSharper * best.Temperature)
            return;
        var now = since[^1];
        if (now.Accuracy <= best.Accuracy)
            return;
        Tell(
            new(
                Complaint.TemperatureRunsAway,
                now.Step,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"the temperature has risen from {best.Temperature:f0} to {temperatureNow:f0} since step "
                        + $"{best.Step}, where validation {name} was best ({Percent(best.Value)}, now "
                        + $"{Percent(now.Value)}): captions of a batch are told apart more and more sharply, and not "
                        + $"because of what pictures show."
                ),
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Tune for fewer `Epochs`, or hold it with `LowestTemperature, HighestTemperature` "
                        + $"1,{best.Temperature:f0}."
                )
            )
        );
    }

    private void LookAtGuessing(
        long step,
        string name,
        (double Best, double Guessing) validation,
        (double First, double Now) accuracy
    )
    {
        if (accuracy.Now <= Math.Max(2 * accuracy.First, MuchBetterThanChance / options.Batch))
            return;
        Tell(
            new(
                Complaint.ValidationAtChance,
                step,
                $"validation {name} has never been better than guessing (best {Percent(validation.Best)}, "
                    + $"guessing {Percent(validation.Guessing)}) while accuracy in training rose from "
                    + $"{Percent(accuracy.First)} to {Percent(accuracy.Now)}: "
                    + "what is learned by heart has nothing to do with what the pictures show.",
                "Check that captions belong to their pictures (the rows of both in the same order), "
                    + "and that they say what the image tower can see."
            )
        );
    }

    private void LookAtTemperature(long step, double temperature)
    {
        var (low, high) = (
            temperature <= options.LowestTemperature * 1.0001,
            temperature >= options.HighestTemperature * 0.9999 && options.HighestTemperature >= HardlyHeld
        );
        if (!low && !high)
            atBoundSince = null;
        else
            atBoundSince ??= step;
        if (atBoundSince is not { } since || step - since < Window)
            return;
        Tell(
            new(
                Complaint.TemperatureAtBound,
                step,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"the temperature has stayed at its {(high ? "upper" : "lower")} bound, "
                        + $"{(high ? options.HighestTemperature : options.LowestTemperature):g4}, since "
                        + $"step {since}."
                ),
                high
                    ? "The captions of a batch cannot be told apart any better so: look for equal "
                        + "pictures with different captions, or take a lower learning rate."
                    : "Pictures and captions do not seem to belong together: check that the rows of "
                        + "captions and pictures are in the same order."
            )
        );
    }

    private void LookAtGradients(long step)
    {
        var norm = Median(last.Select(one => one.GradientNorm));
        if (calm.Count < Window)
            calm.Add(last.Last().GradientNorm);
        var loss = last.Average(one => one.Loss);
        if (norm < Vanished / (options.LossOver == LossOver.Pairs ? options.Batch : 1) && loss > 0.1)
        {
            Tell(
                new(
                    Complaint.VanishingGradients,
                    step,
                    FormattableString.Invariant(
                        $"the gradient is almost nothing ({norm:g2}) at a loss of {loss:f2}: nothing moves."
                    ),
                    "Look for pictures that all have the same embedding (a store of blank pictures, "
                        + "a tower without weights), and for a text tower that ends in zeros."
                )
            );
            return;
        }
        if (calm.Count == Window && norm > Exploded * Math.Max(Median(calm), 1e-3) && norm > 1)
            Tell(
                new(
                    Complaint.ExplodingGradients,
                    step,
                    FormattableString.Invariant(
                        $"gradients have grown to {norm:g3}, from {Median(calm):g3} earlier in the run."
                    ),
                    "Tune again with a smaller `LearningRate`, a longer `WarmupSteps` or a smaller `ClipNorm`."
                )
            );
    }

    private void LookAtChance(long step)
    {
        if (options.Loss != ContrastiveLossKind.Softmax)
            return;
        var chance = Math.Log(options.Batch / (double)options.LocalParts);
        var loss = last.Average(one => one.Loss);
        if (loss <= StillChance * chance || told.Contains(Complaint.VanishingGradients))
            return;
        Tell(
            loss > 1.5 * chance + 1
                ? new(
                    Complaint.ExplodingGradients,
                    step,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"the loss is {loss:f2}, far above the {chance:f2} that guessing gives (ln of "
                            + $"the batch): the weights are thrown about."
                    ),
                    "Tune again with a much smaller `LearningRate`, or a longer `WarmupSteps`."
                )
                : new(
                    Complaint.StuckAtChance,
                    step,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"the loss stays at {loss:f2}, where guessing gives {chance:f2} (ln of the "
                            + $"batch): nothing has been learned in {step} steps."
                    ),
                    "Check that captions belong to their pictures, try a higher or a lower "
                        + "`LearningRate`, and see whether the captions say what the image tower can see."
                )
        );
    }

    private static Finding NotANumber(long step, StepNumbers numbers, double temperature)
    {
        var what = double.IsFinite(numbers.Loss)
            ? $"the gradient ({numbers.GradientNorm})"
            : $"the loss ({numbers.Loss})";
        return new(
            Complaint.NotANumber,
            step,
            FormattableString.Invariant($"{what} is no finite number, at a temperature of {temperature:f1}."),
            "Tune again into another folder with a smaller `LearningRate` or a longer `WarmupSteps`, "
                + "and look at the data with 'lit data stats'."
        );
    }

    private void Tell(Finding finding)
    {
        if (!told.Add(finding.Name))
            return;
        tell(finding);
        if (mode == DoctorMode.Stop)
            throw new DoctorStop(finding);
    }

    /// <summary>A validation, with what training was like then.</summary>
    private sealed record Validated(long Step, double Value, double Accuracy, double Temperature);

    private static string Percent(double share) => FormattableString.Invariant($"{100 * share:F1}%");

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}

/// <summary>The doctor ends a run.</summary>
internal sealed class DoctorStop(Finding finding) : Exception(finding.ToString())
{
    internal Finding Finding { get; } = finding;
}
