namespace LiT.Reports;

/// <summary>A number that a reader should take away.</summary>
/// <param name="Value">As shown: "71.3%".</param>
/// <param name="What">What it counts.</param>
/// <param name="Note">What to compare it with.</param>
internal sealed record KeyNumber(string Value, string What, string? Note = null);

/// <summary>A few numbers in large type.</summary>
internal sealed record KeyNumbers(IReadOnlyList<KeyNumber> Numbers)
{
    /// <summary>The list.</summary>
    public Html Render() => Html.If(Numbers.Count > 0, $"""<dl class="key">{Numbers.Select(Tile)}</dl>""");

    private static Html Tile(KeyNumber number) =>
        Html.Of(
            $"""
            <div><dt>{number.What}</dt><dd><b>{number.Value}</b>{Html.If(
                number.Note is not null,
                $"<span class=\"muted\">{number.Note}</span>"
            )}</dd></div>
            """
        );
}
