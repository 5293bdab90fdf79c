using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(LiT.Page.Tests.Served))]

namespace LiT.Page.Tests;

/// <summary>
/// A small quickstart that ends on the page, as <c>lit quickstart --serve</c> has it, and the system's own browser to
/// look at it with. Made once for all tests, and only where there is a browser.
/// </summary>
public sealed class Served : IAsyncLifetime
{
    /// <summary>Drawings in the first store: more than two pages of them.</summary>
    public const int Pictures = 320;

    private readonly string folder = Directory.CreateTempSubdirectory("lit-page-").FullName;
    private IPlaywright? playwright;
    private IBrowser? browser;
    private Process? server;

    /// <summary>Where the page is.</summary>
    public Uri Address { get; private set; } = new("http://localhost");

    /// <summary>The server without a browser between: what it answers is what the page has to show.</summary>
    public HttpClient Api { get; } = new() { Timeout = TimeSpan.FromMinutes(5) };

    /// <summary>The folder of the quickstart.</summary>
    public string Small => Path.Combine(folder, "small");

    public async ValueTask InitializeAsync()
    {
        if (Chromium is not { } program)
            return;
        // What is drawn already is not drawn again, which would be thousands of pictures.
        foreach (var (split, count) in new[] { ("test", Pictures), ("val", 160), ("compositions", 48) })
            await RunAsync($"data draw --split {split} --count {count} --out small/data");
        (server, Address) = await ServeAsync("quickstart --out small --pairs 1200 --steps 60 --serve --port 0");
        Api.BaseAddress = Address;
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(
            new()
            {
                ExecutablePath = program,
                Args = ["--no-sandbox", "--disable-gpu"],
                Timeout = 180_000,
            }
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
            await browser.DisposeAsync();
        playwright?.Dispose();
        End(server);
        Api.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>A visitor who has never been there.</summary>
    /// <param name="hash">What stands behind the # of the address.</param>
    /// <param name="options">Size, theme, …</param>
    public async Task<Visit> VisitAsync(string hash = "", BrowserNewContextOptions? options = null)
    {
        SkipWithoutBrowser();
        options ??= new();
        options.ViewportSize ??= new() { Width = 1280, Height = 860 };
        options.Permissions ??= ["clipboard-read", "clipboard-write"];
        var context = await browser!.NewContextAsync(options);
        return await Visit.ToAsync(context, Address, hash);
    }

    // Without a browser no server runs either.
    private void SkipWithoutBrowser() =>
        Assert.SkipWhen(
            browser is null,
            "No chromium is here. 'apt-get install chromium' brings one, and LIT_CHROMIUM names one that is elsewhere."
        );

    /// <summary>What the server answers.</summary>
    public async Task<JsonElement> AskAsync(string path, object question)
    {
        SkipWithoutBrowser();
        using var answer = await Api.PostAsJsonAsync(path, question);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        return JsonDocument.Parse(body).RootElement;
    }

    /// <summary>Keys of what the server finds, best first.</summary>
    public async Task<string[]> FindAsync(object question) => Keys(await AskAsync("v1/search", question));

    public static string[] Keys(JsonElement answer) =>
        [.. answer.GetProperty("results").EnumerateArray().Select(one => one.GetProperty("key").GetString()!)];

    /// <summary>Another server, over what the quickstart made.</summary>
    public Task<(Process Server, Uri Address)> ServeAsync(string command)
    {
        var process = Start(command);
        TaskCompletionSource<Uri> listens = new(TaskCreationOptions.RunContinuationsAsynchronously);
        List<string> said = [];
        void Hear(string? line)
        {
            lock (said)
                said.Add(line ?? "(the end)");
            if (line?.IndexOf("http://", StringComparison.Ordinal) is >= 0 and var at)
                listens.TrySetResult(new(line[at..].Trim()));
        }
        process.OutputDataReceived += (_, heard) => Hear(heard.Data);
        process.ErrorDataReceived += (_, heard) => Hear(heard.Data);
        process.Exited += (_, _) => listens.TrySetException(new InvalidOperationException(string.Join('\n', said)));
        process.EnableRaisingEvents = true;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return Listening();

        async Task<(Process, Uri)> Listening() => (process, await listens.Task.WaitAsync(TimeSpan.FromMinutes(10)));
    }

    public static void End(Process? process)
    {
        if (process is null)
            return;
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        process.WaitForExit();
        process.Dispose();
    }

    /// <summary>Runs a command to its end, where the quickstart is.</summary>
    public async Task RunAsync(string command)
    {
        using var process = Start(command);
        var talk = process.StandardError.ReadToEndAsync();
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"lit {command}: {await talk}");
    }

    public static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var place = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.Copy(file, place);
        }
    }

    private Process Start(string command)
    {
        // artifacts/bin/LiT.Page.Tests/<configuration>/ → artifacts/bin/LiT.Cli/<configuration>/lit
        var here = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var name = OperatingSystem.IsWindows() ? "lit.exe" : "lit";
        ProcessStartInfo start = new(
            Path.Combine(here.Parent!.Parent!.FullName, "LiT.Cli", here.Name, name),
            command.Split(' ')
        )
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["NO_COLOR"] = "1";
        return Process.Start(start)!;
    }

    private static string? Chromium =>
        new[]
        {
            Environment.GetEnvironmentVariable("LIT_CHROMIUM"),
            "/usr/bin/chromium",
            "/usr/bin/chromium-browser",
            "/usr/bin/google-chrome",
        }.FirstOrDefault(File.Exists);
}
