using System.Text.Json;
using static TorchSharp.torch;

namespace LiT.Checkpoints;

/// <summary>
/// A checkpoint in several files with an index, model.safetensors.index.json, as Hugging Face writes large models: its
/// weight_map says which tensor is in which file beside it.
/// </summary>
internal sealed class ShardedCheckpoint : Checkpoint
{
    private readonly Dictionary<string, Checkpoint> shards = [];
    private readonly Dictionary<string, Checkpoint> shardOf = [];
    private readonly Dictionary<string, TensorInfo> tensors = [];
    private readonly Dictionary<string, string> metadata = [];

    private ShardedCheckpoint() { }

    public override string Container => $"{shards.Values.First().Container} in {shards.Count} files";
    public override IReadOnlyDictionary<string, TensorInfo> Tensors => tensors;
    public override IReadOnlyDictionary<string, string> Metadata => metadata;
    public override IReadOnlyList<string> PassedOver => [.. shards.SelectMany(shard => shard.Value.PassedOver)];

    /// <summary>Opens the files that an index names; the index itself is closed afterwards.</summary>
    public static ShardedCheckpoint Open(CheckpointFile index)
    {
        var checkpoint = new ShardedCheckpoint { Path = index.Path };
        try
        {
            foreach (var (name, shard) in ReadIndex(index))
                checkpoint.Add(name, shard);
            if (checkpoint.shards.Count == 0)
                throw Bad(index.Path, "names no tensor");
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override Tensor Read(string name) => (shardOf.GetValueOrDefault(name) ?? throw Unknown(name)).Read(name);

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var shard in shards.Values)
            shard.Dispose();
    }

    private void Add(string name, string fileName)
    {
        if (
            fileName.Length == 0
            || fileName != System.IO.Path.GetFileName(fileName)
            || fileName is "." or ".."
            || fileName.Contains('\\')
        )
            throw Bad(Path, $"puts {name} into '{fileName}', which is no file beside it");
        if (!shards.TryGetValue(fileName, out var shard))
        {
            var path = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path) ?? "", fileName);
            if (!File.Exists(path))
                throw new LitException(
                    path,
                    $"the file is missing, where {System.IO.Path.GetFileName(Path)} expects it",
                    "Download it, too"
                );
            shards[fileName] = shard = OpenCheckpoint.SingleFile(path, mayBeIndex: false);
            foreach (var (key, value) in shard.Metadata)
                metadata[key] = value;
        }
        if (!shard.Tensors.TryGetValue(name, out var info))
            throw Bad(Path, $"says that {name} is in {fileName}, which has no such tensor");
        tensors[name] = info;
        shardOf[name] = shard;
    }

    private static List<(string Name, string Shard)> ReadIndex(CheckpointFile index)
    {
        var entries = new List<(string, string)>();
        try
        {
            if (index.Length > 1 << 26)
                throw new JsonException();
            var json = new Utf8JsonReader(index.ReadBytes(0, index.Length));
            json.Read();
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isMap = json.ValueTextEquals("weight_map"u8);
                json.Read();
                if (!isMap || json.TokenType != JsonTokenType.StartObject)
                {
                    json.Skip();
                    continue;
                }
                while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
                {
                    var name = json.GetString()!;
                    json.Read();
                    entries.Add((name, json.GetString() ?? ""));
                }
            }
            if (json.TokenType != JsonTokenType.EndObject || json.Read())
                throw new JsonException();
        }
        catch (Exception trouble) when (trouble is JsonException or InvalidOperationException)
        {
            throw new LitException(
                index.Path,
                "is no index of a checkpoint in several files",
                "Give the file with the weights",
                trouble
            );
        }
        return entries;
    }

    private static LitException Bad(string path, string what) =>
        new($"{path}: {what}. The index is damaged or belongs to other files; download all of them again.");
}
