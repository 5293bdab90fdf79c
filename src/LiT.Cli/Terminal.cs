using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace LiT.Cli;

/// <summary>
/// The two streams: results go to standard output, talk goes to standard error; what the library says, in the words of
/// the command line (<see cref="Wording"/>).
/// </summary>
internal static class Terminal
{
    /// <summary>How every JSON result is written.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase), new WordingConverter() },
    };

    private static readonly JsonSerializerOptions JsonLine = new(Json) { WriteIndented = false };

    private static readonly Lazy<IAnsiConsole> Output = new(() =>
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        if (Columns is { } columns)
            console.Profile.Width = columns;
        else if (Console.IsOutputRedirected)
            console.Profile.Width = 160; // a pipe has no width; tables must not wrap at 80
        return console;
    });

    /// <summary>The width that the environment variable COLUMNS asks for, if it does.</summary>
    public static int? Columns =>
        int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), CultureInfo.InvariantCulture, out var columns)
        && columns >= 20
            ? columns
            : null;

    /// <summary>Talk: what is being done and what was chosen, on standard error.</summary>
    public static void Say(string line) => Console.Error.WriteLine(Wording.Of(line));

    /// <summary>A line for something that was skipped or looks wrong, on standard error.</summary>
    public static void Warn(string line) => Console.Error.WriteLine($"warning: {Wording.Of(line)}");

    public static void Complain(string line) =>
        Console.Error.WriteLine($"lit: {Wording.Of(line).ReplaceLineEndings(" ")}");

    /// <summary>The result as JSON, on standard output.</summary>
    public static void Write<T>(T result) => Console.Out.WriteLine(JsonSerializer.Serialize(result, Json));

    /// <summary>One of many results as a line of JSON, on standard output.</summary>
    public static void WriteLine<T>(T result) => Console.Out.WriteLine(JsonSerializer.Serialize(result, JsonLine));

    /// <summary>A plain line of the result, on standard output.</summary>
    public static void Line(string line = "") => Console.Out.WriteLine(Wording.Of(line));

    /// <summary>A table of the result, on standard output; columns of numbers are right-aligned.</summary>
    public static void Table(
        IReadOnlyList<string> headers,
        IEnumerable<IReadOnlyList<string>> rows,
        string? title = null
    )
    {
        var all = rows.ToList();
        var table = new Table { Border = TableBorder.Rounded, ShowRowSeparators = false };
        if (title is not null)
            table.Title = new TableTitle(Markup.Escape(title));
        for (var i = 0; i < headers.Count; i++)
        {
            var column = new TableColumn(Markup.Escape(headers[i]));
            if (all.Count > 0 && all.All(row => row[i].Length == 0 || char.IsDigit(row[i].TrimStart('-', '+')[..1][0])))
                column.RightAligned();
            table.AddColumn(column);
        }
        foreach (var row in all)
            table.AddRow(row.Select(cell => new Spectre.Console.Text(Wording.Of(cell))));
        Output.Value.Write(table);
    }

    /// <summary>One line for expected trouble; a bug says that it is one and keeps its trace under --verbose.</summary>
    /// <returns>The exit code.</returns>
    public static int Report(Exception trouble, bool verbose)
    {
        if (trouble is AggregateException { InnerExceptions.Count: 1 } only)
            trouble = only.InnerExceptions[0];
        switch (trouble)
        {
            case UsageException usage:
                Complain(usage.Message);
                return ExitCode.Usage;
            case LitException expected:
                Complain(expected.Message);
                break;
            case IOException or UnauthorizedAccessException:
                Complain(
                    $"{trouble.Message.TrimEnd('.')}. Make room or give another path, then run the same "
                        + "command again: it goes on from where it was."
                );
                break;
            default:
                Complain(
                    $"{trouble.GetType().Name}: "
                        + trouble.Message
                        + (verbose ? "" : " This is a bug; run again with --verbose for the place.")
                );
                break;
        }
        if (verbose)
            Console.Error.WriteLine(trouble);
        return ExitCode.Failed;
    }
}
