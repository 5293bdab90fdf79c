using LiT.Evaluation;

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
}
