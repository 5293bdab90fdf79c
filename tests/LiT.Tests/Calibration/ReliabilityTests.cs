using LiT.Evaluation;

namespace LiT.Tests.Calibration;

public sealed class ReliabilityTests
{
    [Fact]
    public void The_fitted_temperature_is_the_one_that_the_answers_follow()
    {
        const double True = 8;
        var (images, classes, labels) = Drawn(True, 6000);

        var report = Reliability.Measure(images, classes, labels, temperature: 40);

        Assert.InRange(report.FittedTemperature, 0.9 * True, 1.1 * True);
        Assert.InRange(report.FittedCalibrationError, 0, 0.03);
        Assert.True(
            report.CalibrationError > 0.1,
            $"five times too sure, and the error is {report.CalibrationError:F3}"
        );
    }

    [Fact]
    public void Bins_hold_every_labelled_picture_once()
    {
        var (images, classes, labels) = Drawn(8, 500);
        labels[0] = [];

        var report = Reliability.Measure(images, classes, labels, temperature: 8);

        Assert.Equal(499, report.Bins.Sum(bin => bin.N));
        Assert.All(report.Bins, bin => Assert.InRange(bin.Confidence, bin.From, bin.From + 1 / 15.0 + 1e-9));
    }

    [Fact]
    public void Too_few_labelled_pictures_are_refused_in_one_line() =>
        Assert.Contains(
            "too few",
            Assert
                .Throws<LitException>(() =>
                {
                    var (images, classes, labels) = Drawn(8, 10);
                    Reliability.Measure(images, classes, labels, 8);
                })
                .Message
        );

    /// <summary>Pictures whose labels are drawn from the softmax of their similarities at a temperature.</summary>
    private static (Embeddings Images, Embeddings Classes, int[][] Labels) Drawn(double temperature, int count)
    {
        const int Classes = 5,
            Size = 5;
        Random random = new(3);
        var eye = new float[Classes * Size];
        for (var c = 0; c < Classes; c++)
            eye[c * Size + c] = 1;
        var values = new float[count * Size];
        var labels = new int[count][];
        for (var i = 0; i < count; i++)
        {
            var row = values.AsSpan(i * Size, Size);
            for (var j = 0; j < Size; j++)
                row[j] = (float)(random.NextDouble() - 0.3);
            var length = (float)Math.Sqrt(row.ToArray().Sum(value => (double)value * value));
            var weights = new double[Classes];
            for (var j = 0; j < Size; j++)
                weights[j] = Math.Exp(temperature * (row[j] /= length));
            var at = random.NextDouble() * weights.Sum();
            var label = 0;
            while (label < Classes - 1 && (at -= weights[label]) > 0)
                label++;
            labels[i] = [label];
        }
        return (new(values, Size), new(eye, Size), labels);
    }
}
