using Microsoft.Playwright;

namespace LiT.Page.Tests;

/// <summary>Whatever can be looked for: the page shows what the server finds for it.</summary>
public sealed class AskingTests(Served served)
{
    private const double Proposed = 0.5; // the page leaves out what is less likely than not

    [Fact]
    public async Task Pictures_come_while_one_types_and_enter_is_a_step_to_go_back_from()
    {
        await using var visit = await served.VisitAsync();
        await visit["#words"].PressSequentiallyAsync("red heart");
        await visit.ShowsAsync(
            await Found(
                new
                {
                    words = new[] { "red heart" },
                    minPrecision = Proposed,
                    top = 12,
                }
            )
        );
        await Visit.EventuallyAsync("q=red+heart", visit.HashAsync);
        Assert.Equal("red heart · LiT", await visit.Page.TitleAsync());

        await visit["#words"].PressAsync("Enter");
        await visit["#words"].FillAsync("a blue star");
        var stars = await Found(
            new
            {
                words = new[] { "a blue star" },
                minPrecision = Proposed,
                top = 12,
            }
        );
        await visit.ShowsAsync(stars);
        await visit.Page.GoBackAsync();
        await Assertions.Expect(visit["#words"]).ToHaveValueAsync("red heart");
        await visit.Page.GoForwardAsync();
        await Assertions.Expect(visit["#words"]).ToHaveValueAsync("a blue star");
        await visit.ShowsAsync(stars);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Half_a_word_that_is_refused_leaves_what_was_found_until_nobody_goes_on(bool enter)
    {
        await using var visit = await served.VisitAsync("q=a+heart");
        var hearts = await Found(
            new
            {
                words = new[] { "a heart" },
                minPrecision = Proposed,
                top = 12,
            }
        );
        await visit.ShowsAsync(hearts);
        visit.Expected = Visit.HalfAWord;
        await visit["#add-without"].ClickAsync();
        var chip = visit["#chips .without input"];
        await visit.Page.Clock.InstallAsync(); // from here on a pause is as long as the test says
        await visit.Page.Clock.PauseAtAsync(DateTime.UtcNow.AddHours(1));
        await chip.FillAsync("a red hea");
        await visit.Page.Clock.RunForAsync(300);
        await visit.SaysAsync("#status", "no caption of the tuning had 'hea'");
        await visit.ShowsAsync(hearts);
        await Assertions.Expect(visit["#trouble"]).ToBeHiddenAsync();

        // Who goes on gets the answer to the whole word; who does not is told aloud.
        await chip.FillAsync("a red heart");
        await visit.Page.Clock.RunForAsync(300);
        await visit.ShowsAsync(
            await Found(
                new
                {
                    words = new[] { "a heart" },
                    without = new[] { "a red heart" },
                    minPrecision = Proposed,
                    top = 12,
                }
            )
        );
        await visit.Page.Clock.RunForAsync(10_000);
        await Assertions.Expect(visit["#trouble"]).ToBeHiddenAsync();
        await chip.FillAsync("a red hear");
        await visit.Page.Clock.RunForAsync(300);
        await visit.SaysAsync("#status", "no caption of the tuning had 'hear'");
        if (enter)
            await chip.PressAsync("Enter");
        else
            await visit.Page.Clock.RunForAsync(3_000);
        await visit.SaysAsync("#trouble", "no caption of the tuning had 'hear'");
        Assert.Empty(await visit.KeysAsync());
    }

    [Fact]
    public async Task Several_words_count_together_each_with_its_weight()
    {
        await using var visit = await served.VisitAsync();
        await visit["#words"].FillAsync("a heart");
        await visit["#add-words"].ClickAsync();
        await visit["#chips .words input"].FillAsync("green");
        await visit["#chips .words select"].SelectOptionAsync("3");
        await visit.ShowsAsync(
            await Found(
                new
                {
                    words = new[] { "a heart", "3:green" },
                    minPrecision = Proposed,
                    top = 12,
                }
            )
        );
        await visit["#words-weight select"].SelectOptionAsync("0.5");
        await visit.ShowsAsync(
            await Found(
                new
                {
                    words = new[] { "0.5:a heart", "3:green" },
                    minPrecision = Proposed,
                    top = 12,
                }
            )
        );
    }

    [Fact]
    public async Task What_is_minus_is_gone_away_from_and_what_is_without_is_left_out()
    {
        await using var visit = await served.VisitAsync("q=a+heart&min=0");
        await visit["#add-minus"].ClickAsync();
        await visit["#chips .minus input"].FillAsync("red");
        await visit.ShowsAsync(
            await Found(
                new
                {
                    words = new[] { "a heart" },
                    minus = new[] { "red" },
                    top = 12,
                }
            )
        );
        await visit["#add-without"].ClickAsync();
        await visit["#chips .without input"].FillAsync("a blue heart");
        var expected = await Found(
            new
            {
                words = new[] { "a heart" },
                minus = new[] { "red" },
                without = new[] { "a blue heart" },
                top = 12,
            }
        );
        await visit.ShowsAsync(expected);

        // An empty chip goes with the key that empties it, and a chip with its cross.
        await visit["#chips .minus input"].FillAsync("");
        await visit["#chips .minus input"].PressAsync("Backspace");
        await Assertions.Expect(visit["#chips .minus"]).ToHaveCountAsync(0);
        await visit["#chips .without button"].ClickAsync();
        await visit.ShowsAsync(await Found(new { words = new[] { "a heart" }, top = 12 }));
    }

    [Theory]
    [InlineData("choose")]
    [InlineData("drop")]
    [InlineData("paste")]
    public async Task A_picture_is_chosen_dropped_or_pasted(string gesture)
    {
        await using var visit = await served.VisitAsync("min=0");
        var (key, bytes) = await APicture();
        if (gesture == "choose")
            await visit["#file"]
                .SetInputFilesAsync(
                    new FilePayload
                    {
                        Name = "given.png",
                        MimeType = "image/png",
                        Buffer = bytes,
                    }
                );
        else
            await visit.GiveAsync(gesture, bytes);
        var pictures = new[] { new { image = Convert.ToBase64String(bytes) } };
        var found = await Found(new { pictures, top = 12 });
        await visit.ShowsAsync(found);
        Assert.Equal(key, found[0]); // a small file is sent as it is: its own picture is the nearest
        await Assertions.Expect(visit["#chips .like img"]).ToBeVisibleAsync();
        await Assertions.Expect(visit["#veil"]).ToBeHiddenAsync();

        await visit["#words"].FillAsync("a yellow one");
        await visit.ShowsAsync(
            await Found(
                new
                {
                    words = new[] { "a yellow one" },
                    pictures,
                    top = 12,
                }
            )
        );
    }

    [Fact]
    public async Task A_large_picture_goes_into_the_link_and_the_link_finds_the_same()
    {
        await using var visit = await served.VisitAsync();
        // Painted in the browser: 1600 x 900, a file of more than what is kept as it is.
        var painted = await visit.Page.EvaluateAsync<string>(
            """
            async () => {
              const canvas = Object.assign(document.createElement("canvas"), { width: 1600, height: 900 });
              const paint = canvas.getContext("2d");
              for (let i = 0; i < 4000; i++) {
                paint.fillStyle = `hsl(${(i * 47) % 360} 90% 55%)`;
                paint.fillRect((i * 97) % 1600, (i * 61) % 900, 40, 40);
              }
              const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
              const bytes = new Uint8Array(await blob.arrayBuffer());
              return btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join(""));
            }
            """
        );
        var bytes = Convert.FromBase64String(painted);
        Assert.True(bytes.Length > 24 * 1024);
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length > 0);
        var before = await visit.KeysAsync();
        await visit.GiveAsync("drop", bytes);
        await Assertions.Expect(visit["#chips .like img"]).ToBeVisibleAsync();
        string[] shown = [];
        await Visit.EventuallyAsync(async () =>
        {
            shown = await visit.KeysAsync();
            return shown.Length > 0 && !shown.SequenceEqual(before);
        });
        var hash = await visit.HashAsync();
        Assert.StartsWith("picture=image%2Fwebp.", hash, StringComparison.Ordinal);
        Assert.InRange(hash.Length, 1000, 200_000);

        await using var again = await served.VisitAsync(hash);
        await again.ShowsAsync(shown);
        var size = await again.Page.EvalOnSelectorAsync<int[]>(
            "#chips .like img",
            "async (one) => (await one.decode(), [one.naturalWidth, one.naturalHeight])"
        );
        Assert.Equal([512, 288], size);
    }

