namespace LiT;

/// <summary>How far a long piece of work is. Reported often; whoever shows it decides how often to draw.</summary>
/// <param name="What">The work in one or two words: "embedding", "tuning".</param>
/// <param name="Done">Units done so far.</param>
/// <param name="Total">Units in all, where that is known.</param>
/// <param name="Unit">What is counted, in the plural: "images", "steps".</param>
/// <param name="Note">What else is worth seeing now: "loss 1.23".</param>
public sealed record ProgressStep(string What, long Done, long? Total, string Unit, string? Note = null);
