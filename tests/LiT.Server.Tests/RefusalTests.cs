using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using LiT.Images;
using LiT.Tests.Images;

namespace LiT.Server.Tests;

/// <summary>Each request that is not answered gets a status, a problem, and one line that says what to do.</summary>
public sealed class RefusalTests(PlainServer plain) : IClassFixture<PlainServer>
{
    private readonly Asking asking = plain.Asking;

    [Theory]
    [InlineData("{", 400, "body, line 1")]
    [InlineData("null", 400, "body: is null")]
    [InlineData("[]", 400, "another type")]
    [InlineData("""{"words":"a"}""", 400, "words, line 1: the value is of another type")]
    [InlineData("""{"words":[1]}""", 400, "words[0], line 1: the value is of another type")]
    [InlineData("""{"words":[null]}""", 400, "words: one of them is null")]
    [InlineData("""{"words":["a"],"top":"3"}""", 400, "top, line 1: the value is of another type")]
    [InlineData("""{"words":["a"],"top":1e30}""", 400, "top, line 1")]
    [InlineData("""{"words":["a"],"topp":3}""", 400, "there is no field topp")]
    [InlineData("""{"words":["a"],"words":["b"]}""", 400, "words")]
    [InlineData("""{"words":["\ud800"]}""", 400, "words")]
    [InlineData("""{"words":["a"],"pictures":[{}]}""", 400, "pictures[0]: there is no picture")]
    [InlineData("""{"words":["a"],"pictures":[null]}""", 400, "pictures[0]: is null")]
    [InlineData("""{"pictures":[{"image":"no base64!"}]}""", 400, "pictures[0].image: is no base64")]
    [InlineData("{}", 422, "words: nothing is looked for")]
    [InlineData("""{"words":[" "]}""", 422, "words: nothing is looked for")]
    [InlineData("""{"words":["?!"]}""", 422, "leaves no word to look for")]
    [InlineData("""{"words":["a"],"top":0}""", 422, "Top 0: give a positive number")]
    [InlineData("""{"words":["a"],"top":20000}""", 422, "top: 20,000 pictures where at most 10,000")]
    [InlineData("""{"words":["a"],"skip":-1}""", 422, "Skip -1")]
    [InlineData("""{"words":["a"],"minPrecision":1.5}""", 422, "MinPrecision 1.5")]
    [InlineData("""{"words":["a"],"where":"nothing = 1"}""", 422, "there is no column nothing")]
    [InlineData("""{"words":["a"],"where":"stars = 'many'"}""", 422, "stars")]
    [InlineData("""{"words":["a"],"where":"stars ="}""", 422, "stars =")]
    [InlineData("""{"words":["a"],"order":"nothing"}""", 422, "there is no such column")]
    [InlineData("""{"words":["a"],"minus":["a"]}""", 422, "cancel each other")]
    [InlineData("""{"like":["nobody"]}""", 422, "is not the key of a picture in the store")]
    [InlineData("""{"like":["/etc/passwd"]}""", 422, "is not the key of a picture in the store")]
    [InlineData("""{"like":["\u0001embedding"]}""", 422, "no key holds such a character")]
    [InlineData("""{"pictures":[{"image":"AAAA"}]}""", 422, "the file holds zeros only")]
    [InlineData("""{"pictures":[{"image_url":"http://example.org/a.jpg"}]}""", 422, "fetches no pictures")]
    [InlineData("""{"words":["a"],"store":"nowhere"}""", 404, "store: there is no 'nowhere'. There are store")]
    public async Task A_search_that_cannot_be_answered_says_why(string body, int status, string says) =>
        await RefusedAsync(await SendAsync("/v1/search", body), status, says);

    [Theory]
    [InlineData("{}", 400, "picture: there is no picture")]
    [InlineData("""{"key":"p 00.png"}""", 422, "labels: there is none")]
    [InlineData("""{"key":"p 00.png","labels":["a","a"]}""", 422, "'a'")]
    [InlineData("""{"key":"p 00.png","labels":["a",""]}""", 422, "")]
    [InlineData("""{"key":"p 00.png","labels":["a","b"],"templates":["no place"]}""", 422, "{}")]
    [InlineData("""{"key":"p 00.png","labels":["a","b"],"top":0}""", 422, "top")]
    [InlineData("""{"key":"../p 00.png","labels":["a","b"]}""", 404, "there is no such picture")]
    [InlineData("""{"key":"p 00.png","image":"AAAA","labels":["a","b"]}""", 400, "there is a picture, too")]
    public async Task A_classification_that_cannot_be_made_says_why(string body, int status, string says) =>
        await RefusedAsync(await SendAsync("/v1/classify", body), status, says);

    [Theory]
    [InlineData("/v1/embed/text", "{}", 422)]
    [InlineData("/v1/embed/text", """{"texts":[]}""", 422)]
    [InlineData("/v1/embed/image", """{"images":[]}""", 422)]
    [InlineData("/v1/embed/image", """{"images":[null]}""", 400)]
    [InlineData("/knn-service", """{"text":"a","modality":"text"}""", 422)]
    [InlineData("/knn-service", """{"embedding_input":[1,2]}""", 422)]
    [InlineData("/knn-service", """{"text":"a","indice_name":"nowhere"}""", 404)]
    [InlineData("/metadata", """{"ids":[12]}""", 422)]
    [InlineData("/metadata", """{"ids":[-1]}""", 422)]
    public async Task The_other_questions_are_refused_in_the_same_way(string path, string body, int status) =>
        await RefusedAsync(await SendAsync(path, body), status, "");

