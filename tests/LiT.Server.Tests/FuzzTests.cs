using System.Globalization;
using System.Net;
using System.Text;

namespace LiT.Server.Tests;

/// <summary>
/// Requests of which nobody thought, by a seed: each is answered or refused, none ends in the server's own trouble, and
/// afterwards it answers as before. tests/fuzz-server.sh sends 20,000 of them.
/// </summary>
public sealed class FuzzTests(PlainServer plain) : IClassFixture<PlainServer>
{
    private const int Clients = 8;

    private static readonly string[] Paths =
    [
        "/v1/search",
        "/v1/classify",
        "/v1/embed/text",
        "/v1/embed/image",
        "/knn-service",
        "/metadata",
        "/v1/stores",
        "/v1/models",
        "/v1/pictures/p%2000.png",
        "/v1/thumbnails/p%2001.png",
        "/mcp",
        "/",
    ];
    private static readonly string[] Fields =
    [
        "words",
        "like",
        "pictures",
        "without",
        "minus",
        "where",
        "top",
        "skip",
        "minPrecision",
        "exact",
        "order",
        "distinct",
        "store",
        "image",
        "image_url",
        "key",
        "labels",
        "templates",
        "present",
        "texts",
        "images",
        "text",
        "embedding_input",
        "modality",
        "num_images",
        "indice_name",
        "ids",
        "jsonrpc",
        "method",
        "params",
    ];
    private static readonly string[] Values =
    [
        "null",
        "true",
        "0",
        "-1",
        "3",
        "0.5",
        "1e400",
        "99999999999999999999",
        "\"\"",
        "\"a\"",
        "\"2:b\"",
        "\"0:b\"",
        "\"1e9:b\"",
        "\"p 03.png\"",
        "\"../../etc/passwd\"",
        "\"label = 'even'\"",
        "\"stars > 3 and not (label in ('odd', 'x'))\"",
        "\"stars like 'a%' or taken is null\"",
        "\"stars > 'x'\"",
        "\"captions contains 'b' and (((\"",
        "\"' or 1=1 --\"",
        "\"stars desc\"",
        "\"\\ud83d\\ude00 \\u0000 \\u202e\"",
        "\"\\ud800\"",
        "\"AAAA\"",
        "\"data:image/png;base64,iVBORw0KGgo=\"",
        "\"http://127.0.0.1/\"",
        "\"{} {}\"",
        "[]",
        "[\"a\",\"b c\"]",
        "[\"a\",\"a\"]",
        "[null]",
        "[[1]]",
        "[1,2,3]",
        "[{\"image\":\"AAAA\"}]",
        "[{\"image\":\"iVBORw0KGgo=\",\"weight\":-1}]",
        "{}",
        "{\"a\":{\"a\":{\"a\":[]}}}",
    ];
    private static readonly string[] Types =
    [
        .. Enumerable.Repeat("application/json", 12),
        "application/json; charset=utf-8",
        "application/json; charset=nonsense",
        "text/plain",
        "image/png",
        "multipart/form-data",
        "application/octet-stream",
    ];

    [Fact]
    public async Task No_request_ends_in_the_servers_own_trouble()
    {
        var count = Environment.GetEnvironmentVariable("LIT_FUZZ_REQUESTS") is { Length: > 0 } asked
            ? int.Parse(asked, CultureInfo.InvariantCulture)
            : 1_000;
        var (_, before) = await plain.Asking.GetAsync("/v1/search?words=a+b&top=12");
        var next = 0;
        var statuses = new int[600];
        await Task.WhenAll(
            Enumerable
                .Range(0, Clients)
                .Select(async _ =>
                {
                    for (int number; (number = Interlocked.Increment(ref next)) <= count; )
                        Interlocked.Increment(ref statuses[await SendAsync(number)]);
                })
        );
        var counted = statuses.Index().Where(one => one.Item > 0).Select(one => $"{one.Item} x {one.Index}");
        TestContext.Current.SendDiagnosticMessage($"{count} requests: {string.Join(", ", counted)}");
        var (status, after) = await plain.Asking.GetAsync("/v1/search?words=a+b&top=12");
        Assert.Equal(200, status);
        Assert.Equal(before["results"]!.ToJsonString(), after["results"]!.ToJsonString());
    }

    private async Task<int> SendAsync(int seed)
    {
        Random chance = new(seed);
        using var request = Request(chance);
        using var answer = await plain.Asking.Client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        var status = (int)answer.StatusCode;
        Assert.True(status < 500, $"request {seed}, {request}: {status} {text}");
        if (status >= 400 && !request.RequestUri!.AbsolutePath.StartsWith("/mcp", StringComparison.Ordinal))
            Assert.True(
                answer.Content.Headers.ContentType?.MediaType == "application/problem+json"
                    || answer.StatusCode == HttpStatusCode.BadRequest && text.Length == 0,
                $"request {seed}, {request}: {status} {text}"
            );
        return status;
    }

    private static HttpRequestMessage Request(Random chance)
    {
        var path = Of(chance, Paths);
        if (chance.Next(3) == 0)
            path += "?" + string.Join('&', Enumerable.Range(0, chance.Next(1, 5)).Select(_ => Parameter(chance)));
        if (chance.Next(20) == 0)
            path += Uri.EscapeDataString(new string((char)chance.Next(1, 0x2ff), chance.Next(1, 300)));
        var method = chance.Next(10) == 0 ? Of(chance, ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]) : null;
        var gets =
            chance.Next(10)
            < (
                path.StartsWith("/v1/search", StringComparison.Ordinal) ? 5
                : IsRead(path) ? 9
                : 1
            );
        HttpRequestMessage request = new(new(method ?? (gets ? "GET" : "POST")), path);
        if (chance.Next(10) == 0)
            request.Headers.TryAddWithoutValidation("Accept", Of(chance, ["text/event-stream", "x", "*/*;q=9", ""]));
        if (gets)
            return request;
        request.Content = new ByteArrayContent(Mutated(chance, Encoding.UTF8.GetBytes(Json(chance))));
        if (chance.Next(15) > 0)
            request.Content.Headers.TryAddWithoutValidation("Content-Type", Of(chance, Types));
        return request;
    }

    private static bool IsRead(string path) =>
        path.Length == 1
        || path.StartsWith("/v1/stores", StringComparison.Ordinal)
        || path.StartsWith("/v1/models", StringComparison.Ordinal)
        || path.StartsWith("/v1/pictures", StringComparison.Ordinal)
        || path.StartsWith("/v1/thumbnails", StringComparison.Ordinal);

    private static string Parameter(Random chance) =>
        $"{Of(chance, Fields)}={Uri.EscapeDataString(Of(chance, Values).Trim('"'))}";

    private static string Json(Random chance) =>
        chance.Next(20) switch
        {
            0 => Of(chance, Values),
            1 => new string('[', chance.Next(1, 5000)),
            _ => "{"
                + string.Join(
                    ',',
                    Enumerable.Range(0, chance.Next(0, 6)).Select(_ => $"\"{Of(chance, Fields)}\":{Of(chance, Values)}")
                )
                + "}",
        };

    /// <summary>One time in five a byte is another, or the end is missing.</summary>
    private static byte[] Mutated(Random chance, byte[] bytes)
    {
        if (bytes.Length == 0 || chance.Next(5) > 0)
            return bytes;
        if (chance.Next(2) == 0)
            return bytes[..chance.Next(bytes.Length)];
        bytes[chance.Next(bytes.Length)] = (byte)chance.Next(256);
        return bytes;
    }

    private static string Of(Random chance, string[] all) => all[chance.Next(all.Length)];
}
