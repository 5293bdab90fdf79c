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
        representations = () => kept ?? PixelSource.PicturesThrough(moving!, samples, compute);
        foreach (var (row, image) in rows.Select((row, image) => (row, image)))
        foreach (var caption in set.Samples[row].Captions)
        {
            captions.Add(caption);
            imageOf.Add(image);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Guessing> Guessing
    {
        get
        {
            var images = imageOf[^1] + 1;
            return new Dictionary<string, Guessing>
            {
                ["imageToTextR1"] = new(1.0 / images, images),
                ["textToImageR1"] = new(1.0 / images, captions.Count),
            };
        }
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, double> Validate(long step)
    {
        var score = Retrieval.Score(
            TowerOutputs.Images(towers, representations(), compute),
            TowerOutputs.Texts(towers, tokenizer, captions, compute),
            imageOf
        );
        return new Dictionary<string, double>
        {
            ["imageToTextR1"] = score.ImageToText.R1,
            ["imageToTextR5"] = score.ImageToText.R5,
            ["imageToTextR10"] = score.ImageToText.R10,
            ["textToImageR1"] = score.TextToImage.R1,
            ["textToImageR5"] = score.TextToImage.R5,
            ["textToImageR10"] = score.TextToImage.R10,
        };
    }
}
