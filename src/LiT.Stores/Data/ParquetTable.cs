using Parquet;

namespace LiT.Data;

/// <summary>A Parquet file whose structure is checked before it is read; for one thread.</summary>
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
            ParquetStructure.CheckFooter(file);
            Reader = ParquetReader.CreateAsync(file).GetAwaiter().GetResult();
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public ParquetReader Reader { get; }

    public int RowGroups => Reader.RowGroupCount;

    public ParquetGroup Group(int number) => new(Reader.OpenRowGroupReader(number), file);

    public void Dispose() => file.Dispose();
}
