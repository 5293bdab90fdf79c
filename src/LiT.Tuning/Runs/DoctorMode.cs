namespace LiT.Tuning.Runs;

/// <summary>
/// What the training doctor does with what it finds. A loss that is no number stops a run in any case.
/// </summary>
internal enum DoctorMode
{
    /// <summary>Says it and goes on.</summary>
    Warn,

    /// <summary>Says it and stops.</summary>
    Stop,

    /// <summary>Does not look.</summary>
    Off,
}

/// <summary>Something that is wrong with a run or its data, by its name.</summary>
internal enum Complaint
{
    /// <summary>Many captions are the same text.</summary>
    DuplicateCaptions,

    /// <summary>Many captions do not fit a row of ids.</summary>
    TruncatedCaptions,

    /// <summary>The vocabulary lacks much of what the captions say.</summary>
    UnknownTokens,

    /// <summary>Captions are written in several scripts.</summary>
    LanguageMix,

    /// <summary>Pictures that are tuned on are validated on, too.</summary>
    ValidationOverlap,

    /// <summary>The run needs more memory than there is.</summary>
    TooLittleMemory,

    /// <summary>The run needs more room on the disk than there is.</summary>
    TooLittleDisk,

    /// <summary>The loss stays at what guessing gives.</summary>
    StuckAtChance,

    /// <summary>All texts, or all pictures, have much the same embedding.</summary>
    Collapse,

    /// <summary>The temperature lies at one of its bounds.</summary>
    TemperatureAtBound,

    /// <summary>The temperature rises and rises, and validation gets no better.</summary>
    TemperatureRunsAway,

    /// <summary>Gradients have grown far beyond what they were.</summary>
    ExplodingGradients,

    /// <summary>Gradients are too small to move anything.</summary>
    VanishingGradients,

    /// <summary>A number is no number any more.</summary>
    NotANumber,

    /// <summary>Validation falls and training does not get better either.</summary>
    ValidationFalls,

    /// <summary>Training gets better and validation gets worse.</summary>
    Overfitting,

    /// <summary>Training gets better and validation was never better than guessing.</summary>
    ValidationAtChance,

    /// <summary>There are too few pairs to learn anything but them.</summary>
    TooFewPairs,

    /// <summary>The loss is nothing any more: every pair is known.</summary>
    LearnedByHeart,
}

/// <summary>What the doctor found.</summary>
/// <param name="Name">Which complaint.</param>
/// <param name="Step">When, or null before the run.</param>
/// <param name="Words">What is seen, with numbers.</param>
/// <param name="Remedy">What to do.</param>
internal sealed record Finding(Complaint Name, long? Step, string Words, string Remedy)
{
    /// <summary>One line.</summary>
    public override string ToString() => $"{(Step is { } step ? $"step {step}: " : "")}{Words} {Remedy}";
}
