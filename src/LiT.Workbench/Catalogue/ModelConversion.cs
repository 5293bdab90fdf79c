using LiT.Bundles;
using LiT.Classification;
using LiT.Compute;
using LiT.Towers;
using TorchSharp;

namespace LiT.Catalogue;

/// <summary>Brings models and towers of others into the project's own form.</summary>
internal static class ModelConversion
{
    /// <summary>
    /// A bundle with both towers, vocabulary, preprocessing, golden vectors and licences, from a published two-tower
    /// file or name, from another bundle, or from an image tower and the text side that was tuned to it.
    /// </summary>
    /// <param name="source">Two towers, a bundle, or an image tower when <paramref name="textSide"/> is given.</param>
    /// <param name="folder">The bundle's folder.</param>
    /// <param name="textSide">A model whose text side reads this image tower, or null.</param>
    /// <param name="vocabulary">The vocabulary of a published file; null for the one beside it.</param>
    /// <param name="compute">Where to compute the golden vectors.</param>
    /// <exception cref="LitException">The parts do not belong together, or something is missing.</exception>
    public static ModelDescription ToBundle(
        string source,
        string folder,
        string? textSide,
        string? vocabulary,
        ComputeDevice? compute = null
    )
    {
        RefusePlace(folder);
        if (textSide is null)
        {
            using var model = LitModel.Load(source, compute, vocabulary);
            using var scope = torch.NewDisposeScope();
            return Save(folder, model, model.Image, source, ModelCut.RotationOf(model));
        }
        using var image = ImageTowerLoader.Load(
            source,
            new ImageTowerOptions { Compute = compute ?? ComputeDevice.Cpu }
        );
        using var text = LitModel.Load(textSide, compute, vocabulary);
        if (text.Description.Image.Fingerprint != image.Fingerprint)
            throw new LitException(
                textSide,
                $"its text side was tuned to another image tower than {source} (fingerprint "
                    + $"{text.Description.Image.Fingerprint[..12]} where {image.Fingerprint[..12]} is at hand)",
                "Give the tower that it was tuned to, or tune one to this tower with 'lit tune'"
            );
        return Save(folder, text, image, source);
    }

    /// <summary>A single tower as the project's own <c>.safetensors</c>.</summary>
    /// <returns>What it is, in words.</returns>
    /// <exception cref="LitException">It is no tower that is known here, or the place cannot be written to.</exception>
    public static string ToTowerFile(string source, string path)
    {
        var explanation = ModelExplainer.Explain(source);
        switch (explanation.What)
        {
            case "image tower":
                using (var image = ImageTowerLoader.Load(source))
                    ImageTowerFile.Save(path, image.Tower, image.Preprocessing);
                break;
            case "text tower":
                using (var text = TextTowerLoader.Load(source))
                    TextTowerFile.Save(
                        path,
                        text.Tower is not ForeignText
                            ? text.Tower
                            : throw new LitException(
                                source,
                                "is a network in ONNX, whose weights are in no form of here",
                                "Give it as it is wherever a text tower is named"
                            )
                    );
                break;
            default:
                throw new LitException(
                    source,
                    $"is no single tower ({explanation.What}), which is what fits a .safetensors file",
                    "Give `Out` a folder, to get a bundle"
                );
        }
        return explanation.Architecture;
    }

    private static ModelDescription Save(
        string folder,
        LitModel model,
        LockedTower image,
        string source,
        torch.Tensor? rotation = null
    )
    {
        var made = LitModel.Save(
            folder,
            model.Towers,
            model.Tokenizer,
            model.Description.Image with
            {
                Tower = source,
                Architecture = image.Architecture,
                Preprocessing = image.Preprocessing,
            },
            image,
            description => CarriedSides.Told(description, model.Description) with { Nested = model.Description.Nested },
            words: model.Folder is { } own ? SeenWords.Load(own) : null,
            rotation: rotation
        );
        CarriedSides.Carry(model, folder);
        return made;
    }

    // A bundle is written over a bundle, and over nothing else.
    internal static void RefusePlace(string folder)
    {
        if (File.Exists(folder))
            throw new LitException(folder, "is a file, where a bundle needs a folder", "Choose another name");
        if (
            Directory.Exists(folder)
            && LitModel.BundleIn(folder) != folder
            && Directory.EnumerateFileSystemEntries(folder).Any()
        )
            throw new LitException(folder, "holds files that are no bundle", "Choose a new or empty folder");
    }
}
