using System.Globalization;
using System.Text;
using LiT.Tuning.Runs;

namespace LiT.Studies;

/// <summary>What one run of a cell came to; kept as <c>result.json</c> in its folder.</summary>
/// <param name="Cell">The cell's name.</param>
/// <param name="Seed">Its seed.</param>
/// <param name="Metrics">Numbers on the test data by name: top1, top5, imageToTextR1 …</param>
/// <param name="Interval95">Bootstrap interval of top1 over the pictures, where there are labels.</param>
/// <param name="Steps">Updates.</param>
/// <param name="Loss">Of the last batch.</param>
/// <param name="Temperature">exp(t) of the result.</param>
/// <param name="Seconds">Time of tuning.</param>
/// <param name="Findings">What the training doctor found.</param>
internal sealed record StudyRunResult(
    string Cell,
    int Seed,
    IReadOnlyDictionary<string, double> Metrics,
    IReadOnlyList<double>? Interval95,
    long Steps,
    double Loss,
    double Temperature,
    double Seconds,
    IReadOnlyList<Complaint> Findings
)
{
    /// <summary>Why there are no numbers, where a run failed.</summary>
    public string? Failure { get; init; }
}

/// <summary>A number over the seeds of a cell.</summary>
/// <param name="Mean">Over the seeds.</param>
/// <param name="Low">Lower end of the 95% interval of the mean (Student's t over the seeds); null for one seed.</param>
/// <param name="High">Its upper end.</param>
/// <param name="Values">Each seed's.</param>
internal sealed record StudyNumber(double Mean, double? Low, double? High, IReadOnlyList<double> Values)
{
    // Student's t, 97.5%, for 1 to 9 degrees of freedom; more seeds than that are hardly ever run.
    private static readonly double[] T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

    internal static StudyNumber Of(IReadOnlyList<double> values)
    {
        var mean = values.Average();
        if (values.Count < 2)
            return new(mean, null, null, values);
        var deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
        var half = (values.Count - 2 < T.Length ? T[values.Count - 2] : 1.96) * deviation / Math.Sqrt(values.Count);
        return new(mean, mean - half, mean + half, values);
    }
}

/// <summary>A cell with all its seeds.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Choices">What distinguishes it.</param>
/// <param name="Runs">A run a seed.</param>
internal sealed record StudyRow(
    string Name,
    IReadOnlyDictionary<string, string> Choices,
    IReadOnlyList<StudyRunResult> Runs
)
{
    /// <summary>Numbers over the seeds by name.</summary>
    public IReadOnlyDictionary<string, StudyNumber> Metrics { get; } =
        Runs.Where(run => run.Failure is null)
            .SelectMany(run => run.Metrics)
            .GroupBy(one => one.Key)
            .ToDictionary(group => group.Key, group => StudyNumber.Of([.. group.Select(one => one.Value)]));

    /// <summary>Mean time of tuning.</summary>
    public double Seconds { get; } = Runs.Average(run => run.Seconds);
}

/// <summary>A finished study.</summary>
/// <param name="Rows">The cells in their order.</param>
/// <param name="Report">The page.</param>
/// <param name="Csv">The table, a line a run.</param>
internal sealed record StudyResults(IReadOnlyList<StudyRow> Rows, string Report, string Csv)
{
    /// <summary>Names of the numbers that there are, the most telling first.</summary>
    public static IReadOnlyList<string> MetricNames(IEnumerable<StudyRow> rows) =>
        [.. rows.SelectMany(row => row.Metrics.Keys).Distinct()];

    /// <summary>A line a run, with a head.</summary>
    internal static string ToCsv(IReadOnlyList<StudyRow> rows)
    {
        var choices = rows.SelectMany(row => row.Choices.Keys).Distinct().ToList();
        var metrics = MetricNames(rows);
        StringBuilder csv = new();
        string[] outcomes = ["steps", "loss", "temperature", "seconds", "doctor", "failure"];
        // What was varied may have the name of an outcome (loss, steps): every column has a name of its own.
        HashSet<string> taken = ["cell", "seed", .. metrics, .. outcomes];
        Line([
            "cell",
            .. choices.Select(name => taken.Contains(name) ? $"varied {name}" : name),
            "seed",
            .. metrics,
            .. outcomes,
        ]);
        foreach (var row in rows)
        foreach (var run in row.Runs)
            Line([
                row.Name,
                .. choices.Select(name => row.Choices.GetValueOrDefault(name, "")),
                $"{run.Seed}",
                .. metrics.Select(name => run.Metrics.TryGetValue(name, out var value) ? Number(value) : ""),
                $"{run.Steps}",
                Number(run.Loss),
                Number(run.Temperature),
                Number(run.Seconds),
                string.Join(' ', run.Findings),
                run.Failure ?? "",
            ]);
        return csv.ToString();

        void Line(IEnumerable<string> cells) => csv.Append(string.Join(',', cells.Select(Quoted))).Append('\n');
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Quoted(string cell) =>
        cell.AsSpan().ContainsAny(",\"\n") ? $"\"{cell.Replace("\"", "\"\"")}\"" : cell;
}
