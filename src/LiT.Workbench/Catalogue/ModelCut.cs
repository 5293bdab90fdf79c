using LiT.Bundles;
using LiT.Classification;
using LiT.Compute;
using LiT.Stores;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Catalogue;

/// <summary>
/// Cuts a model to fewer numbers, so that its stores are as much smaller and are gone over as much faster: both sides
/// give their products with the same few directions, and each stays a tower of its own kind.
/// </summary>
internal static class ModelCut
{
    private const int RowsLookedAt = 10_000;

    /// <summary>A bundle of the same towers, cut.</summary>
    /// <param name="source">A bundle, or a model that others published.</param>
    /// <param name="folder">The bundle's folder to write.</param>
    /// <param name="width">Numbers that are left, below the model's common size.</param>
    /// <param name="rows">
    /// A store of the model's image tower along whose principal directions it is cut; null where the model was tuned
    /// with nested widths and knows them.
    /// </param>
    /// <param name="vocabulary">The vocabulary of a published file; null for the one beside it.</param>
    /// <param name="compute">Where to compute.</param>
    /// <exception cref="LitException">The width cannot be, or the model does not say what to cut along.</exception>
    public static ModelDescription ToBundle(
        string source,
        string folder,
        int width,
        string? rows,
        string? vocabulary,
        ComputeDevice compute
    )
    {
        ModelConversion.RefusePlace(folder);
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        using var model = LitModel.Load(source, compute, vocabulary);
        var before = model.Description;
        if (width >= before.EmbeddingSize)
            throw new SettingException(
                "Width",
                width,
                $"{source} has {before.EmbeddingSize} numbers",
                $"Give fewer than {before.EmbeddingSize}"
            );
        var directions = Directions(model, source, rows).narrow(0, 0, width);
        using var image = ShortenedTower.Of(model.Image, model.Towers.ImageHead, directions);
        var towers = CutAlong(model, directions);
        var smaller = before.Nested?.Where(size => size < width).ToList();
        var made = LitModel.Save(
            folder,
            towers,
            model.Tokenizer,
            before.Image with
            {
                Tower = $"{before.Image.Tower}, cut to {width} numbers",
                Architecture = image.Architecture,
                Fingerprint = image.Fingerprint,
                Width = width,
                IsOwn = null,
            },
            image,
            description =>
                CarriedSides.Told(description, before) with
                {
                    Nested = smaller is { Count: > 0 } ? smaller : null,
                },
            words: model.Folder is { } own ? SeenWords.Load(own) : null
        );
        CarriedSides.Carry(model, folder, further => CutAlong(further, directions));
        return made;
    }

    private static TwoTowers CutAlong(LitModel model, Tensor directions) =>
        new(
            null,
            null,
            model.Towers.Text,
            Head.Along(model.Towers.TextHead, directions),
            model.Towers.LogTemperature.item<float>(),
            model.Towers.Bias?.item<float>()
        );

    /// <summary>What a model's embeddings are turned by before they are cut; null for nothing.</summary>
    internal static Tensor? RotationOf(LitModel model) =>
        model.Folder is { } folder ? RotationFile.Read(folder, model.Description.EmbeddingSize) : null;

    private static Tensor Directions(LitModel model, string source, string? rows)
    {
        if (model.Description.Nested is not null)
            return rows is null
                ? RotationOf(model) ?? eye(model.Description.EmbeddingSize)
                : throw new SettingException(
                    "Rows",
                    rows,
                    $"{source} was tuned to be cut, and knows along what",
                    "Leave it out"
                );
        if (rows is null)
            throw new LitException(
                source,
                "was not tuned to be cut: its first numbers say no more than the others",
                "Give `Rows` a store of its image tower, along whose principal directions it is cut, or tune it with "
                    + "`Nested`"
            );
        using var store = EmbeddingStore.Open(rows);
        StoreFit.Check(store, model.Description.Image.Expected);
        return PrincipalRotation.Of(model.ProjectImages(store.Some(RowsLookedAt, ownLength: true)));
    }
}
