using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LiT;

/// <summary>The type that the towers compute in.</summary>
public enum ComputeType
{
    /// <summary>32 bits: what everything is measured against.</summary>
    Float32,

    /// <summary>16 bits with the range of 32; for GPUs, and slower on most CPUs.</summary>
    BFloat16,
}

/// <summary>
/// What a piece of work is given by its surroundings: where to compute, who is told, whose clock is right. Immutable,
/// safe for use from several threads; one may be shared by several models.
/// </summary>
public sealed record LitSession
{
    /// <summary>On the CPU or the first GPU, on every core, silently.</summary>
    public static LitSession Default { get; } = new();

    /// <summary>
    /// Where to compute: <c>auto</c> (a GPU where libtorch has one), <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.
    /// </summary>
    public string Device { get; init; } = "auto";

    /// <summary>The type that the towers compute in.</summary>
    public ComputeType Type { get; init; } = ComputeType.Float32;

    /// <summary>
    /// The language of the words, as a code such as <c>de</c>, for a model that holds text towers for several; null
    /// takes the model's own.
    /// </summary>
    public string? Language { get; init; }

    /// <summary>Threads for computing; 0 takes every core.</summary>
    public int Threads { get; init; }

    /// <summary>Is told what was opened, made and closed. Never of the contents of texts and pictures.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>Is told how far long work is, often, from the thread that does it; null tells nobody.</summary>
    public IProgress<ProgressStep>? Progress { get; init; }

    /// <summary>The clock for dates that are written down.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
