using LiT.Images;

namespace LiT.Reports;

/// <summary>One word a model gives a picture.</summary>
internal sealed record Guess(string Word, double Probability);

/// <summary>A picture with what it is and what the model says.</summary>
/// <param name="Image">Scaled down for the page.</param>
/// <param name="Truth">What it is, or null where nobody knows.</param>
/// <param name="Guesses">Best first.</param>
/// <param name="Right">Whether the first guess counts as right; null compares it with the truth.</param>
internal sealed record NamedPicture(RgbImage Image, string? Truth, IReadOnlyList<Guess> Guesses, bool? Right = null)
{
    /// <summary>Whether the guesses are right or wrong; otherwise the truth is only shown.</summary>
    public bool IsJudged { get; init; } = true;
}

/// <summary>
/// Pictures side by side, each with the words a model gives it; right and wrong told by sign, word and colour.
/// </summary>
internal sealed record PictureGrid
{
    /// <summary>The pictures in the order they are shown.</summary>
    public required IReadOnlyList<NamedPicture> Pictures { get; init; }

    /// <summary>Guesses that are listed for each.</summary>
    public int Top { get; init; } = 3;

    /// <summary>
    /// Longest side of a thumbnail in pixels; small pictures stay as they are and are shown enlarged.
    /// </summary>
    public int Side { get; init; } = 160;

    /// <summary>The list of figures.</summary>
    public Html Render() =>
        Pictures.Count == 0
            ? Html.Of($"<p class=\"none\">No pictures.</p>")
            : Html.Of($"<ul class=\"pictures\">{Pictures.Select(Card)}</ul>");

    private Html Card(NamedPicture picture)
    {
        bool? right =
            picture.Right is { } known ? known
            : !picture.IsJudged || picture.Truth is null || picture.Guesses.Count == 0 ? null
            : picture.Guesses[0].Word == picture.Truth;
        // Drawings and small pictures are exact in PNG and not larger; photographs are not.
        var small = picture.Image.Width <= 64 && picture.Image.Height <= 64;
        var source = Thumbnail.DataUri(picture.Image, Side, small ? ThumbnailFormat.Png : ThumbnailFormat.Jpeg);
        var verdict = right switch
        {
            true => Html.Of($"""<span class="sign right">✓ right</span>"""),
            false => Html.Of($"""<span class="sign wrong">✗ wrong</span>"""),
            null => Html.Empty,
        };
        return Html.Of(
            $"""
            <li><figure class="{(right == false ? "picture wrong" : "picture")}">
            <img class="{(small ? "small" : "")}" src="{source}" alt="{picture.Truth
                ?? "picture"}" width="{picture.Image.Width}" height="{picture.Image.Height}"/>
            <figcaption>{Html.If(
                picture.Truth is not null,
                $"""<bdi class="truth">{picture.Truth}</bdi>"""
            )}{verdict}</figcaption>
            <ol>{picture.Guesses.Take(Top).Select(Line)}</ol></figure></li>
            """
        );
    }

    private static Html Line(Guess guess)
    {
        var length = double.IsFinite(guess.Probability) ? Math.Clamp(guess.Probability, 0, 1) * 100 : 0;
        return Html.Of(
            $"""
            <li><span><bdi>{guess.Word}</bdi> <b>{Figures.Percent(guess.Probability)}</b></span>
            <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="rail" width="100" height="4"/>
            <rect class="fill" width="{length:0.#}" height="4"/></svg></li>
            """
        );
    }
}
