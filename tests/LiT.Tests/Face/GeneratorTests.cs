using System.Diagnostics;
using LiT.Images;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LiT.Tests.Face;

/// <summary>The model as the platform's generators, alone and behind each of the platform's decorators.</summary>
public sealed class GeneratorTests(SmallModel small) : IClassFixture<SmallModel>
{
    private readonly CancellationToken cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Texts_and_pictures_get_the_models_own_embeddings_in_their_order()
    {
        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        using var plain = LitModel.Load(small.Bundle);
        string[] texts = ["a b", "c", "a b", ""];
        var words = await model.Texts.GenerateAsync(texts, null, cancel);
        Assert.Equal(plain.EmbedTexts(texts).Values, words.SelectMany(one => one.Vector.ToArray()));

        var pictures = Enumerable.Range(0, 70).Select(i => SmallModel.Picture(i % 12)).ToArray();
        var images = await model.Images.GenerateAsync(
            pictures.Select(bytes => new DataContent(bytes, "image/png")),
            null,
            cancel
        );
        var pixels = pictures
            .Select(bytes => plain.Image.Preprocessing.Pixels(bytes, long.MaxValue, DecodePath.Exact, null))
            .ToArray();
        Embeddings Rows(IEnumerable<float[]> some) =>
            plain.ProjectImages(new(plain.Represent([.. some]), plain.Image.Tower.Width));
        Assert.Equal(
            [.. Rows(pixels[..64]).Values, .. Rows(pixels[64..]).Values],
            images.SelectMany(one => one.Vector.ToArray())
        );
        Assert.All(words.Concat(images), one => Assert.Equal(model.EmbeddingSize, one.Dimensions));
        Assert.Empty(await model.Texts.GenerateAsync([], null, cancel));
    }

    [Fact]
    public async Task The_clock_and_the_models_name_stand_in_every_embedding()
    {
        var now = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        using var model = await LitModel.LoadAsync(small.Bundle, new() { Time = new Clock(now) }, cancel);
        var made = await model.Texts.GenerateAsync(
            ["a"],
            new() { ModelId = model.Name, Dimensions = model.EmbeddingSize },
            cancel
        );
        Assert.Equal((now, model.Name), (made[0].CreatedAt, made[0].ModelId));
        Assert.Equal($"lit-{Sha256(Path.Combine(small.Bundle, "text.safetensors"))[..12]}", model.Name);
    }

    [Fact]
    public async Task Services_are_the_metadata_the_model_and_the_generator_itself()
    {
        using var model = await LitModel.LoadAsync(small.Published, null, cancel);
        foreach (var generator in new IEmbeddingGenerator[] { model.Texts, model.Images })
        {
            var metadata = Assert.IsType<EmbeddingGeneratorMetadata>(
                generator.GetService(typeof(EmbeddingGeneratorMetadata))
            );
            Assert.Equal(
                ("lit", model.Name, model.EmbeddingSize),
                (metadata.ProviderName, metadata.DefaultModelId, metadata.DefaultModelDimensions)
            );
            Assert.Same(model, generator.GetService(typeof(LitModel)));
            Assert.Same(generator, generator.GetService(typeof(IEmbeddingGenerator)));
            Assert.Null(generator.GetService(typeof(LitModel), "key"));
            Assert.Null(generator.GetService(typeof(string)));
        }
        Assert.Equal("lit_l16s_style.npz", model.Name);
        Assert.Same(model.Texts, model.Texts.GetService(typeof(IEmbeddingGenerator<string, Embedding<float>>)));
        model.Texts.Dispose(); // the model owns it
        Assert.Single(await model.Texts.GenerateAsync(["a"], null, cancel));
    }

