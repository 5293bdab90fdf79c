using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace LiT.Benchmarks;

/// <summary>
/// A server at the machine's limit for minutes: many clients who ask again as soon as they are answered. Every answer
/// is checked. With "growing" the store is a copy of the one that is given, to which pictures come, from which others
/// go, and which is compacted meanwhile; an answer then has to be right for one of its states.
/// </summary>
internal static class SoakBenchmark
{
    public const int Texts = 16,
        Top = 10;
    private const int FirstErrors = 5;

    /// <summary>Arguments: a store, a model of its tower, clients, seconds, "growing".</summary>
    public static int Run(string[] options, Results results) => RunAsync(options, results).GetAwaiter().GetResult();

    public static string Text(int number) => $"text {number}";

    private static async Task<int> RunAsync(string[] options, Results results)
    {
        var growing = options.Contains("growing");
        options = [.. options.Where(one => one != "growing")];
        var (folder, bundle) = (options[0], options[1]);
        var clients = options.Length > 2 ? int.Parse(options[2], CultureInfo.InvariantCulture) : 32;
        var seconds = options.Length > 3 ? int.Parse(options[3], CultureInfo.InvariantCulture) : 600;
        var copy = growing ? Directory.CreateTempSubdirectory("lit-soak-") : null;
        try
        {
            using var states = SoakStates.Of(folder, bundle, copy?.FullName);
            using var server = await ServerProcess.StartAsync(bundle, copy?.FullName ?? folder);
            using HttpClient client = new(new SocketsHttpHandler { UseProxy = false })
            {
                BaseAddress = server.Address,
                Timeout = TimeSpan.FromMinutes(5),
            };
            return await RunAsync(client, server, states, clients, seconds, results);
        }
        finally
        {
            copy?.Delete(recursive: true);
        }
    }

    private static async Task<int> RunAsync(
        HttpClient client,
        ServerProcess server,
        SoakStates states,
        int clients,
        int seconds,
        Results results
    )
    {
        void Say(string what, string unit, double value)
        {
            results.Number(what, "LiT", unit, value);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {value:0.####} {unit}"));
        }
        var alone = new Crowd(client, states);
        await alone.RunAsync(1, Math.Min(seconds, 10));
        var crowd = new Crowd(client, states);
        Say("the server's memory at the start", "MB", server.Memory / 1e6);
        using CancellationTokenSource end = new();
        var writing = Task.Run(() => states.Write(end.Token));
        var asking = crowd.RunAsync(clients, seconds);
        for (var minute = 1; await Task.WhenAny(asking, Task.Delay(TimeSpan.FromMinutes(1))) != asking; minute++)
            Say(Invariant($"the server's memory after {minute} min"), "MB", server.Memory / 1e6);
        await asking;
        await end.CancelAsync();
        var changes = await writing;
        Say("the server's memory at the end", "MB", server.Memory / 1e6);
        var times = crowd.Times;
        Say("one client", "requests/s", alone.Rate);
        Say(Invariant($"{clients} clients for {seconds} s"), "requests/s", crowd.Rate);
        Say("beside one client's", "times", crowd.Rate / alone.Rate);
        Say("half of the requests in", "s", times[times.Length / 2]);
        Say("99 of 100 in", "s", times[times.Length * 99 / 100]);
        Say("the longest", "s", times[^1]);
        Say("requests", "", times.Length);
        Say("pictures at the end", "", states.Pictures);
        Say("changes of the store", "", changes);
        Say("errors", "requests", alone.Errors.Count + crowd.Errors.Count);
        Say("wrong answers", "requests", alone.Wrong.Count + crowd.Wrong.Count);
        string[] troubles = [.. alone.Errors, .. crowd.Errors, .. alone.Wrong, .. crowd.Wrong];
        foreach (var trouble in troubles.Take(FirstErrors))
            Console.Error.WriteLine(trouble);
        return troubles.Length == 0 ? 0 : 1;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Clients, each of whom asks again as soon as it is answered; every tenth text is a new one.</summary>
    private sealed class Crowd(HttpClient client, SoakStates states)
    {
        private readonly ConcurrentBag<double> times = [];
        private double elapsed;

        public ConcurrentBag<string> Errors { get; } = [];

        public ConcurrentBag<string> Wrong { get; } = [];

        public double[] Times => [.. times.Order()];

        public double Rate => times.Count / elapsed;

        public async Task RunAsync(int clients, int seconds)
        {
            var clock = Stopwatch.StartNew();
            await Task.WhenAll(
                Enumerable
                    .Range(0, clients)
                    .Select(async who =>
                    {
                        for (var i = 0; clock.Elapsed.TotalSeconds < seconds; i++)
                            await AskAsync(who, i);
                    })
            );
            elapsed = clock.Elapsed.TotalSeconds;
        }

        private async Task AskAsync(int who, int number)
        {
            int? known = (who + number) % 10 == 0 ? null : (who * 7 + number) % Texts;
            var words = new[] { known is { } text ? Text(text) : $"{who} asks {number}" };
            var oldest = states.Now;
            var clock = Stopwatch.StartNew();
            try
            {
                using var answer = await client.PostAsJsonAsync("/v1/search", new { words, top = Top });
                var body = await answer.Content.ReadAsStringAsync();
                times.Add(clock.Elapsed.TotalSeconds);
                if (!answer.IsSuccessStatusCode)
                    Errors.Add($"{(int)answer.StatusCode}: {body}");
                else if (states.WhatIsWrong(known, JsonDocument.Parse(body).RootElement, oldest) is { } wrong)
                    Wrong.Add($"{words[0]}: {wrong}");
            }
            catch (Exception trouble) when (trouble is HttpRequestException or OperationCanceledException)
            {
                Errors.Add(trouble.Message);
            }
        }
    }
}
