namespace LiT.Evaluation;

/// <summary>
/// Limited-memory BFGS with a backtracking line search (Nocedal and Wright 2006, algorithms 7.4 and 3.1), for smooth
/// convex functions. libtorch's own has no line search and writes a warning at every use.
/// </summary>
internal static class Lbfgs
{
    private const int Memory = 10;

    /// <summary>Gives the function's value at a point and writes its gradient there.</summary>
    public delegate double Function(double[] at, Span<double> gradient);

    /// <param name="start">The first point; left as it is.</param>
    /// <param name="function">What is minimised.</param>
    /// <param name="iterations">The most iterations.</param>
    /// <param name="tolerance">Stops when no entry of the gradient is larger.</param>
    public static double[] Minimise(double[] start, Function function, int iterations = 200, double tolerance = 1e-6)
    {
        var x = start;
        var gradient = new double[x.Length];
        var value = function(x, gradient);
        List<(double[] Step, double[] Change, double Inverse)> history = [];
        for (var i = 0; i < iterations && gradient.Max(Math.Abs) > tolerance; i++)
        {
            var direction = Direction(gradient, history);
            var slope = Dot(direction, gradient);
            var next = new double[x.Length];
            var nextGradient = new double[x.Length];
            var size = history.Count == 0 ? Math.Min(1, 1 / gradient.Sum(Math.Abs)) : 1.0;
            double nextValue;
            while (true)
            {
                for (var j = 0; j < x.Length; j++)
                    next[j] = x[j] + size * direction[j];
                nextValue = function(next, nextGradient);
                if (nextValue <= value + 1e-4 * size * slope)
                    break;
                size /= 2;
                if (size < 1e-12)
                    return x; // no lower point along this line in double precision
            }
            var step = Difference(next, x);
            var change = Difference(nextGradient, gradient);
            var curvature = Dot(step, change);
            if (curvature > 1e-12)
            {
                if (history.Count == Memory)
                    history.RemoveAt(0);
                history.Add((step, change, 1 / curvature));
            }
            (x, gradient, value) = (next, nextGradient, nextValue);
        }
        return x;
    }

    private static double[] Direction(double[] gradient, List<(double[] Step, double[] Change, double Inverse)> history)
    {
        var q = gradient.Select(g => -g).ToArray();
        var weights = new double[history.Count];
        for (var i = history.Count - 1; i >= 0; i--)
        {
            weights[i] = history[i].Inverse * Dot(history[i].Step, q);
            for (var j = 0; j < q.Length; j++)
                q[j] -= weights[i] * history[i].Change[j];
        }
        if (history.Count > 0)
        {
            var scale = 1 / (history[^1].Inverse * Dot(history[^1].Change, history[^1].Change));
            for (var j = 0; j < q.Length; j++)
                q[j] *= scale;
        }
        for (var i = 0; i < history.Count; i++)
        {
            var back = history[i].Inverse * Dot(history[i].Change, q);
            for (var j = 0; j < q.Length; j++)
                q[j] += (weights[i] - back) * history[i].Step[j];
        }
        return q;
    }

    private static double Dot(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    private static double[] Difference(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x - y)];
}
