using LiT.Files;

namespace LiT.Onnx;

/// <summary>An input or output of a graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The number of its element type in ONNX; 0 where it is no tensor.</param>
/// <param name="Shape">Its sides, -1 where a side is free; null where nothing is said.</param>
internal sealed record OnnxValue(string Name, int Type, IReadOnlyList<long>? Shape)
{
    /// <summary>As it stands in messages: "pixel_values [batch, 3, 224, 224]".</summary>
    public override string ToString() => $"{Name} {Sides}";

    /// <summary>The sides alone.</summary>
    public string Sides =>
        Shape is null ? "of any shape" : $"[{string.Join(", ", Shape.Select(side => side < 0 ? "free" : $"{side}"))}]";
}

/// <summary>One step of a graph, or of a function that the file brings along.</summary>
internal sealed record OnnxNode(
    string Domain,
    string Type,
    IReadOnlyList<string> Inputs,
    IReadOnlyList<string> Outputs
);

/// <summary>A constant of the graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The number of its element type in ONNX.</param>
/// <param name="Shape">Its sides.</param>
/// <param name="External">Where its bytes lie, if not in the graph.</param>
internal sealed record OnnxConstant(string Name, int Type, IReadOnlyList<long> Shape, ExternalBytes? External);

/// <summary>A part of a file beside the graph.</summary>
/// <param name="Location">The file, as the graph names it.</param>
/// <param name="Offset">Where the part begins.</param>
/// <param name="Length">How long it is; null for the rest of the file.</param>
internal sealed record ExternalBytes(string Location, long Offset, long? Length);

/// <summary>
/// What an ONNX file says of itself (onnx.proto: ModelProto), read before any of it is given to a runtime: its values,
/// steps and constants, without the constants' numbers.
/// </summary>
internal sealed class OnnxFile
{
    /// <summary>A protocol buffer is not longer than this, whoever writes it.</summary>
    public const long Longest = int.MaxValue;

    private readonly List<OnnxNode> nodes = [];
    private readonly List<OnnxConstant> constants = [];
    private readonly List<OnnxValue> inputs = [],
        outputs = [];
    private readonly HashSet<(string Domain, string Name)> functions = [];
    private readonly Dictionary<string, string> notes = new(StringComparer.Ordinal);

    private OnnxFile(string path) => Path = path;

    /// <summary>The file, for messages and for what lies beside it.</summary>
    public string Path { get; }

    /// <summary>The program that wrote it, such as "pytorch".</summary>
    public string Producer { get; private set; } = "";

    /// <summary>The version of ONNX's own operators; 0 where the file says none.</summary>
    public long Opset { get; private set; }

    /// <summary>The graph's inputs that are no constants.</summary>
    public IReadOnlyList<OnnxValue> Inputs => inputs;

    /// <summary>The graph's outputs.</summary>
    public IReadOnlyList<OnnxValue> Outputs => outputs;

    /// <summary>The steps of the graph and of its functions.</summary>
    public IReadOnlyList<OnnxNode> Nodes => nodes;

    /// <summary>The constants of the graph.</summary>
    public IReadOnlyList<OnnxConstant> Constants => constants;

    /// <summary>Operators that the file defines itself.</summary>
    public IReadOnlySet<(string Domain, string Name)> Functions => functions;

    /// <summary>Strings that the file carries along.</summary>
    public IReadOnlyDictionary<string, string> Notes => notes;

    /// <summary>Reads a file's bytes; what is larger than a protocol buffer can be is refused unread.</summary>
    /// <exception cref="LitException">It is too large or empty, or cannot be read.</exception>
    public static byte[] Bytes(string path)
    {
        try
        {
            var length = Linked.Length(path);
            if (length >= Longest)
                throw new LitException(
                    path,
                    FormattableString.Invariant($"has {length / 1e9:0.0} GB, and a graph in ONNX has less than 2.1"),
                    "Export it with its weights in a file beside it (external data)"
                );
            return length > 0
                ? File.ReadAllBytes(path)
                : throw new LitException(path, "the file is empty", "Export, download or copy it again");
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw new LitException(
                path,
                $"cannot be read ({trouble.Message.TrimEnd('.')})",
                "Check the file and its permissions",
                trouble
            );
        }
    }