    [Fact]
    public async Task More_like_this_asks_with_a_picture_alone_and_it_can_be_added_to_words()
    {
        await using var visit = await served.VisitAsync("q=a+heart&min=0");
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length > 3);
        var key = (await visit.KeysAsync())[2];
        await visit["#grid li:nth-child(3)"].HoverAsync();
        await visit["#grid li:nth-child(3) .more-like"].ClickAsync();
        await visit.ShowsAsync(
            await Found(
                new
                {
                    like = new[] { key },
                    minPrecision = Proposed,
                    top = 12,
                }
            )
        );
        await Assertions.Expect(visit["#words"]).ToHaveValueAsync("");

        await visit.Page.GoBackAsync();
        await visit.ShowsAsync(await Found(new { words = new[] { "a heart" }, top = 12 }));
        await visit["#grid li:nth-child(3) a.open"].ClickAsync();
        await visit["#detail"].GetByText("Add to what is asked").ClickAsync();
        await visit.ShowsAsync(
            await Found(
                new
                {
                    words = new[] { "a heart" },
                    like = new[] { key },
                    top = 12,
                }
            )
        );
    }

    [Theory]
    [InlineData(0.25)]
    [InlineData(3)]
    public async Task A_picture_of_the_store_is_weighed_whatever_its_key_begins_with(double weight)
    {
        var key = (await Found(new { words = new[] { "a heart" }, top = 1 }))[0];
        await using var visit = await served.VisitAsync($"q=a+star&like={Uri.EscapeDataString(key)}&min=0");
        var together = await Found(
            new
            {
                words = new[] { "a star" },
                like = new[] { key },
                top = 12,
            }
        );
        await visit.ShowsAsync(together);
        await visit["#chips .like select"]
            .SelectOptionAsync(weight.ToString(System.Globalization.CultureInfo.InvariantCulture));
        // The same by the words' weight alone: only the ratio counts.
        var words = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{1 / weight}:a star");
        await visit.ShowsAsync(
            await Found(
                new
                {
                    words = new[] { words },
                    like = new[] { key },
                    top = 12,
                }
            )
        );
    }

    [Fact]
    public async Task Before_anything_is_asked_some_pictures_and_words_to_begin_with_are_there()
    {
        await using var visit = await served.VisitAsync();
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length == 48);
        Assert.Equal(48, (await visit.KeysAsync()).Distinct().Count());
        var words = await visit["#examples .example"].First.InnerTextAsync();
        await visit["#examples .example"].First.ClickAsync();
        await Assertions.Expect(visit["#words"]).ToHaveValueAsync(words);
        await visit.ShowsAsync(
            await Found(
                new
                {
                    words = new[] { words },
                    minPrecision = Proposed,
                    top = 12,
                }
            )
        );
        await visit["#clear"].ClickAsync();
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length == 48);
    }

    [Fact]
    public async Task Another_store_is_another_collection()
    {
        await using var visit = await served.VisitAsync("q=a+heart&min=0");
        await visit["#store"].SelectOptionAsync("compositions");
        await visit.ShowsAsync(
            await Found(
                new
                {
                    words = new[] { "a heart" },
                    store = "compositions",
                    top = 12,
                }
            )
        );
        await visit.SaysAsync("#what-searched", "48 pictures");
    }

    private async Task<string[]> Found(object question) => await served.FindAsync(question);

    private async Task<(string Key, byte[] Bytes)> APicture()
    {
        var key = (await Found(new { words = new[] { "a cat" }, top = 5 }))[4];
        return (key, await served.Api.GetByteArrayAsync($"v1/pictures/{Uri.EscapeDataString(key)}"));
    }
}
