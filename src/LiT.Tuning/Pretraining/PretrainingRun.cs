using System.Globalization;
using System.Text;
using System.Text.Json;
using LiT.Checkpoints;
using LiT.Files;
using LiT.Images;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Pretraining;

/// <summary>The folder of a pre-training run: what it holds, and how a run goes on after a kill.</summary>
/// <param name="folder">The folder.</param>
/// <param name="method">How the tower is trained, by its name on the command line.</param>
/// <param name="settings">All that decides the weights, in one line; a checkpoint of other settings is not gone on
/// with.</param>
internal sealed class PretrainingRun(string folder, string method, string settings)
{
    private const string StepKey = "lit.step",
        MethodKey = "lit.method",
        OptionsKey = "lit.pretraining",
        TallyKey = "lit.tally";

    /// <summary>How settings and lines of metrics are written.</summary>
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        IgnoreReadOnlyProperties = true,
    };

    private readonly string checkpointPath = Path.Combine(folder, "checkpoint.safetensors");
    private readonly string metricsPath = Path.Combine(folder, "metrics.jsonl");

    public string TowerPath { get; } = Path.Combine(folder, "tower.safetensors");

    /// <summary>Replaces the checkpoint as a whole.</summary>
    /// <param name="step">Updates done.</param>
    /// <param name="state">Everything that training changes, by name.</param>
    /// <param name="tally">Sums between two lines of metrics.</param>
    public void Save(long step, IEnumerable<(string Name, Tensor Value)> state, string tally) =>
        Safetensors.Write(
            checkpointPath,
            state,
            new Dictionary<string, string>
            {
                [StepKey] = step.ToString(CultureInfo.InvariantCulture),
                [MethodKey] = method,
                [OptionsKey] = settings,
                [TallyKey] = tally,
            }
        );

    public void SaveTower(ImageTower tower, Preprocessing preprocessing) =>
        ImageTowerFile.Save(
            TowerPath,
            tower,
            preprocessing,
            new Dictionary<string, string> { [OptionsKey] = settings }
        );

    /// <summary>Puts everything where the checkpoint has it.</summary>
    /// <param name="state">What <see cref="Save"/> is given: live tensors.</param>
    /// <param name="tally">Takes the sums over.</param>
    /// <returns>Updates done; 0 without a checkpoint.</returns>
    /// <exception cref="LitException">The checkpoint is of a run by another method, with other settings or other data,
    /// or it is damaged.</exception>
    public long Resume(IEnumerable<(string Name, Tensor Value)> state, Action<string> tally)
    {
        const string remedy = "Repeat its command to go on, or give another `Out` to start anew";
        if (!File.Exists(checkpointPath))
            return 0;
        using var checkpoint = Checkpoint.Open(checkpointPath);
        var metadata = checkpoint.Metadata;
        if (
            !metadata.TryGetValue(OptionsKey, out var began)
            || !metadata.TryGetValue(StepKey, out var step)
            || !metadata.TryGetValue(TallyKey, out var sums)
        )
            throw new LitException(checkpointPath, "is no checkpoint of pre-training", "Give another `Out`");
        // There was one method when checkpoints did not name it.
        var theirs = metadata.GetValueOrDefault(MethodKey, SupervisedPretraining.Method);
        if (theirs != method)
            throw new LitException(
                checkpointPath,
                $"belongs to a run of another method ({theirs}, not {method})",
                remedy
            );
        if (began != settings)
            throw new LitException(
                checkpointPath,
                $"belongs to a run with other settings or other data (it began with {began})",
                remedy
            );
        using var unrecorded = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, tensor) in state)
            tensor.copy_(checkpoint.Read(name));
        tally(sums);
        return long.Parse(step, CultureInfo.InvariantCulture);
    }

    /// <summary>Opens metrics.jsonl for the lines after a step; lines of steps that a kill undid are dropped.</summary>
    public MetricsFile OpenMetrics(long step)
    {
        var lines = File.Exists(metricsPath) ? File.ReadAllLines(metricsPath) : [];
        var kept = lines.Where(line =>
            StepOf(line) is { } at && at <= step && !line.Contains("\"val\":", StringComparison.Ordinal)
        );
        AtomicFile.WriteAllText(metricsPath, string.Concat(kept.Select(line => line + "\n")));
        return new MetricsFile(metricsPath);
    }

    private static long? StepOf(string line)
    {
        try
        {
            return JsonDocument.Parse(line).RootElement.GetProperty("step").GetInt64();
        }
        catch (Exception cut) when (cut is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null; // a line that the kill cut in two
        }
    }

    /// <summary>Appends objects, a line each, each on the disk before the next.</summary>
    internal sealed class MetricsFile(string path) : IDisposable
    {
        private readonly FileStream file = new(path, FileMode.Append, FileAccess.Write, FileShare.Read);

        public void Write<T>(T line)
        {
            file.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(line, Json) + "\n"));
            file.Flush();
        }

        public void Dispose() => file.Dispose();
    }
}