    /// <exception cref="LitException">It is no network in ONNX, or cut off.</exception>
    public static OnnxFile Parse(ReadOnlySpan<byte> bytes, string path)
    {
        OnnxFile file = new(path);
        var hasGraph = false;
        for (var reader = Reader(bytes, path); reader.Next(); )
            switch (reader.Field)
            {
                case OnnxFields.Producer:
                    file.Producer = reader.String();
                    break;
                case OnnxFields.Graph:
                    file.ReadGraph(reader.Message());
                    hasGraph = true;
                    break;
                case OnnxFields.Opset:
                    file.ReadOpset(reader.Message());
                    break;
                case OnnxFields.Notes:
                    var (key, value) = Pair(reader.Message());
                    file.notes[key] = value;
                    break;
                case OnnxFields.Functions:
                    file.ReadFunction(reader.Message());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        if (!hasGraph)
            throw new LitException(path, "holds no graph", "Export it again");
        // Up to version 3 of the format constants stand among the inputs.
        var known = file.constants.Select(constant => constant.Name).ToHashSet(StringComparer.Ordinal);
        file.inputs.RemoveAll(input => known.Contains(input.Name));
        return file;
    }

    /// <summary>A reader of the file's messages.</summary>
    internal static ProtoReader Reader(ReadOnlySpan<byte> bytes, string path) =>
        new(bytes, path, "a network in ONNX", "Export, download or copy it again");

    private void ReadGraph(ProtoReader graph)
    {
        while (graph.Next())
            switch (graph.Field)
            {
                case OnnxFields.Nodes:
                    ReadNode(graph.Message());
                    break;
                case OnnxFields.Constants:
                    constants.Add(Constant(graph.Message()));
                    break;
                case OnnxFields.Inputs:
                    inputs.Add(Value(graph.Message()));
                    break;
                case OnnxFields.Outputs:
                    outputs.Add(Value(graph.Message()));
                    break;
                default:
                    graph.Skip();
                    break;
            }
    }

    private void ReadOpset(ProtoReader opset)
    {
        var (domain, version) = ("", 0L);
        while (opset.Next())
            if (opset.Field == 1)
                domain = opset.String();
            else if (opset.Field == 2)
                version = opset.Int64();
            else
                opset.Skip();
        if (domain is "" or "ai.onnx")
            Opset = version;
    }

    private void ReadFunction(ProtoReader function)
    {
        var (domain, name) = ("", "");
        while (function.Next())
            switch (function.Field)
            {
                case 1:
                    name = function.String();
                    break;
                case 7:
                    ReadNode(function.Message());
                    break;
                case 10:
                    domain = function.String();
                    break;
                default:
                    function.Skip();
                    break;
            }
        functions.Add((domain, name));
    }

    private void ReadNode(ProtoReader node)
    {
        var (domain, type) = ("", "");
        List<string> from = [],
            to = [];
        while (node.Next())
            switch (node.Field)
            {
                case 1:
                    from.Add(node.String());
                    break;
                case 2:
                    to.Add(node.String());
                    break;
                case 4:
                    type = node.String();
                    break;
                case 7:
                    domain = node.String();
                    break;
                default:
                    node.Skip();
                    break;
            }
        nodes.Add(new(domain, type, from, to));
    }

    private static OnnxValue Value(ProtoReader value)
    {
        var (name, type, shape) = ("", 0, (IReadOnlyList<long>?)null);
        while (value.Next())
            if (value.Field == 1)
                name = value.String();
            else if (value.Field == 2)
                (type, shape) = Type(value.Message());
            else
                value.Skip();
        return new(name, type, shape);
    }

    private static (int Type, IReadOnlyList<long>? Shape) Type(ProtoReader type)
    {
        var (element, shape) = (0, (List<long>?)null);
        while (type.Next())
        {
            if (type.Field != 1)
            {
                type.Skip();
                continue;
            }
            for (var tensor = type.Message(); tensor.Next(); )
                if (tensor.Field == 1)
                    element = tensor.Int32();
                else if (tensor.Field == 2)
                    shape = Sides(tensor.Message());
                else
                    tensor.Skip();
        }
        return (element, shape);
    }

    private static List<long> Sides(ProtoReader shape)
    {
        List<long> sides = [];
        while (shape.Next())
        {
            if (shape.Field != 1)
            {
                shape.Skip();
                continue;
            }
            var side = -1L;
            for (var dimension = shape.Message(); dimension.Next(); )
                if (dimension.Field == 1)
                    side = dimension.Int64() is > 0 and var fixedSide ? fixedSide : -1;
                else
                    dimension.Skip();
            sides.Add(side);
        }
        return sides;
    }

    /// <summary>A constant without its numbers.</summary>
    internal static OnnxConstant Constant(ProtoReader tensor)
    {
        var (name, type, outside) = ("", 0, false);
        List<long> shape = [];
        Dictionary<string, string> place = new(StringComparer.Ordinal);
        while (tensor.Next())
            switch (tensor.Field)
            {
                case 1:
                    tensor.Numbers(shape);
                    break;
                case 2:
                    type = tensor.Int32();
                    break;
                case 8:
                    name = tensor.String();
                    break;
                case OnnxFields.ExternalData:
                    var (key, value) = Pair(tensor.Message());
                    place[key] = value;
                    break;
                case OnnxFields.DataLocation:
                    outside = tensor.Int32() == 1;
                    break;
                default:
                    tensor.Skip();
                    break;
            }
        return new(
            name,
            type,
            shape,
            outside
                ? new(
                    place.GetValueOrDefault("location", ""),
                    long.TryParse(place.GetValueOrDefault("offset"), out var offset) ? offset : 0,
                    long.TryParse(place.GetValueOrDefault("length"), out var length) ? length : null
                )
                : null
        );
    }

    private static (string Key, string Value) Pair(ProtoReader pair)
    {
        var (key, value) = ("", "");
        while (pair.Next())
            if (pair.Field == 1)
                key = pair.String();
            else if (pair.Field == 2)
                value = pair.String();
            else
                pair.Skip();
        return (key, value);
    }
}

/// <summary>Numbers of the fields in onnx.proto that are written here, too.</summary>
internal static class OnnxFields
{
    public const int Producer = 2,
        Graph = 7,
        Opset = 8,
        Notes = 14,
        Functions = 25;

    public const int Nodes = 1,
        Constants = 5,
        Inputs = 11,
        Outputs = 12;

    public const int RawData = 9,
        ExternalData = 13,
        DataLocation = 14;
}
