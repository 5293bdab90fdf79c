namespace LiT;

/// <summary>
/// A picture could not be read. <see cref="Reason"/> is one phrase; the message adds where and what to do.
/// </summary>
public sealed class PictureException(string reason, string? origin, string advice, Exception? inner = null)
    : LitException($"{origin ?? "picture"}: {reason}. {advice}", inner)
{
    /// <summary>Why, in one phrase without the origin, as lists of skipped samples want it: "truncated JPEG".</summary>
    public string Reason { get; } = reason;
}
