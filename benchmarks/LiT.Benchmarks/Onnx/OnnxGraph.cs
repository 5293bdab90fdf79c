using System.Runtime.InteropServices;
using System.Text;

namespace LiT.Benchmarks.Onnx;

/// <summary>
/// Writes an ONNX model (opset 20) as protobuf bytes: as much of the format as the benchmarked networks need.
/// </summary>
internal sealed class OnnxGraph
{
    private const int Float = 1,
        Int8 = 3,
        Int64 = 7;

    private readonly MemoryStream graph = new();
    private int count;

    /// <summary>A node with one output, whose name is given back.</summary>
    public string Node(string type, string[] inputs, params (string Name, object Value)[] attributes) =>
        Nodes(type, inputs, 1, attributes)[0];

    /// <summary>A node with several outputs.</summary>
    public string[] Nodes(string type, string[] inputs, int outputs, params (string Name, object Value)[] attributes)
    {
        var names = Enumerable.Range(0, outputs).Select(_ => $"t{count++}").ToArray();
        using MemoryStream node = new();
        foreach (var input in inputs)
            Text(node, 1, input);
        foreach (var output in names)
            Text(node, 2, output);
        Text(node, 3, $"n{count++}");
        Text(node, 4, type);
        foreach (var (name, value) in attributes)
            Message(node, 5, Attribute(name, value));
        Message(graph, 1, node.ToArray());
        return names;
    }

    public string Constant(float[] values, params long[] shape) =>
        Initializer(Float, MemoryMarshal.AsBytes(values.AsSpan()), shape);

    public string Constant(sbyte[] values, params long[] shape) =>
        Initializer(Int8, MemoryMarshal.AsBytes(values.AsSpan()), shape);

    public string Integers(params long[] values) =>
        Initializer(Int64, MemoryMarshal.AsBytes(values.AsSpan()), [values.Length]);

    /// <summary>The whole model. Dimensions of -1 are left open.</summary>
    public byte[] Model((string Name, long[] Shape) input, (string Name, long[] Shape) output)
    {
        Text(graph, 2, "tower");
        Message(graph, 11, Value(input.Name, input.Shape));
        Message(graph, 12, Value(output.Name, output.Shape));
        using MemoryStream opset = new(),
            model = new();
        Text(opset, 1, "");
        Number(opset, 2, 20);
        Number(model, 1, 9);
        Message(model, 8, opset.ToArray());
        Message(model, 7, graph.ToArray());
        return model.ToArray();
    }

    private string Initializer(int type, ReadOnlySpan<byte> bytes, long[] shape)
    {
        var name = $"c{count++}";
        using MemoryStream tensor = new();
        foreach (var side in shape)
            Number(tensor, 1, side);
        Number(tensor, 2, type);
        Text(tensor, 8, name);
        Message(tensor, 9, bytes);
        Message(graph, 5, tensor.GetBuffer().AsSpan(0, (int)tensor.Length));
        return name;
    }

    private static byte[] Attribute(string name, object value)
    {
        using MemoryStream attribute = new();
        Text(attribute, 1, name);
        switch (value)
        {
            case float number:
                Key(attribute, 2, 5);
                attribute.Write(BitConverter.GetBytes(number));
                Number(attribute, 20, 1);
                break;
            case long number:
                Number(attribute, 3, number);
                Number(attribute, 20, 2);
                break;
            case string text:
                Text(attribute, 4, text);
                Number(attribute, 20, 3);
                break;
            case long[] numbers:
                foreach (var number in numbers)
                    Number(attribute, 8, number);
                Number(attribute, 20, 7);
                break;
            default:
                throw new ArgumentException($"No attribute can be a {value.GetType().Name}.", nameof(value));
        }
        return attribute.ToArray();
    }

    private static byte[] Value(string name, long[] shape)
    {
        using MemoryStream sides = new(),
            tensor = new(),
            type = new(),
            value = new();
        foreach (var side in shape)
        {
            using MemoryStream dimension = new();
            if (side < 0)
                Text(dimension, 2, "batch");
            else
                Number(dimension, 1, side);
            Message(sides, 1, dimension.ToArray());
        }
        Number(tensor, 1, Float);
        Message(tensor, 2, sides.ToArray());
        Message(type, 1, tensor.ToArray());
        Text(value, 1, name);
        Message(value, 2, type.ToArray());
        return value.ToArray();
    }

    private static void Text(Stream to, int field, string text) => Message(to, field, Encoding.UTF8.GetBytes(text));

    private static void Message(Stream to, int field, ReadOnlySpan<byte> bytes)
    {
        Key(to, field, 2);
        Varint(to, (ulong)bytes.Length);
        to.Write(bytes);
    }

    private static void Number(Stream to, int field, long value)
    {
        Key(to, field, 0);
        Varint(to, (ulong)value);
    }

    private static void Key(Stream to, int field, int wire) => Varint(to, (ulong)(field << 3 | wire));

    private static void Varint(Stream to, ulong value)
    {
        for (; value >= 128; value >>= 7)
            to.WriteByte((byte)(value | 128));
        to.WriteByte((byte)value);
    }
}
