using LiT.Compute;
using LiT.Compute.Kernels;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// The contrastive losses of a batch that several processes share, each with its strip of the logits: all images
/// against its own texts, [B, n]. Images come in pieces, a few rows of every process at a time, so that neither the
/// logits nor the embeddings of the whole batch need room. What an image's logits add up to over all strips is merged
/// by the process that the image belongs to; gradients of images are dealt out to their owners and added in the order
/// of the processes. The numbers are those of <see cref="ContrastiveLoss"/> but for rounding.
/// </summary>
internal sealed class LossStrip
{
    private readonly IBatchExchange exchange;
    private readonly BatchShare share;
    private readonly ContrastiveLossOptions options;
    private readonly Tensor images,
        texts,
        scaledTexts,
        scale,
        bias,
        order,
        gradientT;
    private readonly Tensor? gradientZ;
    private readonly StripPieces pieces;
    private readonly StripTargets targets;
    private readonly FusedLogits.Margin row,
        column;

    private LossStrip(
        (Tensor Image, Tensor Text) z,
        (Tensor LogTemperature, Tensor? Bias) learned,
        Positives positives,
        ContrastiveLossOptions options,
        IBatchExchange exchange
    )
    {
        (this.exchange, this.options, texts) = (exchange, options, z.Text);
        // What the others see of an image is what this process reckons with, too.
        images = exchange.InHalf ? z.Image.to_type(ScalarType.BFloat16).to_type(z.Image.dtype) : z.Image;
        share = new(positives.Size, exchange.Place, exchange.Processes);
        scale = learned.LogTemperature.to_type(texts.dtype).exp().reshape(1);
        bias = (learned.Bias ?? zeros(1, texts.dtype, texts.device)).to_type(texts.dtype).reshape(1);
        scaledTexts = texts.mul(scale);
        pieces = new(images, share, exchange, options.PieceRows);
        targets = new(positives, share, texts, images, options.Kind, options.ImageGradient);
        order = tensor(Array.ConvertAll(pieces.Order, pair => (long)pair)).On(texts.device);
        (row, column) = (LogitBlocks.EmptyMargin(texts, share.Batch), LogitBlocks.EmptyMargin(texts));
        gradientT = zeros_like(texts);
        gradientZ = options.ImageGradient ? zeros_like(images) : null;
    }

    /// <summary>Whether a loss compares images with the texts of others, and is computed by strips.</summary>
    internal static bool Knows(ContrastiveLossKind kind) =>
        kind is ContrastiveLossKind.Softmax or ContrastiveLossKind.Sigmoid;

