using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Bundles;
using LiT.Classification;
using LiT.Towers;
using LiT.Tuning.Contrastive;

namespace LiT.Tuning.Runs;

/// <summary>The bundle that a run makes of its towers.</summary>
internal static class RunBundle
{
    private const long MostWeights = 25_000_000;

    /// <param name="folder">Where it goes, at once or not at all.</param>
    /// <param name="prepared">The run.</param>
    /// <param name="tuning">Its towers, as they are now.</param>
    /// <param name="outcome">Which step they are of.</param>
    /// <exception cref="LitException">The image tower is wanted in it and is not at hand.</exception>
    public static void Save(string folder, PreparedRun prepared, TuningTowers tuning, TuningOutcome outcome)
    {
        var (request, options, source) = (prepared.Request, prepared.Options, prepared.Source);
        LitModel.Save(
            folder,
            prepared.Texts is { } texts ? RunTowers.Whole(tuning.Towers, texts) : tuning.Towers,
            prepared.Texts?.Locked.Tokenizer ?? prepared.Tokenizer,
            ImageSide(request, source),
            Carried(request, source.Tower),
            description =>
                description with
                {
                    Lock = request.Lock.Letters,
                    Nested = options.Nested.Count > 0 ? options.Nested : null,
                    Language = request.Samples.CaptionLanguage,
                    Licences = ModelCatalogue.LicencesOf(source.TowerName, request.TextTower),
                    Training = new JsonObject
                    {
                        ["data"] = request.Data,
                        ["pairs"] = prepared.Pairs.Count,
                        ["captions"] = prepared.Pairs.Captions,
                        ["steps"] = outcome.ResultStep,
                        ["loss"] = JsonSerializer.SerializeToNode(options.Loss, TuningOptions.Json),
                        ["seed"] = request.Seed,
                        ["options"] = JsonSerializer.SerializeToNode(options, TuningOptions.Json),
                    },
                },
            atHand: source.Tower,
            words: WordsOf(request, prepared.Captions),
            tuning.Rotation
        );
    }

    private static bool Moved(TuneRequest request) => request.Lock.Image != TowerStart.Locked;

    /// <summary>The image tower that goes into the bundle: a tuned one, one asked for, or a small one.</summary>
    private static LockedTower? Carried(TuneRequest request, LockedTower? tower) =>
        request.BundleTower switch
        {
            _ when Moved(request) => tower,
            BundleTower.Always => tower
                ?? throw new LitException(
                    "`BundleTower` always: the image tower is not at hand. Name it with `ImageTower`."
                ),
            BundleTower.Never => null,
            _ => tower?.ParameterCount <= MostWeights ? tower : null,
        };

    private static ImageSideDescription ImageSide(TuneRequest request, TuningSource source) =>
        new(
            source.TowerName,
            source.Tower?.Architecture ?? "",
            Moved(request) ? ImageTowerFile.Fingerprint(source.Tower!.Tower, source.Preprocessing) : source.Fingerprint,
            source.Width,
            source.Preprocessing,
            null,
            null
        )
        {
            IsOwn = source.IsOwn ? true : null,
        };

    /// <summary>
    /// The words that the text tower has read. What a pre-trained one read before is known where its bundle says it;
    /// elsewhere the captions bound nothing, and no word can be called unseen.
    /// </summary>
    public static SeenWords? WordsOf(TuneRequest request, IEnumerable<string> captions)
    {
        if (request.Lock.Text == TowerStart.FromScratch)
            return SeenWords.Of(captions);
        return LitModel.FolderOf(request.TextTower!) is { } folder && SeenWords.Load(folder) is { } before
            ? SeenWords.Of(captions, before)
            : null;
    }
}
