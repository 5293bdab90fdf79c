using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Files;

namespace LiT.Curation;

/// <summary>How a data set is written.</summary>
internal enum SampleForm
{
    /// <summary>Archives 00000.tar … (.jpg, .txt, .json).</summary>
    WebDataset,

    /// <summary>Files 00000.parquet … with Hugging Face's image column {bytes, path} and lists of captions.</summary>
    Parquet,

    /// <summary>Pictures in folders and metadata.jsonl, Hugging Face's ImageFolder.</summary>
    Folder,
}

/// <summary>data_set.json: what made a written data set, and while it is incomplete its journal.</summary>
/// <param name="Made">Verb, source and options; a run with others is refused.</param>
/// <param name="Complete">Whether the whole source is in.</param>
/// <param name="Counts">As of the last whole shard, or of the end.</param>
/// <param name="Shards">Whole shards.</param>
/// <param name="Lengths">Lengths of the files of lines at that point.</param>
/// <param name="State">What the one who writes wants to find again.</param>
internal sealed record DataSetFile(
    JsonObject Made,
    bool Complete,
    WrittenCounts Counts,
    int Shards,
    IReadOnlyList<long> Lengths,
    JsonNode? State
)
{
    public const string Name = "data_set.json";
    private const string Format = "LiT data set";
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public void Write(string folder)
    {
        var json = new JsonObject
        {
            ["format"] = Format,
            ["version"] = 1,
            ["complete"] = Complete,
            ["made"] = Made.DeepClone(),
            ["found"] = Counts.Found,
            ["written"] = Counts.Written,
            ["rejected"] = Counts.Rejected,
            ["noted"] = Counts.Noted,
            ["shards"] = Shards,
        };
        if (!Complete)
            json["journal"] = new JsonObject
            {
                ["lengths"] = new JsonArray([.. Lengths.Select(length => (JsonNode)length)]),
                ["state"] = State?.DeepClone(),
            };
        else if (State is not null)
            json["result"] = State.DeepClone();
        AtomicFile.WriteAllText(Path.Combine(folder, Name), json.ToJsonString(Indented) + "\n");
    }

    /// <summary>Reads a folder's file, or gives null where there is none.</summary>
    /// <exception cref="LitException">It is damaged or something else.</exception>
    public static DataSetFile? Read(string folder)
    {
        var path = Path.Combine(folder, Name);
        if (!File.Exists(path))
            return null;
        try
        {
            var json = JsonNode.Parse(File.ReadAllBytes(path))!.AsObject();
            if ((string?)json["format"] != Format || (int)json["version"]! != 1)
                throw new FormatException("another format or version");
            var complete = (bool)json["complete"]!;
            var journal = complete ? null : json["journal"]!.AsObject();
            return new(
                (JsonObject)json["made"]!,
                complete,
                new((long)json["written"]!, (long)json["rejected"]!, (long)json["noted"]!),
                (int)json["shards"]!,
                complete ? [] : [.. journal!["lengths"]!.AsArray().Select(length => (long)length!)],
                complete ? json["result"] : journal!["state"]
            );
        }
        catch (Exception damage)
            when (damage
                    is JsonException
                        or InvalidOperationException
                        or FormatException
                        or NullReferenceException
                        or InvalidCastException
            )
        {
            throw new LitException(
                path,
                $"damaged ({damage.Message.ReplaceLineEndings(" ").TrimEnd('.')})",
                "Delete the folder and begin anew",
                damage
            );
        }
    }
}

/// <summary>
/// What became of everything that a source holds. <see cref="Found"/> = <see cref="Written"/> + <see cref="Rejected"/>.
/// </summary>
/// <param name="Written">Samples in the new data set.</param>
/// <param name="Rejected">Samples left out, each a line of rejected.jsonl.</param>
/// <param name="Noted">Samples written without a part of them, each a line of notes.jsonl.</param>
internal sealed record WrittenCounts(long Written, long Rejected, long Noted)
{
    /// <summary>Samples that the source holds.</summary>
    public long Found => Written + Rejected;
}
