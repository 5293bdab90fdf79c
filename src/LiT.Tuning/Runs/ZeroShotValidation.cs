using LiT.Bundles;
using LiT.Classification;
using LiT.Compute;
using LiT.Embedding;
using LiT.Evaluation;
using LiT.Text;
using LiT.Towers;

namespace LiT.Tuning.Runs;

/// <summary>Zero-shot classification of labelled pictures that are not tuned on, with the towers as they are.</summary>
internal sealed class ZeroShotValidation : IValidation
{
    private readonly TwoTowers towers;
    private readonly CaptionTokenizer tokenizer;
    private readonly ComputeDevice compute;
    private readonly Func<Embeddings> images;
    private readonly Labels labels;
    private readonly IReadOnlyList<Prompt> prompts;

    /// <param name="towers">What is validated.</param>
    /// <param name="tokenizer">Of the text tower.</param>
    /// <param name="set">Labelled pictures; stays open as long as this is used.</param>
    /// <param name="classes">Their classes; null for the distinct labels.</param>
    /// <param name="templates">Prompt templates.</param>
    /// <param name="compute">Where the towers compute.</param>
    /// <param name="moving">The image tower where it is tuned: the pictures then go through it every time.</param>
    /// <exception cref="LitException">The pictures have no labels, or none that is a class.</exception>
    public ZeroShotValidation(
        TwoTowers towers,
        CaptionTokenizer tokenizer,
        ImageSet set,
        ClassNames? classes,
        IReadOnlyList<string> templates,
        ComputeDevice compute,
        LockedTower? moving = null
    )
    {
        (this.towers, this.tokenizer, this.compute) = (towers, tokenizer, compute);
        labels = Labels.Match(set.Samples, set.Path, classes);
        prompts = PromptTemplates.Fill(labels.Classes.Names, templates);
        images = () =>
            moving is null ? set.Each(Projected) : Projected(PixelSource.PicturesThrough(moving, set.Samples, compute));

        Embeddings Projected(Embeddings representations) => TowerOutputs.Images(towers, representations, compute);
    }

    /// <summary>What is odd about the classes, a sentence each.</summary>
    /// <param name="known">The words that captions have which are tuned on; null where nobody knows.</param>
    public IEnumerable<string> Oddities(SeenWords? known) =>
        [
            .. ClassPrompts.Oddities(labels.Classes.Names, prompts, tokenizer),
            .. known is null ? [] : ClassPrompts.Unseen(labels.Classes.Names, prompts, known.Missing),
        ];

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Guessing> Guessing =>
        new Dictionary<string, Guessing>
        {
            ["top1"] = new(1.0 / labels.Classes.Names.Count, Math.Max(1, labels.Of.Count(label => label is not null))),
        };

    /// <inheritdoc/>
    public string BestBy => "top1";

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, double> Validate(long step)
    {
        var texts = TowerOutputs.Texts(towers, tokenizer, [.. prompts.Select(prompt => prompt.Text)], compute);
        var classes = ZeroShot.ClassEmbeddings(
            texts,
            [.. prompts.Select(prompt => prompt.Class)],
            labels.Classes.Names.Count
        );
        var score = ZeroShot.Score(
            images(),
            classes,
            [.. labels.Of.Select(label => label is { } one ? new[] { one } : [])],
            labels.Classes.Names
        );
        return new Dictionary<string, double> { ["top1"] = score.Top1, ["top5"] = score.Top5 };
    }
}

/// <summary>Several validations as one.</summary>
/// <param name="all">They.</param>
/// <param name="set">Their pictures, closed with them.</param>
internal sealed class Validations(IReadOnlyList<IValidation> all, ImageSet set) : IValidation
{
    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Guessing> Guessing =>
        all.SelectMany(one => one.Guessing).ToDictionary(one => one.Key, one => one.Value);

    /// <inheritdoc/>
    public string? BestBy => all[0].BestBy;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, double> Validate(long step) =>
        all.SelectMany(one => one.Validate(step)).ToDictionary(one => one.Key, one => one.Value);

    /// <inheritdoc/>
    public void Dispose() => set.Dispose();
}
