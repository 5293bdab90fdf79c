using System.Text.Json;
using LiT.Files;
using Parquet;
using Parquet.Schema;

namespace LiT.Data;

/// <summary>
/// Rows of Parquet files: Hugging Face's image column {bytes, path}, img2dataset's columns, or a column of paths. One
/// row group is in memory at a time.
/// </summary>
internal sealed class ParquetSamples(IReadOnlyList<string> files, SampleOptions options) : SampleSource
{
    public override string Form => "Parquet";

    public override IReadOnlyList<string>? Classes => options.Classes ?? classes;

    public override long? KnownCount => knownCount;

    public override IReadOnlyList<string> PassedOver => passedOver.Phrases;

    private readonly PassedOver passedOver = new();
    private IReadOnlyList<string>? classes;
    private long? knownCount;

    /// <summary>
    /// Reads the files' footers: how many rows there are, and the names of the classes if the data set has them.
    /// </summary>
    /// <exception cref="LitException">No file of these can be read, or the image column cannot be told.</exception>
    public ParquetSamples Checked()
    {
        var troubles = new List<string>();
        var bytesAreWrong = false;
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
            {
                troubles.Add($"{file}: {trouble}");
                bytesAreWrong |= trouble.StartsWith(Damaged, StringComparison.Ordinal);
            }
        }
        if (troubles.Count == files.Count)
            throw new LitException(
                $"{troubles[0]}.{(bytesAreWrong ? " Copy the file again." : " Write it again with plain columns.")}"
            );
        if (troubles.Count > 0)
            knownCount = null;
        return this;
    }

    /// <summary>
    /// Whether some files have a column with pictures, and not only addresses or results beside them.
    /// </summary>
    public static bool HoldPictures(IReadOnlyList<string> files, SampleOptions options)
    {
        try
        {
            _ = new ParquetSamples(files, options) { Path = files[0] }.Checked();
            return true;
        }
        catch (LitException)
        {
            return false;
        }
    }

    public override IEnumerable<Sample> Read(Action<Skipped> skip)
    {
        passedOver.Clear();
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
            foreach (var column in columns!.Unused)
                passedOver.Add("columns", column);
            foreach (var column in table!.LeftOut)
                passedOver.Add("columns of a kind that is not known", column);
            var firstRow = 0L;
            for (var g = 0; g < table!.RowGroups; g++)
            {
                RowGroup? group = null;
                long count = 0;
                trouble = Guarded(file, () =>
                {
                    using var rows = table.Group(g);
                    count = rows.RowCount;
                    group = new(rows, columns!, passedOver);
                });
                if (trouble is not null && count > Linked.Length(file))
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
            throw new LitException(Path, "has no rows", "Check the file");
    }

    private const string Damaged = "cannot be read as Parquet";

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
        catch (NotSupportedException strange)
        {
            return $"holds what is not read ({strange.Message.ReplaceLineEndings(" ").TrimEnd('.')})";
        }
        catch (Exception damage) // also OutOfMemoryException: of a damaged length
        {
            return $"{Damaged} ({damage.Message.ReplaceLineEndings(" ").TrimEnd('.')})";
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
                // A member of a column is named with points between: sentences.raw.
                var column = wanted is not null && !names.Contains(wanted) ? wanted.Split('.')[0] : wanted;
                var at = column is null ? UsualNames.In(names, usual) : UsualNames.Wanted(names, column);
                if (column is not null && at < 0)
                    throw new LitException(
                        file,
                        $"no column {wanted}; the columns are {string.Join(", ", names)}",
                        "Give one of these"
                    );
                return at < 0 ? null : names[at];
            }
            DataField? Of(string? column, Func<DataField, bool> fits) =>
                column is null
                    ? null
                    : Array.Find(all, field =>
                        field.Path.FirstPart == column && field.MaxRepetitionLevel == 0 && fits(field)
                    );
            bool AreBytes(DataField field) => field.ClrType == typeof(ReadOnlyMemory<byte>);
            bool IsText(DataField field) => field.ClrType == typeof(ReadOnlyMemory<char>);
            var image = Pick(options.ImageColumn, UsualNames.Images) ?? StructOfPictures(all);
            if (options.ImageColumn is null && Of(image, AreBytes) is null && StructOfPictures(all) is { } holder)
                image = holder; // the bytes count before a path beside them
            Bytes = Of(image, AreBytes);
            Paths = Of(image, IsText);
            if (Bytes is null && Paths is null)
                throw new LitException(
                    options.ImageColumn is { } given
                        ? $"{file}: no column holds pictures under the name {given}, neither bytes nor "
                            + "paths; the columns are "
                            + $"{string.Join(", ", names)}. Give one that does."
                        : NoPictures(file, names)
                );
            Caption = Leaf(
                all,
                Pick(options.CaptionColumn, UsualNames.Captions),
                options.CaptionColumn,
                UsualNames.Captions,
                file,
                "`CaptionColumn`"
            );
            Label = Leaf(
                all,
                Pick(options.LabelColumn, UsualNames.Labels),
                options.LabelColumn,
                UsualNames.Labels,
                file,
                "`LabelColumn`"
            );
            if (Label is { MaxRepetitionLevel: > 0 })
                Label = null;
            Key = Of("key", _ => true);
            Status = Of("error_message", _ => true);
            DataField?[] taken = [Bytes, Paths, Caption, Label, Key];
            Others =
            [
                .. all.Where(field =>
                    field.MaxRepetitionLevel == 0
                    && !AreBytes(field)
                    && !taken.Contains(field)
                    && field.Path.FirstPart != image
                ),
            ];
            Unused =
            [
                .. all.Where(field =>
                        !taken.Contains(field) && !Others.Contains(field) && field.Path.FirstPart != image
                    )
                    .Select(field => NameOf(field))
                    .Distinct(),
            ];
        }

        private static string NoPictures(string file, string[] names) =>
            $"{file}: no column holds pictures; the columns are {string.Join(", ", names)}. "
            + (
                UsualNames.In(names, UsualNames.Addresses) >= 0
                    ? "It is a list of addresses: fetch the pictures first (lit data download), or say which "
                        + "column with `ImageColumn`."
                    : "Say which with `ImageColumn`."
            );

        /// <summary>A column that holds pictures by its members, bytes and path, whatever it is called.</summary>
        private static string? StructOfPictures(DataField[] all) =>
            all.Where(field => field.MaxRepetitionLevel == 0 && field.Path.ToList() is [_, "bytes"])
                .Select(field => field.Path.FirstPart)
                .FirstOrDefault(column =>
                    Array.Exists(all, field => field.Path.FirstPart == column && field.Path.ToList() is [_, "path"])
                );

        /// <summary>
        /// The one member of a column that holds what is wanted. A column without members is its own.
        /// </summary>
        private static DataField? Leaf(
            DataField[] all,
            string? column,
            string? wanted,
            string[] usual,
            string file,
            string option
        )
        {
            if (column is null)
                return null;
            var leaves = Array.FindAll(all, field => field.Path.FirstPart == column);
            if (wanted is not null && Array.Find(leaves, leaf => NameOf(leaf) == wanted) is { } exact)
                return exact;
            if (leaves is [var only] && (wanted is null || wanted == column || !wanted.Contains('.')))
                return only;
            string[] members = [.. leaves.Select(leaf => NameOf(leaf).Split('.')[^1])];
            if (UsualNames.In(members, usual) is >= 0 and var at && wanted?.Contains('.') != true)
                return leaves[at];
            throw new LitException(
                $"{file}: column {column} has the members {string.Join(", ", leaves.Select(NameOf))}. Say which "
                    + $"is meant with {option} {NameOf(leaves[0])}, or another of them."
            );
        }

        /// <summary>
        /// A leaf's name without the steps that a list is made of: sentences.list.element.raw is sentences.raw.
        /// </summary>
        private static string NameOf(DataField field)
        {
            var parts = field.Path.ToList();
            return string.Join(
                '.',
                parts.Where((part, i) => i == 0 || part is not ("list" or "element" or "item" or "array" or "bag"))
            );
        }

        public DataField? Bytes { get; }
        public DataField? Paths { get; }
        public DataField? Caption { get; }
        public DataField? Label { get; }
        public DataField? Key { get; }
        public DataField? Status { get; }
        public DataField[] Others { get; }

        /// <summary>Columns that are not read.</summary>
        public string[] Unused { get; }
    }

    /// <summary>One row group's columns, read.</summary>
    private sealed class RowGroup(ParquetGroup group, Columns columns, PassedOver passedOver)
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
        private readonly (string Name, string?[] Values)[] others = Others(group, columns, passedOver);

        /// <summary>
        /// The columns that go along; one of a kind that is not known is passed over, since nobody asked for it.
        /// </summary>
        private static (string, string?[])[] Others(ParquetGroup group, Columns columns, PassedOver passedOver)
        {
            List<(string, string?[])> read = [];
            foreach (var field in columns.Others)
            {
                try
                {
                    read.Add((field.Path.ToString(), group.Texts(field)));
                }
                catch (Exception trouble) when (trouble is not LitException)
                {
                    passedOver.Add("columns that cannot be read", field.Path.ToString());
                }
            }
            return [.. read];
        }

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

    /// <summary>
    /// A column as a field; a column "fields" is a JSON object of several, as this product writes them.
    /// </summary>
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
            foreach (var name in options.LabelColumn is { } wanted ? [wanted] : UsualNames.Labels)
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
