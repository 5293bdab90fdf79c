using System.Runtime.InteropServices;
using System.Text.Json;
using CsCheck;
using LiT.Bundles;
using LiT.Classification;
using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Evaluation;
using LiT.Images;
using LiT.Search;
using LiT.Stores;
using LiT.Tests.Face;
using LiT.Tests.Towers;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Pipeline;

/// <summary>
/// What embedding, evaluation and search promise: one, two and three threads give the same bits, whatever the sizes.
/// Tuning has tests of its own.
/// </summary>
public sealed class AnyThreadsTests(SmallModel small) : IClassFixture<SmallModel>, IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static IEnumerable<TheoryDataRow<string>> Towers() =>
        EveryImageTowerTests
            .Tiny.Keys.Concat(["vit, class token, int8"])
            .Select(name => new TheoryDataRow<string>(name));

    [Theory]
    [MemberData(nameof(Towers))]
    public void Pictures_through_every_tower(string name)
    {
        using var locked = Locked(name);
        Gen.Int[1, 3 * ImageBatch.Part]
            .Sample(
                count =>
                {
                    var pictures = Enumerable
                        .Range(0, count)
                        .Select(i => Numbers(i + 1, locked.Preprocessing.ValueCount))
                        .ToList();
                    Same(compute =>
                    {
                        var rows = new float[count * locked.Tower.Width];
                        ImageBatch.Represent(locked, pictures, compute, rows);
                        return rows;
                    });
                },
                iter: 6,
                threads: 1
            );
    }

    [Fact]
    public void A_store_whatever_number_of_pictures_its_last_batch_has()
    {
        for (var i = 0; i < 2 * ImageBatch.Part + 8; i++)
            folder.Write($"all/{i:00}.png", SmallModel.Picture(i));
        using var locked = Locked("vit, class token");
        for (var last = 1; last <= ImageBatch.Part; last++)
        {
            // Two shards, the second of them of one batch that is not full but for the last turn.
            var pictures = Directory.CreateDirectory(folder[$"pictures-{last}"]).FullName;
            foreach (var file in Directory.GetFiles(folder["all"]).Order().Take(2 * ImageBatch.Part + last))
                File.Copy(file, Path.Combine(pictures, Path.GetFileName(file)));
            Same(compute =>
            {
                var store = folder[$"store-{last}-{compute.Threads}"];
                EmbedRun.Run(
                    locked,
                    "tower",
                    Samples.Open(pictures),
                    store,
                    new()
                    {
                        BatchSize = ImageBatch.Part,
                        RowsPerShard = 2 * ImageBatch.Part,
                        Type = StoredType.Float32,
                    },
                    compute
                );
                using var made = EmbeddingStore.Open(store);
                var rows = new float[made.Rows * made.EmbeddingSize];
                made.ReadRows([.. Enumerable.Range(0, (int)made.Rows).Select(row => (long)row)], rows);
                Assert.Equal(2 * ImageBatch.Part + last, made.Rows);
                return rows;
            });
        }
    }

    [Fact]
    public void Zero_shot_classification() =>
        (
            from images in Gen.Int[1, 3000]
            from classes in Gen.Int[2, 60]
            from templates in Gen.Int[1, 8]
            from width in Gen.Int[8, 300]
            select (images, classes, templates, width)
        ).Sample(
            size =>
            {
                var names = Enumerable.Range(0, size.classes).Select(i => $"class {i}").ToArray();
                var templates = Enumerable.Range(0, size.templates).Select(i => $"template {i} {{}}").ToArray();
                var prompts = PromptTemplates.Fill(names, templates);
                var (zimg, ztxt) = (Unit(1, size.images, size.width), Unit(2, prompts.Count, size.width));
                var samples = Enumerable
                    .Range(0, size.images)
                    .Select(i => new Sample($"{i}", $"{i}") { Label = names[i * 7 % names.Length] })
                    .ToArray();
                Same(compute =>
                {
                    var run = ModelEvaluation.Scored(
                        ImageSet.Of("data", zimg, samples),
                        zimg,
                        Labels.Match(samples, "data", new(names)),
                        prompts,
                        ztxt,
                        new() { Classes = new(names), Templates = templates },
                        30,
                        compute
                    );
                    return Told(run.Report with { Seconds = 0, Versions = new("", "", "", "") })
                        .Concat(run.Score.Answers.Select(answer => (float)answer.Probability!.Value))
                        .ToArray();
                });
            },
            iter: 8,
            threads: 1
        );

    [Fact]
    public void Retrieval_both_ways() =>
        (
            from images in Gen.Int[1, 700]
            from captions in Gen.Int[1, 4]
            from width in Gen.Int[8, 300]
            select (images, captions, width)
        ).Sample(
            size =>
            {
                var texts = size.images * size.captions;
                var (zimg, ztxt) = (Unit(1, size.images, size.width), Unit(2, texts, size.width));
                Same(compute =>
                {
                    var run = ModelEvaluation.Scored(
                        "data",
                        zimg,
                        ztxt,
                        [.. Enumerable.Range(0, size.images).Select(i => $"{i}")],
                        [.. Enumerable.Range(0, texts).Select(i => $"text {i}")],
                        [.. Enumerable.Range(0, texts).Select(i => (i % size.images, i))],
                        0,
                        30,
                        compute
                    );
                    return
                    [
                        .. Told(run.Report with { Seconds = 0, Versions = new("", "", "", "") }),
                        .. run.Score.Ranks.ImageToText.Select(rank => (float)rank),
                        .. run.Score.Ranks.TextToImage.Select(rank => (float)rank),
                    ];
                });
            },
            iter: 8,
            threads: 1
        );

    [Fact]
    public void A_whole_evaluation_of_a_model()
    {
        for (var i = 0; i < 11; i++)
            folder.Write($"labelled/{"abc"[i % 3]}/{i:00}.png", SmallModel.Picture(i));
        Same(compute =>
        {
            using var model = LitModel.Load(small.Bundle);
            var run = ModelEvaluation.Classify(model, folder["labelled"], new(), compute);
            return
            [
                .. Told(run.Report with { Seconds = 0, Versions = new("", "", "", "") }),
                .. Enumerable.Range(0, run.Images.Count).SelectMany(row => run.Images[row].ToArray()),
                .. Enumerable.Range(0, run.Classes.Count).SelectMany(row => run.Classes[row].ToArray()),
            ];
        });
    }

    [Fact]
    public void A_search_with_and_without_a_promise()
    {
        using var described = LitModel.Load(small.Bundle);
        var (image, width) = (described.Description.Image, described.Image.Tower.Width);
        var background = Background.Load(small.Bundle);
        var number = 0;
        (
            from pictures in Gen.OneOf(Gen.Int[1, 40], Gen.Int[16_300, 33_000]) // one block of rows, and several
            from texts in Gen.Int[1, 5]
            from top in Gen.Int[1, 30]
            from promised in Gen.Bool
            select (pictures, texts, top, promised)
        ).Sample(
            size =>
            {
                var path = folder[$"searched-{number++}"];
                Write(path, image.Fingerprint, size.pictures, width);
                string[] words = [.. new[] { "a", "b c", "c a b", "a a", "b" }.Take(size.texts)];
                Same(compute =>
                {
                    using var model = LitModel.Load(small.Bundle);
                    return
                    [
                        .. SearchedData
                            .Find(
                                model,
                                path,
                                [.. words.Select(text => new Query { Words = text, Top = size.top })],
                                size.promised ? background : null,
                                new(),
                                compute
                            )
                            .SelectMany(answer => answer.Results)
                            .SelectMany(picture =>
                                new[]
                                {
                                    float.Parse(picture.Key, System.Globalization.CultureInfo.InvariantCulture),
                                    (float)picture.Similarity,
                                    (float)(picture.ExpectedPrecision ?? -1),
                                }
                            ),
                    ];
                });
            },
            iter: 6,
            threads: 1
        );
    }

    private static void Same(Func<ComputeDevice, float[]> run)
    {
        var one = Run(1);
        Assert.NotEmpty(one);
        foreach (var threads in new[] { 2, 3 })
            Assert.True(
                MemoryMarshal.AsBytes(one.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(Run(threads).AsSpan())),
                $"{threads} threads"
            );

        float[] Run(int threads)
        {
            using var use = Parts.Use(threads);
            return run(ComputeDevice.Cpu with { Threads = threads });
        }
    }

    private static LockedTower Locked(string name)
    {
        var bytes = name.EndsWith(", int8", StringComparison.Ordinal);
        using TemporaryFolder saved = new();
        using var random = new Generator(11, CPU);
        var tower = EveryImageTowerTests.Tiny[bytes ? name[..^6] : name].Build();
        using (no_grad())
            foreach (var (weight, value) in tower.state_dict())
                if (value.is_floating_point())
                    value
                        .normal_(0, 0.3, random)
                        .add_(weight.EndsWith("running_var", StringComparison.Ordinal) ? 2 : 0.05f);
        tower.eval();
        ImageTowerFile.Save(saved["tower.safetensors"], tower, Preprocessing.LiT(32));
        return ImageTowerLoader.Load(saved["tower.safetensors"] + (bytes ? ":int8" : ""));
    }

    private static void Write(string path, string fingerprint, int pictures, int width)
    {
        using var writer = EmbeddingStoreWriter.Open(
            path,
            new StoreDescription
            {
                Fingerprint = fingerprint,
                Tower = "made up",
                EmbeddingSize = width,
                Type = StoredType.Float32,
                Source = "made up",
            }
        );
        writer.Write(
            Enumerable
                .Range(0, pictures)
                .Select(i =>
                {
                    var hash = new byte[32];
                    BitConverter.TryWriteBytes(hash, i + 1);
                    return (new Sample($"{i}", $"{i}"), new EmbeddedPicture(1, 1, hash), Numbers(i + 1, width));
                })
        );
    }

    private static float[] Numbers(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }

    private static Embeddings Unit(int seed, int rows, int width)
    {
        using var scope = NewDisposeScope();
        var numbers = tensor(Numbers(seed, rows * width)).reshape(rows, width);
        return new(nn.functional.normalize(numbers, dim: 1).data<float>().ToArray(), width);
    }

    /// <summary>A report's JSON, letter by letter.</summary>
    private static IEnumerable<float> Told<T>(T report) =>
        JsonSerializer.Serialize(report).Select(letter => (float)letter);
}
