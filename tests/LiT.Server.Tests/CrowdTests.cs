using System.Net.Sockets;

namespace LiT.Server.Tests;

/// <summary>Too many, too slow, gone in the middle; and the end of a server that is at work.</summary>
public sealed class CrowdTests(PlainServer plain) : IClassFixture<PlainServer>
{
    private const string Whole = """{"words":["a"]}""";

    /// <summary>A server that waits for the rest of a body for as long as a test takes.</summary>
    private ServerSettings Patient =>
        plain.Pictures.Settings() with
        {
            BodyGrace = TimeSpan.FromMinutes(10),
            Timeout = 600,
        };

    [Fact]
    public async Task Who_comes_when_the_queue_is_full_is_told_when_to_come_again()
    {
        await using var narrow = await Asking.StartAsync(Patient with { AtOnce = 1, Queue = 0 });
        using RawRequest slow = new(narrow.Server.Address);
        slow.BeginAndWait("/v1/search", Whole.Length, Whole[..5]);
        using var answer = await narrow.Client.GetAsync("/v1/search?words=a");
        await RefusalTests.RefusedAsync(
            answer,
            429,
            "As many requests are being worked on, or wait, as there may be. Ask again later."
        );
        Assert.Equal("1", answer.Headers.GetValues("Retry-After").Single());
        Assert.Equal("Healthy", await narrow.Client.GetStringAsync("/health/ready"));
        slow.Send(Whole[5..]);
        Assert.StartsWith("HTTP/1.1 200", slow.Receive(), StringComparison.Ordinal);
        Assert.Equal(200, (await narrow.GetAsync("/v1/search?words=a")).Status);
    }

    [Fact]
    public async Task Of_large_bodies_fewer_are_taken_at_once_and_small_ones_go_by()
    {
        await using var narrow = await Asking.StartAsync(Patient with { Queue = 0 });
        List<RawRequest> large = [];
        try
        {
            for (var i = 0; i < 8; i++)
            {
                large.Add(new(narrow.Server.Address));
                large[^1].BeginAndWait("/v1/embed/image", 2 << 20, "{");
            }
            using ByteArrayContent body = new(new byte[2 << 20]);
            body.Headers.ContentType = new("image/png");
            await RefusalTests.RefusedAsync(await narrow.Client.PostAsync("/v1/embed/image", body), 429, "Ask again");
            Assert.Equal(200, (await narrow.GetAsync("/v1/search?words=a")).Status);
        }
        finally
        {
            large.ForEach(one => one.Dispose());
        }
    }

    [Fact]
    public async Task What_takes_too_long_is_503()
    {
        await using var hasty = await Asking.StartAsync(plain.Pictures.Settings() with { Timeout = 0.5 });
        using RawRequest slow = new(hasty.Server.Address);
        slow.Begin("/v1/search", Whole.Length, Whole[..5]);
        var answer = slow.Receive();
        Assert.StartsWith("HTTP/1.1 503", answer, StringComparison.Ordinal);
        Assert.Contains("It took longer than 0.5 seconds", answer, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_sends_a_byte_now_and_then_is_sent_away()
    {
        using RawRequest slow = new(plain.Asking.Server.Address);
        slow.Begin("/v1/search", 1000, "{");
        Assert.StartsWith("HTTP/1.1 408", slow.Receive(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Uploads_that_are_cut_off_leave_the_server_as_it_was()
    {
        for (var i = 0; i < 50; i++)
        {
            using RawRequest cut = new(plain.Asking.Server.Address);
            cut.Begin(i % 2 == 0 ? "/v1/search" : "/v1/embed/image", 100_000, "{\"images\":[{\"image\":\"iVBORw0KGgo");
        }
        Assert.Equal(200, (await plain.Asking.GetAsync("/v1/search?words=a")).Status);
    }

    [Theory]
    [InlineData("nonsense\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n")]
    [InlineData("POST /v1/search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    public async Task What_is_no_HTTP_is_refused_and_the_next_is_answered(string text)
    {
        using (RawRequest raw = new(plain.Asking.Server.Address))
        {
            raw.Send(text);
            var answer = raw.Receive();
            Assert.True(answer.StartsWith("HTTP/1.1 4", StringComparison.Ordinal), answer);
        }
        Assert.Equal(200, (await plain.Asking.GetAsync("/v1/search?words=a")).Status);
    }

    [Fact]
    public async Task Thousands_of_open_connections_keep_nobody_waiting()
    {
        List<Socket> open = [];
        try
        {
            for (var i = 0; i < 3_000; i++)
            {
                Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
                open.Add(socket);
                await socket.ConnectAsync("127.0.0.1", plain.Asking.Server.Address.Port);
            }
            Assert.Equal(200, (await plain.Asking.GetAsync("/v1/search?words=a")).Status);
        }
        finally
        {
            open.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task A_server_that_is_stopped_lets_a_request_under_way_end()
    {
        var asking = await Asking.StartAsync(Patient);
        Assert.Equal(200, (await asking.GetAsync("/v1/search?words=a")).Status);
        using RawRequest underWay = new(asking.Server.Address);
        underWay.BeginAndWait("/v1/search", Whole.Length, Whole[..5]);
        var stopped = asking.DisposeAsync().AsTask();
        Assert.False(stopped.IsCompleted);
        underWay.Send(Whole[5..]);
        var answer = underWay.Receive();
        await stopped;
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_image_tower_is_loaded_for_the_first_picture_and_not_before()
    {
        await using var asking = await Asking.StartAsync(plain.Pictures.Settings());
        Assert.Equal(200, (await asking.GetAsync("/v1/search?words=a")).Status);
        Assert.False(await IsLoadedAsync());
        var image = Convert.ToBase64String(ServedPictures.Picture(1));
        Assert.Equal(200, (await asking.PostAsync("/v1/search", new { pictures = new[] { new { image } } })).Status);
        Assert.True(await IsLoadedAsync());

        async Task<bool> IsLoadedAsync() =>
            (bool)(await asking.GetAsync("/v1/models")).Json["models"]![0]!["imageTowerLoaded"]!;
    }

    [Fact]
    public async Task Requests_are_counted_and_timed_without_what_they_look_for()
    {
        await plain.Asking.GetAsync("/v1/search?words=a%20secret");
        await plain.Asking.GetAsync("/v1/search?words=a%20secret");
        var metrics = await plain.Asking.Client.GetStringAsync("/metrics");
        string[] expected =
        [
            "lit_batch_size",
            "lit_queue_duration_seconds",
            "lit_tower_duration_seconds",
            "lit_search_duration_seconds",
            "lit_cache_requests_total",
            "lit_store_pictures",
            "http_server_request_duration_seconds",
            "dotnet_gc_collections_total",
        ];
        foreach (var name in expected)
            Assert.Contains(name, metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", metrics, StringComparison.Ordinal);
    }
}
