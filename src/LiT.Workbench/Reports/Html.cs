using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace LiT.Reports;

/// <summary>
/// Markup that is safe to put into a page. It comes only from templates, in which every hole that is not itself
/// <see cref="Html"/> is escaped, so that a caption can never become markup.
/// </summary>
internal readonly record struct Html
{
    private readonly string? markup;

    private Html(string markup) => this.markup = markup;

    /// <summary>Nothing.</summary>
    public static Html Empty => default;

    /// <summary>Whether there is nothing in it.</summary>
    public bool IsEmpty => string.IsNullOrEmpty(markup);

    /// <summary>A template: the literal parts are markup, the holes are escaped.</summary>
    public static Html Of(Template template) => new(template.ToString());

    /// <summary>A template that is there only under a condition.</summary>
    public static Html If(bool there, Template template) => there ? Of(template) : Empty;

    /// <summary>Words, escaped.</summary>
    public static Html Text(string? words) => new(Escape(words));

    /// <summary>One after the other.</summary>
    public static Html Join(IEnumerable<Html> parts) => new(string.Concat(parts.Select(part => part.ToString())));

    /// <summary>The markup.</summary>
    public override string ToString() => markup ?? "";

    /// <summary>Words as text or attribute value; what XML cannot hold (control characters, half surrogates) shows as U+FFFD.</summary>
    internal static string Escape(string? words)
    {
        if (string.IsNullOrEmpty(words))
            return "";
        var escaped = new StringBuilder(words.Length + 16);
        foreach (var rune in words.EnumerateRunes())
            _ = rune.Value switch
            {
                '&' => escaped.Append("&amp;"),
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '"' => escaped.Append("&quot;"),
                '\'' => escaped.Append("&#39;"),
                '\t' or '\n' or '\r' => escaped.Append((char)rune.Value),
                < 0x20 or (>= 0x7F and < 0xA0) or 0xFFFE or 0xFFFF => escaped.Append('\uFFFD'),
                _ => escaped.Append(rune.ToString()),
            };
        return escaped.ToString();
    }

    /// <summary>What an interpolated string becomes when it is given to <see cref="Of"/>.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct Template
    {
        private readonly StringBuilder built;

        /// <summary>Called by the compiler.</summary>
        public Template(int literalLength, int holes) => built = new StringBuilder(literalLength + 24 * holes);

        /// <summary>Markup as written.</summary>
        public void AppendLiteral(string literal) => built.Append(literal);

        /// <summary>Markup that is safe already.</summary>
        public void AppendFormatted(Html html) => built.Append(html.ToString());

        /// <summary>Pieces of markup that are safe already.</summary>
        public void AppendFormatted(IEnumerable<Html> parts) => built.Append(Join(parts).ToString());

        /// <summary>Words, escaped.</summary>
        public void AppendFormatted(string? words) => built.Append(Escape(words));

        /// <summary>Numbers in the invariant culture, escaped like everything.</summary>
        public void AppendFormatted<T>(T value, string? format = null)
            where T : IFormattable => built.Append(Escape(value.ToString(format, CultureInfo.InvariantCulture)));

        /// <inheritdoc/>
        public override string ToString() => built.ToString();
    }
}
