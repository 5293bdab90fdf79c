using System.Text.RegularExpressions;

namespace LiT.Tuning.Optimizers;

/// <summary>Which optimizer turns gradients into updates.</summary>
public enum OptimizerKind
{
    /// <summary>
    /// Adafactor as "Scaling Vision Transformers" modifies it (arXiv 2106.04560, section 3.4): half the memory of Adam.
    /// </summary>
    Adafactor,

    /// <summary>Adam with decoupled weight decay.</summary>
    AdamW,

    /// <summary>
    /// Lion (arXiv 2302.06675): every weight moves by the learning rate, whatever the size of its gradient. It wants
    /// rates of a third to a tenth of Adam's.
    /// </summary>
    Lion,
}

/// <summary>
/// A number for every parameter whose name matches a pattern; of several rules the first that matches counts.
/// </summary>
/// <param name="Pattern">Regular expression over the parameter's name, found anywhere in it: <c>^text\.</c>,
/// <c>blocks\.(10|11)\.</c>.</param>
/// <param name="Multiplier">What the option is multiplied by; 0 leaves it out.</param>
internal sealed record ParameterRule(string Pattern, double Multiplier)
{
    internal static ParameterRule? For(string name, IEnumerable<ParameterRule> rules) =>
        rules.FirstOrDefault(rule => Regex.IsMatch(name, rule.Pattern, RegexOptions.CultureInvariant));
}

/// <summary>Delayed unlocking: parameters whose names match a pattern stay as they are before a step.</summary>
/// <param name="Pattern">Regular expression over the parameter's name, found anywhere in it.</param>
/// <param name="FromStep">The first step that moves them, counted from 0; of several rules the latest counts.</param>
internal sealed record UnlockRule(string Pattern, long FromStep)
{
    internal static long For(string name, IEnumerable<UnlockRule> rules) =>
        rules
            .Where(rule => Regex.IsMatch(name, rule.Pattern, RegexOptions.CultureInvariant))
            .Select(rule => rule.FromStep)
            .DefaultIfEmpty(0)
            .Max();
}

/// <summary>
/// The update rule, as big_vision:optax.py puts it together: clip by the global norm, the optimizer's direction times
/// the learning rate, plus weight decay times the parameter (not times the learning rate), all times the schedule.
/// </summary>
internal sealed record OptimizerOptions
{
    /// <summary>Which optimizer.</summary>
    public OptimizerKind Kind { get; init; } = OptimizerKind.Adafactor;

    /// <summary>Learning rate at the schedule's top.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Weight decay at the schedule's top; not multiplied by the learning rate.</summary>
    public double WeightDecay { get; init; } = 1e-4;

    /// <summary>
    /// Longest gradient over all parameters together; a longer one is shortened to it. Null leaves all as they are.
    /// </summary>
    public double? ClipNorm { get; init; } = 1;

    /// <summary>Learning-rate multipliers by parameter name.</summary>
    public IReadOnlyList<ParameterRule> LearningRateRules { get; init; } = [];

    /// <summary>Parameters that are unlocked later.</summary>
    public IReadOnlyList<UnlockRule> UnlockRules { get; init; } = [];

    /// <summary>
    /// Weight-decay multipliers by parameter name. Without a matching rule, matrices and kernels decay and everything
    /// else (biases, norms, embeddings of tokens and positions, class tokens, the temperature) does not.
    /// </summary>
    public IReadOnlyList<ParameterRule> WeightDecayRules { get; init; } = [];

    /// <summary>Average of past directions: Adam's first moment, Adafactor's momentum.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>
    /// Average of past squares. Adafactor rises to it; null takes 0.999 there and Adam's 0.999. Lion has no squares:
    /// there it is what its momentum keeps, 0.99.
    /// </summary>
    public double? Beta2 { get; init; }

    /// <summary>Added to Adam's root.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Stores the momentum in bfloat16. Null does so for Adafactor, and not for AdamW.</summary>
    public bool? HalfMomentum { get; init; }

    /// <summary>Adafactor: beta2 at step n is at most 1 - n^-rate.</summary>
    public double DecayRate { get; init; } = 0.8;

    /// <summary>Adafactor: tensors are factored when their second-largest size is at least this.</summary>
    public int SmallestFactored { get; init; } = 32;
}
