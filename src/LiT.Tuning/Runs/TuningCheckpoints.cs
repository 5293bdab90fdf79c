using System.Security.Cryptography;
using System.Text.Json;
using LiT.Checkpoints;
using LiT.Files;
using LiT.Tuning.Contrastive;
using static TorchSharp.torch;

namespace LiT.Tuning.Runs;

/// <summary>Where a run stands, as its checkpoint keeps it beside the weights.</summary>
/// <param name="Step">Updates done.</param>
/// <param name="Seconds">Time spent on them.</param>
/// <param name="Options">What the run was begun with.</param>
/// <param name="Data">Fingerprint of the pairs.</param>
/// <param name="Locked">Fingerprint of everything that does not move.</param>
/// <param name="BestStep">The step that validated best so far, and how well.</param>
/// <param name="BestValue">How well it did.</param>
internal sealed record TuningState(
    long Step,
    double Seconds,
    TuningOptions Options,
    string Data,
    string Locked,
    long? BestStep,
    double? BestValue
)
{
    /// <summary>SHA-256 of the checkpoint's other files by name.</summary>
    public IReadOnlyDictionary<string, string> Files { get; init; } = new Dictionary<string, string>();
}

/// <summary>
/// The folder <c>checkpoints</c> of a run. A checkpoint is made under another name and renamed when it is whole; the
/// last two stay. One that is cut short or changed is noticed by its checksums, and the one before it taken.
/// </summary>
internal sealed class TuningCheckpoints(string folder, Action<string> warn)
{
    private const string StateFile = "state.json",
        WeightsFile = "weights.safetensors",
        OptimizerFile = "optimizer.safetensors";
    private const int Kept = 2;

    /// <summary>Writes a checkpoint; at any moment before it is whole, the ones before it are what counts.</summary>
    internal void Write(
        string name,
        TuningState state,
        IEnumerable<(string, Tensor)> weights,
        IEnumerable<(string, Tensor)>? optimizer
    )
    {
        var unfinished = Path.Combine(folder, $".{name}.unfinished");
        var place = Path.Combine(folder, name);
        try
        {
            Clear(unfinished);
            Directory.CreateDirectory(unfinished);
            Safetensors.Write(Path.Combine(unfinished, WeightsFile), weights);
            if (optimizer is not null)
                Safetensors.Write(Path.Combine(unfinished, OptimizerFile), optimizer);
            var files = Directory.GetFiles(unfinished).ToDictionary(path => Path.GetFileName(path), Hash);
            AtomicFile.WriteAllText(
                Path.Combine(unfinished, StateFile),
                JsonSerializer.Serialize(state with { Files = files }, TuningOptions.Json)
            );
            Clear(place);
            Directory.Move(unfinished, place);
        }
        catch (IOException trouble)
        {
            throw AtomicFile.Explained(place, trouble);
        }
        finally
        {
            if (Directory.Exists(unfinished))
                Clear(unfinished);
        }
    }

    /// <summary>Writes the checkpoint of a step and forgets all but the last two.</summary>
    internal void WriteStep(
        TuningState state,
        IEnumerable<(string, Tensor)> weights,
        IEnumerable<(string, Tensor)> optimizer
    )
    {
        Write($"step-{state.Step}", state, weights, optimizer);
        foreach (var old in Steps().Where(step => step < state.Step).Skip(Kept - 1))
            Clear(Path.Combine(folder, $"step-{old}"));
    }

    /// <summary>The newest checkpoint that is whole, or null where there is none.</summary>
    internal (TuningState State, string Folder)? Newest()
    {
        foreach (var step in Steps())
            if (Read($"step-{step}") is { } state)
                return (state, Path.Combine(folder, $"step-{step}"));
        return null;
    }

    /// <summary>What a checkpoint says of itself, or null with a warning where it is not what was written.</summary>
    internal TuningState? Read(string name)
    {
        var place = Path.Combine(folder, name);
        try
        {
            var state = JsonSerializer.Deserialize<TuningState>(
                File.ReadAllText(Path.Combine(place, StateFile)),
                TuningOptions.Json
            ) ?? throw new JsonException("it is empty");
            if (state.Files.Count == 0)
                throw new JsonException("it names no files");
            foreach (var (file, hash) in state.Files)
                if (Inside.Refusal(place, file, hash) is { } refusal)
                    throw new IOException($"'{file}' {refusal}");
                else if (Hash(Path.Combine(place, file)) != hash)
                    throw new IOException($"{file} is not what was written");
            return state;
        }
        catch (Exception damage) when (damage is IOException or JsonException or UnauthorizedAccessException)
        {
            warn($"{place}: this checkpoint is damaged ({damage.Message.TrimEnd('.')}) and is passed over.");
            return null;
        }
    }

    internal static Checkpoint Weights(string place) => Checkpoint.Open(Path.Combine(place, WeightsFile));

    internal static Checkpoint OptimizerState(string place) => Checkpoint.Open(Path.Combine(place, OptimizerFile));

    /// <summary>The folder of a checkpoint.</summary>
    internal string Place(string name) => Path.Combine(folder, name);

    /// <summary>Steps that have a checkpoint, the newest first.</summary>
    private IEnumerable<long> Steps() =>
        !Directory.Exists(folder)
            ? []
            : Directory
                .EnumerateDirectories(folder, "step-*")
                .Select(path => long.TryParse(Path.GetFileName(path)["step-".Length..], out var step) ? step : -1)
                .Where(step => step >= 0)
                .OrderDescending()
                .ToList();

    private static string Hash(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private static void Clear(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }
}
