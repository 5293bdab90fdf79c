namespace LiT.Downloads;

/// <summary>What one attempt, or all of them, came to.</summary>
/// <param name="Verdict">In one or two words, the same for the same answers of the server: "ok", "404", "timeout",
/// "robots" …</param>
/// <param name="Body">What the server sent, if all is well.</param>
/// <param name="MayPass">Whether another attempt may go better.</param>
/// <param name="RetryAfter">How long the server asks to wait.</param>
internal sealed record Fetched(string Verdict, byte[]? Body = null, bool MayPass = false, TimeSpan? RetryAfter = null)
{
    public const string Ok = "ok",
        Robots = "robots",
        TooLarge = "too large",
        Timeout = "timeout",
        Stalled = "stalled",
        Cut = "cut short",
        Redirects = "too many redirects",
        BadRedirect = "bad redirect",
        NoConnection = "no connection",
        UnknownHost = "unknown host",
        BadAnswer = "bad answer",
        Empty = "empty",
        WaitTooLong = "wait too long";
}
