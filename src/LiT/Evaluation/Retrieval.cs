namespace LiT.Evaluation;

/// <summary>Shares of queries whose own counterpart is among the 1, 5, 10 nearest.</summary>
public sealed record Recall(double R1, double R5, double R10);

/// <summary>A number for each direction.</summary>
public sealed record BothWays<T>(T ImageToText, T TextToImage);

/// <summary>The numbers of one retrieval evaluation.</summary>
/// <param name="Images">Number of images.</param>
/// <param name="Texts">Number of texts.</param>
/// <param name="ImageToText">An image counts when any of its texts is among the k nearest.</param>
/// <param name="TextToImage">A text counts when its image is among the k nearest.</param>
/// <param name="MedianRank">Median rank, from 1, of the nearest own counterpart.</param>
/// <param name="Ties">Queries with another candidate exactly as near as their own; ties go to the lower index.</param>
public sealed record RetrievalScore(
    int Images, int Texts, Recall ImageToText, Recall TextToImage, BothWays<double> MedianRank, BothWays<int> Ties);

/// <summary>
/// Retrieval both ways with several texts an image (big_vision image_text_retrieval.py). With fewer than k
/// candidates all of them count. Equal similarities keep the order of the index.
/// </summary>
public static class Retrieval
{
    /// <param name="images">N embeddings of unit length.</param>
    /// <param name="texts">M embeddings of unit length.</param>
    /// <param name="imageOf">The image that each text belongs to.</param>
    /// <exception cref="LitException">An image without a text, or a text of an image that is not there.</exception>
    public static RetrievalScore Score(Embeddings images, Embeddings texts, IReadOnlyList<int> imageOf)
    {
        var textsOf = TextsOf(images.Count, imageOf);
        RankTally toText = new(), toImage = new();
        Similarity.EachRow(images, texts, (image, row) => toText.Add(row, textsOf[image]));
        Similarity.EachRow(texts, images, (text, row) => toImage.Add(row, [imageOf[text]]));
        return Score(images.Count, texts.Count, toText, toImage);
    }

    /// <summary>The same from similarities that are at hand, [image, text].</summary>
    public static RetrievalScore Score(float[,] similarity, IReadOnlyList<int> imageOf)
    {
        int images = similarity.GetLength(0), texts = similarity.GetLength(1);
        var textsOf = TextsOf(images, imageOf);
        RankTally toText = new(), toImage = new();
        var row = new float[texts];
        for (var i = 0; i < images; i++)
        {
            for (var j = 0; j < texts; j++) row[j] = similarity[i, j];
            toText.Add(row, textsOf[i]);
        }
        var column = new float[images];
        for (var j = 0; j < texts; j++)
        {
            for (var i = 0; i < images; i++) column[i] = similarity[i, j];
            toImage.Add(column, [imageOf[j]]);
        }
        return Score(images, texts, toText, toImage);
    }

    private static RetrievalScore Score(int images, int texts, RankTally toText, RankTally toImage) =>
        new(images, texts, toText.Recall, toImage.Recall, new(toText.Median, toImage.Median), new(toText.Tied, toImage.Tied));

    private static int[][] TextsOf(int images, IReadOnlyList<int> imageOf)
    {
        var texts = new List<int>[images];
        for (var i = 0; i < images; i++) texts[i] = [];
        for (var j = 0; j < imageOf.Count; j++)
        {
            if (imageOf[j] < 0 || imageOf[j] >= images)
                throw new LitException($"Text {j} belongs to image {imageOf[j]}, but there are {images} images, numbered from 0.");
            texts[imageOf[j]].Add(j);
        }
        var alone = Array.FindIndex(texts, own => own.Count == 0);
        if (alone >= 0) throw new LitException($"Image {alone} has no text, so its retrieval cannot be scored. Leave out images without captions.");
        return texts.Select(own => own.ToArray()).ToArray();
    }

    /// <summary>Ranks of the nearest own candidate over all queries.</summary>
    private sealed class RankTally
    {
        private readonly List<int> ranks = [];

        public int Tied { get; private set; }

        public Recall Recall => new(Share(1), Share(5), Share(10));

        public double Median
        {
            get
            {
                var sorted = ranks.Order().ToArray();
                return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2.0 + 1;
            }
        }

        public void Add(ReadOnlySpan<float> similarities, int[] own)
        {
            var nearest = own[0];                      // own indices ascend, so of equal ones the lowest stays
            foreach (var candidate in own) if (similarities[candidate] > similarities[nearest]) nearest = candidate;
            ranks.Add(Similarity.RankOf(similarities, nearest));
            for (var j = 0; j < similarities.Length; j++)
            {
                if (similarities[j] != similarities[nearest] || own.Contains(j)) continue;
                Tied++;
                break;
            }
        }

        private double Share(int k) => ranks.Count(rank => rank < k) / (double)ranks.Count;
    }
}