    /// <summary>The loss of the whole batch, with the gradients of this process's own rows.</summary>
    /// <param name="z">Embeddings of this process's images and texts, of unit length, [n, E] each.</param>
    /// <param name="learned">
    /// t, one element: logits are exp(t) · zimg · ztxt; b, one element, or null for the softmax loss.
    /// </param>
    /// <param name="positives">Which pairs of the whole batch belong together.</param>
    /// <param name="options">Which loss and how.</param>
    /// <param name="exchange">The other processes.</param>
    internal static LossResult Compute(
        (Tensor Image, Tensor Text) z,
        (Tensor LogTemperature, Tensor? Bias) learned,
        Positives positives,
        ContrastiveLossOptions options,
        IBatchExchange exchange
    )
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        LossStrip strip = new(z, learned, positives, options, exchange);
        var result = options.Kind == ContrastiveLossKind.Softmax ? strip.Softmax() : strip.Sigmoid();
        strip.pieces.Forget();
        return result.MoveToOuterDisposeScope();
    }

    private LossResult Softmax()
    {
        var room = options.KeptBytes / share.Processes / pieces.Count;
        var blocks = new LogitBlocks[pieces.Count];
        pieces.Visit(
            (number, piece) =>
            {
                blocks[number] = Blocks(piece, room);
                blocks[number].Visit(blocks[number].AddToSums);
            }
        );
        var own = MergeRows(sums: true);
        pieces.Visit(
            (number, piece) =>
            {
                var logits = blocks[number].Again(piece.Rows);
                Walk(piece, logits, logits.Shares);
                logits.Forget();
            }
        );
        LossResult? result = null;
        Parts.Run(1, _ =>
        {
            var ofTexts = targets.OfTexts();
            var losses = LogitBlocks
                .LogSumExp(own)
                .PlusInPlace(LogitBlocks.LogSumExp(column))
                .sub_(RowProducts.Of(scaledTexts, ofTexts));
            gradientT.sub_(ofTexts);
            result = Joined(losses.sum().Times(0.5), zeros([], ScalarType.Float64, texts.device), own, 0.5);
        });
        return result!;
    }

    private LossResult Sigmoid()
    {
        var perImage = zeros(share.Batch, ScalarType.Float64, texts.device);
        var yes = zeros([], ScalarType.Float64, texts.device);
        pieces.Visit(
            (_, piece) =>
            {
                var logits = Blocks(piece, 0);
                Walk(piece, logits, (rows, texts, block) => logits.Sigmoids(rows, texts, block, bias, perImage, yes));
                logits.Forget();
            }
        );
        var own = MergeRows(sums: false);
        LossResult? result = null;
        Parts.Run(1, _ =>
        {
            var ofTexts = targets.OfTexts();
            var loss = perImage
                .sum()
                .sub_(RowProducts.Of(scaledTexts, ofTexts).sum())
                .sub_(bias.to_type(ScalarType.Float64).reshape([]).Times(targets.OwnPositives));
            gradientT.sub_(ofTexts);
            result = Joined(loss, yes.PlusInPlace(-targets.OwnPositives), own, 1);
        });
        return result!;
    }

    private LogitBlocks Blocks(StripPiece piece, long room) =>
        new(piece.Rows, scaledTexts, options.BlockSize, room, (row, column), piece.First);

    /// <summary>One piece's share of the gradients; its images' go to their owners.</summary>
    private void Walk(StripPiece piece, LogitBlocks logits, Func<Rows, Rows, Tensor, Tensor> derivative)
    {
        var ofPiece = gradientZ is null ? null : zeros_like(piece.Rows);
        logits.Visit(
            (rows, columns, block) =>
            {
                var derived = derivative(rows, columns, block);
                if (ofPiece is not null)
                    Products.Add(rows.Of(ofPiece), derived, columns.Of(texts));
                Products.Add(columns.Of(gradientT), derived.t(), rows.Of(piece.Rows));
            }
        );
        Parts.Run(1, _ =>
        {
            targets.Add(piece);
            if (ofPiece is null)
                return;
            targets.TakeFrom(ofPiece, piece);
            var own = gradientZ!.narrow(0, piece.OwnFrom, piece.Counts[share.Place]);
            var dealt = exchange.Deal(ofPiece, piece.Counts);
            for (var from = 0L; from < share.Processes; from++)
                own.PlusInPlace(dealt.select(0, from));
        });
    }

    /// <summary>
    /// Merges what every strip knows of the images: each process does so for its own, and, for sums, tells all.
    /// </summary>
    /// <returns>What is known of this process's images.</returns>
    private FusedLogits.Margin MergeRows(bool sums)
    {
        FusedLogits.Margin? own = null;
        Parts.Run(1, _ =>
        {
            var best = row.Best.Plus((double)share.From);
            var known = stack([row.Maximum, row.Sum, best], 1);
            var dealt = exchange.Deal(zeros_like(known).index_copy_(0, order, known), share.Counts);
            own = Merged(dealt);
            if (!sums)
                return;
            var all = exchange.Gather(stack([own.Maximum, own.Sum], 1), share.Counts).index_select(0, order);
            row.Maximum.copy_(all.select(1, 0));
            row.Sum.copy_(all.select(1, 1));
        });
        return own!;
    }

    private FusedLogits.Margin Merged(Tensor dealt)
    {
        var maximum = dealt.select(2, 0).amax([0]);
        var (sum, best) = (zeros_like(maximum), zeros_like(maximum));
        for (var from = 0L; from < share.Processes; from++)
        {
            var part = dealt.select(0, from);
            sum.PlusInPlace(part.select(1, 1).mul(part.select(1, 0).sub(maximum).exp()));
            // Ties go to the first text, which is the last one that is written.
            var back = dealt.select(0, share.Processes - 1 - from);
            best.copy_(where(back.select(1, 0) == maximum, back.select(1, 2), best));
        }
        return new(maximum, best, sum);
    }

    /// <summary>Numbers of the whole batch from those of every strip.</summary>
    private LossResult Joined(Tensor loss, Tensor ofBias, FusedLogits.Margin own, double weight)
    {
        gradientT.mul_(scale).TimesInPlace(weight / share.Batch);
        gradientZ?.mul_(scale).TimesInPlace(weight / share.Batch);
        var mine = Scalars.Numbers(share.Count, ScalarType.Int64, texts.device).Plus((long)share.From);
        var bestImage = order.index_select(0, column.Best.to_type(ScalarType.Int64));
        var numbers = stack([
            loss,
            RowProducts.Of(texts, gradientT).sum().Times(share.Batch),
            ofBias,
            targets.Right(mine, own.Best.to_type(ScalarType.Int64)),
            targets.Right(bestImage, mine),
        ]);
        var each = exchange.Gather(numbers.unsqueeze(0), [.. Enumerable.Repeat(1, share.Processes)]);
        var sums = zeros_like(numbers);
        for (var from = 0L; from < share.Processes; from++)
            sums.PlusInPlace(each.select(0, from), 1.0 / share.Batch);
        return new(
            sums.select(0, 0),
            zeros([0], ScalarType.Float64, texts.device),
            gradientZ,
            gradientT,
            sums.select(0, 1),
            sums.select(0, 2),
            sums.select(0, 3),
            sums.select(0, 4)
        );
    }
}
