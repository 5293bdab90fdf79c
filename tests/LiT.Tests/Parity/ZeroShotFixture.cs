using System.Text.Json;
using LiT.Checkpoints;
using LiT.Classification;
using LiT.Evaluation;

namespace LiT.Tests.Parity;

/// <summary>
/// Prompt ensembling, top-1, several labels, prompts, recalls and ties as big_vision's evaluators have them.
/// </summary>
public sealed class ZeroShotFixture : IFixtureKind
{
    public string Folder => "zero_shot";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        yield return new("classification", () => Classification(folder));
        yield return new("ties between classes", () => TiedClasses(folder));
        yield return new("prompts", () => Prompts(folder));
        var expected = Json(folder, "retrieval_expected.json");
        foreach (var set in expected.EnumerateObject())
            yield return new($"retrieval {set.Name}", () => RetrievalSet(folder, set.Name, set.Value));
    }

    private static void Classification(FixtureFolder folder)
    {
        var expected = Json(folder, "classification_expected.json");
        var images = Rows(folder, "classification_zimg.npy");
        var prompts = Rows(folder, "classification_ztxt.npy");
        var classOf = Ints(folder, "classification_ztxt_label.npy");
        var reference = Rows(folder, "classification_class_embedding.npy");
        var classes = ZeroShot.ClassEmbeddings(prompts, classOf, reference.Count);
        for (var i = 0; i < reference.Values.Length; i++)
            Assert.InRange(classes.Values[i] - reference.Values[i], -1e-6, 1e-6);

        var names = Enumerable.Range(0, classes.Count).Select(i => $"class {i}").ToList();
        var labels = Ints(folder, "classification_label.npy");
        var score = ZeroShot.Score(images, classes, [.. labels.Select(label => new[] { label })], names);
        Assert.Equal(Ints(folder, "classification_prediction.npy"), score.Predictions);
        Assert.Equal(expected.GetProperty("count").GetInt32(), score.N);
        Assert.Equal(expected.GetProperty("accuracy").GetDouble(), score.Top1, 12);
        Assert.Equal(expected.GetProperty("top5_accuracy").GetDouble(), score.Top5, 12);
        Assert.Equal(expected.GetProperty("mean_per_class_accuracy").GetDouble(), score.MeanPerClass, 12);

        var mask = Npy.ReadArray<byte>(folder.PathOf("classification_mask.npy")).Values;
        var masked = ZeroShot.Score(
            images,
            classes,
            [.. labels.Select((label, i) => mask[i] != 0 ? new[] { label } : [])],
            names
        );
        Assert.Equal(expected.GetProperty("count_masked").GetInt32(), masked.N);
        Assert.Equal(expected.GetProperty("accuracy_masked").GetDouble(), masked.Top1, 12);

        var several = Ints(folder, "classification_multilabel.npy");
        var width = several.Length / labels.Length;
        var multi = ZeroShot.Score(
            images,
            classes,
            [
                .. labels.Select(
                    (_, i) => several.AsSpan(i * width, width).ToArray().Where(label => label >= 0).ToArray()
                ),
            ],
            names
        );
        Assert.Equal(expected.GetProperty("accuracy_multilabel").GetDouble(), multi.Top1, 12);

        var scores = Npy.ReadArray<float>(folder.PathOf("classification_scores.npy")).Values;
        for (var i = 0; i < images.Count; i++)
        for (var c = 0; c < classes.Count; c++)
        {
            var product = images[i].ToArray().Zip(classes[c].ToArray(), (x, y) => (double)x * y).Sum();
            Assert.InRange(product - scores[i * classes.Count + c], -1e-5, 1e-5);
        }
    }

    private static void TiedClasses(FixtureFolder folder)
    {
        var tie = Json(folder, "classification_expected.json").GetProperty("tie_example");
        Embeddings Table(string name)
        {
            var rows = tie.GetProperty(name).EnumerateArray().ToList();
            return new(
                [.. rows.SelectMany(row => row.EnumerateArray().Select(number => number.GetSingle()))],
                rows[0].GetArrayLength()
            );
        }
        var (classes, images) = (Table("class_embeddings"), Table("image_embeddings"));
        var score = ZeroShot.Score(
            images,
            classes,
            [.. Enumerable.Repeat(new[] { 0 }, images.Count)],
            [.. Enumerable.Range(0, classes.Count).Select(i => $"{i}")]
        );
        Assert.Equal(tie.GetProperty("prediction").EnumerateArray().Select(p => p.GetInt32()), score.Predictions);
    }

    private static void Prompts(FixtureFolder folder)
    {
        var json = Json(folder, "prompts.json");
        List<string> Strings(string name) =>
            [.. json.GetProperty(name).EnumerateArray().Select(text => text.GetString()!)];
        var (names, templates) = (Strings("class_names"), Strings("templates"));
        Assert.Equal(Strings("canonical_class_names"), names.Select(name => PromptTemplates.Canonicalise(name, ",")));
        Assert.Equal(
            Strings("canonical_templates"),
            templates.Select(template => PromptTemplates.Canonicalise(template, "{}"))
        );
        foreach (var plain in json.GetProperty("plain_canonicalisation").EnumerateArray())
            Assert.Equal(
                plain.GetProperty("out").GetString(),
                PromptTemplates.Canonicalise(plain.GetProperty("in").GetString()!)
            );
        foreach (var (property, allAliases) in new[] { ("texts_first_alias_only", false), ("texts_all_aliases", true) })
        {
            var expected = json.GetProperty(property)
                .EnumerateArray()
                .Select(prompt => (prompt.GetProperty("label").GetInt32(), prompt.GetProperty("text").GetString()!));
            var filled = PromptTemplates.Fill(names, templates, allAliases);
            Assert.Equal(expected, filled.Select(prompt => (prompt.Class, prompt.Text)));
        }
    }

    private static void RetrievalSet(FixtureFolder folder, string name, JsonElement expected)
    {
        var imageOf = Ints(folder, $"retrieval_{name}_text_to_image.npy");
        RetrievalScore score;
        if (folder.Has($"retrieval_{name}_distance.npy"))
        {
            var (distances, shape) = Npy.ReadArray<float>(folder.PathOf($"retrieval_{name}_distance.npy"));
            var similarity = new float[shape[0], shape[1]];
            for (var i = 0; i < distances.Length; i++)
                similarity[i / shape[1], i % shape[1]] = -distances[i];
            score = Retrieval.Score(similarity, imageOf);
        }
        else
        {
            score = Retrieval.Score(
                Rows(folder, $"retrieval_{name}_zimg.npy"),
                Rows(folder, $"retrieval_{name}_ztxt.npy"),
                imageOf
            );
        }
        foreach (
            var (direction, bounds) in new[]
            {
                ("img2txt", score.TieBounds.ImageToText),
                ("txt2img", score.TieBounds.TextToImage),
            }
        )
        {
            if (!expected.TryGetProperty($"{direction}_bounds", out var limits))
                continue;
            foreach (
                var (measure, lowest, highest) in new[]
                {
                    ("Recall@1", bounds.Lowest.R1, bounds.Highest.R1),
                    ("Recall@5", bounds.Lowest.R5, bounds.Highest.R5),
                    ("Recall@10", bounds.Lowest.R10, bounds.Highest.R10),
                }
            )
            {
                Assert.Equal(limits.GetProperty(measure)[0].GetDouble(), lowest, 12);
                Assert.Equal(limits.GetProperty(measure)[1].GetDouble(), highest, 12);
            }
        }
        foreach (var (direction, recall) in new[] { ("img2txt", score.ImageToText), ("txt2img", score.TextToImage) })
        {
            Assert.Equal(expected.GetProperty(direction).GetProperty("Recall@1").GetDouble(), recall.R1, 12);
            Assert.Equal(expected.GetProperty(direction).GetProperty("Recall@5").GetDouble(), recall.R5, 12);
            Assert.Equal(expected.GetProperty(direction).GetProperty("Recall@10").GetDouble(), recall.R10, 12);
        }
    }

    private static JsonElement Json(FixtureFolder folder, string name) =>
        JsonDocument.Parse(File.ReadAllText(folder.PathOf(name))).RootElement;

    private static int[] Ints(FixtureFolder folder, string name) => Npy.ReadArray<int>(folder.PathOf(name)).Values;

    private static Embeddings Rows(FixtureFolder folder, string name)
    {
        var (values, shape) = Npy.ReadArray<float>(folder.PathOf(name));
        return new(values, (int)shape[1]);
    }
}
