using LiT.Compute;

namespace LiT.Evaluation;

/// <summary>Shares of queries whose own counterpart is among the 1, 5, 10 nearest.</summary>
internal sealed record Recall(double R1, double R5, double R10);

/// <summary>A number for each direction.</summary>
internal sealed record BothWays<T>(T ImageToText, T TextToImage);

/// <summary>What recall would be if ties were broken always against the right answer, or always for it.</summary>
internal sealed record RecallBounds(Recall Lowest, Recall Highest);

/// <summary>Bootstrap intervals of the recalls, over images with all that belongs to them.</summary>
internal sealed record RecallIntervals(double[] R1, double[] R5, double[] R10);

/// <summary>The numbers of one retrieval evaluation.</summary>
/// <param name="Images">Number of images.</param>
/// <param name="Texts">Number of texts.</param>
/// <param name="ImageToText">An image counts when any of its texts is among the k nearest.</param>
/// <param name="TextToImage">A text counts when its image (any, where it has several) is among the k nearest.</param>
/// <param name="MedianRank">Median rank, from 1, of the nearest own counterpart.</param>
/// <param name="Ties">Queries with another candidate exactly as near as their own; ties go to the lower index.</param>
internal sealed record RetrievalScore(
    int Images,
    int Texts,
    Recall ImageToText,
    Recall TextToImage,
    BothWays<double> MedianRank,
    BothWays<int> Ties
)
{
    /// <summary>How much the order of equal similarities decides; both ends equal the recall where it decides nothing.</summary>
    public required BothWays<RecallBounds> TieBounds { get; init; }

    /// <summary>Rank, from 0, of the nearest own counterpart of each query; -1 for a query that has none.</summary>
    public required BothWays<int[]> Ranks { get; init; }
}

/// <summary>
/// Retrieval both ways with several texts an image (big_vision image_text_retrieval.py). With fewer than k
/// candidates all of them count. Equal similarities keep the order of the index.
/// </summary>
internal static class Retrieval
{
    /// <param name="images">N embeddings of unit length.</param>
    /// <param name="texts">M embeddings of unit length.</param>
    /// <param name="imageOf">The image that each text belongs to.</param>
    /// <exception cref="LitException">An image without a text, or a text of an image that is not there.</exception>
    public static RetrievalScore Score(Embeddings images, Embeddings texts, IReadOnlyList<int> imageOf) =>
        Score(images, texts, TextsOf(images.Count, imageOf), [.. imageOf.Select(image => new[] { image })]);

    /// <summary>The same where a text may belong to several images, and images and texts without a counterpart only stand among the candidates.</summary>
    /// <param name="images">N embeddings of unit length.</param>
    /// <param name="texts">M embeddings of unit length.</param>
    /// <param name="pairs">Which image and which text belong together.</param>
    /// <exception cref="LitException">No pair, or one of a row that is not there.</exception>
    public static RetrievalScore Score(
        Embeddings images,
        Embeddings texts,
        IReadOnlyCollection<(int Image, int Text)> pairs
    )
    {
        if (pairs.Count == 0)
            throw new LitException(
                "No image and text belong together, so there is nothing to score. Give at least one pair."
            );
        foreach (var (image, text) in pairs)
            if (image < 0 || image >= images.Count || text < 0 || text >= texts.Count)
                throw new LitException(
                    $"The pair of image {image} and text {text}: there are {images.Count} images and {texts.Count} texts, numbered from 0."
                );
        return Score(
            images,
            texts,
            Counterparts(pairs, images.Count),
            Counterparts([.. pairs.Select(pair => (pair.Text, pair.Image))], texts.Count)
        );
    }

    /// <summary>The same from similarities that are at hand, [image, text].</summary>
    public static RetrievalScore Score(float[,] similarity, IReadOnlyList<int> imageOf)
    {
        int images = similarity.GetLength(0),
            texts = similarity.GetLength(1);
        var textsOf = TextsOf(images, imageOf);
        RankTally toText = new(images),
            toImage = new(texts);
        var row = new float[texts];
        for (var i = 0; i < images; i++)
        {
            for (var j = 0; j < texts; j++)
                row[j] = similarity[i, j];
            toText.Add(i, row, textsOf[i]);
        }
        var column = new float[images];
        for (var j = 0; j < texts; j++)
        {
            for (var i = 0; i < images; i++)
                column[i] = similarity[i, j];
            toImage.Add(j, column, [imageOf[j]]);
        }
        return Score(images, texts, toText, toImage);
    }

