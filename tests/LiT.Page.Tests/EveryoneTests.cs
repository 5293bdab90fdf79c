using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace LiT.Page.Tests;

/// <summary>For everyone: keyboard, screen reader, both themes, a phone, a server that is away or has a key.</summary>
public sealed class EveryoneTests(Served served)
{
    [Fact]
    public async Task All_of_it_works_with_the_keyboard_alone()
    {
        await using var visit = await served.VisitAsync();
        var keys = visit.Page.Keyboard;
        await keys.PressAsync("Tab");
        await Visit.EventuallyAsync("skip", () => Focused(visit));
        await keys.PressAsync("Enter");
        await Visit.EventuallyAsync("words", () => Focused(visit));
        await keys.TypeAsync("a heart");
        await keys.PressAsync("Enter");
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length > 3);

        await Tab(visit, "add-without");
        await keys.PressAsync("Enter");
        visit.Expected = Visit.HalfAWord;
        await keys.TypeAsync("a red heart");
        var without = new
        {
            words = new[] { "a heart" },
            without = new[] { "a red heart" },
            minPrecision = 0.5,
            top = 9,
        };
        var found = await served.FindAsync(without);
        await visit.ShowsAsync(found);

        await Tab(visit, "precision");
        await keys.PressAsync("Home");
        await Visit.EventuallyAsync("anything", () => visit.TextAsync("#precision-words"));
        await keys.PressAsync("ArrowRight");
        await Visit.EventuallyAsync("≥ 50%", () => visit.TextAsync("#precision-words"));
        await visit.ShowsAsync(found);
        await Tab(visit, "distinct");
        await keys.PressAsync("Space");
        await Assertions.Expect(visit["#distinct"]).ToBeCheckedAsync();
        await keys.PressAsync("Space");
        await visit.ShowsAsync(found);
        await Tab(visit, "filters-open");
        await keys.PressAsync("Enter");
        await Assertions.Expect(visit["#filters-open"]).ToHaveAttributeAsync("aria-expanded", "true");
        await keys.PressAsync("Enter");

        // Into the pictures, along them, one open, through it, and back to where one was.
        await Tab(visit, "save-json", "save-csv", "copy");
        await keys.PressAsync("Tab");
        await Visit.EventuallyAsync(found[0], () => FocusedKey(visit));
        await keys.PressAsync("ArrowRight");
        await Visit.EventuallyAsync(found[1], () => FocusedKey(visit));
        await keys.PressAsync("Tab"); // its "more like this"
        await keys.PressAsync("ArrowLeft");
        await Visit.EventuallyAsync(found[0], () => FocusedKey(visit));
        await keys.PressAsync("Enter");
        await Assertions.Expect(visit["#detail"]).ToBeVisibleAsync();
        await keys.PressAsync("ArrowRight");
        await visit.SaysAsync("#detail", "2 of");
        await keys.PressAsync("Escape");
        await Assertions.Expect(visit["#detail"]).ToBeHiddenAsync();
        await Visit.EventuallyAsync(found[1], () => FocusedKey(visit));
        await keys.PressAsync("Control+k");
        await Visit.EventuallyAsync("words", () => Focused(visit));
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Axe_finds_nothing(ColorScheme theme)
    {
        await using var visit = await served.VisitAsync("", new() { ColorScheme = theme });
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length == 48);
        await Check(visit, "before anything is asked");

        await visit["#words"].FillAsync("a heart");
        await visit["#add-words"].ClickAsync();
        await visit["#chips .words input"].FillAsync("red");
        await visit["#add-minus"].ClickAsync();
        await visit["#chips .minus input"].FillAsync("a dog");
        await visit["#add-without"].ClickAsync();
        await visit["#chips .without input"].FillAsync("a cat");
        await visit["#filters-open"].ClickAsync();
        await visit["#filters .choice"].First.ClickAsync();
        await visit.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        await Check(visit, "a question with everything");

