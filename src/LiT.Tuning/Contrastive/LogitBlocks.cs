using LiT.Compute;
using LiT.Compute.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// The logits of a batch, scale · zimg · ztxt, one block at a time. Those that fit into the room for kept ones are kept
/// for a second visit, the others are computed again. Remembers the best text of each image and the best image of each
/// text on the way, and for the softmax their sums of exponentials over a running maximum, so that no temperature
/// overflows.
/// </summary>
internal sealed class LogitBlocks
{
    private readonly Tensor texts,
        places,
        infinity;
    private Tensor scaledImages;
    private readonly Dictionary<(long, long), Tensor> kept = [];
    private readonly FusedLogits.Margin row,
        column;
    private readonly bool fused;
    private readonly long side,
        room,
        first;
    private Tensor? second;
    private long used;

    internal LogitBlocks(Tensor zimg, Tensor ztxt, Tensor scale, long side, long room, bool? fused = null)
        : this(zimg.mul(scale), ztxt, side, room, (EmptyMargin(zimg), EmptyMargin(ztxt)), 0, fused) { }

    /// <summary>The logits of some images of a batch with some texts.</summary>
    /// <param name="images">[R, E].</param>
    /// <param name="texts">[C, E]; the temperature is in one of the two.</param>
    /// <param name="side">Of a block.</param>
    /// <param name="room">Bytes of logits that are kept for a second visit.</param>
    /// <param name="margins">What is known of every image of the batch, and of every text here.</param>
    /// <param name="first">Where the first image stands among all of them.</param>
    /// <param name="fused">Whether the kernels are used; null looks at the processor.</param>
    internal LogitBlocks(
        Tensor images,
        Tensor texts,
        long side,
        long room,
        (FusedLogits.Margin Row, FusedLogits.Margin Column) margins,
        long first,
        bool? fused = null
    )
    {
        (scaledImages, this.texts, this.first) = (images, texts, first);
        (Size, Columns) = (images.shape[0], texts.shape[0]);
        this.side = Math.Min(side, Math.Max(Size, Columns));
        this.fused = fused ?? Processor.Computes(images);
        this.room = room / images.dtype.ElementSize();
        places = Scalars.Numbers(Math.Max(first + Size, Columns), images.dtype, images.device);
        infinity = Scalars.Filled(1, double.PositiveInfinity, images.dtype, images.device);
        (row, column) = margins;
    }

    /// <summary>Nothing known yet of so many rows.</summary>
    internal static FusedLogits.Margin EmptyMargin(Tensor rows, long? count = null)
    {
        var size = count ?? rows.shape[0];
        return new(
            Scalars.Filled(size, double.NegativeInfinity, rows.dtype, rows.device),
            zeros(size, rows.dtype, rows.device),
            zeros(size, rows.dtype, rows.device)
        );
    }

    /// <summary>Texts.</summary>
    private long Columns { get; }

    /// <summary>Images.</summary>
    internal long Size { get; }

    /// <summary>exp(t) · zimg, [B, E].</summary>
    internal Tensor ScaledImages => scaledImages;

    /// <summary>
    /// Log of the sum of exponentials of each image's logits plus that of each text's, once all blocks are added;
    /// float64, [B].
    /// </summary>
    internal Tensor LogSums => LogSumExp(row).PlusInPlace(LogSumExp(column));

    /// <summary>
    /// Calls <paramref name="visit"/> with every block's rows, columns and logits, all in a dispose scope of its own.
    /// </summary>
    internal void Visit(Action<Rows, Rows, Tensor> visit)
    {
        for (var from = 0L; from < Size; from += side)
        for (var other = 0L; other < Columns; other += side)
        {
            using var scope = NewDisposeScope();
            var (rows, columns) = (
                new Rows(from, Math.Min(side, Size - from)),
                new Rows(other, Math.Min(side, Columns - other))
            );
            var logits = Logits(rows, columns);
            // What is fused is cut at fixed places; other operations keep their bits on one thread only.
            if (fused || logits.device_type != DeviceType.CPU)
                visit(rows, columns, logits);
            else
                Parts.Run(1, _ => visit(rows, columns, logits));
        }
    }

    /// <summary>The same for a second visit, with the images, which were let go of, at hand again.</summary>
    internal LogitBlocks Again(Tensor images)
    {
        scaledImages = images;
        return this;
    }

    /// <summary>Lets go of what was kept of the blocks; no block is visited after it.</summary>
    internal void Forget()
    {
        foreach (var block in kept.Values)
            block.Dispose();
        kept.Clear();
        second?.Dispose();
        second = null;
    }

    /// <summary>Adds a block to the sums of exponentials and takes note of its largest logits.</summary>
    internal void AddToSums(Rows rows, Rows columns, Tensor logits)
    {
        if (fused)
        {
            FusedLogits.AddToSums(logits, first + rows.From, columns.From, row, column);
            return;
        }
        var among = Among(rows);
        var (rowBefore, columnBefore) = (among.Of(row.Maximum).clone(), columns.Of(column.Maximum).clone());
        NoteLargest(rows, columns, logits);
        Add(among.Of(row.Sum), rowBefore, among.Of(row.Maximum), 1);
        Add(columns.Of(column.Sum), columnBefore, columns.Of(column.Maximum), 0);

        void Add(Tensor sum, Tensor before, Tensor maximum, int dimension) =>
            sum.mul_((before - maximum).exp())
                .PlusInPlace(
                    Second(rows, columns).copy_(logits).sub_(maximum.unsqueeze(dimension)).exp_().sum([dimension])
                );
    }

