namespace LiT.Mpi;

/// <summary>How processes of a job work together.</summary>
public sealed record MpiSettings
{
    /// <summary>
    /// Sends embeddings in bfloat16: half of the bytes, and logits with three digits. All processes must say the same.
    /// </summary>
    public bool HalfEmbeddings { get; init; }

    /// <summary>
    /// After so long a wait the process that has not come is named; null for ten times what a step usually takes, and
    /// at least 20 seconds.
    /// </summary>
    public TimeSpan? Late { get; init; }

    /// <summary>Told who is late, on a thread of its own.</summary>
    public Action<string>? Warn { get; init; }
}
