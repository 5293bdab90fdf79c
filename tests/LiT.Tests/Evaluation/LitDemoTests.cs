using System.Text.Json;
using LiT.Evaluation;

namespace LiT.Tests.Evaluation;

/// <summary>
/// Embeddings of the authors' own LiT models through the product's path for embeddings made elsewhere, against what
/// follows from them by big_vision's lit_demo (compute.ts).
/// </summary>
public sealed class LitDemoTests : IDisposable
{
    private const double Within = 2e-6; // similarities of 1,024 float32 products
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("small")]
    [InlineData("tiny")]
    public void The_authors_own_embeddings_give_the_expected_answers(string model)
    {
        var data = SharedData.PathOf("lit_demo", "expected.json");
        var expected = JsonDocument.Parse(File.ReadAllText(data)).RootElement.GetProperty("models").GetProperty(model);
        var place = Path.GetDirectoryName(data)!;
        var perImage = expected.GetProperty("per_image");
        folder.Write(
            "pairs.tsv",
            string.Concat(
                perImage
                    .EnumerateObject()
                    .SelectMany(image =>
                        image
                            .Value.GetProperty("text_rows")
                            .EnumerateArray()
                            .Select(row => $"{image.Value.GetProperty("image_row").GetInt32()}\t{row.GetInt32()}\n")
                    )
            )
        );
        folder.Write(
            "keys.txt",
            string.Concat(
                expected.GetProperty("image_ids").EnumerateArray().Select(id => $"picture {id.GetString()}\n")
            )
        );
        folder.Write(
            "texts.txt",
            string.Concat(
                File.ReadAllText(Path.Combine(place, $"{model}_ztxts.txt"))
                    .Split('\n')
                    .Where(line => line.Length > 0)
                    .Select((line, row) => $"{row}. {line}\n")
            )
        );
        var temperature = expected.GetProperty("def").GetProperty("temperature").GetDouble();
        var said = new List<string>();
        var run = GivenEmbeddings.Retrieve(
            new()
            {
                Images = Path.Combine(place, $"{model}_zimgs.npy"),
                Texts = Path.Combine(place, $"{model}_ztxts.npy"),
                ImageKeys = folder["keys.txt"],
                TextLines = folder["texts.txt"],
                Pairs = folder["pairs.tsv"],
                Temperature = temperature,
            },
            said.Add
        );
        Assert.Empty(said);

        var metrics = expected.GetProperty("metrics");
        Assert.Equal(metrics.GetProperty("image_to_text_R@1_own_prompt").GetDouble(), run.Report.ImageToText.R1, 12);
        Assert.Equal(metrics.GetProperty("R@5").GetDouble(), run.Report.ImageToText.R5, 12);

        PredictionFile.Write(folder["answers.jsonl"], run);
        var answers = File.ReadLines(folder["answers.jsonl"])
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToList();
        var ofImage = answers
            .Where(line => line.TryGetProperty("image", out _))
            .ToDictionary(line => line.GetProperty("image").GetString()!);
        foreach (var image in perImage.EnumerateObject())
        {
            var answer = ofImage[$"picture {image.Name}"];
            var own = answer
                .GetProperty("own")
                .EnumerateArray()
                .ToDictionary(near => near.GetProperty("name").GetString()!.Split('.')[0]);
            foreach (
                var (row, i) in image
                    .Value.GetProperty("text_rows")
                    .EnumerateArray()
                    .Select((row, i) => ($"{row.GetInt32()}", i))
            )
            {
                Assert.InRange(
                    own[row].GetProperty("similarity").GetDouble() - image.Value.GetProperty("sims")[i].GetDouble(),
                    -Within,
                    Within
                );
                if (
                    image.Value.GetProperty("text_rows").EnumerateArray().DistinctBy(text => text.GetInt32()).Count()
                    == own.Count
                )
                    Assert.InRange(
                        own[row].GetProperty("probability").GetDouble()
                            - image.Value.GetProperty("probs")[i].GetDouble(),
                        -temperature * Within,
                        temperature * Within
                    );
            }
            var all = expected.GetProperty("classification_over_all_texts").GetProperty(image.Name);
            var nearest = answer.GetProperty("nearest").EnumerateArray().ToList();
            Assert.Equal(
                all.GetProperty("top5_rows").EnumerateArray().Select(row => $"{row.GetInt32()}"),
                nearest.Select(near => near.GetProperty("name").GetString()!.Split('.')[0])
            );
            foreach (var (near, i) in nearest.Select((near, i) => (near, i)))
                Assert.InRange(
                    near.GetProperty("probability").GetDouble() - all.GetProperty("top5_probs")[i].GetDouble(),
                    -temperature * Within,
                    temperature * Within
                );
        }
        var ofText = answers
            .Where(line => line.TryGetProperty("text", out _))
            .ToDictionary(line => line.GetProperty("text").GetString()!.Split('.')[0]);
        foreach (var text in expected.GetProperty("text_to_image").EnumerateObject())
        {
            var nearest = ofText[text.Name].GetProperty("nearest").EnumerateArray().ToList();
            Assert.Equal(
                text.Value.GetProperty("top5_ids").EnumerateArray().Select(id => $"picture {id.GetString()}"),
                nearest.Select(near => near.GetProperty("name").GetString())
            );
            foreach (var (near, i) in nearest.Select((near, i) => (near, i)))
                Assert.InRange(
                    near.GetProperty("similarity").GetDouble() - text.Value.GetProperty("top5_sims")[i].GetDouble(),
                    -Within,
                    Within
                );
        }
    }
}
