using LiT.Reports;

namespace LiT.Tests.Reports;

public class HtmlTests
{
    [Fact]
    public void What_is_put_into_a_template_is_words_and_never_markup()
    {
        var hostile = "\"><script>alert('1')</script>&amp;";
        var part = Html.Of($"<p title=\"{hostile}\">{hostile}</p>");
        var p = Pages.Parse(part).Element("p")!;
        Assert.Equal(hostile, p.Value);
        Assert.Equal(hostile, p.Attribute("title")!.Value);
    }

    [Fact]
    public void Markup_made_by_a_template_goes_into_another_as_it_is() =>
        Assert.Equal(
            "<ul><li>a&amp;b</li><li>2.5</li></ul>",
            Html.Of($"<ul>{new[] { Html.Of($"<li>{"a&b"}</li>"), Html.Of($"<li>{2.5}</li>") }}</ul>").ToString()
        );

    [Fact]
    public void What_xml_cannot_hold_is_shown_as_missing() =>
        Assert.Equal("a\uFFFDb\uFFFDc\uFFFD😀\uFFFD", Pages.Parse(Html.Text("a\0b\u001bc\ud800😀\uffff")).Value);

    [Theory]
    [InlineData(0, "0")]
    [InlineData(12345, "12,345")]
    [InlineData(3.21749, "3.217")]
    [InlineData(12.3456, "12.35")]
    [InlineData(0.00045213, "0.0004521")]
    [InlineData(1e-7, "1e-7")]
    [InlineData(-2.5, "-2.5")]
    [InlineData(2.5e12, "2.5e12")]
    [InlineData(double.NaN, "–")]
    [InlineData(double.NegativeInfinity, "–")]
    public void Numbers_have_the_digits_that_count(double value, string words) =>
        Assert.Equal(words, Figures.Plain(value));

    [Theory]
    [InlineData(7.24, "7.2 s")]
    [InlineData(59.6, "60 s")]
    [InlineData(1319, "22 min")]
    [InlineData(7260, "2 h 1 min")]
    public void Durations_are_in_the_unit_that_fits(double seconds, string words) =>
        Assert.Equal(words, Figures.Duration(seconds));

    [Theory]
    [InlineData(0, 10, new double[] { 0, 2, 4, 6, 8, 10 })]
    [InlineData(0.13, 0.94, new[] { 0, 0.2, 0.4, 0.6, 0.8, 1 })]
    [InlineData(-3, 4, new double[] { -4, -2, 0, 2, 4 })]
    [InlineData(5, 5, new[] { 4.4, 4.6, 4.8, 5, 5.2, 5.4, 5.6 })]
    public void An_axis_has_round_ticks_around_all_values(double low, double high, double[] ticks)
    {
        var axis = Axis.For([low, double.NaN, high]);
        Assert.Equal(ticks, axis.Ticks.Select(tick => Math.Round(tick, 9)));
        Assert.True(axis.Low <= low && axis.High >= high);
    }

    [Theory]
    [InlineData(new double[] { })]
    [InlineData(new[] { double.NaN })]
    [InlineData(new[] { 0.0 })]
    [InlineData(new[] { 1e-300, 2e-300 })]
    [InlineData(new[] { -1e300, 1e300 })]
    [InlineData(new[] { 1e15, 1e15 + 1 })]
    public void An_axis_of_odd_values_still_has_two_ends(double[] values)
    {
        var axis = Axis.For(values);
        Assert.True(
            axis.High > axis.Low
                && double.IsFinite(axis.Low)
                && double.IsFinite(axis.High)
                && axis.Ticks.Count is > 0 and <= 50
        );
    }
}
