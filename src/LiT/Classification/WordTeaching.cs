using System.Numerics.Tensors;
using LiT.Compute;

namespace LiT.Classification;

/// <summary>
/// How a few pictures become the embedding of a word, in closed form. The direction is Fisher's discriminant
/// between the word's pictures and others, (S + shrinkage)⁻¹ (mean of the word's - mean of the others), S being the
/// covariance of the others (Friedman, JASA 1989, for the shrinkage): the log-likelihood ratio of two Gaussians
/// that differ in their means. How much a picture has to look like the word before it is called by it follows from
/// the others, too: the one in two hundred of them that is nearest to the word begins at the logit at which that of
/// a usual word begins that the model can read. Others that show the word themselves are set aside first, for both:
/// how many they are follows from the word's own pictures (<see cref="Showing"/>). Both together, a direction and a
/// threshold, are one vector, because pictures have unit length and a mean: there is a direction in which all of them
/// lie equally far. It is not of unit length: what tells a new thing apart is seldom
/// what pictures differ in most. Needs no randomness and no order of summation that depends on threads. Safe for
/// use from several threads.
/// </summary>
internal sealed class WordTeaching
{
    /// <summary>Others that are needed at least.</summary>
    public const int FewestOthers = 20;

    /// <summary>Words that say what is usual, at most: more are not worth reading.</summary>
    public const int MostWords = 500;

    private const int JudgedPictures = 200,
        FewestTelling = 10; // pictures of a word that say how many others show it

    private const double Shrinkage = 0.2,
        Near = 0.005, // share of all pictures that is near a word
        FewestShowing = 0.05, // share of the others that is believed to show the word
        MostShowing = 0.25,
        Spread = 2, // deviations below the word's own pictures, beyond which a picture does not show it
        Ridge = 1e-4;

    private readonly Embeddings others;
    private readonly double temperature;
    private readonly double[] mean,
        moment, // mean of row · rowᵀ, the lower half
        factor, // of the shrunken covariance
        constant; // the direction in which all pictures lie at 1
    private readonly double usual; // the logit at which what is near a word begins, for words that can be read

    /// <param name="others">Pictures of whatever else, zimg of unit length; <see cref="FewestOthers"/> at
    /// least.</param>
    /// <param name="words">ztxt of words that the model can read, unit length; one at least.</param>
    /// <param name="temperature">exp(t) of the model: logits are exp(t) · zimg · ztxt.</param>
    public WordTeaching(Embeddings others, Embeddings words, double temperature)
    {
        (this.others, this.temperature) = (others, temperature);
        var size = others.Size;
        mean = MeanOf(others);
        moment = SecondMoment(others);
        factor = FactorOf(mean, moment);
        var ridged = moment.ToArray();
        var ridge = Ridge * Trace(moment, size) / size;
        for (var i = 0; i < size; i++)
            ridged[i * size + i] += ridge;
        constant = Solve(Cholesky(ridged, size), mean);
        var levels = new double[words.Count];
        Parts.Run(words.Count, word =>
        {
            var logits = new double[others.Count];
            for (var row = 0; row < logits.Length; row++)
                logits[row] = temperature * TensorPrimitives.Dot(others[row], words[word]);
            levels[word] = NearFrom(logits);
        });
        Array.Sort(levels);
        usual = levels[levels.Length / 2];
    }

    /// <summary>Pictures that words are told from.</summary>
    public int Others => others.Count;

    /// <summary>The embedding of the word that some pictures show: exp(t) · zimg · this is its logit.</summary>
    /// <param name="pictures">zimg of the word's pictures, unit length.</param>
    /// <returns>E numbers, not of unit length.</returns>
    public float[] Vector(Embeddings pictures)
    {
        var size = others.Size;
        var shown = MeanOf(pictures);
        var direction = Solve(factor, Minus(shown, mean));
        var logits = Logits(direction);
        if (Showing(pictures, shown, direction, logits) is { Count: > 0 } showing)
        {
            var (less, lessMoment) = Without([.. showing.Order()]);
            direction = Solve(FactorOf(less, lessMoment), Minus(shown, less));
            logits = [.. Logits(direction).Where((_, row) => !showing.Contains(row))];
        }
        var threshold = usual - NearFrom(logits);
        var vector = new float[size];
        for (var i = 0; i < size; i++)
            vector[i] = (float)((direction[i] + threshold * constant[i]) / temperature);
        return vector;
    }

    /// <summary>
    /// Those of the others that show the word as well, as far as can be told: twice as many as look like it more than
    /// half of its own pictures do, each of these judged by a direction that was found without it, but none that is
    /// far from all of them. None where they are so few that they may do so by chance, or more than can be.
    /// </summary>
    private HashSet<int> Showing(Embeddings pictures, double[] shown, double[] direction, double[] logits)
    {
        if (pictures.Count < FewestTelling)
            return [];
        var own = new double[Math.Min(pictures.Count, JudgedPictures)];
        for (var row = 0; row < own.Length; row++)
        {
            var one = new double[others.Size];
            for (var i = 0; i < one.Length; i++)
                one[i] = pictures[row][i];
            own[row] =
                Dot(pictures[row], direction)
                + Dot(pictures[row], Solve(factor, Minus(shown, one))) / (pictures.Count - 1);
        }
        Array.Sort(own);
        var middle = (own[(own.Length - 1) / 2] + own[own.Length / 2]) / 2;
        var count = 2 * logits.Count(logit => logit > middle);
        if (count < FewestShowing * others.Count || count > MostShowing * others.Count)
            return []; // what looks like a word by chance, or pictures too few to tell
        var average = own.Average();
        var floor = average - Spread * Math.Sqrt(own.Average(logit => (logit - average) * (logit - average)));
        return
        [
            .. Enumerable
                .Range(0, logits.Length)
                .Where(row => logits[row] > floor)
                .OrderByDescending(row => logits[row])
                .Take(count),
        ];
    }

