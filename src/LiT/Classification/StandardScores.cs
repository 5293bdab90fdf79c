using LiT.Compute;

namespace LiT.Classification;

/// <summary>Where the similarities of one text (or one picture) to things that mostly do not fit it lie, and how widely.</summary>
/// <param name="Centre">Their median.</param>
/// <param name="Spread">From the median down to the 15.9% point, one standard deviation of a normal distribution. The upper
/// half, where whatever does fit lies, does not count.</param>
internal readonly record struct ScoreScale(float Centre, float Spread)
{
    private const double OneDeviationBelow = 0.1587;
    private const float LeastSpread = 1e-4f;

    /// <param name="scores">Similarities; reordered.</param>
    public static ScoreScale Of(Span<float> scores)
    {
        scores.Sort();
        var centre = scores[scores.Length / 2];
        return new(centre, Math.Max(LeastSpread, centre - scores[(int)(OneDeviationBelow * scores.Length)]));
    }

    /// <summary>The scale of every row of <paramref name="rows"/> against all of <paramref name="cohort"/>.</summary>
    public static ScoreScale[] OfRows(Embeddings rows, Embeddings cohort)
    {
        var scales = new ScoreScale[rows.Count];
        var scores = new float[cohort.Count];
        Similarity.EachRow(rows, cohort, (row, similarities) =>
        {
            similarities.CopyTo(scores);
            scales[row] = Of(scores);
        });
        return scales;
    }

    /// <summary>
    /// The similarity of a picture and a text in deviations above what is usual for either, averaged over the two (the
    /// symmetric normalisation of speaker verification: Shum et al., Odyssey 2010).
    /// </summary>
    public static double Standard(float similarity, ScoreScale picture, ScoreScale text) =>
        ((similarity - picture.Centre) / picture.Spread + (similarity - text.Centre) / text.Spread) / 2;
}