    /// <summary>The nearest candidates of every query with their similarities, best first; of equal ones the lower index comes first.</summary>
    /// <param name="queries">N embeddings.</param>
    /// <param name="candidates">M embeddings.</param>
    /// <param name="most">How many; all of them where there are fewer.</param>
    public static IReadOnlyList<IReadOnlyList<(int Index, float Similarity)>> Nearest(
        Embeddings queries,
        Embeddings candidates,
        int most
    )
    {
        var nearest = new IReadOnlyList<(int, float)>[queries.Count];
        var best = new int[Math.Min(most, candidates.Count)];
        Similarity.EachRow(queries, candidates, (row, scores) =>
        {
            Similarity.Best(scores, best);
            var found = new (int, float)[best.Length];
            for (var i = 0; i < best.Length; i++)
                found[i] = (best[i], scores[best[i]]);
            nearest[row] = found;
        });
        return nearest;
    }

    private static RetrievalScore Score(Embeddings images, Embeddings texts, int[][] textsOf, int[][] imagesOf)
    {
        RankTally toText = new(images.Count),
            toImage = new(texts.Count);
        Similarity.EachRow(images, texts, (image, row) => toText.Add(image, row, textsOf[image]));
        Similarity.EachRow(texts, images, (text, row) => toImage.Add(text, row, imagesOf[text]));
        return Score(images.Count, texts.Count, toText, toImage);
    }

    private static RetrievalScore Score(int images, int texts, RankTally toText, RankTally toImage) =>
        new(
            images,
            texts,
            toText.Recall,
            toImage.Recall,
            new(toText.Median, toImage.Median),
            new(toText.Tied, toImage.Tied)
        )
        {
            TieBounds = new(toText.Bounds, toImage.Bounds),
            Ranks = new(toText.Ranks, toImage.Ranks),
        };

    private static int[][] Counterparts(IReadOnlyCollection<(int Query, int Candidate)> pairs, int queries)
    {
        var own = new SortedSet<int>[queries];
        foreach (var (query, candidate) in pairs)
            (own[query] ??= []).Add(candidate);
        return [.. own.Select(set => set is null ? Array.Empty<int>() : [.. set])];
    }

    private static int[][] TextsOf(int images, IReadOnlyList<int> imageOf)
    {
        var texts = new List<int>[images];
        for (var i = 0; i < images; i++)
            texts[i] = [];
        for (var j = 0; j < imageOf.Count; j++)
        {
            if (imageOf[j] < 0 || imageOf[j] >= images)
                throw new LitException(
                    $"Text {j} belongs to image {imageOf[j]}, but there are {images} images, numbered from 0."
                );
            texts[imageOf[j]].Add(j);
        }
        var alone = Array.FindIndex(texts, own => own.Count == 0);
        if (alone >= 0)
            throw new LitException(
                $"Image {alone} has no text, so its retrieval cannot be scored. Leave out images without captions."
            );
        return texts.Select(own => own.ToArray()).ToArray();
    }

    /// <summary>Ranks of the nearest own candidate over all queries.</summary>
    private sealed class RankTally(int queries)
    {
        private readonly List<(int Lowest, int Stable, int Highest)> ranks = [];

        public int[] Ranks { get; } = [.. Enumerable.Repeat(-1, queries)];

        public int Tied { get; private set; }

        public Recall Recall => Shares(rank => rank.Stable);

        public RecallBounds Bounds => new(Shares(rank => rank.Highest), Shares(rank => rank.Lowest));

        public double Median
        {
            get
            {
                var sorted = ranks.Select(rank => rank.Stable).Order().ToArray();
                return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2.0 + 1;
            }
        }

        public void Add(int query, ReadOnlySpan<float> similarities, int[] own)
        {
            if (own.Length == 0)
                return;
            var nearest = own[0]; // own indices ascend, so of equal ones the lowest stays
            foreach (var candidate in own)
                if (similarities[candidate] > similarities[nearest])
                    nearest = candidate;
            var value = similarities[nearest];
            var (greater, equal) = Similarity.Count(similarities, value);
            foreach (var candidate in own)
                if (similarities[candidate] == value)
                    equal--;
            var before = equal == 0 ? 0 : Similarity.Count(similarities[..nearest], value).Equal;
            ranks.Add((greater, greater + before, greater + equal));
            Ranks[query] = greater + before;
            if (equal > 0)
                Tied++;
        }

        private Recall Shares(Func<(int Lowest, int Stable, int Highest), int> of)
        {
            double Share(int k) => ranks.Count(rank => of(rank) < k) / (double)ranks.Count;
            return new(Share(1), Share(5), Share(10));
        }
    }
}
