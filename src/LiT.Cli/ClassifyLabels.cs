using System.CommandLine;
using System.Text;
using LiT.Classification;

namespace LiT.Cli;

/// <summary>The labels to choose from: on the command line, or in a file.</summary>
internal sealed class ClassifyLabels
{
    private readonly Option<string?> labels = new("--labels")
    {
        Description =
            """The labels to choose from, separated by commas; one that holds a comma stands in quotes, as in '"red, white",blue'.""",
    };

    private readonly Option<string?> file = new("--labels-file")
    {
        Description = "The labels to choose from, one a line, or a JSON list.",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(labels);
        command.Options.Add(file);
        command.Validators.Add(result =>
        {
            if (result.GetResult(labels) is null == result.GetResult(file) is null)
                result.AddError("Give --labels A,B,C or --labels-file FILE, one of them.");
        });
    }

    /// <exception cref="UsageException">What is given for labels is the name of a file, or quotes do not
    /// close.</exception>
    public IReadOnlyList<string> Of(Asked parsed)
    {
        if (parsed.GetValue(file) is { } path)
            return ClassLists.Read(path).Names.Names;
        var text = parsed.GetValue(labels)!;
        if (File.Exists(text))
            throw new UsageException($"--labels {text}: is a file. Give --labels-file {text} for the labels in it.");
        return Split(text);
    }

    /// <summary>Labels between commas; in quotes a comma is a part of the label, and two quotes are one.</summary>
    internal static IReadOnlyList<string> Split(string text)
    {
        List<string> found = [];
        StringBuilder label = new();
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
            switch (text[i])
            {
                case '"' when quoted && i + 1 < text.Length && text[i + 1] == '"':
                    label.Append('"');
                    i++;
                    break;
                case '"' when quoted || string.IsNullOrWhiteSpace(label.ToString()):
                    quoted = !quoted;
                    break;
                case ',' when !quoted:
                    Add();
                    break;
                default:
                    label.Append(text[i]);
                    break;
            }
        if (quoted)
            throw new UsageException($"--labels {text}: a quotation mark is not closed. Write '\"red, white\",blue'.");
        Add();
        return found;

        void Add()
        {
            if (label.ToString().Trim() is { Length: > 0 } one)
                found.Add(one);
            label.Clear();
        }
    }
}
