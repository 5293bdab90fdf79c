using System.Globalization;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace LiT.Data;

/// <summary>One row group of a Parquet file: its columns, whatever their type, as one value a row.</summary>
internal sealed class ParquetGroup(ParquetRowGroupReader group, Stream file) : IDisposable
{
    public long RowCount => group.RowCount;

    public void Dispose() => group.Dispose();

    /// <summary>A column as text, null where the row has none; numbers in invariant notation.</summary>
    public string?[] Texts(DataField field)
    {
        using var raw = Raw(field);
        return raw switch
        {
            RawColumnData<ReadOnlyMemory<char>> c => Rows(c, field, value => value.ToString()),
            RawColumnData<ReadOnlyMemory<byte>> c => Rows(c, field, value =>
                System.Text.Encoding.UTF8.GetString(value.Span)
            ),
            RawColumnData<bool> c => Rows(c, field, value => value ? "true" : "false"),
            RawColumnData<sbyte> c => Numbers(c, field),
            RawColumnData<byte> c => Numbers(c, field),
            RawColumnData<short> c => Numbers(c, field),
            RawColumnData<ushort> c => Numbers(c, field),
            RawColumnData<int> c => Numbers(c, field),
            RawColumnData<uint> c => Numbers(c, field),
            RawColumnData<long> c => Numbers(c, field),
            RawColumnData<ulong> c => Numbers(c, field),
            RawColumnData<Half> c => Numbers(c, field),
            RawColumnData<float> c => Numbers(c, field),
            RawColumnData<double> c => Numbers(c, field),
            RawColumnData<decimal> c => Numbers(c, field),
            RawColumnData<DateTime> c => Rows(c, field, value => value.ToString("O", CultureInfo.InvariantCulture)),
            RawColumnData<DateOnly> c => Rows(c, field, value => value.ToString("O", CultureInfo.InvariantCulture)),
            RawColumnData<TimeSpan> c => Rows(c, field, value => value.ToString("c", CultureInfo.InvariantCulture)),
            RawColumnData<Guid> c => Rows(c, field, value => value.ToString()),
            _ => new string?[group.RowCount],
        };
    }

    /// <summary>
    /// A column of numbers; rows that have none, and columns of other types, give <paramref name="otherwise"/>.
    /// </summary>
    public float[] Floats(DataField field, float otherwise)
    {
        using var raw = Raw(field);
        return raw switch
        {
            RawColumnData<float> c => Values(c, field, value => value, otherwise),
            RawColumnData<double> c => Values(c, field, value => (float)value, otherwise),
            RawColumnData<int> c => Values(c, field, value => value, otherwise),
            RawColumnData<long> c => Values(c, field, value => value, otherwise),
            _ => [.. Enumerable.Repeat(otherwise, checked((int)group.RowCount))],
        };
    }

    /// <summary>A column of bytes, null where the row has none.</summary>
    public byte[]?[] Bytes(DataField field)
    {
        using var raw = Raw(field);
        return raw is RawColumnData<ReadOnlyMemory<byte>> c
            ? Rows(c, field, value => value.ToArray())
            : new byte[]?[group.RowCount];
    }

    /// <summary>A column of lists of text, as many as the row has.</summary>
    public List<string?>[] Lists(DataField field)
    {
        var rows = new List<string?>[group.RowCount];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = [];
        using var raw = Raw(field);
        if (raw is not RawColumnData<ReadOnlyMemory<char>> column)
            return rows;
        int row = -1,
            next = 0;
        for (var i = 0; i < column.RepetitionLevels.Length && row < rows.Length; i++)
        {
            if (column.RepetitionLevels[i] == 0)
                row++;
            if (column.DefinitionLevels[i] == field.MaxDefinitionLevel)
                rows[row].Add(column.Values[next++].ToString());
            else if (column.DefinitionLevels[i] == field.MaxDefinitionLevel - 1 && field.IsNullable)
                rows[row].Add(null);
        }
        return rows;
    }

    private RawColumnData Raw(DataField field)
    {
        if (group.GetMetadata(field)?.MetaData is not { } column)
            throw new InvalidDataException($"the column {field.Path} is missing");
        ParquetStructure.CheckPages(file, field, column, group.RowCount);
        return group.ReadRawColumnDataBaseAsync(field).AsTask().GetAwaiter().GetResult();
    }

    private string?[] Numbers<T>(RawColumnData<T> column, DataField field)
        where T : struct, IFormattable =>
        Rows(column, field, value => value.ToString(null, CultureInfo.InvariantCulture));

    private TResult?[] Rows<T, TResult>(RawColumnData<T> column, DataField field, Func<T, TResult> convert)
        where T : struct
        where TResult : class => Values<T, TResult?>(column, field, convert, null);

    private TResult[] Values<T, TResult>(
        RawColumnData<T> column,
        DataField field,
        Func<T, TResult> convert,
        TResult otherwise
    )
        where T : struct
    {
        var rows = new TResult[group.RowCount];
        var values = column.Values;
        if (field.MaxDefinitionLevel == 0)
        {
            for (var i = 0; i < rows.Length; i++)
                rows[i] = convert(values[i]);
            return rows;
        }
        var levels = column.DefinitionLevels;
        for (int i = 0, next = 0; i < rows.Length; i++)
            rows[i] = levels[i] == field.MaxDefinitionLevel ? convert(values[next++]) : otherwise;
        return rows;
    }
}
