namespace LiT.Cli;

/// <summary>What the program says when it ends.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    /// <summary>Start me again: I go on where I stopped.</summary>
    public const int Again = 75;

    public const int Interrupted = 130;
}
