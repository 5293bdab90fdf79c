using System.Text.Json.Nodes;
using LiT.Bundles;
using LiT.Classification;
using LiT.Search;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using static TorchSharp.torch;

namespace LiT.Server.Tests;

/// <summary>
/// A model that holds text towers for several languages, of which one comes and goes while it is served.
/// </summary>
public sealed class LanguageTests : IDisposable
{
    private readonly ServedPictures pictures = new();

    public void Dispose() => pictures.Dispose();

    [Theory]
    [InlineData("de")]
    [InlineData("DE")]
    public async Task Words_labels_and_texts_are_read_in_the_language_that_is_asked_for(string language)
    {
        Add("de", factor: -0.5f, calibrated: true);
        await using var asking = await Asking.StartAsync(pictures.Settings());
        using var german = await LitModel.LoadAsync(pictures.Model, new() { Device = "cpu", Language = "de" });

        var (status, found) = await asking.PostAsync(
            "/v1/search",
            new
            {
                words = new[] { "a b" },
                minPrecision = 0.01,
                language,
            }
        );
        Assert.True(status == 200, found.ToJsonString());
        Query query = new() { Words = Asks.Of([Ask.Parse("a b")]), MinPrecision = 0.01 };
        var background = Background.Load(german.Folder!);
        var expected = SearchedData
            .Find(german, pictures.Store, [query], background, new(), german.Compute)
            .Single()
            .Results.Select(one => (one.Key, Math.Round(one.Similarity, 5)))
            .ToList();
        Assert.Equal(expected, Results(found));
        Assert.Equal(language, (string?)found["query"]!["language"]);
        var (_, own) = await asking.PostAsync("/v1/search", new { words = new[] { "a b" }, minPrecision = 0.01 });
        Assert.NotEqual(Results(own), Results(found));
        Assert.Null(own["query"]!["language"]);
        var (_, byAddress) = await asking.GetAsync($"/v1/search?words=a+b&minPrecision=0.01&language={language}");
        Assert.Equal(Results(found), Results(byAddress));

        var (_, texts) = await asking.PostAsync("/v1/embed/text", new { texts = new[] { "a b" }, language });
        Assert.Equal(
            german.EmbedTexts(["a b"])[0].ToArray().Select(one => Math.Round(one, 5)),
            texts["embeddings"]![0]!.AsArray().Select(one => Math.Round((float)one!, 5))
        );

        var classifier = await german.ClassifierAsync(["a", "b", "c"]);
        var shows = await classifier.ClassifyAsync(ServedPictures.Picture(4));
        using ByteArrayContent raw = new(ServedPictures.Picture(4));
        raw.Headers.ContentType = new("image/png");
        foreach (
            var (code, answer) in new[]
            {
                await asking.PostAsync(
                    "/v1/classify",
                    new
                    {
                        key = "p 04.png",
                        labels = new[] { "a", "b", "c" },
                        language,
                    }
                ),
                await Asking.ReadAsync(
                    await asking.Client.PostAsync($"/v1/classify?labels=a&labels=b&labels=c&language={language}", raw)
                ),
            }
        )
        {
            Assert.True(code == 200, answer.ToJsonString());
            Assert.Equal(
                shows.Labels.Select(one => (one.Label, Math.Round(one.Probability, 4))),
                answer["labels"]!
                    .AsArray()
                    .Select(one => ((string)one!["label"]!, Math.Round((double)one["probability"]!, 4)))
            );
        }
    }

