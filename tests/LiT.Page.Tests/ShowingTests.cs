using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace LiT.Page.Tests;

/// <summary>What is shown of what was found, and how: cut-off, filters, order, links, files, scrolling.</summary>
public sealed partial class ShowingTests(Served served)
{
    private static readonly string[] Heart = ["a heart"];

    [Fact]
    public async Task The_slider_leaves_out_what_is_less_sure_and_scores_are_shares_not_cosines()
    {
        await using var visit = await served.VisitAsync("q=a+heart");
        await visit.ShowsAsync(
            await served.FindAsync(
                new
                {
                    words = Heart,
                    minPrecision = 0.5,
                    top = 12,
                }
            )
        );
        Assert.Equal("≥ 50%", await visit.TextAsync("#precision-words"));
        await visit["#precision"].FillAsync("6"); // 90%
        var answer = await served.AskAsync(
            "v1/search",
            new
            {
                words = Heart,
                minPrecision = 0.9,
                top = 100,
            }
        );
        await visit.ShowsAsync(Served.Keys(answer));
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length == Served.Keys(answer).Length);
        Assert.Contains("min=0.9", await visit.HashAsync(), StringComparison.Ordinal);
        Assert.Equal("≥ 90%", await visit["#precision"].GetAttributeAsync("aria-valuetext"));

        var shares = await visit["#grid .sure"].AllInnerTextsAsync();
        var expected = answer.GetProperty("results").EnumerateArray().Select(one => Percent(one));
        Assert.Equal(expected, shares.Select(one => Share().Match(one).Value));
        Assert.DoesNotMatch(@"0\.\d\d", await visit.TextAsync("#grid"));

