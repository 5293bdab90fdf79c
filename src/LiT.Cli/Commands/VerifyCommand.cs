using System.CommandLine;
using System.Globalization;
using LiT.Data;
using LiT.Embedding;
using LiT.Stores;
using LiT.Towers;

namespace LiT.Cli.Commands;

/// <summary>
/// lit verify: a bundle's files, its image tower, what it computes, and stores made for it, are what they say.
/// </summary>
internal static class VerifyCommand
{
    private const int PicturesCompared = 16;

    public static Command Build()
    {
        Argument<string> what = new("what")
        {
            Description =
                "A model (the folder that 'lit tune' or 'lit models convert' wrote, RUN or RUN/model), or "
                + "a store of embedded pictures or texts.",
        };
        Option<string[]> stores = new("--store")
        {
            Description = "Embedding stores to check against the model's tower.",
            DefaultValueFactory = _ => [],
        };
        Option<string?> tower = new("--image-tower")
        {
            Description = "The tower of a store, where it is not at the place that the store names.",
        };
        Option<string?> textTower = new("--text-tower")
        {
            Description = "The text tower of a store of texts, where it is not at the place that the store names.",
        };
        Option<string?> data = new("--data")
        {
            Description =
                "The pictures of a store, where they are not at the place that it names; the first "
                + $"{PicturesCompared} are embedded again.",
        };
        Command command = new(
            "verify",
            "Prove that a model's image tower is unchanged, weight by weight, and that this machine "
                + "computes what was computed where it was made; or that a store is what its tower gives."
        )
        {
            what,
            stores,
            tower,
            textTower,
            data,
        };
        command.Does(
            (parsed, cancel) =>
            {
                var path = parsed.GetRequiredValue(what);
                if (Directory.Exists(path) && !EmbeddingStore.IsStore(path) && !LitModel.IsBundle(path))
                    throw new LitException(
                        $"{path}: neither a model (it holds no model.json, and no model/model.json) nor an "
                            + "embedding store (no store.json, no img_emb). "
                            + "Give the folder that 'lit tune', 'lit models convert' or 'lit embed' wrote."
                    );
                if (TextStore.IsStore(path))
                    EmbeddedTexts.Verify(parsed, path, parsed.GetValue(textTower), cancel);
                else if (EmbeddingStore.IsStore(path))
                    VerifyStore(parsed, path, parsed.GetValue(tower), parsed.GetValue(data), cancel);
                else
                    VerifyModel(parsed, path, parsed.GetValue(stores)!);
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    private static void VerifyModel(Asked parsed, string path, string[] stores)
    {
        var compute = CommonOptions.ComputeOf(parsed);
        var check = ModelCheck.Run(path, compute);
        if (stores.Length > 0)
        {
            using var model = LitModel.Load(path, compute);
            foreach (var folder in stores)
            {
                using var store = EmbeddingStore.Open(folder);
                StoreFit.Check(store, new(check.Fingerprint, check.Tower));
                if (store.Description is { } made)
                    StoreProbes.Check(folder, made, model.Image, compute);
            }
        }
        if (check.Uncovered.Count > 0)
            Terminal.Warn(
                $"{path}: no hash covers {string.Join(", ", check.Uncovered)}, which an earlier version wrote or "
                    + "somebody put there. 'lit calibrate' writes background.safetensors again."
            );
        if (CommonOptions.IsJson(parsed))
        {
            Terminal.Write(
                new
                {
                    Ok = true,
                    check.Architecture,
                    check.Fingerprint,
                    Stores = stores,
                    check.FilesChecked,
                    DescriptionChecked = check.IsDescriptionCovered,
                    Uncovered = check.Uncovered.Count > 0 ? check.Uncovered : null,
                    Languages = check.Languages.Count > 0 ? check.Languages : null,
                    check.Golden,
                }
            );
            return;
        }
        Terminal.Line($"{check.Architecture}, fingerprint {check.Fingerprint}: {Tower(check)}");
        if (check.FilesChecked > 0)
            Terminal.Line(
                $"{check.FilesChecked} files are as they were written, by their SHA-256"
                    + (
                        check.IsDescriptionCovered
                            ? ", and model.json by its own"
                            : "; model.json carries no hash of its own"
                    )
            );
        if (check.Languages.Count > 0)
            Terminal.Line(
                $"its text towers for {string.Join(", ", check.Languages)} are among them, and compute the same"
            );
        Terminal.Line(
            check.Golden is { } golden
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"golden vectors computed again: {golden.Texts} "
                        + $"texts{(golden.Pictures > 0 ? $" and {golden.Pictures} pictures" : "")} are within "
                        + $"{golden.Largest:0.0e+0} of their length ({golden.Allowed:0.0e+0} allowed)"
                )
                : "it carries no golden vectors; 'lit models convert' writes a bundle that does"
        );
    }

    private static string Tower(ModelCheckResult check) =>
        !check.IsBundle ? "a published file, which does not say what it has to be"
        : !check.HasTower ? "the rows' own, there is no tower to prove"
        : check.Lock.StartsWith('L') ? "unchanged since the text tower was tuned to it"
        : $"as it was when the tuning ended (--lock {check.Lock}: it was tuned, too)";

    private static void VerifyStore(Asked parsed, string folder, string? tower, string? data, CancellationToken cancel)
    {
        using var store = EmbeddingStore.Open(folder);
        var made = store.Description
            ?? throw new LitException(
                folder,
                "does not say which tower made it, so there is nothing to prove",
                "Embed the pictures with 'lit embed'"
            );
        var spec = tower is null ? made.Tower : LitModel.ImageTowerOf(tower);
        var compute = CommonOptions.ComputeOf(parsed);
        using var locked = ImageTowerLoader.Load(spec, new ImageTowerOptions { Compute = compute });
        TowerRemarks.Tell(locked, followed: false);
        var place = data ?? made.Source;
        SampleSource? source = null;
        try
        {
            source = Samples.Open(place);
        }
        catch (LitException gone) when (data is null)
        {
            Terminal.Say($"no picture was embedded again: {gone.Message}");
        }
        var proved = StoreCheck.Run(store, locked, spec, source, PicturesCompared, compute, cancel);
        if (CommonOptions.IsJson(parsed))
            Terminal.Write(
                new
                {
                    Ok = true,
                    locked.Architecture,
                    locked.Fingerprint,
                    proved.Rows,
                    proved.Probes,
                    proved.Compared,
                    proved.LowestCosine,
                }
            );
        else
            Terminal.Line(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{folder}: made by {locked.Architecture}, fingerprint {locked.Fingerprint}; "
                        + $"{proved.Rows} rows sound"
                )
                    + (proved.Probes ? ", test pictures as written down" : "")
                    + (
                        proved.Compared > 0
                            ? string.Create(
                                CultureInfo.InvariantCulture,
                                $", {proved.Compared} pictures embedded again with a cosine of "
                                    + $"{proved.LowestCosine:F5} or more"
                            )
                            : ""
                    )
            );
    }
}
