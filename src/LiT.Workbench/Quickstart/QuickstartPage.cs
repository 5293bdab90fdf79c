using LiT.Classification;
using LiT.Data;
using LiT.Embedding;
using LiT.Evaluation;
using LiT.Images;
using LiT.Reports;
using LiT.Tuning.Runs;

namespace LiT.Quickstart;

/// <summary>What a quickstart came to, as a page to look at.</summary>
internal static class QuickstartPage
{
    private const int PicturesShown = 24;

    public static void Write(
        QuickstartResult result,
        TuneResult tuned,
        LitModel model,
        string pictures,
        ClassificationScore kinds,
        Labels labels,
        int seed
    )
    {
        var lines = LiT.Tuning.Runs.MetricsLine.ReadAll(
            Path.Combine(Path.GetDirectoryName(tuned.Model)!, "metrics.jsonl")
        );
        Series Val(string name, string key) =>
            new(
                name,
                [.. lines.Where(line => line.Val is not null).Select(line => ((double)line.Step, line.Val![key]))]
            );
        var report = QuickstartReport.Build(
            new QuickstartResults
            {
                Title = "LiT quickstart",
                Lead =
                    "A locked, pre-trained image tower saw every picture once. A text tower was then tuned "
                    + "from scratch to read it. Everything below is measured on pictures, "
                    + "phrasings and combinations that tuning never saw.",
                Facts =
                [
                    (
                        "Image tower",
                        $"{model.Description.Image.Architecture}, locked, {model.Description.Image.Width} "
                            + "numbers a picture"
                    ),
                    (
                        "Text tower",
                        $"{model.Towers.Text.parameters().Sum(parameter => parameter.numel()):N0} weights, from scratch"
                    ),
                    (
                        "Pairs",
                        $"{tuned.Pairs:N0} pictures, {tuned.Captions:N0} captions as on the web, "
                            + $"{tuned.DistinctCaptions:N0} distinct"
                    ),
                    ("Steps", $"{tuned.Outcome.Steps:N0} of {tuned.Options.Batch:N0} pairs"),
                    ("Seed", $"{seed}"),
                ],
                Accuracies =
                [
                    .. result.Classification.Select(
                        (one, i) =>
                            new AccuracyResult(
                                one.Question,
                                one.Top1,
                                one.Chance,
                                one.N,
                                one.Interval95[0],
                                one.Interval95[1],
                                one.Supervised,
                                Explanations[i]
                            )
                    ),
                ],
                Retrieval =
                [
                    new(
                        "words → pictures",
                        result.Retrieval.TextToImage.R1,
                        result.Retrieval.TextToImage.R5,
                        result.Retrieval.TextToImage.R10,
                        result.Retrieval.Images,
                        result.Retrieval.MedianRank.TextToImage
                    ),
                    new(
                        "pictures → words",
                        result.Retrieval.ImageToText.R1,
                        result.Retrieval.ImageToText.R5,
                        result.Retrieval.ImageToText.R10,
                        result.Retrieval.Texts,
                        result.Retrieval.MedianRank.ImageToText
                    ),
                ],
                Loss = [new Series("loss", [.. lines.Select(line => ((double)line.Step, line.Loss))])],
                Recall =
                [
                    Val("words → pictures, recall@1", "textToImageR1"),
                    Val("pictures → words, recall@1", "imageToTextR1"),
                ],
                Pictures = Pictures(model, pictures, labels),
                Confusion = new ConfusionPicture { Classes = labels.Classes.Names, Counts = kinds.Confusion },
                Commands =
                [
                    new(
                        "Name your own pictures",
                        $"./lit classify photo.jpg --model {tuned.Model} --labels \"cat,dog,house\""
                    ),
                    new(
                        "Embed your own pictures once",
                        "./lit embed --image-tower TOWER.npz --data PICTURES --out store"
                    ),
                    new("Tune a text tower on your captions", "./lit tune --data store --out run"),
                    new("Measure it", "./lit eval classification --model run --data LABELLED_PICTURES"),
                ],
            }
        );
        report.Save(result.Report);
    }

    private static readonly string[] Explanations =
    [
        "Which of the kinds is it? The prompts are phrased as no caption is.",
        "Which colour is it?",
        "Which of all combinations of a colour and a kind is it? No drawing and no caption in training "
            + "showed this combination.",
    ];

    private static List<NamedPicture> Pictures(LitModel model, string path, Labels labels)
    {
        var prompts = PromptTemplates.Fill(labels.Classes.Names, Drawings.DrawnVocabulary.Templates);
        var classes = ZeroShot.ClassEmbeddings(
            model.EmbedTexts([.. prompts.Select(prompt => prompt.Text)]),
            [.. prompts.Select(prompt => prompt.Class)],
            labels.Classes.Names.Count
        );
        List<NamedPicture> named = [];
        Preparation preparation = new(model.Image.Preprocessing, long.MaxValue, Ahead: 8);
        var prepared = PreparedPictures
            .InOrder(Samples.Open(path).ReadAll().Take(PicturesShown), preparation, default)
            .Where(one => one.Picture is not null);
        foreach (var block in new TowerStream(model.Image, model.Compute, picturesAtOnce: 1).Blocks(prepared))
        {
            var picture = block.Pictures[0];
            var zimg = model.ProjectImages(new([.. block.Values.Span], block.Size));
            var probabilities = model.Probabilities(zimg[0], classes);
            var truth = picture.Sample.Fields["kind"];
            var guesses = probabilities
                .Select((probability, i) => new Guess(labels.Classes.Names[i], probability))
                .OrderByDescending(guess => guess.Probability)
                .Take(3)
                .ToList();
            named.Add(
                new(
                    Decoding.Decode(picture.Sample.ReadImage!(), DecodingOptions.Upright),
                    $"{picture.Sample.Fields["colour"]} {truth}",
                    guesses,
                    guesses[0].Word == truth
                )
            );
        }
        return named;
    }
}
