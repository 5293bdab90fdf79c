using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace LiT.Server.Tests;

/// <summary>What clients that were written elsewhere ask.</summary>
public sealed class ClientTests(PlainServer plain) : IClassFixture<PlainServer>
{
    private readonly Asking asking = plain.Asking;

    [Fact]
    public async Task A_picture_is_classified_as_the_library_does_it_however_it_is_sent()
    {
        using var model = await LitModel.LoadAsync(plain.Pictures.Model, new() { Device = "cpu" });
        var classifier = await model.ClassifierAsync(["a", "b", "c"]);
        var expected = await classifier.ClassifyAsync(ServedPictures.Picture(4));
        var image = Convert.ToBase64String(ServedPictures.Picture(4));
        using ByteArrayContent raw = new(ServedPictures.Picture(4));
        raw.Headers.ContentType = new("image/png");
        (int Status, JsonNode Json)[] answers =
        [
            await asking.PostAsync("/v1/classify", new { image, labels = new[] { "a", "b", "c" } }),
            await asking.PostAsync("/v1/classify", new { key = "p 04.png", labels = new[] { "a", "b", "c" } }),
            await Asking.ReadAsync(await asking.Client.PostAsync("/v1/classify?labels=a&labels=b&labels=c", raw)),
        ];
        foreach (var (status, json) in answers)
        {
            Assert.True(status == 200, json.ToJsonString());
            Assert.Equal(
                expected.Labels.Select(one => one.Label),
                json["labels"]!.AsArray().Select(one => (string)one!["label"]!)
            );
            foreach (var (one, other) in expected.Labels.Zip(json["labels"]!.AsArray()))
                Assert.Equal(one.Probability, (double)other!["probability"]!, 1e-5);
        }
    }

    [Fact]
    public async Task Embeddings_of_texts_and_pictures_are_of_unit_length_and_those_that_a_search_compares()
    {
        var (_, texts) = await asking.PostAsync("/v1/embed/text", new { texts = new[] { "a b", "c" } });
        var image = Convert.ToBase64String(ServedPictures.Picture(2));
        var (_, images) = await asking.PostAsync("/v1/embed/image", new { images = new[] { new { image } } });
        var (text, picture) = (Numbers(texts["embeddings"]![0]!), Numbers(images["embeddings"]![0]!));
        Assert.Equal(1, text.Sum(number => number * number), 1e-5);
        var (_, found) = await asking.PostAsync("/v1/search", new { words = new[] { "a b" }, where = "stars = 2" });
        Assert.Equal(
            (double)found["results"]![0]!["similarity"]!,
            text.Zip(picture).Sum(both => both.First * both.Second),
            1e-3 // rows are stored in half precision
        );

        static double[] Numbers(JsonNode row) => [.. row.AsArray().Select(number => (double)number!)];
    }

    [Fact]
    public async Task Several_pictures_are_embedded_one_by_one_for_who_wants_to_see_it_go_on()
    {
        object[] images =
        [
            .. Enumerable.Range(0, 5).Select(i => new { image = Convert.ToBase64String(ServedPictures.Picture(i)) }),
            new { image = "AAAA" },
        ];
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/embed/image")
        {
            Content = JsonContent.Create(new { images }),
        };
        request.Headers.Add("Accept", "text/event-stream");
        using var answer = await asking.Client.SendAsync(request);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        var told = (await answer.Content.ReadAsStringAsync())
            .Split('\n')
            .Where(line => line.StartsWith("data: ", StringComparison.Ordinal))
            .Select(line => JsonNode.Parse(line["data: ".Length..])!)
            .ToList();
        Assert.Equal([1, 2, 3, 4, 5, 6], told.Select(one => (int)one["done"]!));
        Assert.Equal([0, 1, 2, 3, 4, 5], told.Select(one => (int)one["index"]!).Order());
        Assert.NotNull(told.Single(one => (int)one["index"]! == 5)["error"]);
        Assert.Equal(5, told.Count(one => one["embedding"] is not null));
    }

