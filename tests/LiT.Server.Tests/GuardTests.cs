using System.Net;
using System.Text;
using LiT.Server.Api;

namespace LiT.Server.Tests;

/// <summary>Who is let in, and what other sites and other hosts may not do.</summary>
public sealed class GuardTests(PlainServer plain) : IClassFixture<PlainServer>
{
    private const string Key = "correct horse";

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("192.168.1.7")]
    [InlineData("*")]
    public void An_address_that_others_reach_asks_for_a_key_or_for_saying_that_it_is_meant(string host)
    {
        var open = plain.Pictures.Settings() with { Host = host };
        var refused = Assert.Throws<SettingException>(open.Check);
        Assert.Contains("everybody who reaches this address", refused.Message, StringComparison.Ordinal);
        Assert.Contains("`ApiKey`", refused.Message, StringComparison.Ordinal);
        Assert.Contains("`Open`", refused.Message, StringComparison.Ordinal);
        (open with { ApiKey = Key }).Check();
        (open with { Open = true }).Check();
    }

    [Fact]
    public async Task A_key_guards_everything_but_health()
    {
        await using var guarded = await Asking.StartAsync(plain.Pictures.Settings() with { ApiKey = Key });
        string[] paths =
        [
            "/",
            "/v1/search?words=a",
            "/v1/stores",
            "/v1/pictures/p%2000.png",
            "/indices-list",
            "/metrics",
            "/openapi/v1.json",
            "/mcp",
            "/nothing",
        ];
        foreach (var path in paths)
        {
            using var answer = await guarded.Client.GetAsync(path);
            await RefusalTests.RefusedAsync(answer, 401, "This server asks for a key");
            Assert.Contains("Basic", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        }
        Assert.Equal("Healthy", await guarded.Client.GetStringAsync("/health/live"));
        Assert.Equal("Healthy", await guarded.Client.GetStringAsync("/health/ready"));
    }

    [Theory]
    [InlineData("Authorization", "Bearer correct horse", true)]
    [InlineData("X-Api-Key", "correct horse", true)]
    [InlineData("Authorization", "Basic *:correct horse", true)]
    [InlineData("Authorization", "Bearer correct hors", false)]
    [InlineData("Authorization", "Bearer correct horse!", false)]
    [InlineData("Authorization", "Bearer ", false)]
    [InlineData("X-Api-Key", "", false)]
    [InlineData("Authorization", "Basic !!!", false)]
    [InlineData("Authorization", "correct horse", false)]
    public async Task Only_the_whole_key_is_the_key(string header, string value, bool isIn)
    {
        await using var guarded = await Asking.StartAsync(plain.Pictures.Settings() with { ApiKey = Key });
        if (value.StartsWith("Basic *", StringComparison.Ordinal))
            value = $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(value["Basic *".Length..]))}";
        using HttpRequestMessage request = new(HttpMethod.Get, "/v1/stores");
        request.Headers.TryAddWithoutValidation(header, value);
        using var answer = await guarded.Client.SendAsync(request);
        Assert.Equal(isIn ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task Another_site_is_not_let_in_unless_it_was_named()
    {
        await using var named = await Asking.StartAsync(
            plain.Pictures.Settings() with
            {
                CorsOrigins = ["https://example.org"],
            }
        );
        Assert.Null(await AllowedAsync(plain.Asking, "https://example.org"));
        Assert.Equal("https://example.org", await AllowedAsync(named, "https://example.org"));
        Assert.Null(await AllowedAsync(named, "https://example.com"));

        static async Task<string?> AllowedAsync(Asking asking, string origin)
        {
            using HttpRequestMessage request = new(HttpMethod.Options, "/v1/search");
            request.Headers.Add("Origin", origin);
            request.Headers.Add("Access-Control-Request-Method", "POST");
            request.Headers.Add("Access-Control-Request-Headers", "content-type");
            using var answer = await asking.Client.SendAsync(request);
            return answer.Headers.TryGetValues("Access-Control-Allow-Origin", out var all) ? all.Single() : null;
        }
    }

    [Fact]
    public async Task A_name_of_another_site_that_leads_here_is_refused()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/v1/stores");
        request.Headers.Host = "rebound.example";
        using var answer = await plain.Asking.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Every_answer_says_what_a_page_may_do()
    {
        foreach (var path in new[] { "/", "/v1/stores", "/v1/pictures/p%2000.png", "/nothing", "/health/live" })
        {
            using var answer = await plain.Asking.Client.GetAsync(path);
            var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
            Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.False(answer.Headers.Contains("Server"));
        }
    }

    [Fact]
    public async Task Captions_that_are_HTML_are_text_in_every_answer()
    {
        using var answer = await plain.Asking.Client.GetAsync("/v1/search?words=a&top=12");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.Contains("script", text, StringComparison.Ordinal);
        Assert.DoesNotContain('<', text);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Theory]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("192.168.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("ff02::1", false)]
    [InlineData("93.184.216.34", true)]
    [InlineData("172.32.0.1", true)]
    [InlineData("2606:2800:220:1:248:1893:25c8:1946", true)]
    public void Only_the_public_network_is_public(string address, bool isPublic) =>
        Assert.Equal(isPublic, UrlPictures.IsPublic(IPAddress.Parse(address)));

    [Theory]
    [InlineData("http://127.0.0.1:{port}/v1/pictures/p%2000.png")]
    [InlineData("http://localhost:{port}/v1/pictures/p%2000.png")]
    [InlineData("http://[::ffff:127.0.0.1]:{port}/v1/pictures/p%2000.png")]
    [InlineData("http://2130706433:{port}/v1/pictures/p%2000.png")]
    public async Task No_address_of_this_machine_is_fetched_from(string url)
    {
        await using var fetching = await Asking.StartAsync(plain.Pictures.Settings() with { AllowUrlImages = true });
        var (status, json) = await fetching.PostAsync(
            "/v1/search",
            new { pictures = new[] { new { image_url = url.Replace("{port}", $"{fetching.Server.Address.Port}") } } }
        );
        Assert.Equal(422, status);
        Assert.Equal(
            "image_url: leads to an address that is not public. Send the picture itself.",
            (string?)json["detail"]
        );
    }

    [Fact]
    public async Task A_redirect_is_looked_at_anew()
    {
        // The first address stands for a public one, the one it leads to for the network behind the server.
        await using var fetching = await Asking.StartAsync(
            plain.Pictures.Settings() with
            {
                AllowUrlImages = true,
                MayFetchFrom = address => address.Equals(IPAddress.Parse("127.0.0.1")),
            }
        );
        using HttpListener elsewhere = new();
        var port = FreePort();
        elsewhere.Prefixes.Add($"http://127.0.0.1:{port}/");
        elsewhere.Start();
        var answering = Task.Run(async () =>
        {
            for (var i = 0; i < 2; i++)
            {
                var context = await elsewhere.GetContextAsync();
                if (context.Request.Url!.AbsolutePath == "/picture")
                    await context.Response.OutputStream.WriteAsync(ServedPictures.Picture(3));
                else
                    context.Response.Redirect($"http://127.0.0.2:{port}/picture");
                context.Response.Close();
            }
        });
        var (status, json) = await AskAsync("picture");
        Assert.True(status == 200, json);
        Assert.Contains("p 03.png", json, StringComparison.Ordinal);
        (status, json) = await AskAsync("leads");
        Assert.Equal(422, status);
        Assert.Contains("leads to an address that is not public", json, StringComparison.Ordinal);
        await answering;

        async Task<(int, string)> AskAsync(string path)
        {
            var url = $"http://127.0.0.1:{port}/{path}";
            var (code, body) = await fetching.PostAsync(
                "/v1/search",
                new { pictures = new[] { new { image_url = url } } }
            );
            return (code, body.ToJsonString());
        }
    }

    private static int FreePort()
    {
        using System.Net.Sockets.TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
