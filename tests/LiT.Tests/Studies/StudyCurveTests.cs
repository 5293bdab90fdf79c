using LiT.Reports;

namespace LiT.Tests.Studies;

public class StudyCurveTests
{
    [Fact]
    public void A_curve_is_the_mean_over_the_seeds_with_the_band_that_they_span()
    {
        var curve = StudyReport.Curve("Lu", [(10, 4), (20, 2), (10, 2), (20, 1)]); // two seeds, two steps

        Assert.Equal([(10, 3), (20, 1.5)], curve.Points);
        Assert.Equal([(2, 4), (1, 2)], curve.Spans!);
        var page = new LineChart { Title = "Loss", Series = [curve] }
            .Render()
            .ToString()!;
        Assert.Contains("class=\"band\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public void One_seed_has_no_band()
    {
        var page = new LineChart { Title = "Loss", Series = [StudyReport.Curve("Lu", [(10, 4), (20, 2)])] }
            .Render()
            .ToString()!;
        Assert.DoesNotContain("class=\"band\"", page, StringComparison.Ordinal);
    }
}
