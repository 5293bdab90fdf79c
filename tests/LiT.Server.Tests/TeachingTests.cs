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
}
