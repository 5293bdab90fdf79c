using System.Text.Json;
using LiT.Data;
using LiT.Downloads;
using LiT.Images;
using LiT.Tests.Curation;

namespace LiT.Tests.Downloads;

public sealed class DownloadTests : IDisposable
{
    // A busy machine may keep a server waiting; only what is about waiting is impatient.
    private static readonly DownloadOptions Quick = new()
    {
        Backoff = TimeSpan.FromMilliseconds(20),
        HostDelay = TimeSpan.Zero,
        PerHost = 64,
        Timeout = TimeSpan.FromMinutes(5),
        StallTimeout = TimeSpan.FromMinutes(2),
        MaxBytes = 1 << 20,
        LongestWait = TimeSpan.FromSeconds(5),
        Retries = 2,
    };

    private readonly TemporaryFolder folder = new();
    private readonly FaultServer server = new(i => Sets.Picture(i, 60, 40));

    public void Dispose()
    {
        server.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task Whatever_a_server_does_every_row_gets_its_verdict()
    {
        (string Path, string Verdict)[] rows =
        [
            ("/ok/1", "ok"),
            ("/404", "404"),
            ("/410", "410"),
            ("/403", "403"),
            ("/busy/2", "ok"),
            ("/broken", "500"),
            ("/wait/3", "ok"),
            ("/waitlong", "429, wait too long"),
            ("/cut/4", "cut short"),
            ("/cutonce/5", "ok"),
            ("/short/6", "broken picture"),
            ("/huge", "too large"),
            ("/endless", "too large"),
            ("/loop/0", "too many redirects"),
            ("/moved/7", "ok"),
            ("/nowhere", "bad redirect"),
            ("/noai", "robots"),
            ("/noindex", "robots"),
            ("/otherbot/8", "ok"),
            ("/page", "not a picture"),
            ("/empty", "empty"),
            ("/garbage", "bad answer"),
            ("/bomb", "too many pixels"),
        ];
        // A host that wants to be left alone for a day is another host here: nobody asks it a second time.
        using FaultServer resting = new(i => Sets.Picture(i, 60, 40));
        var list = folder.Write(
            "list.tsv",
            string.Concat(
                rows.Select(
                    (row, i) => $"{(row.Path == "/waitlong" ? resting : server).Address}{row.Path}\tcaption {i}\n"
                )
            )
                + "http://127.0.0.1:1/x\tno server\nhttp://no-such-host.invalid/x\tno "
                + "host\nftp://x/y\tno http\n\tno address\none column\n"
        );

        var result = await Run(list, "out");

        var verdicts = Verdicts("out");
        Assert.Equal(
            rows.Select(row => $"{row.Path} {row.Verdict}"),
            verdicts.Take(rows.Length).Select((verdict, i) => $"{rows[i].Path} {verdict}")
        );
        Assert.Equal(
            [
                "no connection",
                "unknown host",
                "not an address of http or https",
                "no address",
                "1 columns where 2 are expected",
            ],
            verdicts.Skip(rows.Length)
        );
        Assert.Equal((28, 6), (result.Rows, result.Downloaded));
        Assert.Equal(3, server.Asked["/busy/2"]);
        Assert.Equal(1, server.Asked["/404"]);
        Assert.Equal(3, server.Asked["/broken"]);
        var samples = Samples.Open(folder["out"]).Read(skipped => Assert.Fail(skipped.Reason)).ToList();
        Assert.Equal(
            ["caption 0", "caption 4", "caption 6", "caption 9", "caption 14", "caption 18"],
            samples.Select(sample => Assert.Single(sample.Captions))
        );
        Assert.Equal(Sets.Picture(1, 60, 40), samples[0].ReadImage!()); // to the byte
        Assert.Equal($"{server.Address}/ok/1", samples[0].Fields["url"]);
    }

    [Theory]
    [InlineData("/stall", 0.3, 300, "stalled")]
    [InlineData("/silent", 0.3, 300, "stalled")]
    [InlineData("/drip", 120, 0.5, "timeout")]
    public async Task Who_is_waited_for_in_vain_is_given_up(string path, double stall, double whole, string verdict)
    {
        var list = folder.Write("list.tsv", $"{server.Address}{path}\tx\n");
        var impatient = Quick with
        {
            StallTimeout = TimeSpan.FromSeconds(stall),
            Timeout = TimeSpan.FromSeconds(whole),
        };
        await Run(list, "out", impatient);
        Assert.Equal(verdict, Assert.Single(Verdicts("out")));
        Assert.Equal(3, server.Asked[path]);
    }

    [Fact]
    public async Task A_host_that_asks_for_a_long_wait_is_left_alone_and_its_rows_are_given_up_without_asking()
    {
        var list = folder.Write(
            "list.tsv",
            string.Concat(Enumerable.Range(0, 30).Select(i => $"{server.Address}/waitlong/{i}\tcaption {i}\n"))
        );
        await Run(list, "out", Quick with { PerHost = 1, HostDelay = TimeSpan.FromMilliseconds(20) });
        Assert.Equal(
            ["429, wait too long", .. Enumerable.Repeat("wait too long", 29)],
            Verdicts("out").Order(StringComparer.Ordinal)
        );
        Assert.Equal(1, server.Asked.Values.Sum());
    }

    [Fact]
    public async Task A_host_that_asks_for_a_short_wait_is_asked_by_nobody_until_then()
    {
        var list = folder.Write(
            "list.tsv",
            $"{server.Address}/wait/1\tx\n"
                + string.Concat(Enumerable.Range(2, 5).Select(i => $"{server.Address}/ok/{i}\tx\n"))
        );
        await Run(list, "out", Quick with { PerHost = 1, HostDelay = TimeSpan.FromMilliseconds(20) });
        Assert.All(Verdicts("out"), verdict => Assert.Equal("ok", verdict));
        var times = server.Times.ToArray();
        Assert.True(times[1] - times[0] >= 900, $"{times[1] - times[0]} ms");
    }

    [Theory]
    [InlineData("gzip", "ok")]
    [InlineData("deflate", "ok")]
    [InlineData("br", "ok")]
    [InlineData("deflate, gzip", "ok")]
    [InlineData("zstd", "sent as zstd")]
    public async Task A_picture_that_was_packed_for_the_way_is_unpacked(string coding, string verdict)
    {
        var path = Uri.EscapeDataString(coding);
        var list = folder.Write("list.tsv", $"{server.Address}/packed/{path}\tx\n");
        await Run(list, "out");
        Assert.Equal(verdict, Assert.Single(Verdicts("out")));
        if (verdict == "ok")
            Assert.Equal(
                Sets.Picture(0, 60, 40),
                Assert.Single(Samples.Open(folder["out"]).Read(_ => { })).ReadImage!()
            );
    }

    [Fact]
    public async Task What_unpacks_to_more_than_the_limit_is_too_large()
    {
        var list = folder.Write("list.tsv", $"{server.Address}/packedbomb\tx\n");
        await Run(list, "out");
        Assert.Equal("too large", Assert.Single(Verdicts("out")));
    }

    [Fact]
    public async Task A_scaled_picture_is_turned_as_its_exif_says_and_others_stay_as_they_came()
    {
        var turned = LiT.Tests.Images.GeneratedPictures.JpegWithOrientation(6); // 48 x 32, seen as 32 x 48
        using FaultServer photos = new(_ => turned);
        var list = folder.Write("list.tsv", $"{photos.Address}/ok/1\tx\n");
        await Run(list, "scaled", Quick with { Resize = 16 });
        await Run(list, "asis");
        byte[] One(string name) => Assert.Single(Samples.Open(folder[name]).Read(_ => { })).ReadImage!();
        Assert.Equal(turned, One("asis"));
        var scaled = Decoding.Decode(One("scaled"), new() { HonourExif = true });
        Assert.Equal((16, 24), (scaled.Width, scaled.Height));
        // The dark row at the top of the file is the right edge of the photo.
        var row = scaled.Height / 2 * scaled.Width * 3;
        Assert.True(scaled.Pixels[row + scaled.Width * 3 - 2] + 30 < scaled.Pixels[row + 1 + 3 * (scaled.Width / 2)]);
    }

    [Fact]
    public async Task What_the_columns_are_taken_for_is_said()
    {
        List<string> said = [];
        var list = folder.Write("list.csv", $"URL,TEXT,NSFW\n{server.Address}/ok/1,a dog,no\n");
        await DownloadRun.RunAsync(
            list,
            folder["out"],
            new(),
            Quick,
            say: said.Add,
            cancel: TestContext.Current.CancellationToken
        );
        Assert.Equal($"{list}: addresses in 'URL', captions in 'TEXT'; not used: NSFW", Assert.Single(said));
        Assert.Equal((string[])["a dog"], Assert.Single(Samples.Open(folder["out"]).Read(_ => { })).Captions);
    }

    [Fact]
    public async Task Stopped_anywhere_it_goes_on_to_the_same_bytes_whatever_the_order_of_answers()
    {
        var list = folder.Write(
            "list.tsv",
            string.Concat(
                Enumerable
                    .Range(0, 57)
                    .Select(i =>
                        $"{server.Address}/{(i % 9 == 3 ? "404" : i % 2 == 0 ? $"ok/{i}" : $"later/{i}")}\tcaption "
                        + $"{i}\n"
                    )
            )
        );
        var options = Quick with { RowsPerShard = 10, Resize = 20, Concurrency = 8 };
        await Run(list, "whole", options);
        foreach (var after in new[] { 1, 12, 25, 40, 56 })
        {
            using var cancel = new CancellationTokenSource();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                DownloadRun.RunAsync(list, folder["stopped"], new(), options, new StopAt(after, cancel), cancel.Token)
            );
            await Run(list, "stopped", options);
            Assert.Equal(Sets.Contents(folder["whole"]), Sets.Contents(folder["stopped"]));
            Directory.Delete(folder["stopped"], recursive: true);
        }
        var asked = server.Asked.Values.Sum();
        Assert.True((await Run(list, "whole", options)).WasComplete);
        Assert.Equal(asked, server.Asked.Values.Sum());
    }

