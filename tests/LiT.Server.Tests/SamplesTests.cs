namespace LiT.Server.Tests;

/// <summary>Some pictures, before anybody knows what to look for; pictures that are weighed by their keys.</summary>
public sealed class SamplesTests(PlainServer plain) : IClassFixture<PlainServer>
{
    private readonly Asking asking = plain.Asking;

    [Fact]
    public async Task They_are_spread_over_the_store_and_another_seed_gives_others()
    {
        var all = await SomeAsync("top=12");
        Assert.Equal(ServedPictures.Count, all.Distinct().Count());
        Assert.Equal(all, await SomeAsync("top=1000&seed=7")); // not more than there are
        var (one, other) = (await SomeAsync("top=4&seed=1"), await SomeAsync("top=4&seed=2"));
        Assert.NotEqual(one, other);
        Assert.Equal(one, await SomeAsync("top=4&seed=1"));
        for (var i = 0; i < 4; i++) // one of each quarter
            Assert.Contains(one[i], all[(3 * i)..(3 * i + 3)]);
    }

    [Theory]
    [InlineData("top=0")]
    [InlineData("top=1001")]
    public async Task Too_few_and_too_many_are_refused(string query)
    {
        var (status, json) = await asking.GetAsync($"/v1/samples?{query}");
        Assert.Equal(422, status);
        Assert.Contains("Give 1 to 1,000 pictures", (string)json["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task They_carry_what_the_store_says_of_them()
    {
        var (_, json) = await asking.GetAsync("/v1/samples?top=1");
        var one = json["results"]![0]!;
        Assert.NotNull(one["columns"]!["captions"]);
        Assert.NotNull(one["origin"]);
    }

    [Theory]
    [InlineData("0012.jpg", "0012.jpg*1")]
    [InlineData("2:0012.jpg", "2:0012.jpg*1 0012.jpg*2")]
    [InlineData("0.5:p.jpg", "p.jpg*0.5 0.5:p.jpg*1")]
    [InlineData("a:b", "a:b*1")]
    [InlineData("-1:7", "-1:7*1")]
    public void A_key_may_begin_with_a_digit_and_hold_a_colon(string text, string readings) =>
        Assert.Equal(
            readings,
            string.Join(
                ' ',
                Ask.Parse(text).Readings.Select(one => FormattableString.Invariant($"{one.What}*{one.Weight}"))
            )
        );

    private async Task<string[]> SomeAsync(string query)
    {
        var (status, json) = await asking.GetAsync($"/v1/samples?{query}");
        Assert.Equal(200, status);
        return [.. json["results"]!.AsArray().Select(one => (string)one!["key"]!)];
    }
}
