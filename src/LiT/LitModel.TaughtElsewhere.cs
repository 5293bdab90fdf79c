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
        var now = ModelDescription.Read(folder);
        if (now.Image.Fingerprint != Description.Image.Fingerprint || WeightsOf(now) != WeightsOf(Description))
            throw new LitException(
                folder,
                "holds another model now than the one that is open",
                "Open it again, or start the server again"
            );
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

    private static string? WeightsOf(ModelDescription description) =>
        description.Files?.GetValueOrDefault(description.Text.File);

    private static string StateOf(string folder) =>
        string.Join(
            '|',
            new[] { ModelDescription.FileName, TaughtVectors.FileName }
                .Select(name => Files.Linked.Info(Path.Combine(folder, name)))
                .Select(file =>
                    file.Exists ? FormattableString.Invariant($"{file.LastWriteTimeUtc.Ticks} {file.Length}") : ""
                )
        );
}
