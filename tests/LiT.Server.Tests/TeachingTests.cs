using System.Text.Json.Nodes;
using LiT.Bundles;
using LiT.Classification;
using ModelContextProtocol.Client;

namespace LiT.Server.Tests;

/// <summary>A word that the served model was taught by pictures.</summary>
public sealed class TeachingTests : IDisposable
{
    private readonly ServedPictures pictures = new();

    public void Dispose() => pictures.Dispose();

    [Fact]
    public async Task A_taught_word_is_understood_by_search_and_classification_as_by_the_library()
    {
        pictures.Write(pictures["more"], 0, 30);
        pictures.Embed(pictures["more"], pictures["larger"]);
        using var model = await LitModel.LoadAsync(pictures.Model, new() { Device = "cpu" });
        await using (var store = await PictureStore.OpenAsync(pictures["larger"], model))
            await store.TeachAsync("qqq", Enumerable.Range(3, 5).Select(i => $"p {i:00}.png"));
        var classifier = await model.ClassifierAsync(["a", "b", "qqq"]);
        var expected = await classifier.ClassifyAsync(ServedPictures.Picture(4));
        await using var asking = await Asking.StartAsync(pictures.Settings());

        var (code, answer) = await asking.PostAsync(
            "/v1/classify",
            new { key = "p 04.png", labels = new[] { "a", "b", "qqq" } }
        );
        var (status, found) = await asking.PostAsync("/v1/search", new { words = new[] { "QQQ!" }, top = 12 });

        Assert.True(code == 200, answer.ToJsonString());
        Assert.Equal(
            expected.Labels.Select(one => (one.Label, Math.Round(one.Probability, 3))),
            answer["labels"]!
                .AsArray()
                .Select(one => ((string)one!["label"]!, Math.Round((double)one["probability"]!, 3)))
        );
        Assert.True(status == 200, found.ToJsonString());
        var direction = model.EmbedTexts(["qqq"])[0].ToArray();
        Assert.Equal(1, System.Numerics.Tensors.TensorPrimitives.Norm<float>(direction), 1e-4);
        Assert.All(found["results"]!.AsArray(), one =>
        {
            var zimg = model.OfFiles([pictures["photos", (string)one!["key"]!]], default).Zimg[0];
            Assert.Equal(
                System.Numerics.Tensors.TensorPrimitives.Dot(zimg, direction),
                (double)one["similarity"]!,
                2e-3 // a store's rows are float16
            );
        });
        Assert.Null(found["unseenWords"]);
    }

    [Fact]
    public async Task A_word_that_is_taught_while_the_model_is_served_is_understood_until_it_is_taken_out_again()
    {
        await using var asking = await Asking.StartAsync(pictures.Settings());
        var before = await AnswersAsync(asking);
        using var model = await LitModel.LoadAsync(pictures.Model, new() { Device = "cpu" });
        await TeachAsync(model, "qqq", 3);
        var taught = await asking.UntilModelAsync(said => said["taught"] is not null);

        Assert.Equal("""[{"word":"qqq","pictures":5}]""", taught["taught"]!.ToJsonString());
        var answers = await AnswersAsync(asking);
        Assert.NotEqual(before, answers);
        Assert.Contains("p 0", answers, StringComparison.Ordinal); // found, and not unread
        await using (var fresh = await Asking.StartAsync(pictures.Settings()))
            Assert.Equal(await AnswersAsync(fresh), answers);

        await model.ForgetAsync("qqq");
        await asking.UntilModelAsync(said => said["taught"] is null);
        Assert.Equal(before, await AnswersAsync(asking));
    }

    [Fact]
    public async Task Two_programs_that_teach_a_model_keep_each_others_words()
    {
        using var first = await LitModel.LoadAsync(pictures.Model, new() { Device = "cpu" });
        using var second = await LitModel.LoadAsync(pictures.Model, new() { Device = "cpu" });
        await TeachAsync(first, "qqq", 3);
        await TeachAsync(second, "www", 6);
        Assert.Equal(["qqq", "www"], second.TaughtWords.Select(one => one.Word));
        await first.ForgetAsync("www");
        Assert.Equal(["qqq"], first.TaughtWords.Select(one => one.Word));
        using var third = await LitModel.LoadAsync(pictures.Model, new() { Device = "cpu" });
        Assert.Equal(["qqq"], third.TaughtWords.Select(one => one.Word));
    }

