using LiT.Files;

namespace LiT.Onnx;

/// <summary>
/// What an ONNX file may hold that is no locked tower, said in words before a runtime fails in its own.
/// </summary>
internal static class NoTower
{
    private static readonly HashSet<string> ControlFlow = ["If", "Loop", "Scan", "SequenceMap"];

    // Operators that ONNX Runtime brings along, beside ONNX's own.
    private static readonly HashSet<string> Domains = ["", "ai.onnx", "ai.onnx.ml", "com.microsoft"];

    private static readonly HashSet<string> Bytes =
    [
        "QuantizeLinear",
        "DequantizeLinear",
        "DynamicQuantizeLinear",
        "QLinearConv",
        "QLinearMatMul",
        "ConvInteger",
        "MatMulInteger",
        "DynamicQuantizeMatMul",
        "MatMulIntegerToFloat",
        "DynamicQuantizeLSTM",
        "QAttention",
        "QGemm",
        "QEmbedLayerNormalization",
        "QOrderedMatMul",
        "MatMulNBits",
        "MatMulBnb4",
        "GatherBlockQuantized",
    ];

    /// <summary>
    /// Refuses networks that a runtime cannot run, and those whose numbers differ between processors.
    /// </summary>
    /// <exception cref="LitException">It is one of them.</exception>
    public static void Check(OnnxFile file)
    {
        foreach (var node in file.Nodes)
        {
            if (ControlFlow.Contains(node.Type) && Domains.Contains(node.Domain))
                throw new LitException(
                    file.Path,
                    $"has control flow (the operator {node.Type}), so what is computed depends on what goes in",
                    "Export it by tracing one example, or simplify the graph until the operator is gone"
                );
            if (Bytes.Contains(node.Type) || node.Type.StartsWith("QLinear", StringComparison.Ordinal))
                throw new LitException(
                    file.Path,
                    $"is quantised (the operator {node.Type}), and what it gives differs between processors",
                    "Give the float32 network that it was made from"
                );
            if (!Domains.Contains(node.Domain) && !file.Functions.Contains((node.Domain, node.Type)))
                throw new LitException(
                    file.Path,
                    $"needs the operator {node.Type} of {node.Domain}, which is none of ONNX or ONNX Runtime",
                    "Export it with ONNX's own operators"
                );
        }
        foreach (var constant in file.Constants)
            if (constant.External is { } external)
                CheckThere(file.Path, constant, external);
    }