    /// <summary>Each logit's share of its row plus its share of its column, in the logits' place.</summary>
    internal Tensor Shares(Rows rows, Rows columns, Tensor logits)
    {
        if (fused)
        {
            FusedLogits.ToShares(logits, first + rows.From, columns.From, row, column);
            return logits;
        }
        // exp(l - max) / sum, not exp(l - logsumexp): a logarithm near 100 has lost the digits that shares are made of.
        var ofColumns = Second(rows, columns)
            .copy_(logits)
            .sub_(columns.Of(column.Maximum).unsqueeze(0))
            .exp_()
            .div_(columns.Of(column.Sum).unsqueeze(0));
        return logits
            .sub_(Among(rows).Of(row.Maximum).unsqueeze(1))
            .exp_()
            .div_(Among(rows).Of(row.Sum).unsqueeze(1))
            .PlusInPlace(ofColumns);
    }

    /// <summary>
    /// sigmoid(l + bias) in the logits' place; softplus(l + bias) is added to the loss of each row, the sum of all
    /// sigmoids to
    /// <paramref name="sum"/>, and the largest logits are noted.
    /// </summary>
    internal Tensor Sigmoids(Rows rows, Rows columns, Tensor logits, Tensor bias, Tensor perPair, Tensor sum)
    {
        if (fused)
        {
            sum.PlusInPlace(
                FusedLogits.ToSigmoids(
                    logits,
                    bias.item<float>(),
                    first + rows.From,
                    columns.From,
                    row,
                    column,
                    perPair
                )
            );
            return logits;
        }
        NoteLargest(rows, columns, logits);
        logits.PlusInPlace(bias);
        // softplus(l) = max(l, 0) + log1p(exp(-|l|)), stable on both sides.
        var other = Second(rows, columns).copy_(logits).abs_().neg_().exp_().log1p_();
        Among(rows)
            .Of(perPair)
            .PlusInPlace(other.sum([1], type: ScalarType.Float64))
            .PlusInPlace(other.copy_(logits).relu_().sum([1], type: ScalarType.Float64));
        sum.PlusInPlace(logits.sigmoid_().sum(ScalarType.Float64));
        return logits;
    }

    /// <summary>Shares of images and of texts whose best partner is a positive, float64.</summary>
    internal (Tensor ImageToText, Tensor TextToImage) Accuracies(Positives.Relation positives)
    {
        var own = Scalars.Numbers(Size, ScalarType.Int64, places.device);
        return (Share(row.Best), Share(column.Best));

        Tensor Share(Tensor best) =>
            positives.Holds(own, best.to_type(ScalarType.Int64)).to_type(ScalarType.Float64).mean();
    }

    /// <summary>A block's buffer for a second matrix of the same shape; what it held is lost.</summary>
    private Tensor Second(Rows rows, Rows columns) =>
        (second ??= empty(side * side, scaledImages.dtype, scaledImages.device).DetachFromDisposeScope())
            .narrow(0, 0, rows.Count * columns.Count)
            .view(rows.Count, columns.Count);

    /// <summary>
    /// Takes note of the largest logits of a block, and where they stand. Ties go to the first, as argmax has it.
    /// </summary>
    private void NoteLargest(Rows rows, Rows columns, Tensor logits)
    {
        var among = Among(rows);
        Note(among.Of(row.Maximum), among.Of(row.Best), logits.amax([1]), 1, columns);
        Note(columns.Of(column.Maximum), columns.Of(column.Best), logits.amax([0]), 0, among);

        void Note(Tensor maximum, Tensor best, Tensor largest, int dimension, Rows along)
        {
            // The first place of the largest: torch's own max with indices is ten times slower across rows.
            var place = along.Of(places).unsqueeze(1 - dimension);
            var first = where(logits == largest.unsqueeze(dimension), place, infinity).amin([dimension]);
            best.copy_(where(largest > maximum, first, best));
            maximum.copy_(maximum.maximum(largest));
        }
    }

    /// <summary>Where rows of these images stand among all.</summary>
    private Rows Among(Rows rows) => rows with { From = first + rows.From };

    internal static Tensor LogSumExp(FusedLogits.Margin margin) =>
        margin.Maximum.to_type(ScalarType.Float64).Plus(margin.Sum.to_type(ScalarType.Float64).log());

    private Tensor Logits(Rows rows, Rows columns)
    {
        if (kept.TryGetValue((rows.From, columns.From), out var known))
            return known;
        var logits = empty(rows.Count, columns.Count, scaledImages.dtype, scaledImages.device);
        Products.Write(logits, rows.Of(scaledImages), columns.Of(texts));
        if (used + logits.numel() > room)
            return logits;
        used += logits.numel();
        kept.Add((rows.From, columns.From), logits.DetachFromDisposeScope());
        return logits;
    }
}

/// <summary>Consecutive pairs of a batch.</summary>
internal readonly record struct Rows(long From, long Count)
{
    /// <summary>A view of these rows of a tensor.</summary>
    internal Tensor Of(Tensor all) => all.narrow(0, From, Count);
}
