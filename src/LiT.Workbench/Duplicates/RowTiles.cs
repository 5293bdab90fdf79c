using LiT.Compute;
using LiT.Compute.Kernels;
using LiT.Stores;

namespace LiT.Duplicates;

/// <summary>Rows of a store as integers.</summary>
internal static class RowTiles
{
    private const int Piece = 128;

    /// <summary>Reads rows and makes them integers.</summary>
    /// <param name="store">The store.</param>
    /// <param name="rows">Row numbers.</param>
    /// <param name="first">The first of them that is taken.</param>
    /// <param name="count">How many, at most.</param>
    public static RowTile Of(EmbeddingStore store, long[] rows, int first, int count)
    {
        var tile = new RowTile(Math.Min(count, rows.Length - first), store.EmbeddingSize);
        var errors = new float[tile.Padded];
        Parts.For(tile.Count, Piece, (from, to) =>
        {
            var values = new float[store.EmbeddingSize];
            for (var i = (int)from; i < to; i++)
            {
                store.ReadRows(rows.AsSpan(first + i, 1), values);
                errors[i] = tile.Set(i, values);
            }
        });
        tile.WorstError = errors.Max();
        return tile;
    }
}
