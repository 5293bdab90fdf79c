using System.Runtime.InteropServices;
using LiT.Files;

namespace LiT.Tests.Onnx;

/// <summary>
/// Writes small networks in ONNX, as an exporter does: nodes, constants, inputs and outputs, field by field.
/// </summary>
internal sealed class OnnxModel
{
    public const int Float = 1,
        UInt8 = 2,
        Int64 = 7,
        Half = 10;

    private readonly ProtoWriter graph = new(),
        model = new();

    /// <summary>Constants of float32 go into a file beside the model from now on.</summary>
    public MemoryStream? Beside { get; init; }

    public string Producer { get; init; } = "tests";

    public long Opset { get; init; } = 17;

    public OnnxModel Input(string name, int type, params long[] shape) => Value(11, name, type, shape);

    public OnnxModel Output(string name, int type, params long[] shape) => Value(12, name, type, shape);

    public OnnxModel Constant(string name, float[] values, params long[] shape) =>
        Constant(name, Float, MemoryMarshal.AsBytes(values.AsSpan()), shape);

    /// <summary>A constant of bytes that lie in weights.bin, which somebody else writes.</summary>
    public OnnxModel Outside(string name, long offset, long length)
    {
        graph.Message(
            5,
            new ProtoWriter()
                .Number(1, (ulong)length)
                .Number(2, 2)
                .Text(8, name)
                .Message(13, new ProtoWriter().Text(1, "location").Text(2, "weights.bin"))
                .Message(13, new ProtoWriter().Text(1, "offset").Text(2, $"{offset}"))
                .Message(13, new ProtoWriter().Text(1, "length").Text(2, $"{length}"))
                .Number(14, 1)
        );
        return this;
    }

    public OnnxModel Integers(string name, params long[] values) =>
        Constant(name, Int64, MemoryMarshal.AsBytes(values.AsSpan()), [values.Length]);

    /// <summary>A node; attributes are long, long[] or string.</summary>
    public OnnxModel Node(
        string type,
        string[] inputs,
        string output,
        params (string Name, object Value)[] attributes
    ) => NodeOf("", type, inputs, output, attributes);

    public OnnxModel NodeOf(
        string domain,
        string type,
        string[] inputs,
        string output,
        params (string Name, object Value)[] attributes
    )
    {
        ProtoWriter node = new();
        foreach (var input in inputs)
            node.Text(1, input);
        node.Text(2, output).Text(4, type);
        foreach (var (name, value) in attributes)
            node.Message(5, Attribute(name, value));
        if (domain.Length > 0)
            node.Text(7, domain);
        graph.Message(1, node);
        return this;
    }

    public OnnxModel Note(string key, string value)
    {
        model.Message(14, new ProtoWriter().Text(1, key).Text(2, value));
        return this;
    }

    public byte[] ToArray()
    {
        graph.Text(2, "network");
        return new ProtoWriter()
            .Number(1, 8)
            .Text(2, Producer)
            .Message(7, graph)
            .Message(8, new ProtoWriter().Text(1, "").Number(2, (ulong)Opset))
            .Copy(model.ToArray())
            .ToArray();
    }

    private OnnxModel Constant(string name, int type, ReadOnlySpan<byte> bytes, long[] shape)
    {
        ProtoWriter tensor = new();
        foreach (var side in shape)
            tensor.Number(1, (ulong)side);
        tensor.Number(2, (ulong)type).Text(8, name);
        if (Beside is not null && type == Float)
        {
            tensor
                .Message(13, new ProtoWriter().Text(1, "location").Text(2, "weights.bin"))
                .Message(13, new ProtoWriter().Text(1, "offset").Text(2, $"{Beside.Length}"))
                .Message(13, new ProtoWriter().Text(1, "length").Text(2, $"{bytes.Length}"))
                .Number(14, 1);
            Beside.Write(bytes);
        }
        else
            tensor.Bytes(9, bytes);
        graph.Message(5, tensor);
        return this;
    }

    private OnnxModel Value(int field, string name, int type, long[] shape)
    {
        ProtoWriter sides = new();
        foreach (var side in shape)
            sides.Message(1, side < 0 ? new ProtoWriter().Text(2, "n") : new ProtoWriter().Number(1, (ulong)side));
        var tensor = new ProtoWriter().Number(1, (ulong)type).Message(2, sides);
        graph.Message(field, new ProtoWriter().Text(1, name).Message(2, new ProtoWriter().Message(1, tensor)));
        return this;
    }

    private static ProtoWriter Attribute(string name, object value)
    {
        var attribute = new ProtoWriter().Text(1, name);
        switch (value)
        {
            case long number:
                return attribute.Number(3, (ulong)number).Number(20, 2);
            case string text:
                return attribute.Text(4, text).Number(20, 3);
            case long[] numbers:
                foreach (var number in numbers)
                    attribute.Number(8, (ulong)number);
                return attribute.Number(20, 7);
            default:
                throw new ArgumentException($"No attribute can be a {value.GetType().Name}.", nameof(value));
        }
    }
}
