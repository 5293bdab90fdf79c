using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using LiT.Files;

namespace LiT.Tuning.Runs;

/// <summary>One line of <c>metrics.jsonl</c>: what a step was like.</summary>
/// <param name="Step">Updates done, from 1.</param>
/// <param name="Epoch">How often the data has been seen.</param>
/// <param name="Loss">Of the step's batch before its update, in nats.</param>
/// <param name="Temperature">What cosines are multiplied by, after the update.</param>
/// <param name="Bias">The sigmoid loss's bias after the update; null for softmax.</param>
/// <param name="Lr">Learning rate of the update.</param>
/// <param name="I2tAccuracy">Share of images whose best text of the batch is theirs.</param>
/// <param name="T2iAccuracy">Share of texts whose best image of the batch is theirs.</param>
/// <param name="GradNorm">Length of the gradient before clipping.</param>
/// <param name="PairsPerSecond">Since the line before.</param>
/// <param name="Seconds">Since the run began, interruptions left out.</param>
/// <param name="Val">What validation gave, on lines of steps that were validated.</param>
internal sealed record MetricsLine(
    long Step,
    double Epoch,
    double Loss,
    double Temperature,
    double? Bias,
    double Lr,
    double I2tAccuracy,
    double T2iAccuracy,
    double GradNorm,
    double PairsPerSecond,
    double Seconds,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        IReadOnlyDictionary<string, double>? Val = null
)
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The line as JSON, without its end.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Every whole line of a <c>metrics.jsonl</c>; a line that a kill cut short is left out.</summary>
    public static IReadOnlyList<MetricsLine> ReadAll(string path)
    {
        if (!File.Exists(path))
            return [];
        var lines = new List<MetricsLine>();
        foreach (var text in File.ReadLines(path))
        {
            try
            {
                if (JsonSerializer.Deserialize<MetricsLine>(text, Json) is { } line)
                    lines.Add(line);
            }
            catch (JsonException) { }
        }
        return lines;
    }
}

/// <summary>The file <c>metrics.jsonl</c> of a run, a line at a time.</summary>
internal sealed class MetricsLog : IDisposable
{
    private readonly string path;
    private readonly FileStream stream;

    /// <summary>Goes on after a step: what an interrupted run wrote beyond it is cut off.</summary>
    internal MetricsLog(string path, long afterStep)
    {
        this.path = path;
        var before = MetricsLine.ReadAll(path).Where(line => line.Step <= afterStep);
        AtomicFile.WriteAllText(path, string.Concat(before.Select(line => line.ToJson() + "\n")));
        stream = new(path, FileMode.Append, FileAccess.Write, FileShare.Read, 1);
    }

    internal void Write(MetricsLine line)
    {
        try
        {
            stream.Write(Encoding.UTF8.GetBytes(line.ToJson() + "\n"));
        }
        catch (IOException trouble)
        {
            throw AtomicFile.Explained(path, trouble);
        }
    }

    /// <summary>Makes sure that a checkpoint never outlives the lines before it.</summary>
    internal void Flush()
    {
        try
        {
            stream.Flush(flushToDisk: true);
        }
        catch (IOException trouble)
        {
            throw AtomicFile.Explained(path, trouble);
        }
    }

    public void Dispose() => stream.Dispose();
}
