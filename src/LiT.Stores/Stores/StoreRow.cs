using System.Text.Encodings.Web;
using System.Text.Json;
using LiT.Data;
using LiT.Files;
using Parquet;
using Parquet.Schema;

namespace LiT.Stores;

/// <summary>One row's line of metadata/metadata_NNNN.parquet.</summary>
internal readonly record struct StoreRow(Sample Sample, EmbeddedPicture Picture, float Norm, int View)
{
    private static readonly JsonSerializerOptions Plain = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly DataField ImagePath = new("image_path", typeof(string), false),
        Caption = new("caption", typeof(string), true),
        Key = new("key", typeof(string), false),
        Captions = new("captions", typeof(string), false),
        Label = new("label", typeof(string), true),
        Width = new("width", typeof(int), false),
        Height = new("height", typeof(int), false),
        NormField = new("norm", typeof(float), false),
        Sha256 = new("sha256", typeof(string), false),
        Origin = new("origin", typeof(string), false),
        ViewField = new("view", typeof(int), false),
        Fields = new("fields", typeof(string), false),
        AddedField = new("added", typeof(string), true);

    /// <summary>When it came, in seconds, where that is not when its file is written.</summary>
    public double? Added { get; init; }

    /// <summary>Writes a shard's metadata. Equal rows give equal bytes.</summary>
    public static void Write(string path, IReadOnlyList<StoreRow> rows)
    {
        DataField[] fields =
        [
            ImagePath,
            Caption,
            Key,
            Captions,
            Label,
            Width,
            Height,
            NormField,
            Sha256,
            Origin,
            ViewField,
            Fields,
        ];
        ParquetSchema schema = new(rows.Any(row => row.Added is not null) ? [.. fields, AddedField] : fields);
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Snappy };
        AtomicFile.Write(path, stream => WriteAsync(schema, options, stream, rows).GetAwaiter().GetResult());
    }

    private static async Task WriteAsync(
        ParquetSchema schema,
        ParquetOptions options,
        Stream stream,
        IReadOnlyList<StoreRow> rows
    )
    {
        await using var writer = await ParquetWriter.CreateAsync(schema, stream, options).ConfigureAwait(false);
        using var group = writer.CreateRowGroup();
        Task Texts(DataField field, Func<StoreRow, string?> value) =>
            group.WriteAsync(field, rows.Select(value).ToArray()!);
        Task Numbers<T>(DataField field, Func<StoreRow, T> value)
            where T : struct => group.WriteAsync<T>(field, rows.Select(value).ToArray());
        await Texts(ImagePath, row => row.Sample.Origin).ConfigureAwait(false);
        await Texts(Caption, row => row.Sample.Captions.Count > 0 ? row.Sample.Captions[0] : null)
            .ConfigureAwait(false);
        await Texts(Key, row => row.Sample.Key).ConfigureAwait(false);
        await Texts(Captions, row => JsonSerializer.Serialize(row.Sample.Captions, Plain)).ConfigureAwait(false);
        await Texts(Label, row => row.Sample.Label).ConfigureAwait(false);
        await Numbers(Width, row => row.Picture.Width).ConfigureAwait(false);
        await Numbers(Height, row => row.Picture.Height).ConfigureAwait(false);
        await Numbers(NormField, row => row.Norm).ConfigureAwait(false);
        await Texts(Sha256, row => Convert.ToHexStringLower(row.Picture.Sha256)).ConfigureAwait(false);
        await Texts(Origin, row => row.Sample.Origin).ConfigureAwait(false);
        await Numbers(ViewField, row => row.View).ConfigureAwait(false);
        await Texts(Fields, row => FieldsOf(row.Sample)).ConfigureAwait(false);
        if (schema.Fields.Contains(AddedField))
            await Texts(AddedField, row => row.Added is { } seconds ? Dates.Exact(seconds) : null)
                .ConfigureAwait(false);
        group.CompleteValidate();
    }

    private static string FieldsOf(Sample sample) =>
        sample.Fields.Count == 0
            ? "{}"
            : JsonSerializer.Serialize(
                new SortedDictionary<string, string>(sample.Fields.ToDictionary(), StringComparer.Ordinal),
                Plain
            );
}
