namespace LiT;

/// <summary>Something that happened in a tuning run; plain data.</summary>
public abstract record TuningEvent;

/// <summary>A line of words that a user may want to read.</summary>
/// <param name="Words">What was found, chosen or done.</param>
public sealed record TuningNote(string Words) : TuningEvent;

/// <summary>The first step is next, or an interrupted run goes on.</summary>
/// <param name="Step">Steps that are done already.</param>
/// <param name="Steps">Steps in all.</param>
public sealed record TuningStarted(long Step, long Steps) : TuningEvent;

/// <summary>How far a part of the run is: embedding, tuning, validating. Reported often.</summary>
/// <param name="Progress">What, how much of it, and in which unit.</param>
public sealed record TuningProgressed(ProgressStep Progress) : TuningEvent;

/// <summary>A line of <c>metrics.jsonl</c>.</summary>
/// <param name="Step">Steps that are done.</param>
/// <param name="Loss">Mean loss of the batch before the step, in nats.</param>
/// <param name="Temperature">exp(t), what cosines are multiplied by.</param>
/// <param name="LearningRate">Of this step.</param>
/// <param name="PairsPerSecond">Since the line before.</param>
public sealed record TuningMeasured(
    long Step,
    double Loss,
    double Temperature,
    double LearningRate,
    double PairsPerSecond
) : TuningEvent;

/// <summary>The model was validated.</summary>
/// <param name="Step">After this step.</param>
/// <param name="Numbers">Shares from 0 to 1 and ranks, by their names in <c>metrics.jsonl</c>.</param>
public sealed record TuningValidated(long Step, IReadOnlyDictionary<string, double> Numbers) : TuningEvent;

/// <summary>The training doctor found something.</summary>
/// <param name="Step">When, or null before the run.</param>
/// <param name="Words">What is seen, with numbers.</param>
/// <param name="Remedy">What to do.</param>
public sealed record TuningFound(long? Step, string Words, string Remedy) : TuningEvent;

/// <summary>The run is done and its model is saved.</summary>
/// <param name="Model">The bundle's folder, for <see cref="LitModel"/>.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Loss">Of the last step, in nats.</param>
public sealed record TuningSaved(string Model, long Steps, double Loss) : TuningEvent;
