using LiT.Files;

namespace LiT.Reports;

/// <summary>A part of a page.</summary>
/// <param name="Heading">Its heading.</param>
/// <param name="Words">What the part shows, for someone who was not there; null leaves it out.</param>
/// <param name="Content">Figures and tables, one below the other.</param>
internal sealed record Section(string Heading, string? Words, params IReadOnlyList<Html> Content)
{
    /// <summary>Figures side by side where there is room, one below the other where there is not.</summary>
    public static Html Beside(params IEnumerable<Html> figures) => Html.Of($"<div class=\"beside\">{figures}</div>");
}

/// <summary>
/// A page that stands by itself: no script, nothing fetched, pictures inside it. It follows the reader's light or dark
/// theme and prints on white. Its markup is well-formed XML.
/// </summary>
internal sealed record HtmlReport
{
    /// <summary>The heading of the page.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence or two under the heading.</summary>
    public string? Lead { get; init; }

    /// <summary>Facts about the run, name and value, in one line under the lead.</summary>
    public IReadOnlyList<(string Name, string Value)> Facts { get; init; } = [];

    /// <summary>The parts; those without content are left out.</summary>
    public required IReadOnlyList<Section> Sections { get; init; }

    /// <summary>A line at the foot.</summary>
    public string? Foot { get; init; }

    /// <summary>The page as text.</summary>
    public string Render()
    {
        var sections = Sections
            .Where(section => section.Words is not null || section.Content.Any(part => !part.IsEmpty))
            .ToList();
        return Html.Of(
                $"""
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"/>
                <title>{Title}</title>
                <style>{Stylesheet.Css}</style>
                </head>
                <body>
                <main>
                <header><h1>{Title}</h1>{Paragraph(Lead, "lead")}{FactLine()}{Contents(sections)}</header>
                {sections.Select((section, i) => Part(section, i + 1))}
                {Html.If(Foot is not null, $"<footer>{Foot}</footer>")}
                </main>
                </body>
                </html>

                """
            )
            .ToString();
    }

    /// <summary>Writes the page, whole or not at all.</summary>
    /// <exception cref="LitException">The place cannot be written to.</exception>
    public void Save(string path) => AtomicFile.WriteAllText(path, Render());

    private static Html Part(Section section, int number) =>
        Html.Of(
            $"""
            <section id="part{number}" aria-labelledby="head{number}"><h2 id="head{number}">{section.Heading}</h2>
            {Paragraph(section.Words, "words")}{section.Content}</section>

            """
        );

    private static Html Paragraph(string? words, string kind) =>
        Html.If(words is not null, $"""<p class="{kind}">{words}</p>""");

    private Html FactLine() =>
        Html.If(
            Facts.Count > 0,
            $"""
            <dl class="facts">{Facts.Select(fact =>
                Html.Of($"<div><dt>{fact.Name}</dt><dd>{fact.Value}</dd></div>")
            )}</dl>
            """
        );

    private static Html Contents(List<Section> sections) =>
        Html.If(
            sections.Count >= 3,
            $"""
            <nav aria-label="Contents"><ul>{sections.Select(
                (section, i) => Html.Of($"""<li><a href="#part{i + 1}">{section.Heading}</a></li>""")
            )}</ul></nav>
            """
        );
}
