using LiT.Towers;
using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Tuning;

/// <summary>
/// The logits of a batch, scale · zimg · ztxt, one block at a time. Blocks share two buffers, except those that fit
/// into the room for kept ones. Remembers the best text of each image and the best image of each text on the way.
/// </summary>
internal sealed class LogitBlocks
{
    private readonly Tensor scaledImages, texts, buffer, second, places, infinity;
    private readonly Dictionary<(long, long), Tensor> kept = [];
    private readonly long side;
    private readonly Tensor bestText, bestImage;
    private long room;

    internal LogitBlocks(Tensor zimg, Tensor ztxt, Tensor scale, long side, long room)
    {
        Size = zimg.shape[0];
        this.side = Math.Min(side, Size);
        this.room = room;
        scaledImages = zimg.mul(scale);
        texts = ztxt;
        buffer = empty(this.side * this.side, zimg.dtype, zimg.device);
        second = empty_like(buffer);
        places = Scalars.Numbers(Size, zimg.dtype, zimg.device);
        infinity = Scalars.Filled(1, double.PositiveInfinity, zimg.dtype, zimg.device);
        RowMaximum = Scalars.Filled(Size, double.NegativeInfinity, zimg.dtype, zimg.device);
        ColumnMaximum = RowMaximum.clone();
        bestText = zeros(Size, zimg.dtype, zimg.device);
        bestImage = zeros_like(bestText);
    }

    internal long Size { get; }

    /// <summary>exp(t) · zimg, [B, E].</summary>
    internal Tensor ScaledImages => scaledImages;

    /// <summary>The largest logit of each image so far, [B].</summary>
    internal Tensor RowMaximum { get; }

    /// <summary>The largest logit of each text so far, [B].</summary>
    internal Tensor ColumnMaximum { get; }

    /// <summary>Calls <paramref name="visit"/> with every block's rows, columns and logits, all in a dispose scope of its own.</summary>
    internal void Visit(Action<Rows, Rows, Tensor> visit)
    {
        for (var row = 0L; row < Size; row += side)
            for (var column = 0L; column < Size; column += side)
            {
                using var scope = NewDisposeScope();
                var (rows, columns) = (new Rows(row, Math.Min(side, Size - row)), new Rows(column, Math.Min(side, Size - column)));
                visit(rows, columns, Logits(rows, columns));
            }
    }

    /// <summary>A block's buffer for a second matrix of the same shape; what it held is lost.</summary>
    internal Tensor Second(Rows rows, Rows columns) => second.narrow(0, 0, rows.Count * columns.Count).view(rows.Count, columns.Count);

    /// <summary>Takes note of the largest logits of a block, and where they stand. Ties go to the first, as argmax has it.</summary>
    internal void NoteLargest(Rows rows, Rows columns, Tensor logits)
    {
        Note(rows.Of(RowMaximum), rows.Of(bestText), logits.amax([1]), 1, columns);
        Note(columns.Of(ColumnMaximum), columns.Of(bestImage), logits.amax([0]), 0, rows);

        void Note(Tensor maximum, Tensor best, Tensor largest, int dimension, Rows along)
        {
            // The first place of the largest: torch's own max with indices is ten times slower across rows.
            var place = along.Of(places).unsqueeze(1 - dimension);
            var first = where(logits == largest.unsqueeze(dimension), place, infinity).amin([dimension]);
            best.copy_(where(largest > maximum, first, best));
            maximum.copy_(maximum.maximum(largest));
        }
    }

    /// <summary>Shares of images and of texts whose best partner is a positive, float64.</summary>
    internal (Tensor ImageToText, Tensor TextToImage) Accuracies(Positives.Relation positives)
    {
        var own = Scalars.Numbers(Size, ScalarType.Int64, places.device);
        return (Share(bestText), Share(bestImage));

        Tensor Share(Tensor best) => positives.Holds(own, best.to_type(ScalarType.Int64)).to_type(ScalarType.Float64).mean();
    }

    private Tensor Logits(Rows rows, Rows columns)
    {
        if (kept.TryGetValue((rows.From, columns.From), out var known)) return known;
        var count = rows.Count * columns.Count;
        var bytes = count * scaledImages.dtype.ElementSize();
        Tensor logits;
        if (bytes <= room)
        {
            room -= bytes;
            logits = empty([rows.Count, columns.Count], scaledImages.dtype, scaledImages.device);
            kept.Add((rows.From, columns.From), logits.MoveToOuterDisposeScope());
        }
        else logits = buffer.narrow(0, 0, count).view(rows.Count, columns.Count);
        return logits.addmm_(rows.Of(scaledImages), columns.Of(texts).t(), beta: 0, alpha: 1);
    }
}

/// <summary>Consecutive pairs of a batch.</summary>
internal readonly record struct Rows(long From, long Count)
{
    /// <summary>A view of these rows of a tensor.</summary>
    internal Tensor Of(Tensor all) => all.narrow(0, From, Count);
}
