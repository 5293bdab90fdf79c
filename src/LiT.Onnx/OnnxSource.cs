using System.Text.Json;
using LiT.Images;
using LiT.Towers;

namespace LiT.Onnx;

/// <summary>A graph and where it comes from: a file, or the notes of another file.</summary>
internal sealed class OnnxSource
{
    private readonly byte[]? embedded;

    private OnnxSource(string path, byte[] bytes, bool inNotes)
    {
        (Path, embedded, File) = (path, inNotes ? bytes : null, OnnxFile.Parse(bytes, path));
    }

    /// <summary>The file, for messages.</summary>
    public string Path { get; }

    /// <summary>What it says of itself.</summary>
    public OnnxFile File { get; }

    /// <summary>What it is, in words: "ONNX network of 49 steps (CNTK, opset 8)".</summary>
    public string InWords
    {
        get
        {
            var producer = File.Producer.Length > 0 ? $"{File.Producer}, " : "";
            return FormattableString.Invariant(
                $"ONNX network of {File.Nodes.Count} steps ({producer}opset {File.Opset})"
            );
        }
    }

    /// <summary>Numbers of the graph's constants that are no whole numbers.</summary>
    public long WeightCount =>
        File
            .Constants.Where(constant => constant.Type is OnnxTypes.Float or OnnxTypes.Half)
            .Sum(constant => constant.Shape.Aggregate(1L, (product, side) => product * Math.Clamp(side, 0, 1 << 24)));

    /// <summary>A file's graph.</summary>
    /// <exception cref="LitException">It cannot be read, or is no network in ONNX.</exception>
    public static (OnnxSource Source, byte[] Bytes) Read(string path)
    {
        var bytes = OnnxFile.Bytes(path);
        return (new(path, bytes, inNotes: false), bytes);
    }

    /// <summary>A graph in the notes of a file.</summary>
    public static (OnnxSource Source, byte[] Bytes) Embedded(string path, byte[] bytes) =>
        (new($"{path}, the graph that prepares pictures", bytes, inNotes: true), bytes);

    /// <summary>All its bytes, read again where they are a file's.</summary>
    /// <exception cref="LitException">The file was changed since.</exception>
    public byte[] Again(string hash)
    {
        var bytes = embedded ?? OnnxFile.Bytes(Path);
        return OnnxWeights.Hash(bytes, Path) == hash
            ? bytes
            : throw new LitException(Path, "was changed since it was loaded", "Run the command again");
    }

    /// <summary>Makes the graph ready to run.</summary>
    /// <param name="bytes">All of it.</param>
    /// <param name="input">The name of the input; null where there is but one.</param>
    /// <param name="output">The name of the output, or of a value inside; null where there is but one.</param>
    /// <exception cref="LitException">It is no locked tower, or ONNX Runtime does not take it.</exception>
    public OnnxNetwork Open(byte[] bytes, string? input, string? output) =>
        OnnxNetwork.Open(File, bytes, input, output, inMemory: embedded is not null);
}

/// <summary>
/// What the files of this project say of a network in its own notes, so that one file is the whole tower:
/// <c>lit.tower</c>, <c>lit.preprocessing</c>, and <c>lit.before</c> with the graph that prepares pictures, in base64.
/// </summary>
/// <param name="Way">How pictures go through.</param>
/// <param name="Preprocessing">What makes a picture its input.</param>
/// <param name="Before">The graph that prepares pictures; null for none.</param>
internal sealed record OnnxNotes(OnnxWay Way, Preprocessing Preprocessing, byte[]? Before)
{
    private const string WayKey = "lit.tower",
        PreprocessingKey = "lit.preprocessing",
        BeforeKey = "lit.before";

    /// <summary>The notes of a file; null where it has none of this project.</summary>
    /// <exception cref="LitException">They are damaged.</exception>
    public static OnnxNotes? Of(OnnxFile file)
    {
        if (!file.Notes.TryGetValue(WayKey, out var json))
            return null;
        try
        {
            return new(
                JsonSerializer.Deserialize<OnnxWay>(json, OnnxWay.Json) ?? throw new JsonException("null"),
                Preprocessing.FromJson(file.Notes.GetValueOrDefault(PreprocessingKey, "null"), file.Path),
                file.Notes.TryGetValue(BeforeKey, out var before) ? Convert.FromBase64String(before) : null
            );
        }
        catch (Exception damage) when (damage is JsonException or NotSupportedException or FormatException)
        {
            throw new LitException(
                file.Path,
                $"the notes '{WayKey}' are damaged ({damage.Message.ReplaceLineEndings(" ").TrimEnd('.')})",
                "Copy the bundle again, or give the network that was exported",
                damage
            );
        }
    }

    /// <summary>As they stand in a file.</summary>
    public IReadOnlyDictionary<string, string> ToNotes()
    {
        Dictionary<string, string> notes = new()
        {
            [WayKey] = Way.ToJson(),
            [PreprocessingKey] = Preprocessing.ToJson(),
        };
        if (Before is not null)
            notes[BeforeKey] = Convert.ToBase64String(Before);
        return notes;
    }

    /// <summary>What was said with the command, and for the rest what the notes say.</summary>
    public OnnxOptions Completing(OnnxOptions given) =>
        given with
        {
            Input = given.Input ?? Way.Input,
            Output = given.Output ?? Way.Output,
            ChannelsLast = given.ChannelsLast ?? Way.ChannelsLast,
            Bgr = given.Bgr || Way.Bgr,
            Pooling = given.Pooling ?? (given.Output is null ? Way.Pooling : null),
            Tower =
                given.SaysPreprocessing || given.Tower.Preprocessing is not null
                    ? given.Tower
                    : given.Tower with
                    {
                        Preprocessing = ImageTowerLoader.PreprocessingOf(Preprocessing, given.Tower),
                    },
        };
}
