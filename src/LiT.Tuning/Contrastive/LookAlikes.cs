using LiT.Compute;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// For each picture those that look most alike to the locked tower: the nearest by the cosine of their rows, from which
/// the mean of all is taken, so that what every picture shares does not count. Only a locked tower has them before a
/// run begins, and they stay what they are. Plain data; safe for several threads.
/// </summary>
internal sealed class LookAlikes
{
    /// <summary>How many each picture has by itself.</summary>
    internal const int Usually = 10;

    /// <summary>Above so many pictures, comparing each with all others takes longer than it is worth.</summary>
    internal const int MostPictures = 100_000;

    private readonly int[] nearest;
    private readonly int count;

    private LookAlikes(int[] nearest, int count) => (this.nearest, this.count) = (nearest, count);

    /// <summary>The places of those that look like a picture, the most similar first; it is not among them.</summary>
    /// <param name="place">Of the picture in the list that was looked at.</param>
    public ReadOnlySpan<int> Of(int place) => nearest.AsSpan(place * count, count);

    /// <param name="pictures">Rows of the locked tower.</param>
    /// <param name="images">The pictures that are looked at, and looked among; at least two.</param>
    /// <param name="count">How many each gets; at most all others.</param>
    public static LookAlikes Among(ITuningImages pictures, IReadOnlyList<int> images, int count = Usually)
    {
        var size = checked((int)pictures.Shape[0]);
        Embeddings rows = new(new float[images.Count * size], size);
        Parts.Run(images.Count, place => pictures.Read(images[place], 0, rows.Values.AsSpan(place * size, size)));
        rows = Centred(rows.ToUnit()).ToUnit();
        count = Math.Min(count, images.Count - 1);
        var nearest = new int[images.Count * count];
        var best = new int[count + 1];
        Similarity.EachRow(rows, rows, (row, similarities) =>
        {
            Similarity.Best(similarities, best);
            var place = row * count;
            foreach (var other in best)
                if (other != row && place < (row + 1) * count)
                    nearest[place++] = other;
        });
        return new(nearest, count);
    }

    private static Embeddings Centred(Embeddings rows)
    {
        var mean = new double[rows.Size];
        for (var row = 0; row < rows.Count; row++)
        for (var i = 0; i < rows.Size; i++)
            mean[i] += rows[row][i] / (double)rows.Count;
        var centred = new float[rows.Values.Length];
        for (var i = 0; i < centred.Length; i++)
            centred[i] = (float)(rows.Values[i] - mean[i % rows.Size]);
        return new(centred, rows.Size);
    }
}
