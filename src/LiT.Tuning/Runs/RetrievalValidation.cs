using LiT.Bundles;
using LiT.Compute;
using LiT.Embedding;
using LiT.Evaluation;
using LiT.Text;
using LiT.Towers;

namespace LiT.Tuning.Runs;

/// <summary>Retrieval both ways on captioned pictures that are not tuned on, with the towers as they are.</summary>
internal sealed class RetrievalValidation : IValidation
{
    /// <summary>More pictures make a validation slow and its numbers hardly steadier.</summary>
    private const int MostPictures = 2000;

    private readonly TwoTowers towers;
    private readonly CaptionTokenizer tokenizer;
    private readonly ComputeDevice compute;
    private readonly Func<Embeddings> representations;
    private readonly List<string> captions = [];
    private readonly List<int> imageOf = [];
    private readonly string?[] labels;
    private readonly bool judgesLabels;

    /// <param name="towers">What is validated.</param>
    /// <param name="tokenizer">Of the text tower.</param>
    /// <param name="set">Pictures with captions.</param>
    /// <param name="compute">Where the towers compute.</param>
    /// <param name="moving">The image tower where it is tuned: the pictures then go through it every time.</param>
    public RetrievalValidation(
        TwoTowers towers,
        CaptionTokenizer tokenizer,
        ImageSet set,
        ComputeDevice compute,
        LockedTower? moving = null
    )
    {
        (this.towers, this.tokenizer, this.compute) = (towers, tokenizer, compute);
        var rows = Enumerable
            .Range(0, set.Samples.Count)
            .Where(row => set.Samples[row].Captions.Count > 0)
            .Take(MostPictures)
            .ToList();
        if (rows.Count == 0)
            throw new LitException(
                set.Path,
                "no picture has a caption, so there is nothing to validate on",
                "Give `Validation` data with captions"
            );
        var kept = moving is null ? set.Read(rows) : null;
        List<Data.Sample> samples = [.. rows.Select(row => set.Samples[row])];
        labels = [.. samples.Select(sample => sample.Label?.Trim() is { Length: > 0 } label ? label : null)];
        // One label for all, or one for each picture, says no more than the captions do.
        judgesLabels = labels.OfType<string>().Distinct().Count() is > 1 and var kinds && kinds < labels.Length;
        representations = () => kept ?? PixelSource.PicturesThrough(moving!, samples, compute);
        foreach (var (row, image) in rows.Select((row, image) => (row, image)))
        foreach (var caption in set.Samples[row].Captions)
        {
            captions.Add(caption);
            imageOf.Add(image);
        }
    }

    /// <summary>
    /// Labels where there are some, as a caption of another picture that shows the same is no mistake; else the mean
    /// of all recalls, which wavers less than one of them.
    /// </summary>
    public string BestBy => judgesLabels ? "sameLabel" : "meanRecall";

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Guessing> Guessing
    {
        get
        {
            var images = labels.Length;
            Dictionary<string, Guessing> guessing = new()
            {
                ["imageToTextR1"] = new(1.0 / images, images),
                ["textToImageR1"] = new(1.0 / images, captions.Count),
                ["meanRecall"] = new((1 + Math.Min(5, images) + Math.Min(10, images)) / 3.0 / images, images),
            };
            if (judgesLabels)
                guessing["sameLabel"] = new(SameLabel.ByLuck(labels), images);
            return guessing;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, double> Validate(long step)
    {
        var (images, texts) = (
            TowerOutputs.Images(towers, representations(), compute),
            TowerOutputs.Texts(towers, tokenizer, captions, compute)
        );
        var score = Retrieval.Score(images, texts, imageOf);
        var (toText, toImage) = (score.ImageToText, score.TextToImage);
        Dictionary<string, double> values = new()
        {
            ["imageToTextR1"] = toText.R1,
            ["imageToTextR5"] = toText.R5,
            ["imageToTextR10"] = toText.R10,
            ["textToImageR1"] = toImage.R1,
            ["textToImageR5"] = toImage.R5,
            ["textToImageR10"] = toImage.R10,
            ["meanRecall"] = (toText.R1 + toText.R5 + toText.R10 + toImage.R1 + toImage.R5 + toImage.R10) / 6,
        };
        if (judgesLabels)
            values["sameLabel"] = SameLabel.Share(images, texts, imageOf, labels);
        return values;
    }
}
