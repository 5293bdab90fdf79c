using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LiT.Tests.Face;

/// <summary>LiT among an application's services.</summary>
public sealed class ServiceTests(SmallModel small) : IClassFixture<SmallModel>
{
    private readonly CancellationToken cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_line_gives_model_generators_classifier_and_health()
    {
        Lines lines = new();
        ServiceCollection services = new();
        services.AddLogging(builder => builder.AddProvider(lines));
        services.AddHealthChecks();
        services.AddLiT(small.Bundle, options => options.Labels = ["a", "b"]);
        services.AddLiT(small.Bundle); // twice is once
        LitModel model;
        await using (var provider = services.BuildServiceProvider())
        {
            var health = provider.GetRequiredService<HealthCheckService>();
            Assert.Equal(HealthStatus.Unhealthy, (await health.CheckHealthAsync(cancel)).Status);
            foreach (var hosted in provider.GetServices<IHostedService>())
                await hosted.StartAsync(cancel);
            var report = await health.CheckHealthAsync(cancel);
            Assert.Equal(HealthStatus.Healthy, report.Entries[LitServices.HealthCheckName].Status);

            model = provider.GetRequiredService<LitModel>();
            Assert.Same(model.Texts, provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>());
            Assert.Same(
                model.Images,
                provider.GetRequiredService<IEmbeddingGenerator<DataContent, Embedding<float>>>()
            );
            var answer = await provider.GetRequiredService<Classifier>().ClassifyAsync(SmallModel.Picture(0), cancel);
            Assert.Equal(2, answer.Labels.Count);
            Assert.Contains(lines.Said, line => line.Contains("Opened the model", StringComparison.Ordinal));
        }
        await Assert.ThrowsAsync<ObjectDisposedException>(() => model.Texts.GenerateVectorAsync("a", null, cancel));
    }

    [Fact]
    public async Task A_model_that_is_still_being_loaded_when_its_services_go_goes_too()
    {
        ServiceCollection services = new();
        services.AddLiT(small.Bundle);
        Task<LitModel> loading;
        await using (var provider = services.BuildServiceProvider())
        {
            var owner = provider.GetRequiredService<LoadedModel>();
            loading = owner.LoadAsync();
            owner.Dispose();
            await Assert.ThrowsAsync<ObjectDisposedException>(owner.LoadAsync);
        }
        var model = await loading;
        for (var tenths = 0; tenths < 300 && !model.IsDisposed; tenths++)
            await Task.Delay(100, cancel);
        Assert.True(model.IsDisposed);
    }

    [Fact]
    public void Options_are_bound_to_a_section_and_are_this_applications_alone()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?>
                {
                    ["LiT:Model"] = "run/model",
                    ["LiT:Threads"] = "3",
                    ["LiT:Type"] = "BFloat16",
                    ["LiT:LoadAtStart"] = "false",
                    ["LiT:Labels:0"] = "a",
                    ["LiT:Labels:1"] = "b",
                    ["LiT:Classifier:MinPrecision"] = "0.9",
                    ["LiT:Classifier:HonourExif"] = "false",
                    ["LiT:Classifier:Templates:0"] = "a sketch of a {}",
                }
            )
            .Build();
        ServiceCollection services = new();
        services.AddLiT();
        services.Configure<LitOptions>(configuration.GetSection("LiT"));
        using var provider = services.BuildServiceProvider();
        var bound = provider.GetRequiredService<IOptions<LitOptions>>().Value;
        Assert.Equal(
            ("run/model", 3, ComputeType.BFloat16, false),
            (bound.Model, bound.Threads, bound.Type, bound.LoadAtStart)
        );
        Assert.Equal(["a", "b"], bound.Labels);
        Assert.Equal((0.9, false), (bound.Classifier.MinPrecision, bound.Classifier.HonourExif));
        Assert.Equal([.. ClassifierOptions.Default.Templates, "a sketch of a {}"], bound.Classifier.Templates);
        Assert.Equal(new ClassifierOptions(), ClassifierOptions.Default); // the binder writes into what it finds
    }

    [Fact]
    public async Task A_wrong_path_stops_the_start_and_is_what_the_health_check_says()
    {
        ServiceCollection services = new();
        services.AddLogging();
        services.AddLiT(small["nowhere"]);
        await using var provider = services.BuildServiceProvider();
        var start = Assert.Single(provider.GetServices<IHostedService>().OfType<LoadModelAtStart>());
        await Assert.ThrowsAsync<LitException>(() => start.StartAsync(cancel));
        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync(cancel);
        Assert.Equal(HealthStatus.Unhealthy, report.Status);
        Assert.Contains("no model is there", report.Entries[LitServices.HealthCheckName].Description);
        Assert.Throws<LitException>(provider.GetRequiredService<Classifier>);
    }

    [Fact]
    public async Task Without_a_model_or_labels_it_is_said_which_option_is_empty()
    {
        ServiceCollection services = new();
        services.AddLogging();
        services.AddLiT(options => options.LoadAtStart = false);
        await using var provider = services.BuildServiceProvider();
        Assert.Contains(
            "LitOptions.Model is empty",
            Assert.Throws<OptionsValidationException>(provider.GetRequiredService<LitModel>).Message
        );
        ServiceCollection others = new();
        others.AddLogging();
        others.AddLiT(small.Bundle);
        await using var second = others.BuildServiceProvider();
        Assert.Contains(
            "LitOptions.Labels is empty",
            Assert.Throws<LitException>(second.GetRequiredService<Classifier>).Message
        );
    }
}
