using System.Text.Json.Nodes;
using LiT.Bundles;
using LiT.Classification;

namespace LiT.Server.Tests;

/// <summary>A calibration that comes, changes and goes while the model is served.</summary>
public sealed class CalibrationTests : IDisposable
{
    private readonly ServedPictures pictures = new();

    public void Dispose() => pictures.Dispose();

    [Fact]
    public async Task A_model_that_is_calibrated_while_it_is_served_answers_by_it_and_refuses_without()
    {
        await using var asking = await Asking.StartAsync(pictures.Settings());
        var before = await AnswersAsync(asking);
        using var model = LitModel.Load(pictures.Model);
        var calibration = Background.Load(pictures.Model)!;

        BundleFiles.Exchange(pictures.Model, Background.FileName, Background.Remove);
        await asking.UntilModelAsync(said => !(bool)said["calibrated"]!);
        Assert.Equal(422, (await SearchAsync(asking)).Status);
        Assert.Equal(422, (await ClassifyAsync(asking)).Status);

        model.Keep(Other(calibration));
        await asking.UntilModelAsync(said => (bool)said["calibrated"]!);
        var other = await AnswersAsync(asking);
        Assert.NotEqual(before, other);
        await using (var fresh = await Asking.StartAsync(pictures.Settings()))
            Assert.Equal(await AnswersAsync(fresh), other);

        model.Keep(calibration);
        while (await AnswersAsync(asking) != before)
            await Task.Delay(50, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_calibration_that_is_damaged_is_not_taken_over_and_the_server_says_why()
    {
        await using var asking = await Asking.StartAsync(pictures.Settings());
        var before = await AnswersAsync(asking);
        var file = Path.Combine(pictures.Model, Background.FileName);
        var whole = File.ReadAllBytes(file);
        BundleFiles.Uncover(pictures.Model, Background.FileName);

        File.WriteAllBytes(file, whole[..100]);
        await asking.UntilModelAsync(said => said["trouble"] is not null);
        Assert.Equal(before, await AnswersAsync(asking));

        File.WriteAllBytes(file, whole);
        await asking.UntilModelAsync(said => said["trouble"] is null);
        Assert.Equal(before, await AnswersAsync(asking));
    }

    /// <summary>The same collection, every caption of which is told of the picture after its own.</summary>
    private static Background Other(Background one) =>
        Background.Of(
            one.Pictures,
            one.Captions,
            [.. Enumerable.Range(0, one.Pictures.Count).Select(i => new[] { (i + 1) % one.Captions.Count })],
            "other"
        );

    private static Task<(int Status, JsonNode Json)> SearchAsync(Asking asking) =>
        asking.PostAsync(
            "/v1/search",
            new
            {
                words = new[] { "a" },
                minPrecision = 0.3,
                top = 12,
            }
        );

    private static Task<(int Status, JsonNode Json)> ClassifyAsync(Asking asking) =>
        asking.PostAsync(
            "/v1/classify",
            new
            {
                key = "p 04.png",
                labels = new[] { "a", "b" },
                minPrecision = 0.3,
            }
        );

    private static async Task<string> AnswersAsync(Asking asking)
    {
        List<string> all = [];
        foreach (var ask in new[] { SearchAsync, ClassifyAsync })
        {
            var (status, answer) = await ask(asking);
            Assert.True(status == 200, answer.ToJsonString());
            answer.AsObject().Remove("seconds");
            all.Add(answer.ToJsonString());
        }
        return string.Join('\n', all);
    }
}
