using System.Text.Json;
using Parquet;
using Parquet.Schema;

namespace LiT.Data;

/// <summary>
/// Rows of Parquet files: Hugging Face's image column {bytes, path}, img2dataset's columns, or a column of paths. One row
/// group is in memory at a time.
/// </summary>
internal sealed class ParquetSamples(IReadOnlyList<string> files, SampleOptions options) : SampleSource
{
    private static readonly string[] ImageNames =
    [
        "image",
        "img",
        "jpg",
        "jpeg",
        "png",
        "webp",
        "image_bytes",
        "picture",
        "file_name",
        "image_path",
        "filepath",
        "path",
    ];
    private static readonly string[] CaptionNames = ["caption", "captions", "text", "texts", "sentences"];
    private static readonly string[] LabelNames = ["label", "class"];

    public override string Form => "Parquet";

    public override IReadOnlyList<string>? Classes => options.Classes ?? classes;

    public override long? KnownCount => knownCount;

    private IReadOnlyList<string>? classes;
    private long? knownCount;

    /// <summary>Reads the files' footers: how many rows there are, and the names of the classes if the data set has them.</summary>
    /// <exception cref="LitException">No file of these can be read, or the image column cannot be told.</exception>
    public ParquetSamples Checked()
    {
        var troubles = new List<string>();
        knownCount = 0;
        foreach (var file in files)
        {
            var trouble = Guarded(file, () =>
            {
                using var table = new ParquetTable(file);
                _ = new Columns(table.Reader, file, options);
                classes ??= HuggingFaceClasses(table.Reader, options);
                knownCount += table.Reader.Metadata?.NumRows;
            });
            if (trouble is not null)
                troubles.Add($"{file}: {trouble}");
        }
        if (troubles.Count == files.Count)
            throw new LitException($"{troubles[0]}. Copy the file again.");
        if (troubles.Count > 0)
            knownCount = null;
        return this;
    }

    public override IEnumerable<Sample> Read(Action<Skipped> skip)
    {
        var seen = new SeenKeys();
        var names = Patterns.ShortNames(files);
        var found = false;
        for (var i = 0; i < files.Count; i++)
        {
            var (file, name) = (files[i], names[i]);
            ParquetTable? opened = null;
            Columns? columns = null;
            var trouble = Guarded(file, () => columns = new((opened = new(file)).Reader, file, options));
            using var table = opened;
            if (trouble is not null)
            {
                skip(new("", name, trouble));
                continue;
            }
            var firstRow = 0L;
            for (var g = 0; g < table!.RowGroups; g++)
            {
                RowGroup? group = null;
                long count = 0;
                trouble = Guarded(file, () =>
                {
                    using var rows = table.Group(g);
                    count = rows.RowCount;
                    group = new(rows, columns!);
                });
                if (trouble is not null && count > new FileInfo(file).Length)
                    count = 1; // a number of rows that the file cannot hold
                for (var row = 0; row < count; row++)
                {
                    found = true;
                    var origin = $"{name}, row {firstRow + row}";
                    if (trouble is not null)
                        skip(new("", origin, trouble));
                    else if (
                        group!.Sample(
                            row,
                            $"{name}/{firstRow + row}",
                            origin,
                            file,
                            i,
                            seen,
                            options with
                            {
                                Classes = Classes,
                            },
                            skip
                        ) is
                        { } sample
                    )
                        yield return sample;
                }
                firstRow += count;
            }
        }
        if (!found)
            throw new LitException($"{Path}: has no rows. Check the file.");
    }

    /// <summary>Runs what may fail on a damaged file, and gives the reason in words.</summary>
    private static string? Guarded(string file, Action read)
    {
        try
        {
            read();
            return null;
        }
        catch (LitException)
        {
            throw;
        }
        catch (Exception damage) // also OutOfMemoryException: of a damaged length
        {
            return $"cannot be read as Parquet ({damage.Message.ReplaceLineEndings(" ").TrimEnd('.')})";
        }
    }

    /// <summary>Which column is what.</summary>
    private sealed class Columns
    {
        public Columns(ParquetReader reader, string file, SampleOptions options)
        {
            var all = reader.Schema.DataFields;
            string[] names = [.. reader.Schema.Fields.Select(field => field.Name)];
            string? Pick(string? wanted, string[] usual)
            {
                if (wanted is not null && !names.Contains(wanted))
                    throw new LitException(
                        $"{file}: no column {wanted}; the columns are {string.Join(", ", names)}. Give one of these."
                    );
                return wanted ?? Array.Find(usual, names.Contains);
            }
            var image = Pick(options.ImageColumn, ImageNames);
            DataField? Of(string? column, Func<DataField, bool> fits) =>
                column is null
                    ? null
                    : Array.Find(all, field =>
                        field.Path.FirstPart == column && field.MaxRepetitionLevel == 0 && fits(field)
                    );
            Bytes = Of(image, field => field.ClrType == typeof(ReadOnlyMemory<byte>));
            Paths = Of(image, field => field.ClrType == typeof(ReadOnlyMemory<char>));
            if (Bytes is null && Paths is null)
                throw new LitException(
                    $"{file}: no column holds pictures; the columns are {string.Join(", ", names)}. Say which with --image-column."
                );
            var caption = Pick(options.CaptionColumn, CaptionNames);
            Caption = Array.Find(all, field => field.Path.FirstPart == caption);
            Label = Of(Pick(options.LabelColumn, LabelNames), _ => true);
            Key = Of("key", _ => true);
            Status = Of("error_message", _ => true);
            DataField?[] taken = [Bytes, Paths, Caption, Label, Key];
            Others =
            [
                .. all.Where(field =>
                    field.MaxRepetitionLevel == 0
                    && field.ClrType != typeof(ReadOnlyMemory<byte>)
                    && !taken.Contains(field)
                    && field.Path.FirstPart != image
                ),
            ];
        }