        await visit.Page.GotoAsync($"{served.Address}#q=a+heart");
        await visit.Page.ReloadAsync();
        await visit["#grid a.open"].First.ClickAsync();
        await Check(visit, "a picture");
        await visit.Page.Keyboard.PressAsync("Escape");
        await visit["#about-open"].ClickAsync();
        await Check(visit, "what is searched");
        await visit.Page.Keyboard.PressAsync("Escape");
        await visit["#precision"].FillAsync("10");
        await visit["#words"].FillAsync("xylophone");
        await Assertions.Expect(visit["#nothing"]).ToBeVisibleAsync();
        await Check(visit, "nothing");
        await visit["#to-demo"].ClickAsync();
        await Visit.EventuallyAsync(async () => await visit["#prompts .full"].CountAsync() > 1);
        await Check(visit, "the demo");
    }

    private static async Task Check(Visit visit, string where)
    {
        // Colours and bars have ended to change; what turns for ever is let turn.
        await Visit.EventuallyAsync(() =>
            visit.Page.EvaluateAsync<bool>(
                "document.getAnimations().every((one) => one.effect.getComputedTiming().iterations === Infinity)"
            )
        );
        var result = await visit.Page.RunAxe();
        Assert.True(
            result.Violations.Length == 0,
            $"{where}: "
                + string.Join(
                    '\n',
                    result.Violations.Select(one => $"{one.Impact} {one.Id}: {string.Join(", ", Where(one))}")
                )
        );

        static IEnumerable<string> Where(AxeResultItem one) => one.Nodes.Select(node => node.Html);
    }

    [Fact]
    public async Task The_theme_is_the_systems_until_somebody_chooses()
    {
        await using var visit = await served.VisitAsync("", new() { ColorScheme = ColorScheme.Dark });
        Task<string> Ground() => visit.Page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
        const string Dark = "rgb(14, 19, 25)",
            Light = "rgb(255, 255, 255)";
        await Visit.EventuallyAsync(Dark, Ground);
        await visit.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        await Visit.EventuallyAsync(Light, Ground);
        await visit["#theme"].ClickAsync(); // light
        await visit["#theme"].ClickAsync(); // dark
        await Visit.EventuallyAsync(Dark, Ground);
        await visit.Page.ReloadAsync();
        await Visit.EventuallyAsync(Dark, Ground);
        await visit["#theme"].ClickAsync(); // as the system has it
        await Visit.EventuallyAsync(Light, Ground);
    }

    [Theory]
    [InlineData("")]
    [InlineData("q=a+heart&q=2*a+very+long+thing+to+look+for+that+does+not+fit&minus=red&without=a+cat")]
    [InlineData("demo=1")]
    public async Task It_fits_a_phone(string hash)
    {
        await using var visit = await served.VisitAsync(
            hash,
            new()
            {
                ViewportSize = new() { Width = 360, Height = 740 },
                IsMobile = true,
                HasTouch = true,
            }
        );
        await Visit.EventuallyAsync(async () =>
            (await visit.KeysAsync()).Length > 0
            || await visit["#prompts li"].CountAsync() > 0
            || await visit["#nothing"].IsVisibleAsync()
        );
        var width = await visit.Page.EvaluateAsync<int>("document.documentElement.scrollWidth");
        Assert.InRange(width, 1, 360);
        if (hash.StartsWith("q=", StringComparison.Ordinal))
        {
            await visit["#precision"].FillAsync("0");
            await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length > 1);
            await visit["#grid a.open"].First.TapAsync();
            await Assertions.Expect(visit["#detail"]).ToBeVisibleAsync();
            Assert.InRange(
                await visit.Page.EvaluateAsync<int>("document.querySelector('#detail').scrollWidth"),
                1,
                360
            );
            await visit["#detail"].GetByLabel("Close").TapAsync();
            await visit["#grid .more-like"].First.TapAsync(); // there without a mouse above it
            await Assertions.Expect(visit["#chips .like"]).ToBeVisibleAsync();
        }
    }

    [Fact]
    public async Task It_says_which_model_how_many_pictures_and_how_they_are()
    {
        await using var visit = await served.VisitAsync();
        var models = System.Text.Json.JsonDocument.Parse(await served.Api.GetStringAsync("v1/models")).RootElement;
        var name = models.GetProperty("models")[0].GetProperty("name").GetString()!;
        const string Folder = "run"; // as people call the model
        await Assertions
            .Expect(visit["#what-searched"])
            .ToHaveTextAsync($"{Served.Pictures} pictures, indexed · {Folder}");
        await visit["#about-open"].ClickAsync();
        await Assertions.Expect(visit["#about"]).ToBeVisibleAsync();
        var said = await visit.TextAsync("#about");
        foreach (var part in new[] { name, "calibrated", "test", "compositions", "codes", "colour" })
            Assert.Contains(part, said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nothing_was_calibrated_it_says_so_in_the_place_of_the_slider()
    {
        await using var one = await served.VisitAsync();
        Served.Copy(Path.Combine(served.Small, "run"), Path.Combine(served.Small, "plain"));
        File.Delete(Path.Combine(served.Small, "plain", "model", "background.safetensors"));
        var (server, address) = await served.ServeAsync(
            "serve --model small/plain --data small/stores/compositions --port 0"
        );
        try
        {
            var context = await one.Page.Context.Browser!.NewContextAsync();
            await using var visit = await Visit.ToAsync(context, address, "q=a+heart");
            await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length == 48); // the nearest, all of them
            await Assertions.Expect(visit["#precision"]).ToBeHiddenAsync();
            await visit["#uncalibrated"].ClickAsync();
            await Assertions.Expect(visit["#about"]).ToBeVisibleAsync();
            await visit.SaysAsync("#about", "lit calibrate");
        }
        finally
        {
            Served.End(server);
        }
    }

    [Fact]
    public async Task The_language_of_the_words_is_chosen_where_the_model_speaks_several()
    {
        await using var one = await served.VisitAsync();
        await LoadedAsync(one);
        await Assertions.Expect(one["#languages"]).ToBeHiddenAsync();

        Served.Copy(Path.Combine(served.Small, "run"), Path.Combine(served.Small, "several"));
        await served.RunAsync("language add --model small/several --language de --text-tower small/run");
        var (server, address) = await served.ServeAsync(
            "serve --model small/several --data small/stores/compositions --port 0"
        );
        try
        {
            await using var visit = await Visit.ToAsync(await one.Page.Context.Browser!.NewContextAsync(), address, "");
            await LoadedAsync(visit);
            await visit["#words"].FillAsync("a heart");
            var asked = visit.Page.WaitForRequestAsync(request =>
                request.PostData?.Contains("\"language\":\"de\"", StringComparison.Ordinal) == true
            );
            await visit["#language"].SelectOptionAsync(new SelectOptionValue { Label = "German" });
            await asked;
            await Visit.EventuallyAsync("lang=de&q=a+heart", visit.HashAsync);
            await visit["#precision"].FillAsync("0");
            await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length == 48);
            await visit["#to-demo"].ClickAsync();
            var classified = visit.Page.WaitForRequestAsync(request =>
                request.Url.EndsWith("/v1/classify", StringComparison.Ordinal)
                && request.PostData!.Contains("\"language\":\"de\"", StringComparison.Ordinal)
            );
            await visit["#prompts li:nth-child(1) input"].FillAsync("a red star");
            await classified;
        }
        finally
        {
            Served.End(server);
        }

        static async Task LoadedAsync(Visit visit) =>
            await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length == 48);
    }

    [Fact]
    public async Task A_server_that_is_away_is_said_and_the_page_goes_on_when_it_is_back()
    {
        await using var visit = await served.VisitAsync("q=a+heart");
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length > 0);
        visit.Expected = "net::ERR_FAILED";
        await visit.Page.RouteAsync("**/v1/search", route => route.AbortAsync());
        await visit["#words"].FillAsync("a star");
        await Assertions.Expect(visit["#trouble"]).ToContainTextAsync("The server does not answer");
        await visit.Page.UnrouteAllAsync();
        await visit["#words"].PressAsync("Enter");
        await visit.ShowsAsync(
            await served.FindAsync(
                new
                {
                    words = new[] { "a star" },
                    minPrecision = 0.5,
                    top = 9,
                }
            )
        );
        await Assertions.Expect(visit["#trouble"]).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Where_a_key_is_asked_for_the_browser_asks_and_pictures_come_too()
    {
        await using var skipped = await served.VisitAsync(); // says why where there is no browser
        var (server, address) = await served.ServeAsync(
            "serve --model small/run --data small/stores/compositions --port 0 --api-key open-sesame"
        );
        try
        {
            var context = await skipped.Page.Context.Browser!.NewContextAsync(
                new()
                {
                    HttpCredentials = new()
                    {
                        Username = "",
                        Password = "open-sesame",
                        Origin = address.GetLeftPart(UriPartial.Authority),
                    },
                }
            );
            await using var visit = await Visit.ToAsync(context, address, "q=a+heart&min=0");
            visit.Expected = "401"; // the first request, which the browser answers with the key
            await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length == 48);
            await Visit.EventuallyAsync(() =>
                visit.Page.EvaluateAsync<bool>("document.querySelector('#grid img').naturalWidth > 0")
            );
        }
        finally
        {
            Served.End(server);
        }
    }

    private static Task<string> Focused(Visit visit) => visit.Page.EvaluateAsync<string>("document.activeElement.id");

    private static Task<string> FocusedKey(Visit visit) =>
        visit.Page.EvaluateAsync<string>("document.activeElement.dataset.key");

    /// <summary>Goes on with Tab until each of these was reached in turn.</summary>
    private static async Task Tab(Visit visit, params string[] ids)
    {
        foreach (var id in ids)
        {
            var at = "";
            for (var presses = 0; presses < 40 && at != id; presses++)
            {
                await visit.Page.Keyboard.PressAsync("Tab");
                at = await Focused(visit);
            }
            Assert.Equal(id, at);
        }
    }
}
