namespace LiT.Reports;

/// <summary>A number that a reader should take away.</summary>
/// <param name="Value">As shown: "71.3%".</param>
/// <param name="What">What it counts.</param>
/// <param name="Note">What to compare it with.</param>
public sealed record KeyNumber(string Value, string What, string? Note = null);

/// <summary>A few numbers in large type.</summary>
public sealed record KeyNumbers(IReadOnlyList<KeyNumber> Numbers)
{
    /// <summary>The list.</summary>
    public Html Render() => Numbers.Count == 0 ? Html.Empty : Html.Of($"""
        <dl class="key">{Numbers.Select(number => Html.Of($"<div><dt>{number.What}</dt><dd><b>{number.Value}</b>{(number.Note is null ? Html.Empty : Html.Of($"<span class=\"muted\">{number.Note}</span>"))}</dd></div>"))}</dl>
        """);
}
