namespace LiT.Tuning.Optimizers;

/// <summary>How the learning rate goes down after its warm-up.</summary>
internal enum LearningRateShape
{
    /// <summary>Half a cosine to zero.</summary>
    Cosine,

    /// <summary>One over the square root of the steps since the warm-up; has no end to be known beforehand.</summary>
    Rsqrt,

    /// <summary>A straight line (or a power of it) down to <see cref="LearningRate.End"/>.</summary>
    Linear,

    /// <summary>Stays.</summary>
    Constant,

    /// <summary>Falls at given steps.</summary>
    Stair,
}

/// <summary>
/// The multiplier of the learning rate (and of the weight decay) at each step, as big_vision:utils.py,
/// create_learning_rate_schedule, computes it. Step 0 is the first update, so a warm-up starts with a multiplier of zero.
/// </summary>
/// <param name="Shape">What happens between warm-up and cool-down.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
internal sealed record LearningRate(LearningRateShape Shape, long TotalSteps)
{
    /// <summary>Steps over which the multiplier rises linearly from zero.</summary>
    public long WarmupSteps { get; init; }

    /// <summary>Steps at the end over which it falls linearly to zero, on top of the shape.</summary>
    public long CooldownSteps { get; init; }

    /// <summary>Steps until <see cref="LearningRateShape.Rsqrt"/> has fallen to 1/sqrt(2).</summary>
    public double Timescale { get; init; } = 10_000;

    /// <summary>Steps that <see cref="LearningRateShape.Rsqrt"/> has already behind it, to go on from an earlier run.</summary>
    public double Shift { get; init; }

    /// <summary>Where <see cref="LearningRateShape.Linear"/> ends.</summary>
    public double End { get; init; }

    /// <summary>The power of <see cref="LearningRateShape.Linear"/>.</summary>
    public double Power { get; init; } = 1;

    /// <summary>Steps at which <see cref="LearningRateShape.Stair"/> falls.</summary>
    public IReadOnlyList<long> Stairs { get; init; } = [];

    /// <summary>The multiplier from each of <see cref="Stairs"/> on.</summary>
    public IReadOnlyList<double> Multipliers { get; init; } = [];

    /// <summary>The multiplier of update number <paramref name="step"/>, counted from 0.</summary>
    public double At(long step)
    {
        var progress = Math.Clamp((step - WarmupSteps) / (double)Math.Max(1, TotalSteps - WarmupSteps), 0, 1);
        var multiplier = Shape switch
        {
            LearningRateShape.Cosine => 0.5 * (1 + Math.Cos(Math.PI * progress)),
            LearningRateShape.Rsqrt => 1 / Math.Sqrt(1 + (Math.Max(0, step - WarmupSteps) + Shift) / Timescale),
            LearningRateShape.Linear => End + (1 - End) * Math.Pow(1 - progress, Power),
            LearningRateShape.Stair => Stairs.Count(stair => stair <= step) is > 0 and var fallen
                ? Multipliers[fallen - 1]
                : 1,
            _ => 1,
        };
        if (WarmupSteps > 0)
            multiplier *= Math.Min(1, step / (double)WarmupSteps);
        if (CooldownSteps > 0)
            multiplier *= Math.Clamp((TotalSteps - step) / (double)CooldownSteps, 0, 1);
        return multiplier;
    }
}
