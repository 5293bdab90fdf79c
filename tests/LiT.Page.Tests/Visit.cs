using System.Diagnostics;
using System.Globalization;
using Microsoft.Playwright;

namespace LiT.Page.Tests;

/// <summary>
/// The page in a browser of its own. Whoever leaves is asked whether anything went wrong behind the scenes: an error,
/// something that the content security policy forbade, a request to anywhere else. LIT_PAGE_SLOWER=6 makes the browser
/// so many times slower: no test may lean on how fast something is.
/// </summary>
public sealed class Visit : IAsyncDisposable
{
    /// <summary>
    /// What the console says where words are typed letter by letter: the server may be asked with half a word, and
    /// refuses it.
    /// </summary>
    public const string HalfAWord = "the server responded with a status of 422";

    // Of a machine that is slow and has other work: what is not there by then does not come.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly SemaphoreSlim Clipboard = new(1);
    private readonly IBrowserContext context;
    private readonly List<string> wrong = [];

    private Visit(IBrowserContext context, IPage page) => (this.context, Page) = (context, page);

    public IPage Page { get; }

    /// <summary>What the console may say: refusals that a test asks for are said there, too.</summary>
    public string? Expected { get; set; }

    public static async Task<Visit> ToAsync(IBrowserContext context, Uri address, string hash)
    {
        context.SetDefaultTimeout((float)Patience.TotalMilliseconds);
        Assertions.SetDefaultExpectTimeout((float)Patience.TotalMilliseconds);
        var page = await context.NewPageAsync();
        if (Environment.GetEnvironmentVariable("LIT_PAGE_SLOWER") is { Length: > 0 } times)
            await SlowAsync(page, double.Parse(times, CultureInfo.InvariantCulture));
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

    /// <summary>As on a machine that is so many times slower, with answers that are long in coming.</summary>
    private static async Task SlowAsync(IPage page, double times)
    {
        var tools = await page.Context.NewCDPSessionAsync(page);
        await tools.SendAsync("Emulation.setCPUThrottlingRate", new() { ["rate"] = times });
        await tools.SendAsync("Network.enable");
        await tools.SendAsync(
            "Network.emulateNetworkConditions",
            new()
            {
                ["offline"] = false,
                ["latency"] = 100 * times,
                ["downloadThroughput"] = -1,
                ["uploadThroughput"] = -1,
            }
        );
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

    /// <summary>
    /// What stands behind the # of the address now, as the page has it: the browser is told a moment later.
    /// </summary>
    public async Task<string> HashAsync() => After(await Page.EvaluateAsync<string>("location.href"));

    /// <summary>What stands behind the # of an address, which may be longer than a Uri can be.</summary>
    public static string After(string address) =>
        address.IndexOf('#', StringComparison.Ordinal) is >= 0 and var at ? address[(at + 1)..] : "";

    /// <summary>Waits until something holds.</summary>
    public static async Task EventuallyAsync(Func<Task<bool>> holds, Func<Task<string>>? says = null)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Patience; )
        {
            if (await holds())
                return;
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        Assert.Fail(says is null ? "It never came to be." : await says());
    }

    /// <summary>Waits until something is what it is to be.</summary>
    public static async Task EventuallyAsync<T>(T expected, Func<Task<T>> actual)
    {
        var last = await actual();
        await EventuallyAsync(
            async () => Equals(expected, last = await actual()),
            () => Task.FromResult($"{last}, not {expected}")
        );
    }

    /// <summary>Waits until a text of the page holds something.</summary>
    public Task SaysAsync(string selector, string part) =>
        Assertions.Expect(Page.Locator(selector)).ToContainTextAsync(part);

    /// <summary>What a button copies. The clipboard is one for all visits, so one at a time uses it.</summary>
    public async Task<string> CopiedAsync(string button)
    {
        await Clipboard.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            await Page.EvaluateAsync("navigator.clipboard.writeText('')");
            await Page.ClickAsync(button);
            var copied = "";
            await EventuallyAsync(async () =>
                (copied = await Page.EvaluateAsync<string>("navigator.clipboard.readText()")).Length > 0
            );
            return copied;
        }
        finally
        {
            Clipboard.Release();
        }
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
