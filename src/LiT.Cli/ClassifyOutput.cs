using System.CommandLine;
using System.Globalization;
using LiT.Cli.Commands;

namespace LiT.Cli;

/// <summary>
/// How the answers of lit classify are written: a table, one JSON document, a line of JSON or of CSV at a time.
/// </summary>
internal sealed class ClassifyOutput
{
    private readonly Option<bool> lines = new("--jsonl")
    {
        Description = "Write an object of JSON a line, as soon as a picture is done.",
    };

    private readonly Option<bool> csv = new("--csv")
    {
        Description = "Write comma-separated values, a row a picture and label, as soon as a picture is done.",
    };

    /// <summary>Takes answers in the order of the pictures.</summary>
    internal interface IForm
    {
        void Add(Classified one);
        void End();
    }

    public void AddTo(Command command)
    {
        command.Options.Add(lines);
        command.Options.Add(csv);
        command.Validators.Add(result =>
        {
            if (result.GetValue(lines) && result.GetValue(csv))
                result.AddError("--jsonl and --csv are two forms. Give one of them.");
        });
    }

    /// <exception cref="UsageException">Two forms are asked for.</exception>
    public void Check(Asked parsed)
    {
        var (streams, values) = (parsed.GetValue(lines), parsed.GetValue(csv));
        if (CommonOptions.IsJson(parsed) && (streams || values))
            throw new UsageException($"--json and {(streams ? "--jsonl" : "--csv")} are two forms. Give one of them.");
    }

    public IForm Begin(Asked parsed)
    {
        var (streams, values) = (parsed.GetValue(lines), parsed.GetValue(csv));
        return streams ? new Lines()
            : values ? new Csv()
            : CommonOptions.IsJson(parsed) ? new Document()
            : new Grid();
    }

    private sealed class Document : IForm
    {
        private readonly List<Classified> all = [];

        public void Add(Classified one) => all.Add(one);

        public void End() => Terminal.Write(all);
    }

    private sealed class Lines : IForm
    {
        public void Add(Classified one) => Terminal.WriteLine(one);

        public void End() { }
    }

    private sealed class Csv : IForm
    {
        public Csv() =>
            Row(["image", "rank", "label", "probability", "expectedPrecision", "noneOfThese", "error", "unseenWords"]);

        public void Add(Classified one)
        {
            if (one.Labels is null)
                Row([one.Image, "", "", "", "", "", one.Error ?? "", ""]);
            foreach (var (i, answer) in (one.Labels ?? []).Index())
                Row([
                    one.Image,
                    $"{i + 1}",
                    answer.Label,
                    Number(answer.Probability),
                    Number(one.ExpectedPrecision),
                    one.NoneOfThese switch
                    {
                        null => "",
                        true => "true",
                        false => "false",
                    },
                    "",
                    i == 0 ? string.Join(' ', one.UnseenWords ?? []) : "",
                ]);
        }

        public void End() { }

        private static string Number(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";

        private static void Row(IEnumerable<string> cells) =>
            Terminal.Line(
                string.Join(
                    ',',
                    cells.Select(cell =>
                        cell.AsSpan().ContainsAny(",\"\r\n")
                            ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
                            : cell
                    )
                )
            );
    }

    private sealed class Grid : IForm
    {
        private readonly List<string[]> rows = [];

        public void Add(Classified one)
        {
            if (one.Labels is null)
                return;
            var none = one.NoneOfThese == true;
            if (none)
                rows.Add([one.Image, "none of these", ""]);
            foreach (var (i, answer) in one.Labels.Index())
                rows.Add([
                    i == 0 && !none ? one.Image : "",
                    (none ? "  nearest: " : "")
                        + answer.Label
                        + (i == 0 && one.UnseenWords is not null ? " (not in any caption)" : ""),
                    EvalCommand.Percent(answer.Probability),
                ]);
        }

        public void End() => Terminal.Table(["picture", "label", "probability"], rows);
    }
}
