using System.Numerics.Tensors;
using LiT.Stores;

namespace LiT.Embedding;

/// <summary>What a tower gave for some pictures, read when it is asked for.</summary>
internal abstract class PictureRows : IDisposable
{
    /// <summary>Numbers of one picture.</summary>
    public abstract int Size { get; }

    /// <summary>Copies the tower's own representations, not of unit length, of pictures in any order.</summary>
    public abstract void Read(ReadOnlySpan<int> pictures, Span<float> destination);

    /// <inheritdoc/>
    public virtual void Dispose() { }
}

/// <summary>Numbers in memory.</summary>
internal sealed class HeldRows(Embeddings rows) : PictureRows
{
    public override int Size => rows.Size;

    public override void Read(ReadOnlySpan<int> pictures, Span<float> destination)
    {
        for (var i = 0; i < pictures.Length; i++)
            rows[pictures[i]].CopyTo(destination[(i * Size)..]);
    }
}

/// <summary>Numbers on the disk: a picture is its plain view, or the mean of all views that the store holds.</summary>
internal sealed class StoredRows(EmbeddingStore store, bool averageViews) : PictureRows
{
    public override int Size => store.EmbeddingSize;

    public override void Read(ReadOnlySpan<int> pictures, Span<float> destination)
    {
        if (averageViews)
        {
            Means(pictures, destination);
            return;
        }
        var rows = new long[pictures.Length];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = (long)pictures[i] * store.Views;
        store.ReadRows(rows, destination, ownLength: true);
    }

    private void Means(ReadOnlySpan<int> pictures, Span<float> destination)
    {
        var rows = new long[store.Views];
        var views = new float[store.Views * Size];
        for (var i = 0; i < pictures.Length; i++)
        {
            for (var view = 0; view < rows.Length; view++)
                rows[view] = (long)pictures[i] * store.Views + view;
            store.ReadRows(rows, views, ownLength: true);
            var mean = destination.Slice(i * Size, Size);
            mean.Clear();
            for (var view = 0; view < rows.Length; view++)
                TensorPrimitives.Add(mean, views.AsSpan(view * Size, Size), mean);
            TensorPrimitives.Divide(mean, rows.Length, mean);
        }
    }

    public override void Dispose() => store.Dispose();
}
