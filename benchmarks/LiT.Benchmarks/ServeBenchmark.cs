using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using LiT.Classification;
using LiT.Search;
using LiT.Server;
using LiT.Stores;

namespace LiT.Benchmarks;

/// <summary>
/// A search over HTTP beside the library's own, one client and many: what a request costs beyond the search, and what
/// requests that come together gain.
/// </summary>
internal static class ServeBenchmark
{
    private const int Asked = 100,
        Top = 10;

    /// <summary>Arguments: a store, a model of its tower, clients, seconds.</summary>
    public static int Run(string[] options, Results results) => RunAsync(options, results).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(string[] options, Results results)
    {
        var (folder, bundle) = (options[0], options[1]);
        var clients = options.Length > 2 ? int.Parse(options[2], CultureInfo.InvariantCulture) : 32;
        var seconds = options.Length > 3 ? int.Parse(options[3], CultureInfo.InvariantCulture) : 60;
        void Say(string what, string unit, double value, string shown)
        {
            results.Number(what, "LiT", unit, value);
            Console.WriteLine($"{what}: {shown}");
        }
        void Time(string what, double value) => Say(what, "s", value, Milliseconds(value));
        var (library, tower, pictures) = ByLibrary(folder, bundle);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{pictures:N0} pictures"));
        Time("the library's own search, words known", library);
        Time("one text through the tower", tower);
        var clock = Stopwatch.StartNew();
        await using var server = await LitServer.StartAsync(
            new()
            {
                Model = bundle,
                Data = [folder],
                Port = 0,
                Session = new() { Device = "cpu" },
                LogFrom = Microsoft.Extensions.Logging.LogLevel.Warning,
            }
        );
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = server.Address };
        await AskAsync(client, "the first");
        Time("from the start to the first answer", clock.Elapsed.TotalSeconds);
        var known = await MedianAsync(client, _ => "a known text");
        Time(Beside("one client, words known", known / library, "the library's"), known);
        var fresh = await MedianAsync(client, i => $"number {i} of the new ones");
        Time(Beside("one client, new words", fresh / (library + tower), "the library's with one text"), fresh);
        var alone = await CrowdAsync(client, 1, Math.Min(seconds, 10));
        Say("one client", "requests/s", alone.Rate, Rate(alone.Rate));
        var before = Environment.WorkingSet;
        var crowd = await CrowdAsync(client, clients, seconds);
        Say(
            Beside($"{clients} clients for {seconds} s", crowd.Rate / alone.Rate, "one client's"),
            "requests/s",
            crowd.Rate,
            Rate(crowd.Rate)
        );
        Time($"{clients} clients, half of the requests in", crowd.Median);
        Time($"{clients} clients, 99 of 100 requests in", crowd.Last);
        Say(
            $"{clients} clients, memory more at the end",
            "MB",
            (Environment.WorkingSet - before) / 1e6,
            $"{(Environment.WorkingSet - before) / 1e6:F0} MB"
        );
        Say($"{clients} clients, errors", "requests", crowd.Errors, $"{crowd.Errors}");
        return crowd.Errors == 0 ? 0 : 1;
    }

    private static (double Search, double Tower, long Pictures) ByLibrary(string folder, string bundle)
    {
        using var model = LitModel.Load(bundle);
        using var store = EmbeddingStore.Open(folder, wordsLater: StoreSegment.IsIndexed(folder));
        using var collection = Collection.Of(model, store);
        var background = model.Folder is { } made ? Background.Load(made) : null;
        Dictionary<string, float[]> known = [];
        PictureSearch search = new(model, collection, background, known.GetValueOrDefault);
        known["words"] = model.EmbedTexts(["a known text"])[0].ToArray();
        Query query = new() { Like = "words", Top = Top };
        var own = Median(() => search.Find(query));
        var count = 0;
        return (own, Median(() => model.EmbedTexts([$"text number {count++}"])), collection.Pictures);
    }

    private static double Median(Action work)
    {
        work();
        var all = new double[Asked];
        for (var i = 0; i < Asked; i++)
        {
            var clock = Stopwatch.StartNew();
            work();
            all[i] = clock.Elapsed.TotalSeconds;
        }
        Array.Sort(all);
        return all[Asked / 2];
    }

    private static async Task<double> MedianAsync(HttpClient client, Func<int, string> words)
    {
        await AskAsync(client, words(-1));
        var all = new double[Asked];
        for (var i = 0; i < Asked; i++)
            all[i] = await AskAsync(client, words(i)) ?? throw new LitException("A request failed.");
        Array.Sort(all);
        return all[Asked / 2];
    }

    /// <summary>Many who ask again as soon as they are answered; every tenth text is a new one.</summary>
    private static async Task<(double Rate, double Median, double Last, int Errors)> CrowdAsync(
        HttpClient client,
        int clients,
        int seconds
    )
    {
        ConcurrentBag<double> times = [];
        var errors = 0;
        using CancellationTokenSource enough = new(TimeSpan.FromSeconds(seconds));
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(
            Enumerable
                .Range(0, clients)
                .Select(async who =>
                {
                    for (var i = 0; !enough.IsCancellationRequested; i++)
                        if (await AskAsync(client, i % 10 == 0 ? $"{who} asks {i}" : $"text {i % 50}") is { } time)
                            times.Add(time);
                        else
                            Interlocked.Increment(ref errors);
                })
        );
        var elapsed = clock.Elapsed.TotalSeconds;
        double[] all = [.. times.Order()];
        return (all.Length / elapsed, all[all.Length / 2], all[all.Length * 99 / 100], errors);
    }

    private static async Task<double?> AskAsync(HttpClient client, string words)
    {
        var clock = Stopwatch.StartNew();
        using var answer = await client.PostAsJsonAsync("/v1/search", new { words = new[] { words }, top = Top });
        await answer.Content.ReadAsByteArrayAsync();
        return answer.IsSuccessStatusCode ? clock.Elapsed.TotalSeconds : null;
    }

    private static string Beside(string what, double ratio, string whose) =>
        string.Create(CultureInfo.InvariantCulture, $"{what}, {ratio:F2} x {whose}");

    private static string Milliseconds(double seconds) =>
        string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:F1} ms");

    private static string Rate(double rate) => string.Create(CultureInfo.InvariantCulture, $"{rate:F1} a second");
}