    [Fact]
    public async Task What_failed_is_tried_again_and_nothing_else_is_and_stopped_anywhere_it_goes_on_to_the_same_bytes()
    {
        var list = folder.Write(
            "list.tsv",
            string.Concat(
                Enumerable
                    .Range(0, 57)
                    .Select(i => $"{(i == 31 ? "no address" : $"{server.Address}/{Answer(i)}")}\tcaption {i}\n")
            )
        );
        static string Answer(int i) =>
            i switch
            {
                >= 10 and < 20 => $"ok/{i}",
                >= 40 and < 50 => $"down/{i}",
                _ when i % 3 == 0 => "404",
                _ when i % 3 == 1 => $"down/{i}",
                _ => $"ok/{i}",
            };
        var options = Quick with { RowsPerShard = 10, Concurrency = 8, Retries = 0 };
        var first = await Run(list, "whole", options);
        server.IsUp = true;
        await Run(list, "expected", options); // what comes while everything is up
        server.IsUp = false;
        foreach (var name in new[] { "a", "b", "c", "d" })
            await Run(list, name, options);
        server.IsUp = true;
        var asked = server.Asked.ToDictionary();

        var result = await Run(list, "whole", options with { RetryFailed = true });

        Assert.Equal((57, first.Rows - first.Downloaded - 1), (result.Rows, result.TriedAgain));
        Assert.Equal(Sets.Contents(folder["expected"]), Sets.Contents(folder["whole"]));
        Assert.All(server.Asked.Where(one => one.Key.StartsWith("/ok/", StringComparison.Ordinal)), one =>
            Assert.Equal(asked[one.Key], one.Value)
        );
        foreach (var (name, after) in new[] { ("a", 1), ("b", 17), ("c", 33), ("d", 55) })
        {
            using var cancel = new CancellationTokenSource();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                DownloadRun.RunAsync(
                    list,
                    folder[name],
                    new(),
                    options with
                    {
                        RetryFailed = true,
                    },
                    new StopAt(after, cancel),
                    cancel.Token
                )
            );
            // also without the word: what was begun is ended
            Assert.False((await Run(list, name, options with { RetryFailed = name != "c" })).WasComplete);
            Assert.Equal(Sets.Contents(folder["expected"]), Sets.Contents(folder[name]));
            Assert.False(Directory.Exists(folder[name, ".retried"]));
        }
        Assert.Equal(
            result.Rows - result.Downloaded - 1,
            (await Run(list, "whole", options with { RetryFailed = true })).TriedAgain
        ); // those that are gone are asked each time
        Assert.True((await Run(list, "whole", options)).WasComplete);
    }

    [Fact]
    public async Task A_shard_that_lost_its_pictures_is_not_made_smaller_by_a_second_try()
    {
        var list = folder.Write("list.tsv", $"{server.Address}/ok/1\tx\n{server.Address}/down/2\ty\n");
        await Run(list, "out", Quick with { Retries = 0 });
        File.WriteAllBytes(folder["out", "00000.tar"], new byte[1024]);
        server.IsUp = true;

        var trouble = await Assert.ThrowsAsync<LitException>(() => Run(list, "out", Quick with { RetryFailed = true }));

        Assert.Contains("Delete", trouble.Message, StringComparison.Ordinal);
        File.Delete(folder["out", "00000.jsonl"]);
        Assert.Equal(2, (await Run(list, "out", Quick with { RetryFailed = true })).Downloaded);
    }

    [Fact]
    public async Task A_host_is_asked_by_few_at_once_and_not_too_often()
    {
        var list = folder.Write(
            "list.tsv",
            string.Concat(Enumerable.Range(0, 12).Select(i => $"{server.Address}/later/{i}\tx\n"))
        );
        var before = Environment.TickCount64;
        await Run(list, "out", Quick with { PerHost = 2, HostDelay = TimeSpan.FromMilliseconds(30) });
        Assert.InRange(server.MostActive, 1, 2);
        Assert.True(server.Times.Max() - before >= 11 * 30 - 40, "twelve requests, thirty milliseconds between each");
    }

    [Theory]
    [InlineData(0, 0, 60, 40)]
    [InlineData(20, 0, 30, 20)]
    [InlineData(0, 24, 24, 16)]
    [InlineData(30, 24, 24, 16)]
    [InlineData(400, 400, 60, 40)]
    public async Task Pictures_are_scaled_down_on_the_way_and_never_up(int resize, int maxSide, int width, int height)
    {
        var list = folder.Write("list.tsv", $"{server.Address}/ok/1\tx\n");
        await Run(list, "out", Quick with { Resize = resize, MaxSide = maxSide });
        Assert.Equal(
            (width, height),
            Decoding.ReadSize(Assert.Single(Samples.Open(folder["out"]).Read(_ => { })).ReadImage!())
        );
    }

    [Fact]
    public async Task Another_list_or_other_settings_do_not_go_on_in_a_folder()
    {
        var list = folder.Write("list.tsv", $"{server.Address}/ok/1\tx\n");
        await Run(list, "out");
        var trouble = await Assert.ThrowsAsync<LitException>(() => Run(list, "out", Quick with { Resize = 10 }));
        Assert.Contains("of other settings", trouble.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("noai", true)]
    [InlineData("all", false)]
    [InlineData("max-image-preview: large, noimageai", true)]
    [InlineData("bingbot: noai, noindex", false)]
    [InlineData("lit-data-download: noindex", true)]
    [InlineData("*: none", true)]
    [InlineData("unavailable_after: 25 Jun 2030 15:00:00 PST", false)]
    public void The_robots_tag_is_heeded(string value, bool forbids) =>
        Assert.Equal(forbids, RobotsTag.Forbids([value], "lit-data-download/1.0"));

    private Task<DownloadResult> Run(string list, string name, DownloadOptions? options = null) =>
        DownloadRun.RunAsync(
            list,
            folder[name],
            new(),
            options ?? Quick,
            cancel: TestContext.Current.CancellationToken
        );

    private List<string> Verdicts(string name) =>
        [
            .. Directory
                .EnumerateFiles(folder[name], "0*.jsonl")
                .Order(StringComparer.Ordinal)
                .SelectMany(File.ReadLines)
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("verdict").GetString()!),
        ];

    private sealed class StopAt(int after, CancellationTokenSource cancel) : IProgress<ProgressStep>
    {
        public void Report(ProgressStep value)
        {
            if (value.Done >= after)
                cancel.Cancel();
        }
    }
}