    [Fact]
    public async Task A_model_says_which_languages_it_speaks_and_what_it_does_not_speak_is_refused()
    {
        await using var asking = await Asking.StartAsync(pictures.Settings());
        Assert.Null((await asking.GetAsync("/v1/models")).Json["models"]![0]!["languages"]);
        await RefusedAsync("fr", "language: the model has no text tower for 'fr'. Leave it out.");
        Add("de", -0.5f, calibrated: true);
        Add("pt-BR", 2, calibrated: false);
        Assert.Equal(
            """[{"calibrated":true},{"code":"de","calibrated":true},{"code":"pt-BR","calibrated":false}]""",
            (await asking.GetAsync("/v1/models")).Json["models"]![0]!["languages"]!.ToJsonString()
        );
        await RefusedAsync("fr", "there is none");
        await RefusedAsync("../../etc", "language: is no code of a language, such as de or pt-BR.");
        await RefusedAsync("", "is no code of a language");
        Assert.Equal(200, (await asking.GetAsync("/v1/search?words=a&language=pt-br")).Status);

        var cancel = TestContext.Current.CancellationToken;
        await using HttpClientTransport transport = new(
            new() { Endpoint = new(asking.Server.Address, "/mcp"), TransportMode = HttpTransportMode.StreamableHttp },
            asking.Client,
            ownsHttpClient: false
        );
        await using var assistant = await McpClient.CreateAsync(transport, cancellationToken: cancel);
        var said = await assistant.CallToolAsync(
            "search",
            new Dictionary<string, object?> { ["words"] = new[] { "a b" }, ["language"] = "de" },
            cancellationToken: cancel
        );
        var (_, byAddress) = await asking.GetAsync("/v1/search?words=a+b&language=de");
        Assert.Equal(Results(byAddress), Results(JsonNode.Parse(said.StructuredContent!.Value.GetRawText())!));
        var refused = await assistant.CallToolAsync(
            "classify",
            new Dictionary<string, object?>
            {
                ["key"] = "p 04.png",
                ["labels"] = new[] { "a", "b" },
                ["language"] = "fr",
            },
            cancellationToken: cancel
        );
        Assert.True(refused.IsError);
        Assert.Contains("'fr'", refused.Content.OfType<TextContentBlock>().Single().Text, StringComparison.Ordinal);

        async Task RefusedAsync(string language, string says)
        {
            var (status, json) = await asking.PostAsync("/v1/search", new { words = new[] { "a" }, language });
            Assert.Equal(422, status);
            var detail = (string)json["detail"]!;
            Assert.Contains(
                says == "there is none" ? "Leave it out, or give one of de, pt-BR." : says,
                detail,
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public async Task A_language_that_goes_while_it_is_asked_in_is_answered_or_refused_and_another_takes_its_place()
    {
        Add("de", -0.5f, calibrated: true);
        await using var asking = await Asking.StartAsync(pictures.Settings());
        var before = Results((await asking.GetAsync("/v1/search?words=a+b&language=de")).Json);
        using CancellationTokenSource enough = new();
        var meanwhile = Enumerable.Range(0, 4).Select(i => Task.Run(() => AskAsync(i))).ToList();

        for (var i = 0; i < 3; i++)
        {
            BundleLanguages.Remove(pictures.Model, null, "de");
            while ((await asking.GetAsync("/v1/search?words=a&language=de")).Status == 200)
                await Task.Delay(20);
            Add("de", 3, calibrated: false);
            while ((await asking.GetAsync("/v1/search?words=a&language=de")).Status != 200)
                await Task.Delay(20);
        }
        await enough.CancelAsync();
        Assert.All(await Task.WhenAll(meanwhile), asked => Assert.True(asked > 0));
        var after = Results((await asking.GetAsync("/v1/search?words=a+b&language=de")).Json);
        Assert.NotEqual(before, after);
        Assert.Equal(200, (await asking.GetAsync("/v1/search?words=a")).Status);

        async Task<int> AskAsync(int seed)
        {
            var asked = 0;
            for (; !enough.IsCancellationRequested; asked++)
            {
                var (status, json) =
                    (seed + asked) % 3 == 0
                        ? await asking.PostAsync(
                            "/v1/classify",
                            new
                            {
                                key = "p 04.png",
                                labels = new[] { "a", $"b {"abc"[asked % 3]}" },
                                language = "de",
                            }
                        )
                        : await asking.GetAsync($"/v1/search?words=a+{"abc"[asked % 3]}&language=de");
                Assert.True(
                    status == 200
                        || (
                            status == 422
                            && ((string)json["detail"]!).StartsWith(
                                "language: the model has no text tower for 'de'",
                                StringComparison.Ordinal
                            )
                        ),
                    $"{status} {json.ToJsonString()}"
                );
            }
            return asked;
        }
    }

    [Fact]
    public async Task One_text_tower_for_several_languages_is_told_and_found_by_each_of_them()
    {
        Add("de,pt-BR", -0.5f, calibrated: true);
        await using var asking = await Asking.StartAsync(pictures.Settings());

        var told = (await asking.GetAsync("/v1/models")).Json["models"]![0]!["languages"]!.ToJsonString();
        var own = Results((await asking.GetAsync("/v1/search?words=a+b")).Json);
        var german = Results((await asking.GetAsync("/v1/search?words=a+b&language=DE")).Json);
        var brazilian = Results((await asking.GetAsync("/v1/search?words=a+b&language=pt-BR")).Json);

        Assert.Equal(
            """[{"calibrated":true},{"code":"de","calibrated":true},{"code":"pt-BR","calibrated":true}]""",
            told
        );
        Assert.Equal(german, brazilian);
        Assert.NotEqual(own, german);
        BundleLanguages.Remove(pictures.Model, null, BundleLanguages.Several);
        Assert.Equal(422, (await asking.GetAsync("/v1/search?words=a&language=de")).Status);
    }

    /// <summary>A text tower whose last weights are the model's own times a factor.</summary>
    private void Add(string language, float factor, bool calibrated)
    {
        using var model = LitModel.Load(pictures.Model);
        using (no_grad())
            foreach (var (name, weights) in model.Towers.named_parameters())
                if (name.StartsWith("text", StringComparison.Ordinal) && weights.dim() > 1)
                    weights.select(0, 0).mul_(factor);
        LitModel.SaveLanguage(
            pictures.Model,
            language.Split(','),
            model.Towers,
            model.Tokenizer,
            description => description,
            null,
            calibrated ? Background.Load(pictures.Model) : null,
            taught: null,
            replace: true
        );
    }

    private static List<(string, double)> Results(JsonNode found) =>
        [
            .. found["results"]!
                .AsArray()
                .Select(one => ((string)one!["key"]!, Math.Round((double)one["similarity"]!, 5))),
        ];
}
