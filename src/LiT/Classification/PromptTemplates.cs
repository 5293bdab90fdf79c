using System.Text;
using System.Text.RegularExpressions;

namespace LiT.Classification;

/// <summary>One text for the text tower and the class it speaks of.</summary>
internal sealed record Prompt(int Class, string Text)
{
    /// <summary>The name that a template was filled with; null for a text that was given whole.</summary>
    public string? Label { get; init; }
}

/// <summary>
/// Class names and templates become prompts as big_vision's prompt_engineering.py makes them: canonicalised, then
/// every template filled with every name.
/// </summary>
internal static partial class PromptTemplates
{
    /// <summary>The place of the class name in a template.</summary>
    public const string Place = "{}";

    private static readonly string[] OtherPlaces = ["{c}", "{0}", "{label}", "{class}"];

    private const string Punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

    /// <summary>Used when the user gives no templates: the bare name and two plain phrases.</summary>
    public static IReadOnlyList<string> Default { get; } = ["{}", "a photo of a {}", "a picture of the {}"];

    /// <summary>
    /// '_' becomes a space, ASCII punctuation goes, letters become lower case, runs of white space become one space.
    /// </summary>
    /// <param name="text">A class name, a template or any text.</param>
    /// <param name="keep">A string whose exact occurrences stay ("," between aliases, "{}" in templates).</param>
    public static string Canonicalise(string text, string? keep = null)
    {
        var spaced = text.Replace('_', ' ');
        var cleaned = keep is null
            ? WithoutPunctuation(spaced)
            : string.Join(keep, spaced.Split(keep).Select(WithoutPunctuation));
        return string.Join(' ', cleaned.ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Every prompt in the order class, alias, template.</summary>
    /// <param name="classNames">Names; aliases of one class are separated by commas.</param>
    /// <param name="templates">Templates with <see cref="Place"/>.</param>
    /// <param name="allAliases">Whether all aliases speak or, as in the reference's default, the first only.</param>
    public static IReadOnlyList<Prompt> Fill(
        IReadOnlyList<string> classNames,
        IReadOnlyList<string> templates,
        bool allAliases = false
    )
    {
        var canonicalTemplates = templates.Select(template => Canonicalise(template, Place)).ToList();
        List<Prompt> prompts = [];
        for (var i = 0; i < classNames.Count; i++)
        {
            var aliases = Canonicalise(classNames[i], ",").Split(',');
            foreach (var alias in allAliases ? aliases : aliases[..1])
                prompts.AddRange(
                    canonicalTemplates.Select(template => new Prompt(i, template.Replace(Place, alias))
                    {
                        Label = alias,
                    })
                );
        }
        return prompts;
    }

    /// <summary>
    /// Reads templates: one a line (lines that begin with # are passed over), a JSON list, a JSON object of lists by
    /// data set (CLIP_benchmark), or a Python list of lambdas (open_clip). The place may also be written {c}, {0},
    /// {label} or {class}.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="list">Which list of a file that holds several; several keys may be tried in turn.</param>
    /// <exception cref="LitException">A template has no place for the name, or there is none at all.</exception>
    public static IReadOnlyList<string> Read(string path, params string[] list)
    {
        var text = NamedLines.Text(path);
        var templates = new List<string>();
        if (text.TrimStart() is ['{', '"', ..] or ['{', '\n' or '\r' or ' ', ..])
        {
            using var json = NamedLines.Json(path, text);
            var key = NamedLines.Key(path, json.RootElement, list, "template lists");
            templates.AddRange(
                Checked(
                    path,
                    NamedLines.JsonTexts(path, json.RootElement.GetProperty(key).GetRawText(), list, "template"),
                    $"'{key}', template "
                )
            );
        }
        else if (text.TrimStart().StartsWith('[') && !text.Contains("lambda", StringComparison.Ordinal))
        {
            templates.AddRange(Checked(path, NamedLines.JsonTexts(path, text, list, "template"), "template "));
        }
        else
        {
            foreach (var (line, number, _) in NamedLines.Entries(text))
            {
                if (line is "[" or "]")
                    continue;
                templates.Add(
                    Checked(
                        path,
                        Lambda().Match(line) is { Success: true } lambda
                            ? lambda.Groups["text"].Value.Replace($"{{{lambda.Groups["name"].Value}}}", Place)
                            : line,
                        $"line {number}"
                    )
                );
            }
        }
        return templates.Count > 0
            ? templates
            : throw new LitException(
                path,
                "there is no template in it",
                $"Write one a line, with {Place} where the class name goes"
            );
    }

    private static IEnumerable<string> Checked(string path, IReadOnlyList<string> templates, string where) =>
        templates.Select((template, i) => Checked(path, template, $"{where}{i}"));

    private static string Checked(string path, string template, string where)
    {
        foreach (var other in OtherPlaces)
            template = template.Replace(other, Place);
        var places = template.Split(Place).Length - 1;
        return places switch
        {
            0 => throw new LitException(
                $"{path}, {where}: the template '{template}' has no {Place}. Put {Place} where the class name goes."
            ),
            1 => template,
            _ => throw new LitException(
                $"{path}, {where}: the template '{template}' has {places} places {Place}. Write {Place} once."
            ),
        };
    }

    [GeneratedRegex("""^(?:\[\s*)?lambda\s+(?<name>\w+)\s*:\s*f?(?<quote>['"])(?<text>.*)\k<quote>\s*[,\]]*$""")]
    private static partial Regex Lambda();

    private static string WithoutPunctuation(string text)
    {
        StringBuilder kept = new(text.Length);
        foreach (var letter in text)
            if (!Punctuation.Contains(letter))
                kept.Append(letter);
        return kept.ToString();
    }
}
