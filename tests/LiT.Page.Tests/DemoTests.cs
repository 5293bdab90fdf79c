using System.Globalization;
using System.Text.Json;
using Microsoft.Playwright;

namespace LiT.Page.Tests;

/// <summary>The live demo: a picture, prompts that are typed freely, probabilities that move.</summary>
public sealed class DemoTests(Served served)
{
    [Fact]
    public async Task Bars_are_the_servers_probabilities_and_move_while_one_types()
    {
        var key = (await served.FindAsync(new { words = new[] { "a red heart" }, top = 1 }))[0];
        await using var visit = await served.VisitAsync(
            $"demo=1&of={Uri.EscapeDataString(key)}&prompt=a+heart&prompt=a+cat&prompt="
        );
        await Shows(visit, new { key }, "a heart", "a cat");
        var before = await Bar(visit, 0);
        await visit["#prompts li:nth-child(3) input"].PressSequentiallyAsync("a red heart");
        await Shows(visit, new { key }, "a heart", "a cat", "a red heart");
        Assert.NotEqual(before, await Bar(visit, 0));
        Assert.Equal("demo=1", (await visit.HashAsync())[..6]);
        Assert.Contains("prompt=a+red+heart", await visit.HashAsync(), StringComparison.Ordinal);

        await visit["#prompt-add"].ClickAsync();
        await visit.Page.Keyboard.TypeAsync("a star"); // the new one has the focus
        await Shows(visit, new { key }, "a heart", "a cat", "a red heart", "a star");
        await visit["#prompts li:nth-child(2) button"].ClickAsync();
        await Shows(visit, new { key }, "a heart", "a red heart", "a star");

        await using var again = await served.VisitAsync(await visit.HashAsync());
        await Shows(again, new { key }, "a heart", "a red heart", "a star");
    }

    [Fact]
    public async Task Half_a_prompt_that_is_refused_leaves_the_bars_until_nobody_goes_on()
    {
        var key = (await served.FindAsync(new { words = new[] { "a red heart" }, top = 1 }))[0];
        await using var visit = await served.VisitAsync(
            $"demo=1&of={Uri.EscapeDataString(key)}&prompt=a+heart&prompt=a+cat&prompt="
        );
        await Shows(visit, new { key }, "a heart", "a cat");
        visit.Expected = Visit.HalfAWord;
        await visit.Page.Clock.InstallAsync();
        await visit.Page.Clock.PauseAtAsync(DateTime.UtcNow.AddHours(1));
        var refused = visit.Page.WaitForResponseAsync(answer => answer.Status == 422);
        await visit["#prompts li:nth-child(3) input"].FillAsync("A Cat"); // one that is there, said otherwise
        await visit.Page.Clock.RunForAsync(300);
        await refused;
        await Shows(visit, new { key }, "a heart", "a cat");
        await Assertions.Expect(visit["#demo-trouble"]).ToBeHiddenAsync();
        await Visit.EventuallyAsync(async () =>
        {
            await visit.Page.Clock.RunForAsync(3_000); // from when the page has read the answer
            return await visit["#demo-trouble"].IsVisibleAsync();
        });
        await visit.SaysAsync("#demo-trouble", "A Cat");
        await visit["#prompts li:nth-child(3) input"].FillAsync("A Cat in red");
        await visit.Page.Clock.RunForAsync(300);
        await Assertions.Expect(visit["#demo-trouble"]).ToBeHiddenAsync();
    }

    [Fact]
    public async Task The_phrase_around_the_prompts_can_be_chosen()
    {
        var key = (await served.FindAsync(new { words = new[] { "a red heart" }, top = 1 }))[0];
        await using var visit = await served.VisitAsync(
            $"demo=1&of={Uri.EscapeDataString(key)}&prompt=heart&prompt=cat&prompt=red"
        );
        await Shows(visit, new { key }, "heart", "cat", "red");
        await visit["#template"].SelectOptionAsync("a drawing of a {}");
        await Shows(visit, new { key, templates = new[] { "a drawing of a {}" } }, "heart", "cat", "red");
    }

