using System.Diagnostics.CodeAnalysis;
using LiT.Data;
using LiT.Files;
using Parquet;
using Parquet.Serialization;

namespace LiT.Curation;

/// <summary>A row of a Parquet file as Hugging Face lays it out; the names are the columns'.</summary>
[SuppressMessage("Style", "IDE1006:Naming Styles", Justification = "The names are the columns'.")]
[SuppressMessage(
    "Performance",
    "CA1812:Avoid uninstantiated internal classes",
    Justification = "Made by the serializer."
)]
internal sealed class HuggingFaceRow
{
    /// <summary>The picture's column.</summary>
    internal sealed class Picture
    {
        public byte[]? bytes { get; set; }

        public string? path { get; set; }
    }

    public Picture? image { get; set; }

    public List<string>? caption { get; set; }

    public string? label { get; set; }

    public string? key { get; set; }

    /// <summary>The other fields as a JSON object.</summary>
    public string? fields { get; set; }

    public static HuggingFaceRow Of(Sample sample, byte[] image, string name) =>
        new()
        {
            image = new() { bytes = image, path = name + SampleTar.Extension(image) },
            caption = [.. sample.Captions],
            label = sample.Label,
            key = sample.Key,
            fields =
                sample.Fields.Count == 0
                    ? null
                    : System.Text.Encoding.UTF8.GetString(
                        JournalLines.Line(
                            new SortedDictionary<string, string>(sample.Fields.ToDictionary(), StringComparer.Ordinal)
                        )
                    ),
        };

    /// <summary>Writes a file, whole or not at all.</summary>
    /// <exception cref="LitException">The disk is full.</exception>
    public static void Write(string path, IReadOnlyList<HuggingFaceRow> rows) =>
        AtomicFile.Write(path, stream =>
            ParquetSerializer
                .SerializeAsync(rows, stream, new ParquetOptions { CompressionMethod = CompressionMethod.Snappy })
                .GetAwaiter()
                .GetResult()
        );
}
