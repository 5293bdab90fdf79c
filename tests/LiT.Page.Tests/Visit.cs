using Microsoft.Playwright;

namespace LiT.Page.Tests;

/// <summary>
/// The page in a browser of its own. Whoever leaves is asked whether anything went wrong behind the scenes: an error,
/// something that the content security policy forbade, a request to anywhere else.
/// </summary>
public sealed class Visit : IAsyncDisposable
{
    private readonly IBrowserContext context;
    private readonly List<string> wrong = [];

    private Visit(IBrowserContext context, IPage page) => (this.context, Page) = (context, page);

    public IPage Page { get; }

    /// <summary>What the console may say: refusals that a test asks for are said there, too.</summary>
    public string? Expected { get; set; }

    public static async Task<Visit> ToAsync(IBrowserContext context, Uri address, string hash)
    {
        var page = await context.NewPageAsync();
        Visit visit = new(context, page);
        page.Console += (_, said) =>
        {
            if (said.Type is "error" or "warning")
                visit.wrong.Add($"{said.Text} {said.Location}");
        };
        page.PageError += (_, error) => visit.wrong.Add(error);
        page.Request += (_, request) =>
        {
            var url = request.Url;
            if (
                !url.StartsWith($"{address}", StringComparison.Ordinal)
                && !url.StartsWith("data:", StringComparison.Ordinal)
            )
                if (!url.StartsWith($"blob:{address}", StringComparison.Ordinal))
                    visit.wrong.Add($"asked {url}");
        };
        await page.GotoAsync(hash.Length > 0 ? $"{address}#{hash}" : $"{address}");
        return visit;
    }

    public async ValueTask DisposeAsync()
    {
        await context.DisposeAsync();
        var unexpected = wrong.Where(one => Expected is null || !one.Contains(Expected, StringComparison.Ordinal));
        if (string.Join('\n', unexpected) is { Length: > 0 } said)
            Assert.Fail(said);
    }

    public ILocator this[string selector] => Page.Locator(selector);

    /// <summary>Keys of the pictures in the grid, in their order.</summary>
    public Task<string[]> KeysAsync() =>
        Page.EvalOnSelectorAllAsync<string[]>("#grid a.open", "all => all.map((one) => one.dataset.key)");

    /// <summary>Waits until these pictures are shown, first ones first.</summary>
    public async Task ShowsAsync(string[] keys)
    {
        await EventuallyAsync(
            async () => (await KeysAsync()).Take(keys.Length).SequenceEqual(keys),
            async () =>
                $"shown: {string.Join(' ', (await KeysAsync()).Take(12))}, not {string.Join(' ', keys.Take(12))}"
        );
    }

    public Task<string> TextAsync(string selector) => Page.InnerTextAsync(selector);

    /// <summary>What stands behind the # of the address now.</summary>
    public string Hash => After(Page.Url);

    /// <summary>What stands behind the # of an address, which may be longer than a Uri can be.</summary>
    public static string After(string address) =>
        address.IndexOf('#', StringComparison.Ordinal) is >= 0 and var at ? address[(at + 1)..] : "";

    /// <summary>Waits until something holds.</summary>
    public static async Task EventuallyAsync(Func<Task<bool>> holds, Func<Task<string>>? says = null)
    {
        for (var tries = 0; tries < 1200; tries++) // other tests may have both cores
        {
            if (await holds())
                return;
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        Assert.Fail(says is null ? "It never came to be." : await says());
    }

    /// <summary>Gives the page a file by a hand's gesture: "drop" or "paste".</summary>
    public Task GiveAsync(string gesture, byte[] bytes, string name = "given.png", string type = "image/png") =>
        Page.EvaluateAsync(
            """
            ({ gesture, text, name, type }) => {
              const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
              const data = new DataTransfer();
              data.items.add(new File([bytes], name, { type }));
              const fire = (kind, event) => document.body.dispatchEvent(event(kind));
              if (gesture === "paste")
                fire("paste", (kind) => new ClipboardEvent(kind, { clipboardData: data, bubbles: true, cancelable: true }));
              else
                for (const kind of ["dragenter", "dragover", "drop"])
                  fire(kind, () => new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
            }
            """,
            new
            {
                gesture,
                text = Convert.ToBase64String(bytes),
                name,
                type,
            }
        );

    /// <summary>What a click leaves in the downloads.</summary>
    public async Task<string> SavedAsync(string button)
    {
        var saved = await Page.RunAndWaitForDownloadAsync(() => Page.ClickAsync(button));
        await using var stream = await saved.CreateReadStreamAsync();
        using StreamReader reader = new(stream);
        return await reader.ReadToEndAsync();
    }
}
