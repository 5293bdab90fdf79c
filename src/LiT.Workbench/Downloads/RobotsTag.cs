namespace LiT.Downloads;

/// <summary>
/// X-Robots-Tag: what the owner of a picture allows. Directives for every robot, or for this one, are heeded; those
/// that are for others by name are theirs.
/// </summary>
internal static class RobotsTag
{
    private static readonly string[] Forbidding = ["noai", "noimageai", "noindex", "noimageindex", "none"];

    // Directives that carry a value after a colon themselves: what stands before it is no robot's name.
    private static readonly string[] WithValue =
    [
        "unavailable_after",
        "max-snippet",
        "max-image-preview",
        "max-video-preview",
    ];

    /// <summary>Whether the headers' values forbid the use of a picture for learning.</summary>
    public static bool Forbids(IEnumerable<string> values, string self)
    {
        foreach (var value in values)
        {
            var heeded = true;
            foreach (
                var part in value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            )
            {
                var directive = part;
                if (
                    part.IndexOf(':') is > 0 and var colon
                    && !WithValue.Contains(part[..colon].Trim(), StringComparer.OrdinalIgnoreCase)
                )
                {
                    var robot = part[..colon].Trim();
                    heeded = robot == "*" || self.StartsWith(robot, StringComparison.OrdinalIgnoreCase);
                    directive = part[(colon + 1)..].Trim();
                }
                if (heeded && Forbidding.Contains(directive, StringComparer.OrdinalIgnoreCase))
                    return true;
            }
        }
        return false;
    }
}
