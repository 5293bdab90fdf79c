using System.Xml;
using System.Xml.Linq;
using LiT.Reports;

namespace LiT.Tests.Reports;

/// <summary>What must hold for every page, whatever is in it.</summary>
internal static class Pages
{
    public static XDocument Parse(string page)
    {
        using var reader = XmlReader.Create(
            new StringReader(page),
            new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, XmlResolver = null }
        );
        return XDocument.Load(reader);
    }

    public static XElement Parse(Html part) => Parse($"<body>{part}</body>").Root!;

    public static XDocument Check(HtmlReport report)
    {
        var text = report.Render();
        Assert.DoesNotContain("http:", text);
        Assert.DoesNotContain("https:", text);
        Assert.DoesNotContain("NaN", text);
        Assert.DoesNotContain("Infinity", text);
        Assert.DoesNotContain("∞", text);
        var page = Parse(text);
        Assert.Empty(page.Descendants("script"));
        Assert.All(page.Descendants().Attributes().Where(a => a.Name.LocalName is "src" or "href"), a =>
            Assert.True(a.Value.StartsWith("data:image/", StringComparison.Ordinal) || a.Value.StartsWith('#'), a.Value)
        );
        Assert.DoesNotContain(page.Descendants().Attributes(), a =>
            a.Name.LocalName.StartsWith("on", StringComparison.OrdinalIgnoreCase)
        );
        Assert.All(page.Descendants("a"), a =>
            Assert.Contains(page.Descendants(), e => "#" + e.Attribute("id")?.Value == a.Attribute("href")?.Value)
        );
        Assert.Single(page.Descendants("h1"));
        Assert.All(page.Descendants("img"), image => Assert.NotEmpty(image.Attribute("alt")!.Value));
        Assert.All(page.Descendants("svg"), svg =>
            Assert.True(
                svg.Attribute("aria-hidden")?.Value == "true"
                    || (
                        svg.Attribute("role")?.Value == "img"
                        && svg.Element("title")?.Value.Length > 0
                        && svg.Element("desc")?.Value.Length > 0
                    )
            )
        );
        Assert.All(page.Descendants("table"), table => Assert.NotEmpty(table.Element("caption")!.Value));
        Assert.All(page.Descendants("th"), head =>
            Assert.Contains(head.Attribute("scope")!.Value, new[] { "col", "row" })
        );
        Assert.All(
            page.Descendants("figure")
                .Where(figure =>
                    figure.Attribute("class")?.Value != "picture wrong" && figure.Attribute("class")?.Value != "picture"
                ),
            figure => Assert.NotEmpty(figure.Element("figcaption")!.Value)
        );
        var ids = page.Descendants().Attributes("id").Select(a => a.Value).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        return page;
    }
}
