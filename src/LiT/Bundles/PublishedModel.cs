using LiT.Checkpoints;
using LiT.Compute;
using LiT.Text;
using LiT.Towers;
using TorchSharp;

namespace LiT.Bundles;

/// <summary>The parts of a model that others published as one file: LiT's and SigLIP's .npz with their vocabulary.</summary>
internal sealed record PublishedModel(
    ModelDescription Description,
    TwoTowers Towers,
    CaptionTokenizer Tokenizer,
    LockedTower Image
)
{
    private const int ExtraPieces = 100;

    /// <param name="spec">How the user called it: a path, with options behind it or none, or a published name.</param>
    /// <param name="compute">Where and in what type to compute.</param>
    /// <param name="vocabulary">The vocabulary; null for the one beside the file.</param>
    /// <exception cref="LitException">There is no such file, it holds no two towers, or its vocabulary is missing.</exception>
    public static PublishedModel Open(string spec, ComputeDevice compute, string? vocabulary)
    {
        var (path, options) = TowerPath.Split(spec);
        using var checkpoint = Checkpoint.Open(path);
        if (!TwoTowersLoader.Holds(checkpoint))
            throw new LitException(
                $"{spec}: holds no two towers with a temperature, so it is no model. Give a LiT or SigLIP .npz, or a bundle that 'lit tune' wrote; a single tower becomes a model by 'lit tune'."
            );
        vocabulary ??= TowerTokenizers.Beside(path)
            ?? throw new LitException(
                $"{path}: its vocabulary is not beside it. Put it there as {Path.GetFileNameWithoutExtension(path)}.txt (BERT) or .model (SentencePiece), "
                    + $"or give it to 'lit models convert {path} --tokenizer FILE --out BUNDLE'."
            );
        var loaded = TwoTowersLoader.Load(
            checkpoint,
            options,
            spec,
            new ImageTowerOptions { Compute = compute },
            new TextTowerOptions()
        );
        try
        {
            var (towers, image) = (loaded.Towers, loaded.Image);
            var config = towers.Text.Config!;
            var tokenizer = TowerTokenizers.For(config, vocabulary, sigmoid: towers.Bias is not null);
            // The 100 extra pieces of T5's vocabularies have no rows in SigLIP's towers and come from no caption.
            if (
                tokenizer.Tokenizer.VocabularySize
                > towers.Text.VocabularySize + (towers.Bias is null ? 0 : ExtraPieces)
            )
                throw new LitException(
                    $"{vocabulary}: has {tokenizer.Tokenizer.VocabularySize:N0} pieces, and the text tower of {spec} has {towers.Text.VocabularySize:N0} rows. Give the model's own vocabulary."
                );
            // The image tower is kept apart, as in every model here: stores need none.
            TwoTowers textSide = new(
                null,
                towers.ImageHead,
                towers.Text,
                towers.TextHead,
                towers.LogTemperature.cpu().to(torch.ScalarType.Float64).item<double>(),
                towers.Bias?.cpu().to(torch.ScalarType.Float64).item<double>()
            );
            textSide.to(compute.Type).to(compute.Device);
            var description = new ModelDescription
            {
                Image = new(
                    spec,
                    image.Architecture,
                    image.Fingerprint,
                    image.Tower.Width,
                    image.Preprocessing,
                    null,
                    HeadShape.Of(towers.ImageHead)
                ),
                Text = new(
                    config,
                    new(Path.GetFileName(vocabulary), tokenizer.Layout, tokenizer.Case),
                    Path.GetFileName(path),
                    HeadShape.Of(towers.TextHead)
                ),
                EmbeddingSize = towers.EmbeddingSize,
                Temperature = towers.Temperature,
                Bias = towers.Bias?.item<float>(),
                Lock = "as published",
                Licences = ModelCatalogue.LicencesOf(spec),
            };
            return new(description, textSide, tokenizer, image);
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }
}
