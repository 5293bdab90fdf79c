using System.Numerics.Tensors;
using LiT.Data;
using LiT.Files;

namespace LiT.Stores;

/// <summary>The rows of the shard under way: numbers as they will lie on the disk, and what is said of them.</summary>
internal sealed class ShardRows(StoreDescription description)
{
    private readonly List<StoreRow> rows = [];
    private readonly float[] unit = new float[description.EmbeddingSize];
    private byte[] numbers = [];

    private int RowBytes => description.EmbeddingSize * description.Type.Bytes();

    /// <summary>Adds the rows of a picture; false where one has no direction.</summary>
    public bool Append(Sample sample, EmbeddedPicture picture, ReadOnlySpan<float> representations)
    {
        var size = description.EmbeddingSize;
        for (var view = 0; view < description.Views; view++)
            if (!(RowNumbers.Norm(representations.Slice(view * size, size)) is > 0 and < float.PositiveInfinity))
                return false;
        for (var view = 0; view < description.Views; view++)
        {
            var row = representations.Slice(view * size, size);
            var norm = RowNumbers.Norm(row);
            TensorPrimitives.Divide(row, norm, unit);
            RowNumbers.Store(unit, description.Type, Place());
            rows.Add(new(sample with { ReadImage = null }, picture, norm, view));
        }
        return true;
    }

    /// <summary>Adds the rows of a picture as another store has them.</summary>
    /// <param name="sample">Its words.</param>
    /// <param name="from">The store.</param>
    /// <param name="row">Its first row there.</param>
    /// <param name="added">When it came, in seconds; null for now.</param>
    public void Append(Sample sample, EmbeddingStore from, long row, double? added = null)
    {
        for (var view = 0; view < description.Views; view++)
        {
            from.Stored(row + view).CopyTo(Place());
            var (width, height) = from.PictureSize(row + view);
            rows.Add(
                new(
                    sample with
                    {
                        ReadImage = null,
                    },
                    new(width, height, from.Sha256(row + view)),
                    from.Norm(row + view),
                    view
                )
                {
                    Added = added,
                }
            );
        }
    }

    /// <summary>Adds the rows of a picture again that are here already.</summary>
    public void AppendAgain(Sample sample, int row)
    {
        for (var view = 0; view < description.Views; view++)
        {
            var place = Place(); // may move the numbers
            numbers.AsSpan((row + view) * RowBytes, RowBytes).CopyTo(place);
            rows.Add(rows[row + view] with { Sample = sample with { ReadImage = null } });
        }
    }

    /// <summary>Adds the rows of a picture as a finished shard of the same store has them.</summary>
    public void Append(Sample sample, MappedRows from, StoreMetadata metadata, int row)
    {
        for (var view = row; view < row + description.Views; view++)
        {
            from.Stored(view).CopyTo(Place());
            rows.Add(
                new(
                    sample with
                    {
                        ReadImage = null,
                    },
                    new(metadata.Widths[view], metadata.Heights[view], StoreMetadata.Bytes(metadata.Hashes[view])),
                    metadata.Norms[view],
                    view - row
                )
            );
        }
    }

    /// <summary>Rows so far.</summary>
    public int Count => rows.Count;

    /// <summary>Writes both files of the shard and begins anew. A shard without rows has none.</summary>
    /// <exception cref="LitException">The disk is full, or the folder cannot be written to.</exception>
    public void Write(string folder, long shard)
    {
        if (rows.Count == 0)
            return;
        AtomicFile.Write(StoreFolder.RowsPath(folder, shard), stream =>
        {
            stream.Write(NpyFile.Head(description.Type, rows.Count, description.EmbeddingSize));
            stream.Write(numbers.AsSpan(0, rows.Count * RowBytes));
        });
        StoreRow.Write(StoreFolder.MetadataPath(folder, shard), rows);
        rows.Clear();
    }

    /// <summary>Room for the next row's bytes.</summary>
    private Span<byte> Place()
    {
        var offset = rows.Count * RowBytes;
        if (numbers.Length < offset + RowBytes)
            Array.Resize(
                ref numbers,
                checked(
                    (int)
                        Math.Min(
                            Math.Max(2L * numbers.Length, 64L * RowBytes),
                            Math.Max(description.RowsPerShard, description.Views) * (long)RowBytes
                        )
                )
            );
        return numbers.AsSpan(offset, RowBytes);
    }
}