    [Fact]
    public async Task A_picture_of_ones_own_is_looked_at_and_is_in_the_link()
    {
        await using var visit = await served.VisitAsync("demo=1&prompt=a+heart&prompt=a+cat");
        await Visit.EventuallyAsync(async () => await visit["#subject"].IsVisibleAsync()); // any of the store's
        var cat = (await served.FindAsync(new { words = new[] { "a cat" }, top = 1 }))[0];
        var bytes = await served.Api.GetByteArrayAsync($"v1/pictures/{Uri.EscapeDataString(cat)}");
        await visit.GiveAsync("paste", bytes);
        var image = Convert.ToBase64String(bytes);
        await Shows(visit, new { image }, "a heart", "a cat");
        await using var again = await served.VisitAsync(Visit.After(await visit.CopiedAsync("#demo-copy")));
        await Shows(again, new { image }, "a heart", "a cat");

        await visit["#demo-file"]
            .SetInputFilesAsync(
                new FilePayload
                {
                    Name = "words.txt",
                    MimeType = "text/plain",
                    Buffer = [1, 2, 3],
                }
            );
        await Assertions.Expect(visit["#toast"]).ToHaveTextAsync("words.txt is not a picture.");
        await visit["#demo-any"].ClickAsync();
        await Visit.EventuallyAsync(async () => (await visit.HashAsync()).Contains("&of=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_found_picture_goes_to_the_demo_and_the_search_is_there_when_one_comes_back()
    {
        await using var visit = await served.VisitAsync("q=a+heart");
        await Visit.EventuallyAsync(async () => (await visit.KeysAsync()).Length > 0);
        var keys = await visit.KeysAsync();
        await visit["#grid li:first-child a.open"].ClickAsync();
        await visit["#detail"].GetByText("What is it?").ClickAsync();
        await Visit.EventuallyAsync(async () => await visit["#prompts li.best"].CountAsync() == 1);
        Assert.Contains(Uri.EscapeDataString(keys[0]), await visit.HashAsync(), StringComparison.Ordinal);
        await Assertions.Expect(visit["#verdict"]).ToContainTextAsync("“");
        await visit["#to-search"].ClickAsync();
        await Assertions.Expect(visit["#words"]).ToHaveValueAsync("a heart");
        await visit.ShowsAsync(keys);
    }

    /// <summary>Waits until every bar and number is what the server says to the same question.</summary>
    private async Task Shows(Visit visit, object picture, params string[] labels)
    {
        var question = JsonSerializer.SerializeToNode(picture)!;
        question["labels"] = JsonSerializer.SerializeToNode(labels);
        question["templates"] ??= JsonSerializer.SerializeToNode(new[] { "{}" });
        var answer = await served.AskAsync("v1/classify", question);
        var of = answer
            .GetProperty("labels")
            .EnumerateArray()
            .ToDictionary(
                one => one.GetProperty("label").GetString()!,
                one => one.GetProperty("probability").GetDouble()
            );
        var expected = labels.Select(label => of[label]).ToArray();
        double[] shown = [];
        await Visit.EventuallyAsync(
            async () =>
            {
                shown = await Task.WhenAll(labels.Select((_, i) => Bar(visit, i)));
                return shown.Zip(expected).All(pair => Math.Abs(pair.First - pair.Second) < 1e-6);
            },
            () => Task.FromResult($"shown {string.Join(' ', shown)}, not {string.Join(' ', expected)}")
        );
        var numbers = await visit["#prompts .share"].AllInnerTextsAsync();
        foreach (var (number, share) in numbers.Zip(expected))
            if (share is > 0.01 and < 0.99)
                Assert.Equal(
                    100 * share,
                    double.Parse(number.TrimEnd('%'), CultureInfo.InvariantCulture),
                    tolerance: 0.51
                );
    }

    private static Task<double> Bar(Visit visit, int i) =>
        visit.Page.EvaluateAsync<double>(
            "(i) => Number(document.querySelectorAll('#prompts .full')[i]?.style.getPropertyValue('--share') || -1)",
            i
        );
}
