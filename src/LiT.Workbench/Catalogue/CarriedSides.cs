using LiT.Bundles;
using LiT.Classification;
using LiT.Search;
using LiT.Towers;

namespace LiT.Catalogue;

/// <summary>What a bundle has besides its two towers, for a bundle that is made of it.</summary>
internal static class CarriedSides
{
    /// <summary>A description with what the bundle before said of how it was made.</summary>
    public static ModelDescription Told(ModelDescription made, ModelDescription before) =>
        made with
        {
            Lock = before.Lock,
            Language = before.Language,
            Languages = before.Languages,
            Training = before.Training,
            Licences = before.Licences,
        };

    /// <summary>
    /// Writes the further text towers of a model into a bundle that was made of it, and, where the embeddings are what
    /// they were, calibrations and taught words.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">The bundle that was made of it.</param>
    /// <param name="changed">What becomes of a text tower; null where it stays.</param>
    /// <exception cref="LitException">One is damaged, or cannot be changed so; the bundle is whole without.</exception>
    public static void Carry(LitModel model, string folder, Func<LitModel, TwoTowers>? changed = null)
    {
        var bundle = model.Folder;
        if (bundle is not null && Path.GetFullPath(bundle) == Path.GetFullPath(folder))
            return;
        var old = Path.Combine(folder, BundleLanguages.FolderName);
        if (Directory.Exists(old))
            Directory.Delete(old, recursive: true); // of the bundle that was there before
        if (bundle is null)
            return;
        if (changed is null)
        {
            if (Background.Load(bundle) is { } background)
                BundleFiles.Exchange(folder, Background.FileName, background.Save);
            if (model.Taught.Words.Count > 0)
                BundleFiles.Exchange(folder, TaughtVectors.FileName, model.Taught.Save);
        }
        foreach (var name in BundleLanguages.Folders(bundle))
            Carry(model, bundle, name, folder, changed);
    }

    private static void Carry(
        LitModel model,
        string bundle,
        string name,
        string folder,
        Func<LitModel, TwoTowers>? changed
    )
    {
        using var further = LitModel.Load(bundle, model.Compute, language: name);
        if (changed is not null && !Collection.Projection(further).SequenceEqual(Collection.Projection(model)))
            throw new LitException(
                bundle,
                $"its language {name} reads the pictures through a head of its own, which would be cut otherwise",
                $"Take {name} out, or convert what was tuned for it by itself"
            );
        var before = further.Description;
        LitModel.SaveLanguage(
            folder,
            before.Languages ?? [name],
            changed?.Invoke(further) ?? further.Towers,
            further.Tokenizer,
            made => Told(made, before),
            SeenWords.Load(further.Folder!),
            changed is null ? Background.Load(further.Folder!) : null,
            changed is null ? further.Taught : null,
            replace: true
        );
    }
}