    [Fact]
    public async Task Words_that_are_damaged_or_belong_to_another_model_are_not_taken_over_and_the_server_says_why()
    {
        using var model = await LitModel.LoadAsync(pictures.Model, new() { Device = "cpu" });
        await TeachAsync(model, "qqq", 3);
        await using var asking = await Asking.StartAsync(pictures.Settings());
        var before = await AnswersAsync(asking);
        var words = Path.Combine(model.Folder!, TaughtVectors.FileName);
        var description = Path.Combine(model.Folder!, ModelDescription.FileName);
        var (whole, described) = (File.ReadAllBytes(words), File.ReadAllText(description));

        File.WriteAllBytes(words, whole[..100]);
        await asking.UntilModelAsync(said => said["trouble"] is not null);
        Assert.Equal(before, await AnswersAsync(asking));
        using (var ready = await asking.Client.GetAsync("/health/ready"))
            Assert.Equal((true, "Degraded"), (ready.IsSuccessStatusCode, await ready.Content.ReadAsStringAsync()));
        File.WriteAllBytes(words, whole);
        await asking.UntilModelAsync(said => said["trouble"] is null);

        var weights = model.Description.Files![model.Description.Text.File];
        File.WriteAllText(description, described.Replace(weights, new string('0', 64), StringComparison.Ordinal));
        var other = await asking.UntilModelAsync(said => said["trouble"] is not null);
        Assert.Contains("holds another model now", (string)other["trouble"]!, StringComparison.Ordinal);
        Assert.DoesNotContain(pictures.Model, (string)other["trouble"]!, StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<LitException>(() => model.ForgetAsync("qqq"));
        Assert.Contains("holds another model now", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await AnswersAsync(asking));
    }

    [Fact]
    public async Task A_taught_word_counts_also_while_the_calibration_beside_it_cannot_be_read()
    {
        await using var asking = await Asking.StartAsync(pictures.Settings());
        BundleFiles.Uncover(pictures.Model, Background.FileName);
        File.WriteAllBytes(Path.Combine(pictures.Model, Background.FileName), [1, 2, 3]);
        await asking.UntilModelAsync(said => said["trouble"] is not null);
        var asked = new { key = "p 04.png", labels = new[] { "a", "b", "qqq" } };
        var before = (await asking.PostAsync("/v1/classify", asked)).Json["labels"]!.ToJsonString();

        using var model = await LitModel.LoadAsync(pictures.Model, new() { Device = "cpu" });
        await TeachAsync(model, "qqq", 3);
        await asking.UntilModelAsync(said => said["taught"] is not null);

        string after;
        do after = (await asking.PostAsync("/v1/classify", asked)).Json["labels"]!.ToJsonString();
        while (after == before);
        Assert.NotNull((await asking.UntilModelAsync(_ => true))["trouble"]);
    }

    private async Task TeachAsync(LitModel model, string word, int first)
    {
        if (!Directory.Exists(pictures["larger"]))
        {
            pictures.Write(pictures["more"], 0, 30);
            pictures.Embed(pictures["more"], pictures["larger"]);
        }
        await using var store = await PictureStore.OpenAsync(pictures["larger"], model);
        await store.TeachAsync(word, Enumerable.Range(first, 5).Select(i => $"p {i:00}.png"));
    }

    /// <summary>What is said of labels and found for words that are asked of it in every way, without the times that
    /// it took.</summary>
    private static async Task<string> AnswersAsync(Asking asking)
    {
        var cancel = TestContext.Current.CancellationToken;
        Dictionary<string, object?> search = new() { ["words"] = new[] { "qqq" }, ["top"] = 12 };
        Dictionary<string, object?> classify = new() { ["key"] = "p 04.png", ["labels"] = new[] { "a", "b", "qqq" } };
        await using HttpClientTransport transport = new(
            new() { Endpoint = new(asking.Server.Address, "/mcp"), TransportMode = HttpTransportMode.StreamableHttp },
            asking.Client,
            ownsHttpClient: false
        );
        await using var assistant = await McpClient.CreateAsync(transport, cancellationToken: cancel);
        List<string> all = [];
        foreach (var (verb, asked) in new[] { ("search", search), ("classify", classify) })
        {
            var (status, answer) = await asking.PostAsync($"/v1/{verb}", asked);
            Assert.True(status == 200, answer.ToJsonString());
            var said = await assistant.CallToolAsync(verb, asked, cancellationToken: cancel);
            var byAssistant = JsonNode.Parse(said.StructuredContent!.Value.GetRawText())!;
            foreach (var one in new[] { answer, byAssistant })
                one.AsObject().Remove("seconds");
            Assert.Equal(answer.ToJsonString(), byAssistant.ToJsonString());
            all.Add(answer.ToJsonString());
        }
        return string.Join('\n', all);
    }
}
