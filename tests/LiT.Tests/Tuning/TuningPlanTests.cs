using System.Text.Json.Nodes;
using LiT.Compute;
using LiT.Data;
using LiT.Drawings;
using LiT.Embedding;

namespace LiT.Tests.Tuning;

public sealed class TuningPlanTests : IDisposable
{
    private readonly TemporaryFolder temporary = new();

    private static TuningSettings Short =>
        new()
        {
            Steps = 12,
            Batch = 16,
            HoldOut = 0.2,
            ValidateEvery = 6,
            VocabularySize = 300,
        };

    public void Dispose() => temporary.Dispose();

    [Fact]
    public async Task A_plan_says_what_the_run_then_does()
    {
        var plan = TuningPlan.For(Store(), Short);
        await Events(plan, "run");
        Assert.True(
            JsonNode.DeepEquals(
                JsonNode.Parse(plan.ToJson()),
                JsonNode.Parse(File.ReadAllText(temporary["run", "config.json"]))
            )
        );
    }

    [Fact]
    public void Every_default_has_its_reason_and_what_is_given_has_none()
    {
        var open = TuningPlan.For(Store()).Reasons.Select(reason => reason.Setting);
        Assert.Equal(["Batch", "Steps", "LearningRate", "Positives", "CaptionNoise", "HighestTemperature"], open);
        var given = TuningPlan
            .For(
                Store(),
                new()
                {
                    Batch = 8,
                    Epochs = 2,
                    CaptionNoise = 0,
                    HighestTemperature = 50,
                }
            )
            .Reasons;
        Assert.Equal(["LearningRate", "Positives"], given.Select(reason => reason.Setting));
        Assert.All(given, reason => Assert.NotEmpty(reason.Words));
    }

    [Fact]
    public void A_plan_prints_its_reasons_and_all_that_it_will_do()
    {
        var plan = TuningPlan.For(Store(), Short);
        var printed = plan.ToString().Split('\n');
        Assert.Equal(plan.Reasons.Select(one => $"{one.Setting}: {one.Words}"), printed[..plan.Reasons.Count]);
        Assert.All(plan.Reasons, one => Assert.DoesNotContain('\n', one.Words));
        var configuration = JsonNode.Parse(string.Join('\n', printed[plan.Reasons.Count..]))!;
        Assert.Equal(12, (int)configuration["options"]!["steps"]!);
    }

    [Fact]
    public async Task A_run_is_one_stream_of_events_from_its_start_to_the_saved_model()
    {
        var events = await Events(TuningPlan.For(Store(), Short), "run");
        Assert.Equal(new TuningStarted(0, 12), Assert.Single(events.OfType<TuningStarted>()));
        Assert.Equal([6L, 12L], events.OfType<TuningValidated>().Select(one => one.Step));
        Assert.All(events.OfType<TuningValidated>(), one => Assert.Contains("textToImageR1", one.Numbers.Keys));
        Assert.Equal(12, events.OfType<TuningMeasured>().Last().Step);
        var saved = Assert.IsType<TuningSaved>(events[^1]);
        Assert.Equal(temporary["run", "model"], saved.Model);
        using var model = LitModel.Load(saved.Model);
        Assert.Equal(2, model.EmbedTexts(["a red ball", "a house"]).Count);
    }

    [Fact]
    public async Task Who_stops_reading_stops_the_run_and_it_goes_on_to_the_same_model()
    {
        var plan = TuningPlan.For(Store(), Short);
        await Events(plan, "whole");
        await foreach (var happened in plan.RunAsync(temporary["stopped"], CancellationToken.None))
            if (happened is TuningMeasured { Step: >= 4 })
                break;
        var again = await Events(plan, "stopped");
        Assert.InRange(again.OfType<TuningStarted>().Single().Step, 4, 12);
        Assert.Equal(
            File.ReadAllBytes(temporary["whole", "model", "text.safetensors"]),
            File.ReadAllBytes(temporary["stopped", "model", "text.safetensors"])
        );
    }

    [Fact]
    public void A_temperature_outside_its_bounds_is_refused_by_member()
    {
        var settings = Short with { Temperature = 5, LowestTemperature = 10, HighestTemperature = 20 };
        Assert.StartsWith(
            "`Temperature` 5: give a number between its bounds, 10 and 20",
            Assert.Throws<UsageException>(() => TuningPlan.For(Store(), settings)).Message
        );
    }

    private async Task<List<TuningEvent>> Events(TuningPlan plan, string folder)
    {
        List<TuningEvent> events = [];
        await foreach (var happened in plan.RunAsync(temporary[folder], CancellationToken.None))
            events.Add(happened);
        return events;
    }

    private string Store()
    {
        var folder = temporary["store"];
        if (Directory.Exists(folder))
            return folder;
        DrawnDataset.Write(temporary["data"], DrawnSplit.Pairs, 120, 1);
        using var tower = DrawnTower.Load();
        EmbedRun.Run(
            tower,
            DrawnTowerName,
            Samples.Open(temporary["data", "pairs.tar"]),
            folder,
            new(),
            ComputeDevice.Cpu
        );
        return folder;
    }

    private const string DrawnTowerName = "drawings";
}