        await visit["#precision"].FillAsync("0");
        Assert.Equal("anything", await visit.TextAsync("#precision-words"));
        await visit.ShowsAsync(await served.FindAsync(new { words = Heart, top = 100 }));
    }

    private static string Percent(JsonElement one)
    {
        var share = one.GetProperty("expectedPrecision").GetDouble();
        return share >= 1 ? "100%"
            : share >= 0.995 ? string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(share * 1000) / 10}%")
            : string.Create(CultureInfo.InvariantCulture, $"{Math.Round(share * 100, MidpointRounding.AwayFromZero)}%");
    }

    [GeneratedRegex(@"[\d.]+%")]
    private static partial Regex Share();

    [Theory]
    [InlineData("xylophone zeppelin", "tuned on no caption with “xylophone”, “zeppelin”")]
    [InlineData("a car in a tree", null)]
    public async Task Nothing_matches_is_said_and_the_nearest_are_one_click_away(string words, string? why)
    {
        await using var visit = await served.VisitAsync($"q={Uri.EscapeDataString(words)}&min=0.99");
        var answer = await served.AskAsync(
            "v1/search",
            new
            {
                words = new[] { words },
                minPrecision = 0.99,
                top = 9,
            }
        );
        Assert.True(answer.GetProperty("nothingMatches").GetBoolean(), "the drawings show it after all");
        await Assertions.Expect(visit["#nothing h2"]).ToHaveTextAsync("Nothing matches");
        Assert.Empty(await visit.KeysAsync());
        var said = Regex.Replace(await visit.TextAsync("#nothing p"), @"\s+", " ");
        Assert.Contains(why ?? "No picture is at least 99% likely to show this", said, StringComparison.Ordinal);
        await visit["#nothing button"].ClickAsync();
        await visit.ShowsAsync(await served.FindAsync(new { words = new[] { words }, top = 12 }));
        await Assertions.Expect(visit["#nothing"]).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Filters_are_made_from_the_columns_of_the_store()
    {
        await using var visit = await served.VisitAsync("q=a+drawing&min=0");
        await visit["#filters-open"].ClickAsync();
        ILocator Colour(string name) =>
            visit["#filters fieldset"]
                .Filter(new() { HasText = "colour" })
                .GetByRole(AriaRole.Checkbox, new() { Name = name, Exact = true });
        await Colour("red").CheckAsync();
        var words = new[] { "a drawing" };
        await visit.ShowsAsync(
            await served.FindAsync(
                new
                {
                    words,
                    where = "colour = 'red'",
                    top = 100,
                }
            )
        );
        await Colour("blue").CheckAsync();
        await visit.ShowsAsync(
            await served.FindAsync(
                new
                {
                    words,
                    where = "colour in ('red', 'blue')",
                    top = 100,
                }
            )
        );
        Assert.Equal(2, await visit["#filters .choice input:checked"].CountAsync());
        await visit["#filters input[aria-label='captions contains']"].FillAsync("heart");
        const string Three = "colour in ('red', 'blue') and captions contains 'heart'";
        var three = await served.FindAsync(
            new
            {
                words,
                where = Three,
                top = 100,
            }
        );
        Assert.NotEmpty(three);
        await visit.ShowsAsync(three);
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length == three.Length);
        await visit["#where"].FillAsync("not colour = 'red'");
        await visit.ShowsAsync(
            await served.FindAsync(
                new
                {
                    words,
                    where = $"{Three} and not colour = 'red'",
                    top = 100,
                }
            )
        );
        Assert.Equal("3", await visit.TextAsync("#filters-count"));

        // The state of every control comes back from the address.
        await using var again = await served.VisitAsync(await visit.HashAsync());
        await again.ShowsAsync(await visit.KeysAsync());
        await again["#filters-open"].ClickAsync();
        Assert.Equal(2, await again["#filters .choice input:checked"].CountAsync());
        Assert.Equal("not colour = 'red'", await again["#where"].InputValueAsync());
        await again["#filters > .tool"].ClickAsync();
        await again.ShowsAsync(await served.FindAsync(new { words, top = 100 }));
        await Assertions.Expect(again["#filters-count"]).ToBeHiddenAsync();
    }

    [Fact]
    public async Task A_range_of_numbers_or_dates_holds_and_a_filter_that_cannot_be_read_is_answered_in_words()
    {
        await using var visit = await served.VisitAsync("q=a+drawing&min=0");
        await visit["#filters-open"].ClickAsync();
        var words = new[] { "a drawing" };
        var from = visit["#filters input[aria-label='added from']"];
        await from.FillAsync("2020-01-31");
        await visit.ShowsAsync(await served.FindAsync(new { words, top = 100 }));
        await visit["#filters input[aria-label='added up to']"].FillAsync("2020-02-29");
        await Assertions.Expect(visit["#nothing"]).ToBeVisibleAsync();
        Assert.Equal("No picture is left by the filters.", await visit.TextAsync("#nothing p"));

        visit.Expected = Visit.HalfAWord;
        await visit["#where"].FillAsync("colr = 'red'");
        await Assertions.Expect(visit["#trouble"]).ToContainTextAsync("there is no column colr");
        await Assertions.Expect(visit["#trouble"]).ToContainTextAsync("colour");
        await visit["#filters > .tool"].ClickAsync();
        await visit.ShowsAsync(await served.FindAsync(new { words, top = 100 }));
        await Assertions.Expect(visit["#trouble"]).ToBeHiddenAsync();
    }

    [Theory]
    [InlineData("label")]
    [InlineData("label desc")]
    public async Task The_order_is_a_columns_as_the_server_has_it(string order)
    {
        await using var visit = await served.VisitAsync("q=a+heart");
        var column = (await served.AskAsync("v1/search", new { words = Heart, top = 1 }))
            .GetProperty("results")[0]
            .GetProperty("columns")
            .EnumerateObject()
            .First(one => one.Value.ValueKind == JsonValueKind.String && one.Name is "kind" or "colour" or "label")
            .Name;
        order = order.Replace("label", column, StringComparison.Ordinal);
        await visit["#order"].SelectOptionAsync(order);
        var sorted = await served.FindAsync(
            new
            {
                words = Heart,
                minPrecision = 0.5,
                top = 1000,
                order,
            }
        );
        await visit.ShowsAsync(sorted[..Math.Min(100, sorted.Length)]);
        Assert.Contains("order=", await visit.HashAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_of_a_scene_leaves_out_its_likes()
    {
        await using var visit = await served.VisitAsync("q=a+heart&min=0");
        await visit["#distinct"].CheckAsync();
        await visit.ShowsAsync(
            await served.FindAsync(
                new
                {
                    words = Heart,
                    distinct = 0.95,
                    top = 100,
                }
            )
        );
    }

    [Fact]
    public async Task A_link_to_a_state_with_everything_shows_the_same()
    {
        var key = (await served.FindAsync(new { words = Heart, top = 1 }))[0];
        await using var visit = await served.VisitAsync();
        await visit["#words"].FillAsync("2:a heart");
        await visit["#add-words"].ClickAsync();
        await visit["#chips .words input"].FillAsync("100*100 \"'&#=+é 心");
        await visit["#add-minus"].ClickAsync();
        await visit["#chips .minus input"].FillAsync("a dog");
        await visit["#chips .minus select"].SelectOptionAsync("0.5");
        await visit["#add-without"].ClickAsync();
        await visit["#chips .without input"].FillAsync("a cat");
        await visit["#distinct"].CheckAsync();
        await visit["#precision"].FillAsync("0");
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length == 100);
        var link = await visit.CopiedAsync("#copy");
        Assert.Equal(await visit.HashAsync(), Visit.After(link));
        Assert.StartsWith($"{served.Address}", link, StringComparison.Ordinal);

        await using var again = await served.VisitAsync(Visit.After(link) + $"&open={Uri.EscapeDataString(key)}");
        await again.ShowsAsync(await visit.KeysAsync());
        Assert.Equal("2:a heart", await again["#words"].InputValueAsync());
        Assert.Equal("100*100 \"'&#=+é 心", await again["#chips .words input"].InputValueAsync());
        Assert.Equal("0.5", await again["#chips .minus select"].InputValueAsync());
        Assert.Equal("a cat", await again["#chips .without input"].InputValueAsync());
        Assert.True(await again["#distinct"].IsCheckedAsync());
        await Assertions.Expect(again["#detail"]).ToBeVisibleAsync();
    }

    [Fact]
    public async Task What_is_shown_is_saved_as_JSON_and_as_CSV()
    {
        await using var visit = await served.VisitAsync("q=a+heart");
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length > 0);
        var keys = await visit.KeysAsync();
        var json = JsonDocument.Parse(await visit.SavedAsync("#save-json")).RootElement;
        Assert.Equal(keys, Served.Keys(json));
        var answer = await served.AskAsync(
            "v1/search",
            new
            {
                words = Heart,
                minPrecision = 0.5,
                top = 100,
            }
        );
        foreach (var member in new[] { "results", "query" })
            Assert.True(JsonElement.DeepEquals(answer.GetProperty(member), json.GetProperty(member)), member);

        var lines = (await visit.SavedAsync("#save-csv")).Split("\r\n");
        Assert.StartsWith("key,origin,similarity,expectedPrecision,", lines[0], StringComparison.Ordinal);
        Assert.Equal(keys, lines[1..^1].Select(line => line.Split(',')[0]));
        Assert.Equal("", lines[^1]);
    }

    [Fact]
    public async Task Scrolling_goes_on_to_the_end_and_nothing_jumps()
    {
        await using var visit = await served.VisitAsync("q=a+drawing&min=0");
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length >= 100);
        // Where the fiftieth picture is in the page stays what it was, however much comes below it.
        Task<double> Place() =>
            visit.Page.EvaluateAsync<double>(
                "document.querySelector('#grid li:nth-child(50)').getBoundingClientRect().top + scrollY"
            );
        var before = await Place();
        await Visit.EventuallyAsync(async () =>
        {
            await visit.Page.EvaluateAsync("scrollTo(0, document.body.scrollHeight)");
            return (await visit.KeysAsync()).Length == Served.Pictures;
        });
        Assert.Equal(before, await Place(), 0.6);
        var keys = await visit.KeysAsync();
        Assert.Equal(await served.FindAsync(new { words = new[] { "a drawing" }, top = Served.Pictures }), keys);
        await Assertions.Expect(visit["#end"]).ToHaveTextAsync("That is all.");

        // Back from a picture's likes, the place is the one that was left.
        var left = await visit.Page.EvaluateAsync<double>("(scrollTo(0, 1200), scrollY)");
        await visit["#grid li:nth-child(60) .more-like"].EvaluateAsync("one => one.click()");
        await Assertions.Expect(visit["#chips .like"]).ToBeVisibleAsync();
        await visit.Page.GoBackAsync();
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length == Served.Pictures);
        await Visit.EventuallyAsync(async () =>
            Math.Abs(left - await visit.Page.EvaluateAsync<double>("scrollY")) < 0.6
        );
    }

    [Fact]
    public async Task Thumbnails_are_asked_for_once()
    {
        await using var visit = await served.VisitAsync("q=a+heart&min=0");
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length == 100);
        string[] seen = [];
        await Visit.EventuallyAsync(async () => (seen = [.. (await CameAsync()).Keys]).Length >= 24);
        await visit.Page.ReloadAsync();
        var again = new Dictionary<string, double>();
        await Visit.EventuallyAsync(async () => seen.All((again = await CameAsync()).ContainsKey));
        Assert.All(seen, address => Assert.Equal(0, again[address]));

        // What has come of the small pictures, and how many bytes of it over the network.
        Task<Dictionary<string, double>> CameAsync() =>
            visit.Page.EvaluateAsync<Dictionary<string, double>>(
                "Object.fromEntries(performance.getEntriesByType('resource')"
                    + ".filter((one) => one.name.includes('/v1/thumbnails/') && one.responseEnd > 0)"
                    + ".map((one) => [one.name, one.transferSize]))"
            );
    }

    [Fact]
    public async Task A_picture_opens_large_with_all_that_is_known_of_it()
    {
        await using var visit = await served.VisitAsync("q=a+heart");
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length > 2);
        await visit["#grid li:nth-child(2) a.open"].ClickAsync();
        var two = (await served.AskAsync("v1/search", new { words = Heart, top = 3 })).GetProperty("results")[1];
        var told = await visit.TextAsync("#detail");
        Assert.Contains(two.GetProperty("origin").GetString()!, told, StringComparison.Ordinal);
        Assert.Contains($"{Percent(two)} expected to fit", told, StringComparison.Ordinal);
        Assert.Contains(two.GetProperty("columns").GetProperty("colour").GetString()!, told, StringComparison.Ordinal);
        await Visit.EventuallyAsync(48, () =>
            visit.Page.EvaluateAsync<int>("document.querySelector('.large').naturalWidth")
        );
        await visit["#detail .right"].ClickAsync();
        await visit.SaysAsync("#detail", "3 of");
        await visit["#detail"].GetByLabel("Close").ClickAsync();
        await Assertions.Expect(visit["#detail"]).ToBeHiddenAsync();
        Assert.DoesNotContain("open=", await visit.HashAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Markup_in_captions_and_keys_is_text()
    {
        const string Evil = "<img src=x onerror=\"document.title='bad'\"><script>document.title='bad'</script>";
        await using var visit = await served.VisitAsync();
        visit.Expected = "404"; // the key is nobody's
        await visit.Page.RouteAsync("**/v1/search", route => route.FulfillAsync(
                new()
                {
                    ContentType = "application/json",
                    Body = JsonSerializer.Serialize(
                        new
                        {
                            results = new[]
                            {
                                new
                                {
                                    key = Evil,
                                    origin = Evil,
                                    similarity = 0.5,
                                    columns = new { captions = new[] { Evil }, label = Evil },
                                },
                            },
                            nothingMatches = false,
                            searched = 1,
                            recall = 1,
                            seconds = 0.001,
                            unseenWords = new[] { Evil },
                        }
                    ),
                }
            ));
        await visit["#words"].FillAsync("a heart");
        await Assertions.Expect(visit["#grid .caption"]).ToHaveCountAsync(1);
        await Assertions.Expect(visit["#grid .caption"]).ToHaveTextAsync(Evil);
        await visit["#grid a.open"].ClickAsync();
        await Assertions.Expect(visit["#detail h2"]).ToHaveTextAsync(Evil);
        Assert.Contains(Evil, await visit.TextAsync("#status"), StringComparison.Ordinal);
        Assert.Equal("a heart · LiT", await visit.Page.TitleAsync());
        Assert.Equal(0, await visit["main script, main img[src=x], dialog script, dialog img[src=x]"].CountAsync());
    }
}
