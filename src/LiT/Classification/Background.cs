using LiT.Compute;

namespace LiT.Classification;

/// <summary>
/// What a model says to things that do not belong together: the background of a collection, from which cut-offs for
/// "nothing matches" follow. Some pictures and captions of the collection are the cohort. Similarities are counted in
/// deviations above what is usual for the picture and for the text (<see cref="ScoreScale"/>). The background is the
/// distribution of the cohort's random pairs, less the share of them that happens to fit; what fits is known from the
/// pictures with their own captions.
/// </summary>
internal sealed partial class Background
{
    private readonly TailShares own,
        random;

    private Background(
        Embeddings pictures,
        Embeddings captions,
        TailShares own,
        TailShares random,
        double fitting,
        string collection
    ) =>
        (Pictures, Captions, this.own, this.random, Fitting, Collection) = (
            pictures,
            captions,
            own,
            random,
            fitting,
            collection
        );

    /// <summary>zimg of the cohort's pictures, unit length.</summary>
    public Embeddings Pictures { get; }

    /// <summary>ztxt of the cohort's distinct captions, unit length.</summary>
    public Embeddings Captions { get; }

    /// <summary>Share of the random pairs that fit nevertheless: how often two pictures of the collection show the same.</summary>
    public double Fitting { get; }

    /// <summary>Where the cohort came from.</summary>
    public string Collection { get; }

    /// <param name="pictures">zimg, unit length.</param>
    /// <param name="captions">ztxt, unit length.</param>
    /// <param name="captionsOf">Which captions each picture has.</param>
    /// <param name="collection">Where they came from.</param>
    internal static Background Of(
        Embeddings pictures,
        Embeddings captions,
        IReadOnlyList<int[]> captionsOf,
        string collection
    )
    {
        var ofPictures = ScoreScale.OfRows(pictures, captions);
        var ofCaptions = ScoreScale.OfRows(captions, pictures);
        var scores = new float[pictures.Count][];
        Similarity.EachRow(pictures, captions, (row, similarities) =>
        {
            scores[row] = new float[similarities.Length];
            for (var text = 0; text < similarities.Length; text++)
                scores[row][text] = (float)ScoreScale.Standard(similarities[text], ofPictures[row], ofCaptions[text]);
        });
        var ranks = NeighbourRanks(pictures, captions.Count, captionsOf);
        var near = NearEnoughToFit(scores, ranks);
        List<float> own = [],
            random = new(pictures.Count * captions.Count);
        for (var row = 0; row < scores.Length; row++)
        for (var text = 0; text < captions.Count; text++)
        {
            if (ranks[row][text] == 0)
                own.Add(scores[row][text]);
            else if (ranks[row][text] > near)
                random.Add(scores[row][text]);
        }
        own.Sort();
        random.Sort();
        return new(
            pictures,
            captions,
            TailShares.Of(own),
            TailShares.Of(random),
            FittingShare(own, random),
            collection
        );
    }

    /// <summary>For each picture and caption: how many other pictures look more like it than the nearest one that has the caption; 0 for its own.</summary>
    private static int[][] NeighbourRanks(Embeddings pictures, int captions, IReadOnlyList<int[]> captionsOf)
    {
        var ranks = new int[pictures.Count][];
        var order = new int[pictures.Count];
        var keys = new float[pictures.Count];
        Similarity.EachRow(pictures, pictures, (row, similarities) =>
        {
            for (var i = 0; i < order.Length; i++)
                (order[i], keys[i]) = (i, i == row ? float.NegativeInfinity : -similarities[i]);
            Array.Sort(keys, order);
            var its = new int[captions];
            Array.Fill(its, int.MaxValue);
            for (var rank = order.Length - 1; rank >= 0; rank--)
                foreach (var caption in captionsOf[order[rank]])
                    its[caption] = rank;
            ranks[row] = its;
        });
        return ranks;
    }

    /// <summary>
    /// Up to which rank a neighbour's captions may fit: captions of near pictures are left out of the random pairs until they
    /// score no higher than captions of the far half, but for a tenth of what own captions do.
    /// </summary>
    private static int NearEnoughToFit(float[][] scores, int[][] ranks)
    {
        const double StillFits = 0.5;
        var sums = new double[ranks.Length];
        var counts = new int[ranks.Length];
        for (var row = 0; row < ranks.Length; row++)
        for (var text = 0; text < ranks[row].Length; text++)
            if (ranks[row][text] is var rank && rank < ranks.Length)
            {
                sums[rank] += scores[row][text];
                counts[rank]++;
            }
        double Mean(int first, int end) =>
            Enumerable.Range(first, end - first).Sum(i => sums[i])
            / Math.Max(1, Enumerable.Range(first, end - first).Sum(i => counts[i]));
        var far = Mean(ranks.Length / 2, ranks.Length);
        var bound = far + StillFits * (Mean(0, 1) - far);
        var step = Math.Max(1, ranks.Length / 200);
        var near = 0;
        while (near < ranks.Length / 2 && Mean(near + 1, Math.Min(near + 1 + step, ranks.Length)) > bound)
            near += step;
        return near;
    }

    /// <summary>
    /// The largest share of the random pairs that can be pairs that fit: wherever own captions lie, at least that share of
    /// the random pairs lies too (mixture proportion estimation: Blanchard, Lee and Scott, JMLR 2010).
    /// </summary>
    private static double FittingShare(List<float> own, List<float> random)
    {
        const double FewestAbove = 0.1,
            Most = 0.5; // in a thinner tail the ratio is noise
        var share = Most;
        var below = 0;
        for (var i = 0; i < own.Count * (1 - FewestAbove); i++)
        {
            while (below < random.Count && random[below] < own[i])
                below++;
            share = Math.Min(
                share,
                (random.Count - below) / (double)random.Count / ((own.Count - i) / (double)own.Count)
            );
        }
        return share;
    }

    /// <summary>Share of the pictures with a caption of their own whose score is at least this.</summary>
    public double OwnAbove(double score) => own.Above(score);

    /// <summary>Share of the pairs that do not belong together whose score is at least this.</summary>
    public double RandomAbove(double score) =>
        Math.Clamp((random.Above(score) - Fitting * own.Above(score)) / (1 - Fitting), random.Shares[^1], 1);

    /// <summary>How usual similarities are for each of some texts, on the cohort's pictures.</summary>
    internal ScoreScale[] OfTexts(Embeddings texts) => ScoreScale.OfRows(texts, Pictures);

    /// <summary>How usual similarities are for each of some pictures, on the cohort's captions.</summary>
    internal ScoreScale[] OfPictures(Embeddings pictures) => ScoreScale.OfRows(pictures, Captions);
}
