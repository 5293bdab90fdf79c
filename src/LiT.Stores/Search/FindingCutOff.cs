using LiT.Classification;

namespace LiT.Search;

/// <summary>
/// How many of the pictures found for a text fit it: from a <see cref="Background"/> and the size of the collection.
/// </summary>
internal static class FindingCutOff
{
    /// <summary>
    /// For each picture the expected share that fits among all that score as high: as many false alarms come as the
    /// background gives in a collection of this size, and the rest fits (the false discovery rate of Benjamini and
    /// Hochberg 1995).
    /// </summary>
    /// <param name="background">Of the model and a collection like this one.</param>
    /// <param name="scores">Standard scores of the best pictures, in any order.</param>
    /// <param name="pictures">Pictures in the collection.</param>
    /// <returns>0 to 1, in the order of the scores; a higher score never gets less.</returns>
    public static double[] Precision(Background background, double[] scores, long pictures)
    {
        var order = Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i]).ToArray();
        var precision = new double[scores.Length];
        var sofar = 0.0;
        for (var rank = order.Length; rank >= 1; rank--)
        {
            sofar = Math.Max(sofar, 1 - Math.Min(1, pictures * background.RandomAbove(scores[order[rank - 1]]) / rank));
            precision[order[rank - 1]] = sofar;
        }
        return precision;
    }
}
