using LiT.Bundles;
using LiT.Checkpoints;
using LiT.Text;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Catalogue;

/// <summary>Finds out what a path, a published name or a spec stands for, without being told.</summary>
internal static class ModelExplainer
{
    private const string HeadsNote =
        "The file does not say how many attention heads it has (public towers have width / 64), so it is "
        + "loaded with ':heads=N' behind its path.";

    /// <param name="spec">A checkpoint, a bundle, a tokenizer's file, the name of a published model, or a spec from
    /// scratch.</param>
    /// <exception cref="LitException">There is nothing of that name, or it is damaged, or its tensors do not fit the
    /// family that it looks like.</exception>
    /// <exception cref="UsageException">A variant or option that does not exist.</exception>
    public static ModelExplanation Explain(string spec)
    {
        if (!Path.Exists(spec))
        {
            if (ImageTowerLoader.IsSpec(spec))
                return ModelExplanation.Of(ImageTowerLoader.Describe(spec)) with
                {
                    Notes = ["From scratch: there are no weights yet."],
                };
            if (TextTowerSpec.Is(spec))
                return FromScratch(TextTowerSpec.Parse(spec, PublishedVocabulary(spec), tokenLength: 16));
            if (ModelCatalogue.Find(spec.Split(':')[0]) is { } model && !ModelCache.Has(model))
                return Blueprint(model);
        }
        var (path, options) = TowerPath.Split(spec);
        if (!Path.Exists(path))
            throw TowerPath.Missing(path, "tower", "vit:B/16 or bert:small");
        if (Stores.EmbeddingStore.IsStore(path))
            throw new LitException(
                path,
                "is an embedding store, no model; its store.json says which tower made it",
                "Give the tower, or a model that was tuned on it"
            );
        if (LitModel.BundleIn(path) is { } bundle)
            return Bundle(bundle);
        var found = IsTokenizer(path) ? Tokenizer(path) : Checkpointed(path, options, spec);
        return ModelCatalogue.Find(spec.Split(':')[0]) is { } published && !Path.Exists(spec)
            ? found with
            {
                Published = published,
                DownloadedTo = path,
            }
            : found;
    }

    /// <summary>What a published model is, from the catalogue alone: towers of its sizes, without weights.</summary>
    internal static ModelExplanation Blueprint(CataloguedModel model)
    {
        using var scope = NewDisposeScope();
        var explanation = model.Kind switch
        {
            // A network of another runtime, or one that is only read from files, is known when it is there.
            ModelKind.ImageTower or ModelKind.TextTower when model.Architecture is null => new()
            {
                What = model.Kind == ModelKind.TextTower ? "text tower" : "image tower",
                Architecture = model.Family,
                Family = model.Family,
                ParameterCount = model.Parameters,
                Width = model.Width,
            },
            ModelKind.ImageTower => ModelExplanation.Of(ImageTowerLoader.Describe(model.Architecture!)),
            ModelKind.TextTower => FromScratch(TextTowerSpec.Parse(model.Architecture!, model.Vocabulary!.Value, 16)),
            _ => TwoTowersOf(model),
        };
        string[] notes = model.Note is { } note ? [note] : [];
        return explanation with
        {
            Family = model.Family,
            Preprocessing = model.Preprocessing,
            Published = model,
            Notes = notes,
        };
    }

    private static ModelExplanation TwoTowersOf(CataloguedModel model)
    {
        var f = ImageTowerLoader.ConfigOf(model.Image!).Build(META);
        var config = TextTowerSpec.Parse(model.Text!, model.Vocabulary!.Value, model.TokenLength!.Value);
        var g = config.Build(META);
        using TwoTowers towers = new(
            f,
            HeadOf(f.Width, model.ImageHead),
            g,
            HeadOf(g.Width, model.TextHead),
            Math.Log(10),
            model.Bias ? 0 : null
        );
        return new()
        {
            What = "two towers",
            Architecture = $"{f.Config!.InWords}; {config.InWords()}",
            Family = model.Family,
            ParameterCount = CountOf(towers),
            Width = towers.EmbeddingSize,
            VocabularySize = model.Vocabulary,
            TokenLength = model.TokenLength,
        };

        static Head? HeadOf(int inputs, int? outputs) =>
            outputs is { } size ? new Head(inputs, size, device: META) : null;
    }

    private static ModelExplanation FromScratch(TextTowerConfig config)
    {
        using var tower = config.Build(META);
        return OfText(tower, "from scratch", null) with { Notes = ["From scratch: there are no weights yet."] };
    }