    [Theory]
    [InlineData("GET", "/v1/search?words=a&top=many", 400, "top: 'many' is no whole number")]
    [InlineData("GET", "/v1/search?words=a&exact=perhaps", 400, "exact: 'perhaps' is no true or false")]
    [InlineData("GET", "/v1/pictures/nobody", 404, "there is no such picture in the store")]
    [InlineData("GET", "/v1/pictures/..%2F..%2Fetc%2Fpasswd", 404, "there is no such picture in the store")]
    [InlineData("GET", "/v1/thumbnails/p%2000.png?size=5", 422, "size: 5 pixels")]
    [InlineData("GET", "/v1/nothing", 404, "/v1/nothing: there is no such address")]
    [InlineData("GET", "/index.php", 404, "there is no such address")]
    [InlineData("DELETE", "/v1/search", 405, "is not asked with DELETE")]
    [InlineData("PUT", "/v1/pictures/p%2000.png", 405, "is not asked with PUT")]
    [InlineData("GET", "/v1/classify", 405, "is not asked with GET")]
    public async Task A_wrong_address_or_method_says_why(string method, string path, int status, string says)
    {
        using HttpRequestMessage request = new(new(method), path);
        await RefusedAsync(await asking.Client.SendAsync(request), status, says);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/xml")]
    public async Task Another_type_than_JSON_is_refused_so_that_no_form_of_another_site_asks(string type) =>
        await RefusedAsync(
            await asking.Client.PostAsync("/v1/search", new StringContent("""{"words":["a"]}""", Encoding.UTF8, type)),
            415,
            type
        );

    [Theory]
    [InlineData("/mcp", null)]
    [InlineData("/mcp", "text/plain")]
    [InlineData("/mcp", "application/json; charset=nonsense")]
    [InlineData("/v1/search", null)]
    [InlineData("/v1/search", "application/json; charset=nonsense")]
    [InlineData("/knn-service", "application/json; charset=nonsense")]
    public async Task A_body_that_cannot_be_read_is_the_trouble_of_who_sent_it(string path, string? type)
    {
        using ByteArrayContent body = new("{}"u8.ToArray());
        if (type is not null)
            body.Headers.TryAddWithoutValidation("Content-Type", type);
        await RefusedAsync(await asking.Client.PostAsync(path, body), 415, "body: its c");
    }

    [Fact]
    public async Task A_text_of_a_million_words_is_refused_without_being_read()
    {
        var words = string.Join(' ', Enumerable.Repeat("word", 1_000_000));
        await RefusedAsync(await SendAsync("/v1/search", $$"""{"words":["{{words}}"]}"""), 422, "characters");
        await RefusedAsync(await SendAsync("/v1/embed/text", $$"""{"texts":["{{words}}"]}"""), 422, "characters");
        var many = string.Join(',', Enumerable.Repeat("\"a\"", 100_000));
        await RefusedAsync(await SendAsync("/v1/search", $$"""{"words":[{{many}}]}"""), 422, "100,000 texts");
    }

    [Theory]
    [InlineData("(")]
    [InlineData("not ")]
    [InlineData("stars = 1 and (")]
    public async Task A_filter_of_many_parts_in_one_another_does_not_end_the_server(string part)
    {
        var filter = string.Concat(Enumerable.Repeat(part, 9_990 / part.Length));
        await RefusedAsync(await SendAsync("/v1/search", $$"""{"words":["a"],"where":"{{filter}}"}"""), 422, "");
    }

    [Fact]
    public async Task A_larger_body_than_allowed_is_413()
    {
        await using var small = await Asking.StartAsync(plain.Pictures.Settings() with { MaxBody = 1 });
        using ByteArrayContent body = new(new byte[2 << 20]);
        body.Headers.ContentType = new("image/png");
        await RefusedAsync(
            await small.Client.PostAsync("/v1/embed/image", body),
            413,
            "body: is larger than 1 MiB. Send less"
        );
    }

    [Fact]
    public async Task A_picture_of_too_many_pixels_is_refused_by_its_header()
    {
        await using var small = await Asking.StartAsync(plain.Pictures.Settings() with { MaxMegapixels = 1 });
        var wide = GeneratedPictures.Png(new RgbImage(1100, 1000, new byte[3 * 1100 * 1000]));
        foreach (var path in new[] { "/v1/embed/image", "/v1/classify?labels=a&labels=b" })
        {
            using ByteArrayContent body = new(wide);
            body.Headers.ContentType = new("image/png");
            await RefusedAsync(await small.Client.PostAsync(path, body), 422, "pixels");
        }
    }

    private Task<HttpResponseMessage> SendAsync(string path, string body) =>
        asking.Client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));

    /// <summary>A problem of this status, in one line that tells nothing of the server's own folders.</summary>
    internal static async Task RefusedAsync(HttpResponseMessage answer, int status, string says)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == status, $"{(int)answer.StatusCode}: {text}");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var detail = (string?)JsonNode.Parse(text)!["detail"] ?? "";
        Assert.Contains(says, detail, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', detail);
        Assert.DoesNotContain(Path.GetTempPath(), detail, StringComparison.Ordinal);
        Assert.NotEqual(HttpStatusCode.InternalServerError, answer.StatusCode);
    }
}
