using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LiT.Benchmarks;

/// <summary>
/// Result files as tables of Markdown, one for each benchmark with its arguments, two columns for each kind of machine;
/// on standard output, or in a page between the lines <c>&lt;!-- results: NAME --&gt;</c> and <c>&lt;!-- end of results
/// --&gt;</c>. Pictures of a page that are named after a result and its kind of machine are drawn from it.
/// </summary>
internal static partial class ResultTables
{
    private const string Begin = "<!-- results: ",
        Close = " -->",
        End = "<!-- end of results -->";

    public static int Run(string folder, string[] options)
    {
        Directory.CreateDirectory(folder);
        var results = Read(folder).ToList();
        var tables = results
            .GroupBy(one => one.Name)
            .OrderBy(table => table.Key, StringComparer.Ordinal)
            .ToDictionary(table => table.Key, table => Table([.. table.Select(one => (one.Kind, one.File))]));
        switch (options)
        {
            case ["--check", var page]:
                var same =
                    Filled(File.ReadAllText(page), tables) == File.ReadAllText(page)
                    && Pictures(page, results)
                        .All(one => File.Exists(one.Path) && File.ReadAllText(one.Path) == one.Svg);
                if (!same)
                    Console.Error.WriteLine(
                        $"{page}: its tables or pictures are not those of {folder}. Run 'tables {page}'."
                    );
                return same ? 0 : 1;
            case [var page]:
                File.WriteAllText(page, Filled(File.ReadAllText(page), tables));
                foreach (var (path, svg) in Pictures(page, results))
                {
                    Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                    File.WriteAllText(path, svg);
                }
                return 0;
            default:
                foreach (var (name, table) in tables)
                    Console.WriteLine($"{Begin}{name}{Close}\n{table}{End}\n");
                return 0;
        }
    }

    private static IEnumerable<(string Kind, string Name, ResultFile File)> Read(string folder) =>
        from path in Directory
            .EnumerateFiles(folder, "*.json", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
        select (
            Path.GetFileName(Path.GetDirectoryName(path)!),
            Path.GetFileNameWithoutExtension(path),
            JsonSerializer.Deserialize<ResultFile>(File.ReadAllText(path), ResultFile.Json)!
        );

    /// <summary>The pictures that the page shows of results, as they are to be.</summary>
    private static IEnumerable<(string Path, string Svg)> Pictures(
        string page,
        List<(string Kind, string Name, ResultFile File)> results
    ) =>
        from shown in Shown().Matches(File.ReadAllText(page))
        let path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(page))!, shown.Groups["path"].Value)
        from result in results
        where Path.GetFileNameWithoutExtension(path) == $"{result.Name}-{result.Kind}" && PeersCurves.Draws(result.File)
        select (path, PeersCurves.Draw(result.File));

    [GeneratedRegex(@"!\[[^\]]*\]\((?<path>[^)]+\.svg)\)")]
    private static partial Regex Shown();

    /// <summary>The page with every table that it asks for.</summary>
    private static string Filled(string page, Dictionary<string, string> tables)
    {
        StringBuilder filled = new();
        var skipping = false;
        foreach (var line in page.TrimEnd('\n').Split('\n'))
        {
            if (line == End)
                skipping = false;
            if (!skipping)
                filled.Append(line).Append('\n');
            if (!line.StartsWith(Begin, StringComparison.Ordinal) || !line.EndsWith(Close, StringComparison.Ordinal))
                continue;
            var name = line[Begin.Length..^Close.Length];
            filled.Append(
                tables.TryGetValue(name, out var table)
                    ? table
                    : throw new LitException($"{name}: there is no such result. Run the benchmark with --keep.")
            );
            skipping = true;
        }
        return skipping ? throw new LitException($"A table is not closed. Write {End} below it.") : filled.ToString();
    }

    private static string Table(IReadOnlyList<(string Kind, ResultFile File)> machines)
    {
        StringBuilder table = new();
        var lines = machines
            .SelectMany(machine => LinesOf(machine.File))
            .Select(line => line.Words)
            .Distinct()
            .ToList();
        var values = machines
            .Select(machine =>
                LinesOf(machine.File).ToDictionary(line => line.Words, line => (line.Clock, line.Processor))
            )
            .ToList();
        table.Append("| |");
        foreach (var (kind, _) in machines)
            table.Append(CultureInfo.InvariantCulture, $" {kind}: clock | processor |");
        table.Append("\n| --- |").Insert(table.Length, " ---: | ---: |", machines.Count).Append('\n');
        foreach (var words in lines)
        {
            table.Append(CultureInfo.InvariantCulture, $"| {words} |");
            foreach (var own in values)
                table.Append(own.TryGetValue(words, out var value) ? $" {value.Clock} | {value.Processor} |" : " | |");
            table.Append('\n');
        }
        table.Append('\n');
        foreach (var (kind, file) in machines)
            table.Append(
                CultureInfo.InvariantCulture,
                $"- "
                    + $"`{file.Benchmark}{string.Concat(file.Arguments.Select(argument => $" {argument}"))}`, "
                    + $"{kind}: {file.Machine.Processor}, {file.Threads} "
                    + $"thread{(file.Threads == 1 ? "" : "s")}, commit "
                    + $"{file.Commit?.Id ?? "not known"}{(file.Commit is { Changed: true } ? " with changes" : "")}, "
                    + $"{file.Day:yyyy-MM-dd}.\n"
            );
        return table.ToString();
    }

    private static IEnumerable<(string Words, string Clock, string Processor)> LinesOf(ResultFile file)
    {
        foreach (var row in file.Rows)
        {
            yield return ($"{row.What}: {row.Way}, {row.Unit}", Plain(row.Clock), Plain(row.Processor));
            foreach (var (way, ratio) in row.Beside)
                yield return (
                    $"{row.What}: {row.Way} beside {way}",
                    $"**{Times(ratio.Clock)}**",
                    ratio.Processor is { } processor ? $"**{Times(processor)}**" : ""
                );
        }
    }

    private static string Plain(double? value) => value?.ToString("#,0.####", CultureInfo.InvariantCulture) ?? "";

    private static string Times(double ratio) => string.Create(CultureInfo.InvariantCulture, $"{ratio:F2} x");
}