    private static int PublishedVocabulary(string spec) =>
        spec.Split(':')[0] switch
        {
            "bert" => 30_522,
            "t5" => 32_128,
            "mt5" => 250_112,
            _ => 16_000,
        };

    private static ModelExplanation OfText(LoadedTextTower tower) =>
        OfText(tower.Tower, tower.Family, tower.Names) with
        {
            Settings = tower.Settings,
            Warnings = tower.Warnings,
        };

    private static ModelExplanation OfText(TextTower tower, string family, MatchedNames? names) =>
        new()
        {
            What = "text tower",
            Architecture = tower.Config!.InWords(),
            Family = family,
            ParameterCount = tower.WeightCount,
            Width = tower.Width,
            VocabularySize = tower.VocabularySize == int.MaxValue ? null : tower.VocabularySize,
            TokenLength = tower.MaxLength,
            Names = names,
            Notes = tower.Config!.HeadsAreUnknown() ? [HeadsNote] : [],
        };

    private static ModelExplanation OfImage(LockedTower tower) =>
        tower.Tower.Config?.HeadsAreUnknown() == true
            ? ModelExplanation.Of(tower.Describe()) with
            {
                Fingerprint = null,
                Notes = [HeadsNote],
            }
            : ModelExplanation.Of(tower.Describe());

    private static ModelExplanation Checkpointed(string path, string options, string spec)
    {
        if (TextTowerLoader.FormOf(path) is { } texts && texts.ReadsTexts(path))
        {
            using var foreign = texts.Load(path, options, spec);
            return OfText(foreign);
        }
        if (ImageTowerLoader.FormOf(path) is { } form)
        {
            using var foreign = form.Load(path, options, spec, new ImageTowerOptions { Describing = true });
            return OfImage(foreign);
        }
        if (Path.GetExtension(path) == ".npy")
            return SingleArray(path);
        if (
            Path.GetExtension(path) == ".json"
            && !File.ReadLines(path).Take(1000).Any(line => line.Contains("weight_map", StringComparison.Ordinal))
        )
            throw new LitException(
                path,
                "is JSON and no index of a checkpoint in several files",
                "Give the checkpoint that it stands beside"
            );
        using var checkpoint = Checkpoint.Open(path);
        var text = new TextTowerOptions { Describing = true };
        var holdsText = RecognisedText.InIfThere(checkpoint, text) is not null;
        if (holdsText && TwoTowersLoader.Holds(checkpoint))
        {
            using var two = TwoTowersLoader.Load(
                checkpoint,
                options,
                spec,
                new ImageTowerOptions { Describing = true },
                text
            );
            return OfTwo(two);
        }
        var image = new ImageTowerOptions { Describing = true };
        if (!holdsText)
            image = image.With(options, spec); // pictures that are not square are told before a tower is looked for
        if (ImageTowerLoader.Recognised(checkpoint, image) is not null)
        {
            using var tower = ImageTowerLoader.Load(checkpoint, holdsText ? image.With(options, spec) : image);
            return OfImage(tower);
        }
        if (holdsText)
        {
            using var tower = TextTowerLoader.Load(checkpoint, text.With(options, spec));
            return OfText(tower);
        }
        return Contents(checkpoint);
    }

    private static ModelExplanation OfTwo(LoadedTwoTowers two)
    {
        var (image, text) = (OfImage(two.Image), OfText(two.Text));
        return new()
        {
            What = "two towers",
            Architecture = $"{image.Architecture}; {text.Architecture}",
            Family =
                image.Family.Contains("Hugging Face", StringComparison.Ordinal) ? image.Family
                : two.Towers.Bias is null ? "LiT (vit_jax, big_vision)"
                : "SigLIP (big_vision)",
            ParameterCount = CountOf(two.Towers),
            Width = two.Towers.EmbeddingSize,
            Preprocessing = image.Preprocessing,
            VocabularySize = text.VocabularySize,
            Temperature = two.Towers.Temperature,
            Bias = two.Towers.Bias?.item<float>(),
            Image = image,
            Text = text,
            Notes =
            [
                two.Towers.ImageHead is { } f
                    ? $"The image side has a head of {f.Outputs}."
                    : "The image side has no head: the representation is compared as it is.",
                two.Towers.TextHead is { } g
                    ? $"The text side has a head of {g.Outputs}."
                    : "The text side has no head.",
            ],
        };
    }

