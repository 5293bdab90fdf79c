using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace LiT.Checkpoints;

/// <summary>The tensors of one .safetensors file, on the file's own pages.</summary>
internal sealed class SafetensorsCheckpoint : Checkpoint
{
    private const long LongestHeader = 100_000_000; // the limit of the format's own implementation

    private readonly CheckpointFile file;
    private readonly Dictionary<string, (Elements Elements, long Begin)> places = [];
    private readonly Dictionary<string, TensorInfo> tensors = [];
    private readonly Dictionary<string, string> metadata = [];
    private readonly SortedDictionary<string, string> passedOver = new(StringComparer.Ordinal);

    private SafetensorsCheckpoint(CheckpointFile file) => this.file = file;

    public override string Container => "safetensors";
    public override IReadOnlyDictionary<string, TensorInfo> Tensors => tensors;
    public override IReadOnlyDictionary<string, string> Metadata => metadata;
    public override IReadOnlyList<string> PassedOver =>
        [.. passedOver.Select(entry => LitException.OneLine($"{entry.Key}: {entry.Value}"))];

    /// <summary>Takes over the file.</summary>
    public static SafetensorsCheckpoint Open(CheckpointFile file)
    {
        Span<byte> lengthBytes = stackalloc byte[8];
        file.Read(0, lengthBytes);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(lengthBytes);
        if (length > LongestHeader || !file.Holds(8, (long)length))
            throw new LitException(
                file.Path,
                $"says that its header has {length} bytes, in a file of {file.Length}",
                "The file is cut off or damaged; download or copy it again"
            );
        var checkpoint = new SafetensorsCheckpoint(file) { Path = file.Path };
        try
        {
            checkpoint.ReadHeader(file.ReadBytes(8, (long)length), dataStart: 8 + (long)length);
        }
        catch (Exception trouble) when (trouble is JsonException or InvalidOperationException or FormatException)
        {
            throw checkpoint.Bad("has a header that is no JSON of the kind expected", trouble);
        }
        return checkpoint;
    }

    /// <inheritdoc/>
    public override Tensor Read(string name)
    {
        if (passedOver.TryGetValue(name, out var what))
            throw new LitException(Path, Place.Tensor(name), what, "Save it again as another type");
        if (!tensors.TryGetValue(name, out var info))
            throw Unknown(name);
        var (elements, begin) = places[name];
        return file.ReadTensor(begin, elements, info.Shape, $"{Path}, tensor {name}");
    }

    /// <inheritdoc/>
    public override void Dispose() => file.Dispose();

    private void ReadHeader(ReadOnlySpan<byte> header, long dataStart)
    {
        var pieces = new List<(long Begin, long End, string Name)>();
        var json = new Utf8JsonReader(header);
        Expect(ref json, JsonTokenType.StartObject);
        while (NextProperty(ref json) is { } name)
        {
            if (name == "__metadata__")
                ReadMetadata(ref json);
            else
                pieces.Add(ReadEntry(ref json, name, dataStart));
        }
        if (json.Read())
            throw new JsonException();

        long end = 0;
        foreach (var piece in pieces.OrderBy(piece => piece.Begin).ThenBy(piece => piece.End))
        {
            if (piece.Begin < end)
                throw Bad($"tensor {piece.Name}: overlaps another one");
            if (piece.Begin > end)
                throw Bad($"tensor {piece.Name}: has unnamed bytes before it");
            end = piece.End;
        }
        if (end != file.Length - dataStart)
            throw Bad($"has {file.Length - dataStart} bytes of tensors, where its header names {end}");
    }

    private (long Begin, long End, string Name) ReadEntry(ref Utf8JsonReader json, string name, long dataStart)
    {
        string? type = null;
        List<long>? shape = null,
            offsets = null;
        Expect(ref json, JsonTokenType.StartObject);
        while (NextProperty(ref json) is { } property)
        {
            switch (property)
            {
                case "dtype" when type is null:
                    Expect(ref json, JsonTokenType.String);
                    type = json.GetString();
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(ref json);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(ref json);
                    break;
                default:
                    throw Bad($"tensor {name}: '{property}' is not expected there");
            }
        }
        if (type is null || shape is null || offsets is not [var begin, var end])
            throw Bad($"tensor {name}: has not dtype, shape and two data_offsets");
        if (begin < 0 || end < begin || !file.Holds(dataStart, end))
            throw Bad($"tensor {name}: lies at bytes {begin} to {end} of {file.Length - dataStart}");
        if (!Elements.TryCount(shape, out var count))
            throw Bad($"tensor {name}: has the shape [{string.Join(", ", shape)}]");
        if (places.ContainsKey(name) || passedOver.ContainsKey(name))
            throw Bad($"tensor {name}: is named twice");
        if (!Safetensors.Types.TryGetValue(type, out var elements))
        {
            passedOver[name] = $"has elements of type {type}, which cannot be read";
            return (begin, end, name);
        }
        if (count * elements.Size != end - begin)
            throw Bad(
                $"tensor {name}: has {end - begin} bytes, where {type} [{string.Join(", ", shape)}] needs "
                    + $"{count * elements.Size}"
            );
        places[name] = (elements, dataStart + begin);
        tensors[name] = new(name, elements.Type, shape);
        return (begin, end, name);
    }

    private void ReadMetadata(ref Utf8JsonReader json)
    {
        Expect(ref json, JsonTokenType.StartObject);
        while (NextProperty(ref json) is { } key)
        {
            Expect(ref json, JsonTokenType.String);
            metadata[key] = json.GetString()!;
        }
    }

    private static string? NextProperty(ref Utf8JsonReader json)
    {
        if (!json.Read())
            throw new JsonException();
        if (json.TokenType == JsonTokenType.EndObject)
            return null;
        return json.TokenType == JsonTokenType.PropertyName ? json.GetString() : throw new JsonException();
    }

    private static List<long> ReadNumbers(ref Utf8JsonReader json)
    {
        var numbers = new List<long>();
        Expect(ref json, JsonTokenType.StartArray);
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            numbers.Add(numbers.Count < 64 ? json.GetInt64() : throw new JsonException());
        return numbers;
    }

    private static void Expect(ref Utf8JsonReader json, JsonTokenType expected)
    {
        if (!json.Read() || json.TokenType != expected)
            throw new JsonException();
    }

    private LitException Bad(string what, Exception? inner = null) =>
        new($"{Path}: {what}. The file is damaged; download or copy it again.", inner);
}
