using System.Text.RegularExpressions;
using LiT.Bundles;
using LiT.Compute;
using LiT.Text;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;
using TorchSharp;

namespace LiT.Tuning.Runs;

/// <summary>
/// The towers of a run and the heads behind them: the text tower that is asked for, over the image side that is stored
/// or read, both led to one size.
/// </summary>
internal static class RunTowers
{
    private const int RowsForStatistics = 10_000,
        PicturesForStatistics = 512;

    /// <param name="prepared">The run.</param>
    /// <param name="say">Told what a tower was read as.</param>
    /// <exception cref="LitException">A tower cannot be read, or does not fit the words.</exception>
    public static TwoTowers Create(PreparedRun prepared, Action<string> say)
    {
        var (request, options, source, tokenizer) = (
            prepared.Request,
            prepared.Options,
            prepared.Source,
            prepared.Tokenizer
        );
        var tower = prepared.Texts is { } texts ? texts.Tower : Tower(request, tokenizer, say);
        var size =
            request.ImageHead == HeadSpec.None
                ? source.Width
                : request.ImageHead.Size ?? request.TextHead.Size ?? source.Width;
        if (
            (request.TextHead == HeadSpec.None ? tower.Width : request.TextHead.Size ?? size) is var words
            && words != size
        )
            throw SettingException.Of<TuneRequest>(
                s => s.TextHead,
                request.TextHead,
                $"texts would have {words} numbers and images {size}",
                $"Give both sides one size, for example `ImageHead` {words}"
            );
        TwoTowers towers = new(
            source.InModel,
            ImageHead(source, request, size),
            tower,
            TextHead(prepared, tower.Width, size),
            Math.Log(Math.Clamp(options.Temperature, options.LowestTemperature, options.HighestTemperature)),
            options.Loss == ContrastiveLossKind.Sigmoid ? options.Bias : null
        );
        towers.to(request.Compute.Device);
        return towers;
    }

    /// <summary>The same heads behind the text tower itself, temperature and bias as they are now.</summary>
    public static TwoTowers Whole(TwoTowers towers, StoredTexts texts) =>
        new(
            towers.Image,
            towers.ImageHead,
            texts.Locked.Tower,
            towers.TextHead,
            towers.LogTemperature.item<float>(),
            towers.Bias?.item<float>()
        );

    /// <summary>
    /// What embeddings are turned by before they are cut, where widths are nested: a locked image side without a head
    /// cannot learn to put first what says most. Widths that cannot be are refused.
    /// </summary>
    public static torch.Tensor? Rotation(PreparedRun prepared, TwoTowers towers, Action<string> say)
    {
        var (request, sizes) = (prepared.Request, prepared.Options.Nested);
        if (sizes.Count == 0)
            return null;
        if (sizes.FirstOrDefault(size => size >= towers.EmbeddingSize) is > 0)
            throw SettingException.Of<TuningOptions>(
                s => s.Nested,
                string.Join(",", sizes),
                $"both sides give {towers.EmbeddingSize} numbers",
                $"Give widths below {towers.EmbeddingSize}"
            );
        if (towers.ImageHead is not null || request.Lock.Image != TowerStart.Locked)
            return null;
        var some = prepared.Source.Some(request.ReadsPixels ? 4 * prepared.Source.Width : RowsForStatistics);
        say(
            $"widths {string.Join(", ", sizes)} are tuned beside {towers.EmbeddingSize}: pictures are locked, so they "
                + $"are cut along the principal directions of {some.Count} of their rows"
        );
        return PrincipalRotation.Of(some).to(request.Compute.Device).DetachFromDisposeScope();
    }

    /// <summary>A pattern that matches nothing is a mistake.</summary>
    public static void CheckRules(TwoTowers towers, OptimizerOptions options)
    {
        var names = towers.named_parameters().Select(one => one.name).ToList();
        var patterns = options
            .LearningRateRules.Select(rule => ("`LearningRateRules`", rule.Pattern))
            .Concat(options.WeightDecayRules.Select(rule => ("`WeightDecayRules`", rule.Pattern)))
            .Concat(options.UnlockRules.Select(rule => ("`UnlockRules`", rule.Pattern)));
        foreach (var (option, pattern) in patterns)
            if (!names.Exists(name => Regex.IsMatch(name, pattern, RegexOptions.CultureInvariant)))
                throw new UsageException(
                    $"{option} '{pattern}': no parameter has such a name. Names are like "
                        + string.Join(", ", names.GroupBy(name => name.Split('.')[0]).Select(side => side.First()))
                        + "."
                );
    }

    private static TextTower Tower(TuneRequest request, CaptionTokenizer tokenizer, Action<string> say)
    {
        var spec = request.TextTower!;
        var loaded = TextTowerSpec.Is(spec) ? null : TextTowerLoader.Load(spec);
        foreach (var remark in loaded?.Remarks ?? [])
            say(remark);
        var tower = loaded is null
            ? TextTowerLoader.Create(
                spec,
                tokenizer.Tokenizer.VocabularySize,
                tokenizer.Layout.Length,
                request.Seed,
                tokenizer.Layout.Pad
            )
            : loaded.Tower;
        (tower as ForeignText)?.PadWith(tokenizer.Layout.Pad, tokenizer.Layout.End == tokenizer.Layout.Pad);
        TextTowers.CheckVocabulary(tower, tokenizer, spec);
        return tower;
    }

    /// <summary>
    /// The head that a bundle's text tower came with, where it leads to the same image tower; else a fresh one.
    /// </summary>
    private static Head? TextHead(PreparedRun prepared, int width, int size)
    {
        var (request, source) = (prepared.Request, prepared.Source);
        if (prepared.Texts is { } stored && request.TextHead.Gate is not null)
            return Standardised(request.TextHead, stored.Some(RowsForStatistics), width, size, request.Seed + 2);
        var head = request.TextHead.Create(width, size, request.Seed + 2);
        var file = request.TextTower!;
        var folder = Path.GetDirectoryName(file) ?? "";
        if (head is null || request.ImageHead != HeadSpec.None || LitModel.TextFileOf(folder) != file)
            return head;
        var description = ModelDescription.Read(folder);
        if (
            description.Image.Fingerprint != source.Fingerprint
            || description.Image.Head is not null
            || description.Text.Head != HeadShape.Of(head)
        )
            return head;
        using var checkpoint = Checkpoints.Checkpoint.Open(Path.Combine(folder, description.Text.File));
        WeightMap.Own("the head of a LiT bundle", head).Load(new WeightSource(checkpoint, "textHead."), head);
        return head;
    }

    /// <summary>A head that sees the tower's representations centred and of equal spread.</summary>
    private static Head? ImageHead(TuningSource source, TuneRequest request, int size)
    {
        if (request.ImageHead == HeadSpec.None)
            return null;
        if (request.ImageHeadOf is { } model)
            return LitModel.ImageHeadOf(model);
        var some = source.Some(request.ReadsPixels ? PicturesForStatistics : RowsForStatistics);
        return Standardised(request.ImageHead, some, source.Width, size, request.Seed + 1);
    }

    private static Head Standardised(HeadSpec spec, Embeddings some, int width, int size, long seed)
    {
        using var scope = torch.NewDisposeScope();
        var x = some.ToTensor().to(torch.ScalarType.Float64);
        var mean = x.mean([0]);
        var deviation = (x - mean).Squared().mean([0]).sqrt();
        var head = spec.Create(width, size, seed, standardises: true)!;
        head.Standardise(mean.to(torch.ScalarType.Float32), deviation.to(torch.ScalarType.Float32));
        return head;
    }
}