    private static ModelExplanation Contents(Checkpoint checkpoint)
    {
        TensorFact[] tensors =
        [
            .. checkpoint
                .Tensors.Values.OrderBy(tensor => tensor.Name, StringComparer.Ordinal)
                .Select(tensor => new TensorFact(tensor.Name, tensor.Shape, tensor.Type.ToString())),
        ];
        var count = checkpoint.Tensors.Values.Sum(tensor => tensor.Count);
        var layer =
            tensors.Length == 2
            && checkpoint.Tensors.TryGetValue("weight", out var weight)
            && weight.Shape.Count == 2
            && checkpoint.Tensors.TryGetValue("bias", out var bias)
            && bias.Shape.SequenceEqual([weight.Shape[0]])
                ? weight.Shape
                : null;
        return new()
        {
            What = layer is null ? "tensors" : "linear layer",
            Architecture = layer is null
                ? "no tower that is known here"
                : $"linear layer, {layer[1]} numbers in, {layer[0]} out",
            Family = checkpoint.Container,
            ParameterCount = count,
            Tensors = tensors,
            Notes =
            [
                .. checkpoint.PassedOver,
                .. layer is null && Likeness.Of(checkpoint) is { } family ? [family] : Array.Empty<string>(),
            ],
        };
    }

    private static ModelExplanation SingleArray(string path)
    {
        using var array = Npy.Read(path);
        return new()
        {
            What = "array",
            Architecture = "a single array, no tower",
            Family = "npy",
            Tensors = [new(Path.GetFileName(path), array.shape, array.dtype.ToString())],
        };
    }

    private static bool IsTokenizer(string path) =>
        Directory.Exists(path)
            ? !Directory.EnumerateFiles(path, "*.safetensors*").Any()
                && !Directory.EnumerateFiles(path, "*.bin*").Any()
                && Directory
                    .EnumerateFiles(path)
                    .Any(file =>
                        Path.GetFileName(file) is "tokenizer.json" or "vocab.txt" or "vocab.json"
                        || Path.GetExtension(file) == ".model"
                    )
            : Path.GetExtension(path).ToLowerInvariant() is ".txt" or ".model" or ".spm"
                || Path.GetFileName(path) is "tokenizer.json" or "vocab.json";

    private static ModelExplanation Tokenizer(string path)
    {
        List<string> warnings = [];
        var tokenizer = Tokenizers.Open(path, new TokenizerReading { Warn = warnings.Add });
        return new()
        {
            Warnings = warnings,
            What = "tokenizer",
            Architecture = tokenizer switch
            {
                WordPiece => "WordPiece",
                SentencePiece => "SentencePiece",
                ClipTokenizer => "CLIP's byte-level BPE",
                _ => "Hugging Face tokenizer",
            },
            Family = Path.GetFileName(path),
            VocabularySize = tokenizer.VocabularySize,
            Notes =
            [
                "\"a photo of a cat\" becomes "
                    + $"{string.Join(' ', tokenizer.Encode("a photo of a cat").Select(tokenizer.PieceOf))}",
            ],
        };
    }

    private static ModelExplanation Bundle(string folder)
    {
        using var model = LitModel.Load(folder);
        var description = model.Description;
        return new()
        {
            What = "model bundle",
            Architecture = $"{description.Image.Architecture}; {description.Text.Config.InWords()}",
            Family = $"LiT for .NET, {description.Lock}",
            ParameterCount = CountOf(model.Towers),
            Width = description.EmbeddingSize,
            Preprocessing = description.Image.Preprocessing.PreprocessingDescription,
            VocabularySize = model.Towers.Text.VocabularySize == int.MaxValue ? null : model.Towers.Text.VocabularySize,
            TokenLength = description.Text.Tokenizer.Layout.Length,
            Temperature = description.Temperature,
            Bias = description.Bias,
            Fingerprint = description.Image.Fingerprint,
            Notes =
            [
                description.Image.IsOwn == true
                    ? $"It knows no image tower: it was tuned on {description.Image.Tower}, made elsewhere."
                : description.Image.File is null ? $"The image tower is named only: {description.Image.Tower}."
                : $"The image tower is in it, from {description.Image.Tower}.",
                "The number of parameters is the text side's.",
                File.Exists(Path.Combine(folder, GoldenVectors.FileName))
                    ? "Golden vectors are in it: 'lit verify' computes them again."
                    : "No golden vectors are in it.",
                .. description.Licences.Select(licence => $"Licence: {licence}."),
            ],
        };
    }

    private static long CountOf(nn.Module module) => module.parameters().Sum(weight => weight.numel());
}
