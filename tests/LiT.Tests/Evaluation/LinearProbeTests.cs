using LiT.Compute;
using LiT.Evaluation;
using static TorchSharp.torch;

namespace LiT.Tests.Evaluation;

public class LinearProbeTests
{
    [Fact]
    public void A_probe_separates_what_a_line_separates_and_is_near_chance_on_noise()
    {
        var random = new Random(1);
        (Embeddings, int[]) Points(int n, double shift)
        {
            var values = new float[n * 4];
            var labels = new int[n];
            for (var i = 0; i < n; i++)
            {
                labels[i] = i % 3;
                for (var j = 0; j < 4; j++)
                    values[i * 4 + j] = (float)(random.NextDouble() + (j == labels[i] ? shift : 0));
            }
            return (new(values, 4), labels);
        }
        var (train, trainLabels) = Points(300, shift: 1.5);
        var (test, testLabels) = Points(90, shift: 1.5);
        Assert.Equal(1, LinearProbe.Score(train, trainLabels, test, testLabels, 3).Top1);

        (train, trainLabels) = Points(300, shift: 0);
        (test, testLabels) = Points(300, shift: 0);
        Assert.InRange(LinearProbe.Score(train, trainLabels, test, testLabels, 3).Top1, 0.2, 0.47);
    }

    [Theory]
    [InlineData(100, 30, 3)]
    [InlineData(900, 200, 7)]
    [InlineData(2100, 65, 40)]
    public void The_number_of_threads_changes_no_bit_of_a_fit(int rows, int width, int classes)
    {
        using var scope = NewDisposeScope();
        var random = new Random(5);
        var x = tensor(Enumerable.Range(0, rows * width).Select(_ => random.NextDouble() - 0.5).ToArray(), rows, width);
        var y = tensor(Enumerable.Range(0, rows).Select(_ => random.NextInt64(classes)).ToArray());
        var one = Fit(1);
        Assert.Contains(one, value => value != 0);
        Assert.Equal(one, Fit(2));
        Assert.Equal(one, Fit(3));

        double[] Fit(int threads)
        {
            using var own = Parts.Use(threads);
            return [.. LinearProbe.Fit(x, y, classes, 1e-3).data<double>()];
        }
    }
}