    /// <summary>The file in which a constant lies.</summary>
    internal static string PathOf(string path, ExternalBytes external) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, external.Location);

    private static void CheckThere(string path, OnnxConstant constant, ExternalBytes external)
    {
        const string Remedy = "Put all files of the export into one folder";
        if (Inside.Refusal(Path.GetDirectoryName(Path.GetFullPath(path))!, external.Location) is { } refusal)
            throw new LitException(
                path,
                Place.Tensor(constant.Name),
                $"lies in {external.Location}, which {refusal}",
                Remedy
            );
        var there = new FileInfo(PathOf(path, external));
        if (!there.Exists)
            throw new LitException(path, $"keeps its weights in {external.Location}, which is not beside it", Remedy);
        var length = Linked.Length(there.FullName);
        if (
            external.Offset < 0
            || external.Offset > length
            || external.Length is < 0
            || external.Length > length - external.Offset
        )
            throw new LitException(
                there.FullName,
                $"has {length} bytes, and {constant.Name} lies behind its end",
                "It is cut off, or another export's: copy it again"
            );
    }

    /// <summary>The input that takes pictures.</summary>
    /// <exception cref="LitException">There is none, there are several, or it takes something else beside
    /// them.</exception>
    public static OnnxValue InputOf(OnnxFile file, string? named)
    {
        if (named is not null && file.Inputs.All(input => input.Name != named))
            throw new LitException(file.Path, $"has no input '{named}'", $"Its inputs are {Listed(file.Inputs)}");
        var pictures = file.Inputs.Where(IsForPictures).ToList();
        var input = named is null ? null : file.Inputs.First(input => input.Name == named);
        if (input is null && pictures.Count == 0)
            throw NotForPictures(file);
        if (input is null && pictures.Count > 1)
            throw new LitException(
                file.Path,
                $"has {pictures.Count} inputs that could take pictures: {Listed(pictures)}",
                $"Name one, as in {Path.GetFileName(file.Path)}:input={pictures[0].Name}"
            );
        input ??= pictures[0];
        if (!IsForPictures(input))
            throw new LitException(
                file.Path,
                $"its input {input} takes no pictures, which are four-sided and of float32, float16 or uint8",
                $"Its inputs are {Listed(file.Inputs)}"
            );
        var others = file.Inputs.Where(other => other.Name != input.Name).ToList();
        return others.Count == 0
            ? input
            : throw new LitException(
                file.Path,
                $"takes {Listed(others)} beside the pictures ({input})",
                "Export the image tower alone, with pictures as its only input"
            );
    }

    /// <summary>The value that is the representation.</summary>
    /// <exception cref="LitException">It is not there, or there are several.</exception>
    public static OnnxValue OutputOf(OnnxFile file, string? named)
    {
        if (named is not null)
            return ValueOf(file, named);
        if (file.Outputs is [var only])
            return only;
        return Named("last_hidden_state", "pooler_output")
            ?? Named("image_embeds", "last_hidden_state")
            ?? throw NoOutput(file);

        // As exporters of Hugging Face's models call them: what is used of the two is known.
        OnnxValue? Named(string used, string beside) =>
            file.Outputs.Count == 2 && file.Outputs.Any(output => output.Name == beside)
                ? file.Outputs.FirstOrDefault(output => output.Name == used)
                : null;
    }

    /// <summary>An output, or any value inside the network, by its name.</summary>
    /// <exception cref="LitException">There is none of that name.</exception>
    internal static OnnxValue ValueOf(OnnxFile file, string named) =>
        file.Outputs.FirstOrDefault(output => output.Name == named)
        ?? (
            file.Nodes.Any(node => node.Outputs.Contains(named))
                ? new(named, 0, null)
                : throw new LitException(
                    file.Path,
                    $"gives no value '{named}'",
                    $"Its outputs are {Listed(file.Outputs)}; any value inside the network can be named, too"
                )
        );

    /// <summary>What to say where no output is known to be the representation.</summary>
    internal static LitException NoOutput(OnnxFile file) =>
        file.Outputs.Count == 0
            ? new(file.Path, "has no output", "Export it again")
            : new(
                file.Path,
                $"has {file.Outputs.Count} outputs: {Listed(file.Outputs)}",
                $"Name the representation, as in {Path.GetFileName(file.Path)}:output={file.Outputs[0].Name}"
            );

    internal static bool IsForPictures(OnnxValue input) =>
        OnnxTypes.IsForPictures(input.Type) && input.Shape is null or { Count: 4 };

    private static LitException NotForPictures(OnnxFile file)
    {
        if (file.Inputs.Any(input => input.Type is OnnxTypes.Int64 or OnnxTypes.Int32 && input.Shape is { Count: 2 }))
            return new(
                file.Path,
                $"is a text model: it takes {Listed(file.Inputs)}",
                "Give a network that takes pictures; this one can be the locked text tower: give it as `TextTower`"
            );
        var wrong = file.Inputs.FirstOrDefault(input => input.Shape is { Count: 4 });
        return wrong is not null && OnnxTypes.Name(wrong.Type) is { } type
            ? new(
                file.Path,
                $"its input {wrong} takes {type}",
                "Export it in float32 or float16, or with pictures of uint8"
            )
            : new(
                file.Path,
                file.Inputs.Count == 0
                    ? "has no input"
                    : $"takes no pictures, which are four-sided: its inputs are {Listed(file.Inputs)}",
                "Give a network that takes [batch, 3, height, width] or [batch, height, width, 3]"
            );
    }

    internal static string Listed(IEnumerable<OnnxValue> values) =>
        string.Join(", ", values.Take(6)) + (values.Count() > 6 ? " and others" : "");
}

/// <summary>Numbers of element types in ONNX, as far as they are told apart here.</summary>
internal static class OnnxTypes
{
    public const int Float = 1,
        UInt8 = 2,
        Int32 = 6,
        Int64 = 7,
        Bool = 9,
        Half = 10;

    /// <summary>Whether pictures can be given in it.</summary>
    public static bool IsForPictures(int type) => type is Float or Half or UInt8;

    /// <summary>Whether a mask can be given in it.</summary>
    public static bool IsForMasks(int type) => type is Int64 or Int32 or Float or Bool;

    /// <summary>How the type is called; null for one that is not known.</summary>
    public static string? Name(int type) =>
        type switch
        {
            Float => "float32",
            UInt8 => "uint8",
            3 => "int8",
            4 => "uint16",
            5 => "int16",
            Int32 => "int32",
            Int64 => "int64",
            8 => "text",
            Bool => "bool",
            Half => "float16",
            11 => "float64",
            16 => "bfloat16",
            _ => null,
        };
}
