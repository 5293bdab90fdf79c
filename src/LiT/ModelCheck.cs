using LiT.Bundles;
using LiT.Compute;
using LiT.Towers;

namespace LiT;

/// <summary>What the golden vectors of a model show here.</summary>
/// <param name="Texts">Texts embedded again.</param>
/// <param name="Pictures">Test pictures embedded again; 0 where the bundle was made without its image tower.</param>
/// <param name="Largest">The largest distance, as a part of a vector's length.</param>
/// <param name="Allowed">What is allowed.</param>
internal sealed record GoldenCheck(int Texts, int Pictures, double Largest, double Allowed);

/// <summary>A model that passed.</summary>
/// <param name="Tower">How its image tower is called.</param>
/// <param name="Architecture">What the image tower is.</param>
/// <param name="Fingerprint">Computed from the weights at hand.</param>
/// <param name="IsBundle">Whether it is a bundle, which says what the fingerprint has to be; a published file does
/// not.</param>
/// <param name="FilesChecked">Files held against the hashes in model.json.</param>
/// <param name="Golden">What was computed again; null where the model carries no golden vectors.</param>
internal sealed record ModelCheckResult(
    string Tower,
    string Architecture,
    string Fingerprint,
    bool IsBundle,
    int FilesChecked,
    GoldenCheck? Golden
)
{
    /// <summary>Whether model.json was held against its own digest.</summary>
    public bool IsDescriptionCovered { get; init; }

    /// <summary>Files of the bundle that no hash covers.</summary>
    public IReadOnlyList<string> Uncovered { get; init; } = [];

    /// <summary>The further languages whose text towers passed as well.</summary>
    public IReadOnlyList<string> Languages { get; init; } = [];

    /// <summary>The paper's two letters.</summary>
    public string Lock { get; init; } = "";

    /// <summary>Whether there is an image tower at all.</summary>
    public bool HasTower { get; init; } = true;
}

/// <summary>
/// Holds a model against what was written down where it was made: files, fingerprint, golden vectors.
/// </summary>
internal static class ModelCheck
{
    /// <exception cref="LitException">A file was changed, the image tower is another, or this machine computes
    /// something else; the message says what.</exception>
    public static ModelCheckResult Run(string path, ComputeDevice compute)
    {
        // In float32, whatever is computed in otherwise: bfloat16 would hide what is looked for.
        compute = compute with { Type = TorchSharp.torch.ScalarType.Float32 };
        var folder = LitModel.BundleIn(path);
        var described = folder is not null && ModelDescription.CheckDigest(folder);
        var files = folder is null ? 0 : BundleFiles.Check(folder, ModelDescription.Read(folder));
        using var model = LitModel.Load(path, compute);
        var side = model.Description.Image;
        // Computed from the weights; another tower is refused. Embeddings made elsewhere have none that could be.
        var fingerprint = side.IsOwn == true ? side.Fingerprint : model.Image.Fingerprint;
        var golden = folder is null ? null : Golden(path, folder, model);
        IReadOnlyList<string> languages = folder is null ? [] : BundleLanguages.In(folder);
        foreach (var further in folder is null ? [] : BundleLanguages.Folders(folder))
            files += CheckLanguage(folder!, further, compute);
        return new(
            model.Description.Image.Tower,
            side.IsOwn == true ? "embeddings made elsewhere, no image tower" : model.Image.Architecture,
            fingerprint,
            folder is not null,
            files,
            golden
        )
        {
            IsDescriptionCovered = described,
            Uncovered = folder is null ? [] : BundleFiles.Uncovered(folder, model.Description),
            Languages = languages,
            Lock = model.Description.Lock,
            HasTower = side.IsOwn != true,
        };
    }

    /// <summary>Holds a bundle's golden vectors against what its model gives here.</summary>
    private static GoldenCheck? Golden(string path, string folder, LitModel model)
    {
        if (GoldenVectors.Read(folder) is not { } written)
            return null;
        var now = model.Golden(withImages: written.Images is not null);
        if (written.Trouble(now) is { } trouble)
            throw new LitException(
                path,
                trouble,
                "Its weights are unchanged, so this machine or program computes something else: run 'lit doctor', "
                    + "and use the version that the bundle was made with"
            );
        var (largest, allowed) = written.DistanceTo(now);
        return new(written.Texts.Count, written.Images is null ? 0 : ProbeVectors.Pictures, largest, allowed);
    }

    private static int CheckLanguage(string bundle, string language, ComputeDevice compute)
    {
        var place = BundleLanguages.Find(bundle, null, language);
        ModelDescription.CheckDigest(place);
        var files = BundleFiles.Check(place, ModelDescription.Read(place));
        using var model = LitModel.Load(bundle, compute, language: language);
        _ = Golden(place, place, model);
        return files;
    }
}
