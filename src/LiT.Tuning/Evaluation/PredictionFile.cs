using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using LiT.Classification;
using LiT.Compute;
using LiT.Files;

namespace LiT.Evaluation;

/// <summary>Each picture's answer as a line of JSON, for whoever wants to look at single pictures.</summary>
internal static class PredictionFile
{
    private const int Nearest = 5;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private sealed record Near(string Name, double Similarity, double? Probability);

    /// <summary>
    /// A line a picture: key, labels, answer, whether it is right, similarity and probability of the answer, rank and
    /// similarity of the label, the five best classes.
    /// </summary>
    /// <exception cref="LitException">The file cannot be written.</exception>
    public static void Write(string path, params IReadOnlyList<ClassificationRun> runs) =>
        WriteLines(path, runs.SelectMany(Lines));

    private static IEnumerable<object> Lines(ClassificationRun run)
    {
        var names = run.Labels.Classes.Names;
        return run.Score.Answers.Select(answer =>
            (object)
                new
                {
                    run.Report.Protocol.Language,
                    run.Set.Samples[answer.Row].Key,
                    run.Set.Samples[answer.Row].Origin,
                    Labels = answer.Labels.Select(label => names[label]),
                    Answer = names[answer.Best[0]],
                    Right = answer.Labels.Length == 0 ? (bool?)null : answer.Right,
                    Similarity = answer.Similarities[0],
                    answer.Probability,
                    answer.LabelRank,
                    answer.LabelSimilarity,
                    Best = answer.Best.Zip(answer.Similarities, (c, similarity) =>
                        new { Class = names[c], Similarity = similarity }
                    ),
                }
        );
    }

    /// <summary>
    /// A line an image with its own texts (probability among them), the rank of the nearest of them, and the five nearest of all;
    /// then a line a text with its own images and the five nearest.
    /// </summary>
    /// <exception cref="LitException">The file cannot be written.</exception>
    public static void Write(string path, params IReadOnlyList<RetrievalRun> runs) =>
        WriteLines(path, runs.SelectMany(Lines));

    private static List<object> Lines(RetrievalRun run)
    {
        var textsOf = run.Pairs.ToLookup(pair => pair.Image, pair => pair.Text);
        var imagesOf = run.Pairs.ToLookup(pair => pair.Text, pair => pair.Image);
        var (temperature, language) = (run.Report.Temperature, run.Report.Protocol.Language);
        List<object> lines = [];
        Similarity.EachRow(run.Images, run.Texts, (image, scores) =>
        {
            var own = Own(scores, textsOf[image], run.TextLines, temperature);
            lines.Add(
                new
                {
                    Language = language,
                    Image = run.ImageKeys[image],
                    Rank = RankOf(run.Score.Ranks.ImageToText[image]),
                    Own = own,
                    Nearest = Best(scores, run.TextLines, temperature),
                }
            );
        });
        Similarity.EachRow(run.Texts, run.Images, (text, scores) =>
        {
            var own = Own(scores, imagesOf[text], run.ImageKeys, null);
            lines.Add(
                new
                {
                    Language = language,
                    Text = run.TextLines[text],
                    Rank = RankOf(run.Score.Ranks.TextToImage[text]),
                    Own = own,
                    Nearest = Best(scores, run.ImageKeys, null),
                }
            );
        });
        return lines;
    }

    private static int? RankOf(int rank) => rank < 0 ? null : rank + 1;

    private static Near[] Own(
        ReadOnlySpan<float> scores,
        IEnumerable<int> own,
        IReadOnlyList<string> names,
        double? temperature
    )
    {
        int[] rows = [.. own];
        var similarities = new double[rows.Length];
        for (var i = 0; i < rows.Length; i++)
            similarities[i] = scores[rows[i]];
        var probabilities = temperature is { } t ? Probabilities.Of(similarities, t) : null;
        return [.. rows.Select((row, i) => new Near(names[row], similarities[i], probabilities?[i]))];
    }

    private static Near[] Best(ReadOnlySpan<float> scores, IReadOnlyList<string> names, double? temperature)
    {
        var best = new int[Math.Min(Nearest, scores.Length)];
        Similarity.Best(scores, best);
        var total = 0.0;
        if (temperature is { } t)
            foreach (var score in scores)
                total += Math.Exp(t * ((double)score - scores[best[0]]));
        var near = new Near[best.Length];
        for (var i = 0; i < best.Length; i++)
            near[i] = new(
                names[best[i]],
                scores[best[i]],
                temperature is { } e ? Math.Exp(e * ((double)scores[best[i]] - scores[best[0]])) / total : null
            );
        return near;
    }

    private static void WriteLines(string path, IEnumerable<object> lines) => AtomicFile.Write(path, stream =>
        {
            foreach (var line in lines)
            {
                JsonSerializer.Serialize(stream, line, Json);
                stream.WriteByte((byte)'\n');
            }
        });
}
