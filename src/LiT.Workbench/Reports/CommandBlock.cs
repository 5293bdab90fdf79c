namespace LiT.Reports;

/// <summary>A command to try; one click marks it whole for copying.</summary>
/// <param name="What">What it does.</param>
/// <param name="Command">As typed, possibly of several lines.</param>
internal sealed record CommandBlock(string What, string Command)
{
    /// <summary>The figure.</summary>
    public Html Render() =>
        Html.Of(
            $"""
            <figure class="command"><figcaption>{What}</figcaption><pre tabindex="0"><code>{Command}</code></pre></figure>
            """
        );
}