    [Fact]
    public async Task What_the_model_does_not_have_is_refused_and_never_cut()
    {
        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        var size = model.EmbeddingSize;
        async Task<string> Refused(EmbeddingGenerationOptions options) =>
            (await Assert.ThrowsAsync<LitException>(() => model.Texts.GenerateAsync(["a"], options, cancel))).Message;
        Assert.Contains($"Leave Dimensions out, or set {size}.", await Refused(new() { Dimensions = size - 1 }));
        Assert.Contains("ModelId other: this generator holds", await Refused(new() { ModelId = "other" }));

        DataContent icon = new(SmallModel.Picture(0), "image/svg+xml") { Name = "logo.svg" };
        var type = await Assert.ThrowsAsync<LitException>(() => model.Images.GenerateAsync([icon], null, cancel));
        Assert.StartsWith("logo.svg: its media type is image/svg+xml", type.Message);
        DataContent broken = new(SmallModel.Picture(0).AsMemory(0, 60), "image/png");
        await Assert.ThrowsAsync<PictureException>(() => model.Images.GenerateAsync([broken], null, cancel));
        await Assert.ThrowsAsync<ArgumentException>(() => model.Texts.GenerateAsync(["a", null!], null, cancel));
        Assert.Single(await model.Texts.GenerateAsync(["a"], null, cancel)); // and nothing is worse for it
    }

    [Fact]
    public async Task A_distributed_cache_answers_what_it_knows_with_the_same_numbers()
    {
        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        var counted = 0;
        MemoryDistributedCache cache = new(Options.Create(new MemoryDistributedCacheOptions()));
        using var texts = new EmbeddingGeneratorBuilder<string, Embedding<float>>(model.Texts)
            .UseDistributedCache(cache)
            .Use(
                (values, options, inner, stop) =>
                {
                    counted++;
                    return inner.GenerateAsync(values, options, stop);
                }
            )
            .Build();
        var first = await texts.GenerateVectorAsync("a b", null, cancel);
        var again = await texts.GenerateVectorAsync("a b", null, cancel);
        Assert.Equal(1, counted);
        Assert.Equal(first.ToArray(), again.ToArray());
        Assert.Equal((await model.Texts.GenerateVectorAsync("a b", null, cancel)).ToArray(), again.ToArray());

        using var pictures = new EmbeddingGeneratorBuilder<DataContent, Embedding<float>>(model.Images)
            .UseDistributedCache(cache)
            .Build();
        DataContent content = new(SmallModel.Picture(3), "image/png");
        var image = await pictures.GenerateVectorAsync(content, null, cancel);
        Assert.Equal(image.ToArray(), (await pictures.GenerateVectorAsync(content, null, cancel)).ToArray());
    }

    [Fact]
    public async Task Logging_telemetry_and_options_pass_through()
    {
        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        List<Activity> seen = [];
        using ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == "lit test",
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = seen.Add,
        };
        ActivitySource.AddActivityListener(listener);
        Lines lines = new();
        using var factory = LoggerFactory.Create(builder => builder.AddProvider(lines).SetMinimumLevel(LogLevel.Trace));
        using var texts = new EmbeddingGeneratorBuilder<string, Embedding<float>>(model.Texts)
            .UseLogging(factory)
            .UseOpenTelemetry(factory, "lit test")
            .ConfigureOptions(options => options.Dimensions = model.EmbeddingSize)
            .Build();
        Assert.Equal(
            (await model.Texts.GenerateVectorAsync("a", null, cancel)).ToArray(),
            (await texts.GenerateVectorAsync("a", null, cancel)).ToArray()
        );
        Assert.Same(model, texts.GetService(typeof(LitModel)));
        Assert.Contains(lines.Said, line => line.Contains("GenerateAsync", StringComparison.Ordinal));
        var activity = Assert.Single(seen);
        Assert.Equal(model.Name, activity.GetTagItem("gen_ai.request.model"));

        using var wrong = new EmbeddingGeneratorBuilder<string, Embedding<float>>(model.Texts)
            .ConfigureOptions(options => options.Dimensions = 7)
            .Build();
        await Assert.ThrowsAsync<LitException>(() => wrong.GenerateAsync(["a"], null, cancel));
    }

    private static string Sha256(string path) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)));

    private sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
