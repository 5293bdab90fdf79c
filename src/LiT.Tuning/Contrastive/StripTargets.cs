using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// The half of the losses that is about positives, for the texts of one process: sums over the groups that its texts
/// are in, of the images as they come piece by piece, so that no table of the whole batch is held.
/// </summary>
internal sealed class StripTargets
{
    private readonly Positives.Relation relation;
    private readonly BatchShare share;
    private readonly Tensor texts,
        images,
        ownShares;
    private readonly float[] shares;
    private readonly double ownPositives;
    private readonly List<Groups> groups = [];
    private readonly bool plain,
        softmax;

    /// <param name="positives">Of the whole batch.</param>
    /// <param name="share">The process's share of it.</param>
    /// <param name="texts">Its texts, [n, E].</param>
    /// <param name="images">Its images, [n, E].</param>
    /// <param name="kind">Which loss.</param>
    /// <param name="ofImages">Whether gradients of images are wanted.</param>
    internal StripTargets(
        Positives positives,
        BatchShare share,
        Tensor texts,
        Tensor images,
        ContrastiveLossKind kind,
        bool ofImages
    )
    {
        (this.share, this.texts, this.images) = (share, texts, images);
        (plain, softmax) = (positives.IsPlain, kind == ContrastiveLossKind.Softmax);
        relation = positives.On(texts.device);
        var counts = new double[positives.Size];
        foreach (var (group, count, sign) in positives.Partitions())
        {
            var sizes = new int[count];
            foreach (var one in group)
                sizes[one]++;
            for (var pair = 0; pair < counts.Length; pair++)
                counts[pair] += sign * sizes[group[pair]];
            groups.Add(new(group, count, sign, share, texts));
        }
        if (plain)
            Array.Fill(counts, 1);
        shares = [.. counts.Select(count => (float)(1 / count))];
        ownPositives = counts[share.From..(share.From + share.Count)].Sum();
        ownShares = tensor(shares[share.From..(share.From + share.Count)]).On(texts.device).unsqueeze(1);
        if (ofImages)
            foreach (var group in groups)
                group.TakeTexts(softmax ? ownShares : null);
    }

    /// <summary>Positives of this process's texts, counted once for each.</summary>
    internal double OwnPositives => ownPositives;

    /// <summary>Takes the images of a piece into the sums.</summary>
    internal void Add(StripPiece piece)
    {
        foreach (var group in groups)
            group.Add(piece, softmax ? shares : null);
    }

    /// <summary>
    /// For each text of this process the sum of its positive images, [n, E]; with the softmax each counts by its target
    /// in the text's column plus that in the image's row.
    /// </summary>
    internal Tensor OfTexts()
    {
        if (plain)
            return softmax ? images.Times(2) : images.clone();
        Tensor? sum = null;
        foreach (var group in groups)
        {
            var own = group.OfTexts(softmax ? ownShares : null);
            sum = sum is null ? own : sum.PlusInPlace(own, group.Sign);
        }
        return sum!;
    }

    /// <summary>The same the other way round: what images of a piece get from the texts of this process.</summary>
    /// <param name="gradient">Of the piece's images; it is taken away from there, [R, E].</param>
    /// <param name="piece">The piece.</param>
    internal void TakeFrom(Tensor gradient, StripPiece piece)
    {
        if (plain)
        {
            var before = piece.Counts[..share.Place].Sum();
            var own = texts.narrow(0, piece.OwnFrom, piece.Counts[share.Place]);
            gradient.narrow(0, before, own.shape[0]).PlusInPlace(own, softmax ? -2 : -1);
        }
        foreach (var group in groups)
            group.TakeFrom(gradient, piece, softmax ? shares : null);
    }

    /// <summary>How many pairs of the batch are positives, for equally long lists of pairs; float64.</summary>
    internal Tensor Right(Tensor i, Tensor j) => relation.Holds(i, j).to_type(ScalarType.Float64).sum();

    /// <summary>One partition of the batch, as far as this process's texts are in its groups.</summary>
    private sealed class Groups
    {
        private readonly int[] group,
            local;
        private readonly Tensor texts,
            ofText,
            sum,
            weighted;
        private readonly int count;
        private Tensor? ofTexts,
            weightedTexts;

        public Groups(int[] group, int all, double sign, BatchShare share, Tensor texts)
        {
            (this.group, this.texts, Sign) = (group, texts, sign);
            local = new int[all];
            Array.Fill(local, -1);
            var own = new long[share.Count];
            for (var pair = 0; pair < own.Length; pair++)
            {
                ref var number = ref local[group[share.From + pair]];
                own[pair] = number < 0 ? number = count++ : number;
            }
            ofText = tensor(own).On(texts.device);
            sum = zeros([count, texts.shape[1]], texts.dtype, texts.device);
            weighted = zeros_like(sum);
        }

        public double Sign { get; }

        public void TakeTexts(Tensor? shares)
        {
            Parts.Run(1, _ =>
            {
                ofTexts = zeros_like(sum).index_add_(0, ofText, texts, Scalars.One);
                if (shares is not null)
                    weightedTexts = zeros_like(sum).index_add_(0, ofText, texts.mul(shares), Scalars.One);
            });
        }

        public void Add(StripPiece piece, float[]? shares)
        {
            if (Chosen(piece) is not var (rows, groups))
                return;
            var images = piece.Rows.index_select(0, rows);
            sum.index_add_(0, groups, images, Scalars.One);
            if (shares is not null)
                weighted.index_add_(0, groups, images.mul_(Of(piece, rows, shares)), Scalars.One);
        }

        public Tensor OfTexts(Tensor? shares)
        {
            var own = sum.index_select(0, ofText);
            return shares is null ? own : own.mul_(shares).PlusInPlace(weighted.index_select(0, ofText));
        }

        public void TakeFrom(Tensor gradient, StripPiece piece, float[]? shares)
        {
            if (Chosen(piece) is not var (rows, groups))
                return;
            var own = ofTexts!.index_select(0, groups);
            if (shares is not null)
                own.mul_(Of(piece, rows, shares)).PlusInPlace(weightedTexts!.index_select(0, groups));
            gradient.index_add_(0, rows, own.TimesInPlace(-Sign), Scalars.One);
        }

        /// <summary>The rows of a piece that are in a group of ours, and in which; null where there is none.</summary>
        private (Tensor Rows, Tensor Groups)? Chosen(StripPiece piece)
        {
            List<long> rows = [],
                groups = [];
            for (var row = 0; row < piece.Pairs.Length; row++)
                if (local[group[piece.Pairs[row]]] is >= 0 and var number)
                {
                    rows.Add(row);
                    groups.Add(number);
                }
            return rows.Count == 0
                ? null
                : (tensor(rows.ToArray()).On(texts.device), tensor(groups.ToArray()).On(texts.device));
        }

        private Tensor Of(StripPiece piece, Tensor rows, float[] shares) =>
            tensor(Array.ConvertAll(piece.Pairs, pair => shares[pair]))
                .On(texts.device)
                .index_select(0, rows)
                .unsqueeze(1);
    }
}
