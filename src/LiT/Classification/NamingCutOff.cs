using LiT.Compute;

namespace LiT.Classification;

/// <summary>
/// When a picture is named with one of some labels, and when with none of them: from a <see cref="Background"/>, as the
/// expected share of right namings among all that are made.
/// </summary>
internal sealed class NamingCutOff
{
    private readonly Background background;
    private readonly Embeddings classes;
    private readonly ScoreScale[] ofClasses;
    private readonly double[] scores,
        precisions;

    /// <param name="background">Of the model and a collection like the pictures.</param>
    /// <param name="classes">One embedding a label, unit length.</param>
    /// <param name="present">Expected share of the pictures that show one of the labels at all.</param>
    public NamingCutOff(Background background, Embeddings classes, double present = 0.5)
    {
        (this.background, this.classes) = (background, classes);
        ofClasses = background.OfTexts(classes);
        const int Points = 400;
        const double Lowest = -2,
            Highest = 30;
        scores = [.. Enumerable.Range(0, Points).Select(i => Lowest + (Highest - Lowest) * i / (Points - 1.0))];
        // A higher score never counts less: what the tail's last pairs say to the contrary is noise.
        precisions = new double[Points];
        for (var i = 0; i < Points; i++)
            precisions[i] = Math.Max(i == 0 ? 0 : precisions[i - 1], Precision(scores[i]));

        double Precision(double score)
        {
            var right = present * background.OwnAbove(score);
            var wrong = (1 - present) * (1 - Math.Pow(1 - background.RandomAbove(score), classes.Count));
            return right / (right + wrong);
        }
    }

    /// <summary>For each picture the expected share of pictures that show one of the labels among those that score as high.</summary>
    /// <param name="pictures">zimg, unit length.</param>
    /// <returns>0 to 1, in the pictures' order.</returns>
    public double[] Precision(Embeddings pictures)
    {
        var ofPictures = background.OfPictures(pictures);
        var expected = new double[pictures.Count];
        Similarity.EachRow(pictures, classes, (row, similarities) =>
        {
            var best = double.NegativeInfinity;
            for (var c = 0; c < similarities.Length; c++)
                best = Math.Max(best, ScoreScale.Standard(similarities[c], ofPictures[row], ofClasses[c]));
            expected[row] = At(best);
        });
        return expected;
    }

    private double At(double score)
    {
        var at = Array.BinarySearch(scores, score);
        return precisions[at >= 0 ? at : Math.Max(0, ~at - 1)];
    }
}
