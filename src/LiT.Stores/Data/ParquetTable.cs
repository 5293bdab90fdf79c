using Parquet;

namespace LiT.Data;

/// <summary>
/// A Parquet file whose structure is checked before it is read; for one thread. Columns of kinds that are not known
/// are left out (<see cref="LeftOut"/>), and so never stand in the way of the others.
/// </summary>
internal sealed class ParquetTable : IDisposable
{
    private readonly FileStream file;

    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The file is damaged; Parquet.Net throws others of its own.</exception>
    public ParquetTable(string path)
    {
        file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            var (footer, begins) = ParquetStructure.Footer(file);
            Reader = Opened(ParquetFooter.Read(footer), begins);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public ParquetReader Reader { get; }

    /// <summary>Columns that are of no known kind.</summary>
    public IReadOnlyList<string> LeftOut { get; private set; } = [];

    public int RowGroups => Reader.RowGroupCount;

    public ParquetGroup Group(int number) => new(Reader.OpenRowGroupReader(number), file);

    public void Dispose() => file.Dispose();

    private ParquetReader Opened(ParquetFooter footer, long begins)
    {
        try
        {
            return Try(footer);
        }
        catch (Exception unknown)
            when (unknown is not (OutOfMemoryException or InvalidDataException or EndOfStreamException))
        {
            // The bytes are what the format says, so it is a kind of column that stands in the way.
            HashSet<string> left = [.. footer.Columns.Where(column => !Reads(column))];
            if (left.Count == footer.Columns.Distinct().Count())
                throw new NotSupportedException(
                    $"no column of a kind that is known: {string.Join(", ", footer.Columns)}; "
                        + $"{unknown.Message.ReplaceLineEndings(" ").TrimEnd('.')}",
                    unknown
                );
            if (left.Count == 0)
                throw;
            LeftOut = [.. left];
            return Try(footer.Without(left));
        }

        bool Reads(string column)
        {
            try
            {
                Try(footer.Without(footer.Columns.Where(other => other != column).ToHashSet()));
                return true;
            }
            catch (Exception unknown) when (unknown is not OutOfMemoryException)
            {
                return false;
            }
        }

        ParquetReader Try(ParquetFooter some)
        {
            var bytes = some.ToBytes();
            ParquetStructure.CheckFooter(bytes);
            var reader = ParquetReader
                .CreateAsync(new ParquetFooter.Overlay(file, begins, bytes))
                .GetAwaiter()
                .GetResult();
            _ = reader.Schema.DataFields; // kinds are looked at only here
            return reader;
        }
    }
}
