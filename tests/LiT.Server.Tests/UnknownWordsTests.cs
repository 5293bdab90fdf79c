using System.Text.Json.Nodes;
using LiT.Classification;

namespace LiT.Server.Tests;

/// <summary>Words that the served model was never shown: a field says so, and nothing is promised for them.</summary>
public sealed class UnknownWordsTests : IDisposable
{
    private readonly ServedPictures pictures = new();

    public UnknownWordsTests() => SeenWords.Of(["a", "b", "c"])!.Write(pictures.Model);

    public void Dispose() => pictures.Dispose();

    [Fact]
    public async Task Every_answer_names_them()
    {
        await using var asking = await Asking.StartAsync(pictures.Settings());
        var (_, found) = await asking.PostAsync("/v1/search", new { words = new[] { "a bb" } });
        Assert.Equal("bb", (string?)found["unseenWords"]![0]);
        Assert.NotEmpty(found["results"]!.AsArray());
        Assert.All(found["results"]!.AsArray(), one => Assert.Null(one!["expectedPrecision"]));
        var (_, known) = await asking.PostAsync("/v1/search", new { words = new[] { "a b" } });
        Assert.Null(known["unseenWords"]);
        Assert.NotNull(known["results"]![0]!["expectedPrecision"]);

        var (_, classified) = await asking.PostAsync("/v1/classify", new { key = "p 04.png", labels = new[] { "bb" } });
        Assert.Equal("bb", (string?)classified["unseenWords"]![0]);
        var (_, texts) = await asking.PostAsync("/v1/embed/text", new { texts = new[] { "a", "a bb" } });
        Assert.Equal([0, 1], texts["unseenWords"]!.AsArray().Select(one => one!.AsArray().Count));
        var (_, seen) = await asking.PostAsync("/v1/embed/text", new { texts = new[] { "a" } });
        Assert.Null(seen["unseenWords"]);
    }

    [Fact]
    public async Task Nothing_is_found_for_what_cannot_be_read()
    {
        using var model = await LitModel.LoadAsync(pictures.Model, new() { Device = "cpu" });
        const string Words = "Пингвин";
        await using var store = await PictureStore.OpenAsync(pictures.Store, model);
        var found = await store.FindAsync(new() { Words = Words });
        await using var asking = await Asking.StartAsync(pictures.Settings());
        var (_, answer) = await asking.PostAsync("/v1/search", new { words = new[] { Words } });
        var (_, nearest) = await asking.PostAsync("/knn-service", new { text = Words, indice_name = "store" });
        if (!model.IsUnread(Words))
            Assert.Equal(["пингвин"], found.UnseenWords); // a vocabulary with bytes reads everything
        else
        {
            Assert.Equal((true, 0), (found.NothingMatches, found.Pictures.Count));
            Assert.Equal([Words], found.UnreadWords);
            Assert.Equal(Words, (string?)answer["unreadWords"]![0]);
            Assert.Empty(answer["results"]!.AsArray());
            Assert.Empty(nearest.AsArray());
        }
        var classifier = await model.ClassifierAsync(["a", Words]);
        Assert.Equal([Words], classifier.UnseenLabels.Keys);
    }

    [Fact]
    public async Task Words_of_which_nothing_is_left_are_a_problem_of_the_request()
    {
        await using var asking = await Asking.StartAsync(pictures.Settings());
        foreach (var (path, body) in Asked)
        {
            var (status, problem) = await asking.PostAsync(path, body);
            Assert.True(status is 400 or 422, $"{path}: {status} {problem.ToJsonString()}");
            Assert.NotNull(problem["detail"]);
        }
    }

    private static IEnumerable<(string Path, JsonNode Body)> Asked =>
        [
            ("/v1/search", new JsonObject { ["words"] = new JsonArray("...") }),
            ("/v1/search", new JsonObject { ["words"] = new JsonArray("") }),
            ("/v1/classify", new JsonObject { ["key"] = "p 04.png", ["labels"] = new JsonArray("...") }),
        ];
}
