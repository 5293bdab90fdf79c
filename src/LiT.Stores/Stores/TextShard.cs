using System.Globalization;
using LiT.Data;
using LiT.Files;
using Parquet;
using Parquet.Schema;

namespace LiT.Stores;

/// <summary>One caption of one picture.</summary>
/// <param name="Key">The picture's.</param>
/// <param name="Text">What is said of it.</param>
/// <param name="Language">A code such as de; null where nobody said it.</param>
internal readonly record struct TextRow(string Key, string Text, string? Language);

/// <summary>
/// The two files of one shard of a text store, named as clip-retrieval and autofaiss name them:
/// <c>text_emb/text_emb_0000.npy</c> and <c>metadata/metadata_0000.parquet</c>.
/// </summary>
internal static class TextShard
{
    private static readonly DataField Key = new("key", typeof(string), false),
        Text = new("text", typeof(string), false),
        Language = new("language", typeof(string), true),
        Norm = new("norm", typeof(float), false);

    public static string RowsPath(string folder, int number) =>
        Path.Combine(folder, "text_emb", $"text_emb_{Digits(number)}.npy");

    public static string MetadataPath(string folder, int number) =>
        Path.Combine(folder, "metadata", $"metadata_{Digits(number)}.parquet");

    /// <summary>The numbers of the shards of which a file lies in a folder, sorted.</summary>
    public static IReadOnlyList<int> In(string folder) =>
        [
            .. new[] { ("text_emb", "*.npy"), ("metadata", "*.parquet") }
                .Select(part => (Folder: Path.Combine(folder, part.Item1), Pattern: part.Item2))
                .Where(part => Directory.Exists(part.Folder))
                .SelectMany(part => Directory.EnumerateFiles(part.Folder, part.Pattern))
                .Select(file => Path.GetFileNameWithoutExtension(file).Split('_')[^1])
                .Select(digits =>
                    int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1
                )
                .Where(number => number >= 0)
                .Distinct()
                .Order(),
        ];

    /// <summary>Writes a shard; it is there when its metadata are. Equal rows give equal bytes.</summary>
    /// <exception cref="LitException">The disk is full, or the folder cannot be written to.</exception>
    public static void Write(
        string folder,
        int number,
        (StoredType Type, int Size) shape,
        IReadOnlyList<TextRow> rows,
        float[] norms,
        byte[] numbers
    )
    {
        AtomicFile.Write(RowsPath(folder, number), stream =>
        {
            stream.Write(NpyFile.Head(shape.Type, rows.Count, shape.Size));
            stream.Write(numbers);
        });
        ParquetSchema schema = new(Key, Text, Language, Norm);
        ParquetOptions options = new() { CompressionMethod = CompressionMethod.Snappy };
        AtomicFile.Write(MetadataPath(folder, number), stream =>
            WriteAsync(schema, options, stream, rows, norms).GetAwaiter().GetResult()
        );
    }

    /// <summary>Reads what is said of a shard's rows.</summary>
    /// <exception cref="LitException">The file is missing, damaged, or lacks a column.</exception>
    public static (TextRow[] Rows, float[] Norms) Read(string folder, int number)
    {
        var path = MetadataPath(folder, number);
        try
        {
            using ParquetTable table = new(path);
            List<TextRow> rows = [];
            List<float> norms = [];
            for (var g = 0; g < table.RowGroups; g++)
            {
                using var group = table.Group(g);
                var (keys, texts, languages) = (Column(Key.Name), Column(Text.Name), Column(Language.Name));
                var norm = table.Reader.Schema.DataFields.FirstOrDefault(field => field.Name == Norm.Name);
                norms.AddRange(
                    norm is null ? Enumerable.Repeat(1f, checked((int)group.RowCount)) : group.Floats(norm, 1)
                );
                for (var i = 0; i < group.RowCount; i++)
                    rows.Add(
                        new(
                            keys?[i] ?? throw new InvalidDataException($"row {i} has no key"),
                            texts?[i] ?? throw new InvalidDataException($"row {i} has no text"),
                            languages?[i]
                        )
                    );

                string?[]? Column(string name) =>
                    table.Reader.Schema.DataFields.FirstOrDefault(field =>
                        field.Name == name && field.MaxRepetitionLevel == 0
                    )
                        is { } field
                        ? group.Texts(field)
                        : null;
            }
            return ([.. rows], [.. norms]);
        }
        catch (Exception damage) when (damage is not (LitException or OutOfMemoryException))
        {
            throw new LitException(
                path,
                damage is FileNotFoundException or DirectoryNotFoundException
                    ? "is missing"
                    : $"cannot be read as Parquet ({damage.Message.ReplaceLineEndings(" ").TrimEnd('.')})",
                "Copy or embed the texts again",
                damage
            );
        }
    }

    /// <summary>Deletes both files of a shard, the one that makes it count first.</summary>
    public static void Delete(string folder, int number)
    {
        File.Delete(MetadataPath(folder, number));
        File.Delete(RowsPath(folder, number));
    }

    private static string Digits(int number) => number.ToString("0000", CultureInfo.InvariantCulture);

    private static async Task WriteAsync(
        ParquetSchema schema,
        ParquetOptions options,
        Stream stream,
        IReadOnlyList<TextRow> rows,
        float[] norms
    )
    {
        await using var writer = await ParquetWriter.CreateAsync(schema, stream, options).ConfigureAwait(false);
        using var group = writer.CreateRowGroup();
        Task Texts(DataField field, Func<TextRow, string?> value) =>
            group.WriteAsync(field, rows.Select(value).ToArray()!);
        await Texts(Key, row => row.Key).ConfigureAwait(false);
        await Texts(Text, row => row.Text).ConfigureAwait(false);
        await Texts(Language, row => row.Language).ConfigureAwait(false);
        await group.WriteAsync<float>(Norm, norms).ConfigureAwait(false);
        group.CompleteValidate();
    }
}
