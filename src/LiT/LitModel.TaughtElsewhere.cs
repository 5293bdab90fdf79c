using LiT.Bundles;
using LiT.Classification;

namespace LiT;

public sealed partial class LitModel
{
    private volatile string? knownState; // of the folder, when its words were read last

    /// <summary>
    /// Whether another program may have taught the model in its folder, or taken a word out, since its words were
    /// read. Costs two looks at the disk. Safe for concurrent calls.
    /// </summary>
    internal bool FolderMayHaveWords => folder is not null && StateOf(folder) != knownState;

    /// <summary>
    /// Takes over what other programs taught the model in its folder, or took out. A word counts once it is whole:
    /// its file comes by a rename, and belongs to the weights that are open and to the hashes beside it. Runs on the
    /// model's own thread.
    /// </summary>
    /// <returns>Whether the words are others than before.</returns>
    /// <exception cref="LitException">The words are damaged, or the folder holds another model now, or none: those
    /// that were known go on.</exception>
    internal bool LearnFromFolder()
    {
        if (folder is null || (StateOf(folder) is var state && state == knownState))
            return false;
        var now = DescriptionNow(folder);
        var fresh = TaughtVectors.Load(folder, EmbeddingSize);
        var hash = now.Files?.GetValueOrDefault(TaughtVectors.FileName);
        if ((hash is not null && !BundleFiles.Holds(folder, TaughtVectors.FileName, hash)) || StateOf(folder) != state)
            return false; // in the middle of a change: the next look sees the rest
        knownState = state;
        if (fresh.IsSameAs(taught))
            return false;
        taught = fresh;
        return true;
    }

    /// <summary>
    /// The calibration in its folder, where it is another than at the last look: made or taken away by another
    /// program. It counts once it is whole, as a taught word does. Runs on the model's own thread.
    /// </summary>
    /// <param name="known">The state of its file at the last look, and now.</param>
    /// <param name="background">The calibration; null where the folder holds none.</param>
    /// <returns>Whether there was something to read.</returns>
    /// <exception cref="LitException">It is damaged, or the folder holds another model now, or none.</exception>
    internal bool TryReadCalibration(ref string known, out Background? background)
    {
        background = null;
        if (folder is null || (CalibrationState is var state && state == known))
            return false;
        var hash = DescriptionNow(folder).Files?.GetValueOrDefault(Background.FileName);
        if (hash is not null && !BundleFiles.Holds(folder, Background.FileName, hash))
            return false; // in the middle of a change: the next look sees the rest
        background = Background.Load(folder);
        known = state;
        return true;
    }

    /// <summary>What tells one calibration in the folder from another. Costs one look at the disk.</summary>
    internal string CalibrationState => folder is null ? "" : StateOf(folder, Background.FileName);

    /// <exception cref="LitException">The folder holds another model than the one that is open.</exception>
    private ModelDescription DescriptionNow(string folder)
    {
        var now = ModelDescription.Read(folder);
        return now.Image.Fingerprint == Description.Image.Fingerprint && WeightsOf(now) == WeightsOf(Description)
            ? now
            : throw new LitException(
                folder,
                "holds another model now than the one that is open",
                "Open it again, or start the server again"
            );
    }

    private static string? WeightsOf(ModelDescription description) =>
        description.Files?.GetValueOrDefault(description.Text.File);

    private static string StateOf(string folder) =>
        StateOf(folder, ModelDescription.FileName) + '|' + StateOf(folder, TaughtVectors.FileName);

    private static string StateOf(string folder, string name)
    {
        var file = Files.Linked.Info(Path.Combine(folder, name));
        return file.Exists ? FormattableString.Invariant($"{file.LastWriteTimeUtc.Ticks} {file.Length}") : "";
    }
}