    private (double[] Mean, double[] Moment) Without(int[] rows)
    {
        var size = others.Size;
        var gone = others.Select(rows);
        var (of, products) = (MeanOf(gone), SecondMoment(gone));
        var rest = (double)(others.Count - rows.Length);
        double Rest(double all, double part) => (all * others.Count - part * rows.Length) / rest;
        return ([.. mean.Zip(of, Rest)], [.. moment.Zip(products, Rest)]);
    }

    private static double[] FactorOf(double[] mean, double[] moment)
    {
        var size = mean.Length;
        var covariance = new double[size * size];
        for (var i = 0; i < size; i++)
        for (var j = 0; j <= i; j++)
            covariance[i * size + j] = moment[i * size + j] - mean[i] * mean[j];
        var variance = Trace(covariance, size) / size;
        for (var i = 0; i < size; i++)
        {
            for (var j = 0; j <= i; j++)
                covariance[i * size + j] *= 1 - Shrinkage;
            covariance[i * size + i] += Math.Max(Shrinkage * variance, 1e-12); // pictures that are all one are fine
        }
        return Cholesky(covariance, size);
    }

    private static double[] Minus(double[] one, double[] other) => [.. one.Zip(other, (a, b) => a - b)];

    private double[] Logits(double[] direction)
    {
        var logits = new double[others.Count];
        for (var row = 0; row < logits.Length; row++)
            logits[row] = Dot(others[row], direction);
        return logits;
    }

    private static double NearFrom(double[] logits)
    {
        Array.Sort(logits);
        return logits[^(1 + (int)(Near * logits.Length))];
    }

    private static double[] MeanOf(Embeddings rows)
    {
        var mean = new double[rows.Size];
        for (var row = 0; row < rows.Count; row++)
        for (var i = 0; i < mean.Length; i++)
            mean[i] += rows[row][i];
        for (var i = 0; i < mean.Length; i++)
            mean[i] /= rows.Count;
        return mean;
    }

    /// <summary>The lower half of the mean of row · rowᵀ.</summary>
    private static double[] SecondMoment(Embeddings rows)
    {
        const int Block = 32; // sums over so many rows are float32, as products of unit rows may be
        var size = rows.Size;
        var moment = new double[size * size];
        var columns = new float[size * Block];
        for (var first = 0; first < rows.Count; first += Block)
        {
            var count = Math.Min(Block, rows.Count - first);
            for (var i = 0; i < size; i++)
            for (var row = 0; row < count; row++)
                columns[i * Block + row] = rows[first + row][i];
            Parts.Run(size, i =>
            {
                for (var j = 0; j <= i; j++)
                    moment[i * size + j] += TensorPrimitives.Dot<float>(
                        columns.AsSpan(i * Block, count),
                        columns.AsSpan(j * Block, count)
                    );
            });
        }
        for (var i = 0; i < moment.Length; i++)
            moment[i] /= rows.Count;
        return moment;
    }

    private static double Trace(double[] matrix, int size)
    {
        var sum = 0.0;
        for (var i = 0; i < size; i++)
            sum += matrix[i * size + i];
        return sum;
    }

    /// <summary>L of a matrix L · Lᵀ, of which the lower half is given; in its place.</summary>
    private static double[] Cholesky(double[] matrix, int size)
    {
        for (var i = 0; i < size; i++)
        {
            var row = matrix.AsSpan(i * size, size);
            for (var j = 0; j < i; j++)
                row[j] =
                    (row[j] - TensorPrimitives.Dot<double>(row[..j], matrix.AsSpan(j * size, j)))
                    / matrix[j * size + j];
            row[i] = Math.Sqrt(Math.Max(row[i] - TensorPrimitives.Dot<double>(row[..i], row[..i]), 1e-300));
        }
        return matrix;
    }

    /// <summary>x of L · Lᵀ · x = y.</summary>
    private static double[] Solve(double[] lower, double[] y)
    {
        var size = y.Length;
        var x = y.ToArray();
        for (var i = 0; i < size; i++)
            x[i] =
                (x[i] - TensorPrimitives.Dot<double>(lower.AsSpan(i * size, i), x.AsSpan(0, i))) / lower[i * size + i];
        for (var i = size - 1; i >= 0; i--)
        {
            x[i] /= lower[i * size + i];
            for (var j = 0; j < i; j++)
                x[j] -= lower[i * size + j] * x[i];
        }
        return x;
    }

    private static double Dot(ReadOnlySpan<float> row, double[] direction)
    {
        var sum = 0.0;
        for (var i = 0; i < row.Length; i++)
            sum += row[i] * direction[i];
        return sum;
    }
}