        public DataField? Bytes { get; }
        public DataField? Paths { get; }
        public DataField? Caption { get; }
        public DataField? Label { get; }
        public DataField? Key { get; }
        public DataField? Status { get; }
        public DataField[] Others { get; }
    }

    /// <summary>One row group's columns, read.</summary>
    private sealed class RowGroup(ParquetGroup group, Columns columns)
    {
        private readonly byte[]?[]? bytes = columns.Bytes is { } field ? group.Bytes(field) : null;
        private readonly string?[]? paths = Texts(group, columns.Paths),
            labels = Texts(group, columns.Label);
        private readonly string?[]? keys = Texts(group, columns.Key),
            status = Texts(group, columns.Status);
        private readonly string?[]? captions = columns.Caption is { MaxRepetitionLevel: 0 } field
            ? group.Texts(field)
            : null;
        private readonly List<string?>[]? captionLists = columns.Caption is { MaxRepetitionLevel: > 0 } field
            ? group.Lists(field)
            : null;
        private readonly (string Name, string?[] Values)[] others =
        [
            .. columns.Others.Select(field => (field.Path.ToString(), group.Texts(field))),
        ];

        private static string?[]? Texts(ParquetGroup group, DataField? field) =>
            field is null ? null : group.Texts(field);

        public Sample? Sample(
            int row,
            string numbered,
            string origin,
            string file,
            int shard,
            SeenKeys seen,
            SampleOptions options,
            Action<Skipped> skip
        )
        {
            var key = keys?[row] ?? numbered;
            void Skip(string reason) => skip(new(Pictures.OneLine(key), origin, reason));
            if (Pictures.Refusal(key) is { } refusal)
            {
                Skip(refusal);
                return null;
            }
            var image = bytes?[row];
            var read = () => image!;
            if (bytes is not null)
                bytes[row] = null; // the sample holds it now, and nobody after it
            if (image is null or { Length: 0 })
            {
                if (paths?[row] is not { Length: > 0 } path)
                {
                    Skip(status?[row] is { Length: > 0 } why ? $"no picture ({why})" : "no picture (null)");
                    return null;
                }
                var root = System.IO.Path.GetFullPath(
                    options.ImageRoot ?? System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!
                );
                if (Places.Find(root, path, options, out var full) is { } trouble)
                {
                    Skip(trouble);
                    return null;
                }
                read = () => Pictures.Bytes(full);
            }
            else if (image.Length > options.ImageLimit)
            {
                Skip($"a picture of {image.Length:N0} bytes where at most {options.ImageLimit:N0} are read");
                return null;
            }
            if (!seen.TryAdd(key, shard, out _))
            {
                Skip("duplicate key");
                return null;
            }
            var draft = new SampleDraft(key, origin, options);
            if (captions is not null)
                draft.AddCaption(captions[row]);
            foreach (var caption in captionLists?[row] ?? [])
                draft.AddCaption(caption);
            draft.SetLabel(labels?[row]);
            foreach (var (name, values) in others)
                if (values[row] is { Length: > 0 } value)
                    SetFields(draft, name, value);
            return draft.Finish(read, skip);
        }
    }

    /// <summary>A column as a field; a column "fields" is a JSON object of several, as this product writes them.</summary>
    private static void SetFields(SampleDraft draft, string name, string value)
    {
        if (name == "fields" && value.StartsWith('{'))
        {
            try
            {
                foreach (var (inner, text) in JsonSerializer.Deserialize<Dictionary<string, string>>(value)!)
                    draft.SetField(inner, text);
                return;
            }
            catch (JsonException)
            {
                // Somebody else's column of that name.
            }
        }
        draft.SetField(name, value);
    }

    /// <summary>The names of a ClassLabel feature, which Hugging Face keeps in the file's own metadata.</summary>
    private static List<string>? HuggingFaceClasses(ParquetReader reader, SampleOptions options)
    {
        if (!reader.CustomMetadata.TryGetValue("huggingface", out var text))
            return null;
        try
        {
            using var json = JsonDocument.Parse(text);
            var features = json.RootElement.GetProperty("info").GetProperty("features");
            foreach (var name in options.LabelColumn is { } wanted ? [wanted] : LabelNames)
                if (features.TryGetProperty(name, out var feature) && feature.TryGetProperty("names", out var names))
                    return [.. names.EnumerateArray().Select(value => value.GetString() ?? "")];
        }
        catch (Exception unknown) when (unknown is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            // Another program's note; without it the labels stay numbers.
        }
        return null;
    }
}