    [Fact]
    public async Task Clients_of_clip_retrieval_are_answered_in_their_own_form()
    {
        Assert.Equal("""["store"]""", (await asking.GetAsync("/indices-list")).Json.ToJsonString());
        // As their client sends it: without a content type, and with every field that it knows.
        const string Sent = """
            {"text":"a b","image":null,"image_url":null,"embedding_input":null,"deduplicate":false,
            "use_safety_model":true,"use_violence_detector":true,"indice_name":"store","use_mclip":false,
            "aesthetic_score":9,"aesthetic_weight":0.5,"modality":"image","num_images":3,"num_result_ids":5}
            """;
        ByteArrayContent body = new(Encoding.UTF8.GetBytes(Sent));
        var (status, found) = await Asking.ReadAsync(await asking.Client.PostAsync("/knn-service", body));
        Assert.True(status == 200, found.ToJsonString());
        var (_, search) = await asking.GetAsync("/v1/search?words=a+b&top=5");
        Assert.Equal(5, found.AsArray().Count);
        Assert.Equal(
            search["results"]!.AsArray().Select(one => (double)one!["similarity"]!),
            found.AsArray().Select(one => (double)one!["similarity"]!)
        );
        Assert.Equal(3, found.AsArray().Count(one => one!["caption"] is not null));
        Assert.Equal((string?)search["results"]![0]!["key"], (string?)found[0]!["key"]);
        Assert.Equal("image/png", await TypeOfAsync((string)found[0]!["url"]!));
        var id = (long)found[0]!["id"]!;
        var (_, said) = await asking.PostAsync("/metadata", new { ids = new[] { id }, indice_name = "store" });
        Assert.Equal((long)said[0]!["id"]!, id);
        Assert.Equal((string?)found[0]!["caption"], (string?)said[0]!["metadata"]!["caption"]);
        var (_, texts) = await asking.PostAsync("/v1/embed/text", new { texts = new[] { "a b" } });
        var (_, byVector) = await asking.PostAsync(
            "/knn-service",
            new { embedding_input = texts["embeddings"]![0], num_images = 5 }
        );
        Assert.Equal(
            found.AsArray().Select(one => (long)one!["id"]!),
            byVector.AsArray().Select(one => (long)one!["id"]!)
        );

        async Task<string?> TypeOfAsync(string url)
        {
            using var answer = await asking.Client.GetAsync(url);
            return answer.Content.Headers.ContentType?.MediaType;
        }
    }

    [Fact]
    public async Task Assistants_search_and_classify_by_tools()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using HttpClientTransport transport = new(
            new() { Endpoint = new(asking.Server.Address, "/mcp"), TransportMode = HttpTransportMode.StreamableHttp },
            asking.Client,
            ownsHttpClient: false
        );
        await using var client = await McpClient.CreateAsync(transport, cancellationToken: cancel);
        var tools = await client.ListToolsAsync(cancellationToken: cancel);
        Assert.Equal(["classify", "search"], tools.Select(tool => tool.Name).Order());
        var found = await CallAsync("search", new() { ["words"] = new[] { "a b" }, ["top"] = 2 });
        var (_, search) = await asking.GetAsync("/v1/search?words=a+b&top=2");
        Assert.Equal(
            search["results"]!.AsArray().Select(one => (string?)one!["key"]),
            found["results"]!.AsArray().Select(one => (string?)one!["key"])
        );
        var labels = await CallAsync("classify", new() { ["key"] = "p 04.png", ["labels"] = new[] { "a", "b" } });
        Assert.Equal(2, labels["labels"]!.AsArray().Count);
        var refused = await client.CallToolAsync(
            "search",
            new Dictionary<string, object?> { ["words"] = new[] { "a" }, ["where"] = "nothing = 1" },
            cancellationToken: cancel
        );
        Assert.True(refused.IsError);
        Assert.Contains(
            "there is no column nothing",
            refused.Content.OfType<TextContentBlock>().Single().Text,
            StringComparison.Ordinal
        );

        async Task<JsonNode> CallAsync(string tool, Dictionary<string, object?> arguments)
        {
            var answer = await client.CallToolAsync(tool, arguments, cancellationToken: cancel);
            Assert.True(answer.IsError is not true, answer.Content.OfType<TextContentBlock>().First().Text);
            return JsonNode.Parse(answer.StructuredContent!.Value.GetRawText())!;
        }
    }

    [Fact]
    public async Task What_can_be_asked_is_the_checked_in_document()
    {
        var served = JsonNode.Parse(await asking.Client.GetStringAsync("/openapi/v1.json"))!;
        var text = served.ToJsonString(new() { WriteIndented = true, NewLine = "\n" }) + "\n";
        var path = Path.Combine(LiT.Tests.Root.Folder, "docs", "openapi.json");
        if (Environment.GetEnvironmentVariable("LIT_APPROVE") == "1")
            await File.WriteAllTextAsync(path, text);
        Assert.True(
            File.Exists(path) && await File.ReadAllTextAsync(path) == text,
            $"{path} is not what the server says. Run this test with LIT_APPROVE=1, and look at the difference."
        );
        Assert.StartsWith("3.", (string?)served["openapi"], StringComparison.Ordinal);
        string[] expected =
        [
            "/indices-list",
            "/knn-service",
            "/metadata",
            "/v1/classify",
            "/v1/embed/image",
            "/v1/embed/text",
            "/v1/models",
            "/v1/pictures/{key}",
            "/v1/samples",
            "/v1/search",
            "/v1/stores",
            "/v1/thumbnails/{key}",
        ];
        Assert.Equal(expected, served["paths"]!.AsObject().Select(one => one.Key).Order(StringComparer.Ordinal));
    }
}
