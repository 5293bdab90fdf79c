using System.Globalization;
using System.Text;
using System.Text.Json;
using LiT.Checkpoints;
using LiT.Files;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Pretraining;

/// <summary>The folder of a pre-training run: what it holds, and how a run goes on after a kill.</summary>
internal sealed class PretrainingRun(string folder, PretrainingOptions options, int pictures)
{
    private const string StepKey = "lit.step",
        OptionsKey = "lit.pretraining",
        TallyKey = "lit.tally",
        WeightPrefix = "tower.",
        MomentumPrefix = "momentum.";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        IgnoreReadOnlyProperties = true,
    };

    private readonly string checkpointPath = Path.Combine(folder, "checkpoint.safetensors");
    private readonly string metricsPath = Path.Combine(folder, "metrics.jsonl");

    public string TowerPath { get; } = Path.Combine(folder, "tower.safetensors");

    /// <summary>All that decides the weights, in one line; a checkpoint of other settings is not gone on with.</summary>
    private string Settings => JsonSerializer.Serialize(new RunSettings(pictures, options), Json);

    public void Save(long step, ImageTower tower, IWeightUpdates updates, PretrainingTally tally) =>
        Safetensors.Write(
            checkpointPath,
            tower
                .state_dict()
                .Select(entry => (WeightPrefix + entry.Key, entry.Value))
                .Concat(updates.State.Select(entry => (MomentumPrefix + entry.Name, entry.Value))),
            new Dictionary<string, string>
            {
                [StepKey] = step.ToString(CultureInfo.InvariantCulture),
                [OptionsKey] = Settings,
                [TallyKey] = JsonSerializer.Serialize(new RunTally(tally.Right, tally.Loss, tally.Images), Json),
            }
        );

    public void SaveTower(ImageTower tower) =>
        ImageTowerFile.Save(
            TowerPath,
            tower,
            options.Preprocessing,
            new Dictionary<string, string> { [OptionsKey] = Settings }
        );

    /// <summary>Puts weights, momenta and sums where the checkpoint has them.</summary>
    /// <returns>Updates done; 0 without a checkpoint.</returns>
    /// <exception cref="LitException">The checkpoint is of a run with other settings, or it is damaged.</exception>
    public long Resume(ImageTower tower, IWeightUpdates updates, PretrainingTally tally)
    {
        if (!File.Exists(checkpointPath))
            return 0;
        using var checkpoint = Checkpoint.Open(checkpointPath);
        var metadata = checkpoint.Metadata;
        if (
            !metadata.TryGetValue(OptionsKey, out var settings)
            || !metadata.TryGetValue(StepKey, out var step)
            || !metadata.TryGetValue(TallyKey, out var sums)
        )
            throw new LitException($"{checkpointPath}: is no checkpoint of pre-training. Give another --out.");
        if (settings != Settings)
            throw new LitException(
                $"{checkpointPath}: belongs to a run with other settings or other data (it began with {settings}). "
                    + "Repeat its command to go on, or give another --out to start anew."
            );
        using var unrecorded = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, tensor) in tower.state_dict())
            tensor.copy_(checkpoint.Read(WeightPrefix + name));
        foreach (var (name, value) in updates.State)
            value.copy_(checkpoint.Read(MomentumPrefix + name));
        (tally.Right, tally.Loss, tally.Images) = JsonSerializer.Deserialize<RunTally>(sums, Json)!;
        var done = long.Parse(step, CultureInfo.InvariantCulture);
        updates.GoOn(done);
        return done;
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

    private sealed record RunSettings(int Pictures, PretrainingOptions Options);

    private sealed record RunTally(long[] Right, double Loss, long Images);

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
