using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace LiT.Checkpoints;

/// <summary>Writes .safetensors files; <see cref="Checkpoint.Open"/> reads them.</summary>
internal static class Safetensors
{
    // The names of the format (github.com/huggingface/safetensors, README) for what torch can hold.
    internal static readonly IReadOnlyDictionary<string, Elements> Types = new Dictionary<string, Elements>
    {
        ["F64"] = Elements.Of(ScalarType.Float64),
        ["F32"] = Elements.Of(ScalarType.Float32),
        ["F16"] = Elements.Of(ScalarType.Float16),
        ["BF16"] = Elements.Of(ScalarType.BFloat16),
        ["I64"] = Elements.Of(ScalarType.Int64),
        ["I32"] = Elements.Of(ScalarType.Int32),
        ["I16"] = Elements.Of(ScalarType.Int16),
        ["I8"] = Elements.Of(ScalarType.Int8),
        ["U8"] = Elements.Of(ScalarType.Byte),
        ["BOOL"] = Elements.Of(ScalarType.Bool),
        ["C64"] = Elements.Of(ScalarType.ComplexFloat32),
        ["U16"] = new(ScalarType.Int32, 2, Unsigned: true),
        ["U32"] = new(ScalarType.Int64, 4, Unsigned: true),
        ["U64"] = new(ScalarType.Int64, 8, Unsigned: true),
    };

    /// <summary>
    /// Writes tensors into one .safetensors file: largest element type first, then by name, so that the same tensors give
    /// the same bytes in whatever order they come, and every tensor is aligned.
    /// </summary>
    /// <param name="path">The file; it is replaced as a whole, or stays as it was.</param>
    /// <param name="tensors">Tensors on any device, contiguous or not; they are not changed.</param>
    /// <param name="metadata">Strings to carry along.</param>
    /// <exception cref="LitException">The disk is full, or the place cannot be written to.</exception>
    public static void Write(
        string path,
        IEnumerable<(string Name, Tensor Tensor)> tensors,
        IReadOnlyDictionary<string, string>? metadata = null
    )
    {
        var ordered = tensors
            .OrderByDescending(entry => Elements.SizeOf(entry.Tensor.dtype))
            .ThenBy(entry => entry.Name, StringComparer.Ordinal)
            .ToList();
        if (ordered.GroupBy(entry => entry.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"Two tensors are named '{twice.Key}'.", nameof(tensors));
        var header = Header(ordered, metadata);
        Files.AtomicFile.Write(path, stream =>
        {
            stream.Write(header);
            foreach (var (_, tensor) in ordered)
            {
                using var scope = NewDisposeScope();
                TensorMemory.ForEachPiece(tensor.detach().cpu().contiguous(), stream.Write);
            }
        });
    }

    private static byte[] Header(
        List<(string Name, Tensor Tensor)> tensors,
        IReadOnlyDictionary<string, string>? metadata
    )
    {
        using var buffer = new MemoryStream();
        buffer.Write(new byte[8]);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (var (name, tensor) in tensors)
            {
                var end = offset + tensor.numel() * Elements.SizeOf(tensor.dtype);
                json.WriteStartObject(name);
                json.WriteString("dtype", NameOf(tensor.dtype));
                json.WriteStartArray("shape");
                foreach (var size in tensor.shape)
                    json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(end);
                json.WriteEndArray();
                json.WriteEndObject();
                offset = end;
            }
            json.WriteEndObject();
        }
        while (buffer.Length % 64 != 0)
            buffer.WriteByte((byte)' ');
        var bytes = buffer.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(bytes, bytes.Length - 8);
        return bytes;
    }

    private static string NameOf(ScalarType type) =>
        Types.FirstOrDefault(entry => entry.Value == Elements.Of(type)).Key
        ?? throw new ArgumentOutOfRangeException(nameof(type), $"safetensors files have no tensors of type {type}.");
}
