using System.Net.Http.Json;
using System.Text.Json.Nodes;
using LiT.Search;

namespace LiT.Server.Tests;

public sealed class SearchTests(PlainServer plain) : IClassFixture<PlainServer>
{
    private readonly Asking asking = plain.Asking;

    [Theory]
    [InlineData("""{"words":["a b"],"top":5}""")]
    [InlineData("""{"words":["a","2:b c"],"top":12,"minus":["c"]}""")]
    [InlineData("""{"words":["c"],"where":"label = 'even' and stars >= 2","order":"stars desc"}""")]
    [InlineData("""{"words":["a"],"without":["b"]}""")]
    [InlineData("""{"words":["a"],"minPrecision":0.5,"skip":1}""")]
    [InlineData("""{"like":["p 03.png"],"top":3,"exact":true}""")]
    public async Task The_answer_is_that_of_the_library(string request)
    {
        var (status, json) = await AskAsync(request);
        Assert.True(status == 200, json.ToString());
        var (results, asked) = (json["results"]!.AsArray(), JsonNode.Parse(request)!);
        var expected = ByLibrary(asked);
        Assert.Equal(expected.Results.Select(one => one.Key), results.Select(one => (string)one!["key"]!));
        // Texts that go through the tower together differ from those alone in the last bits of float32.
        foreach (var (one, other) in expected.Results.Zip(results))
        {
            Assert.Equal(one.Similarity, (double)other!["similarity"]!, 1e-6);
            Assert.Equal(one.ExpectedPrecision!.Value, (double)other!["expectedPrecision"]!, 1e-4);
        }
        Assert.Equal(
            (expected.NothingMatches, expected.Searched, 1.0),
            ((bool)json["nothingMatches"]!, (long)json["searched"]!, (double)json["recall"]!)
        );
    }

    [Fact]
    public async Task An_address_asks_the_same_as_a_body()
    {
        var (_, body) = await AskAsync("""{"words":["a","2:b"],"where":"stars < 9","top":4}""");
        var (_, address) = await asking.GetAsync("/v1/search?words=a&words=2:b&where=stars+%3C+9&top=4");
        Assert.Equal(body["results"]!.ToJsonString(), address["results"]!.ToJsonString());
        Assert.Equal(body["query"]!.ToJsonString(), address["query"]!.ToJsonString());
    }

    [Fact]
    public async Task A_picture_that_is_sent_finds_itself()
    {
        var image = Convert.ToBase64String(ServedPictures.Picture(5));
        foreach (var sent in new[] { image, $"data:image/png;base64,{image}" })
        {
            var (status, json) = await asking.PostAsync(
                "/v1/search",
                new { pictures = new[] { new { image = sent } }, top = 1 }
            );
            Assert.Equal(200, status);
            Assert.Equal("p 05.png", (string)json["results"]![0]!["key"]!);
            Assert.Equal(1, (double)json["results"]![0]!["similarity"]!, 1e-3);
            Assert.Equal(1, (int)json["query"]!["pictures"]!);
        }
    }

    [Fact]
    public async Task What_is_asked_at_the_same_time_is_answered_as_what_is_asked_alone()
    {
        string[] requests =
        [
            .. Enumerable
                .Range(0, 24)
                .Select(i => $$"""{"words":["{{"abc"[i % 3]}} {{"cab"[i % 2]}}"],"top":{{i % 5 + 1}}}"""),
            """{"words":["a"],"where":"nothing = 1"}""",
            """{"words":["a"],"top":-1}""",
        ];
        var alone = new List<string>();
        foreach (var request in requests)
            alone.Add(Comparable((await AskAsync(request)).Json));
        var together = await Task.WhenAll(requests.Select(AskAsync));
        Assert.Equal(alone, together.Select(one => Comparable(one.Json)));
    }

    private static string Comparable(JsonNode json)
    {
        var all = json.AsObject();
        all.Remove("seconds");
        all.Remove("traceId");
        return all.ToJsonString();
    }

    private async Task<(int Status, JsonNode Json)> AskAsync(string request) =>
        await Asking.ReadAsync(
            await asking.Client.PostAsync("/v1/search", JsonContent.Create(JsonNode.Parse(request)!.AsObject()))
        );

    private SearchAnswer ByLibrary(JsonNode asked)
    {
        using var model = LitModel.Load(plain.Pictures.Model);
        Asks Texts(string field) =>
            Asks.Of([.. (asked[field]?.AsArray() ?? []).Select(one => Ask.Parse((string)one!))]);
        Query query = new()
        {
            Words = Texts("words"),
            Like = Texts("like"),
            Minus = Texts("minus"),
            Without = Texts("without"),
            Where = (string?)asked["where"],
            Order = (string?)asked["order"],
            Top = (int?)asked["top"] ?? 10,
            Skip = (int?)asked["skip"] ?? 0,
            MinPrecision = (double?)asked["minPrecision"],
            Exact = (bool?)asked["exact"] ?? false,
        };
        return SearchedData
            .Find(
                model,
                plain.Pictures.Store,
                [query],
                Classification.Background.Load(plain.Pictures.Model),
                new(),
                model.Compute
            )
            .Single();
    }
}
