using LiT.Images;

namespace LiT.Towers;

/// <summary>
/// A tower that another runtime computes: a constant from the beginning, on the CPU in float32, whose weights no tensor
/// here holds.
/// </summary>
internal abstract class ForeignTower(string name) : ImageTower(name)
{
    /// <summary>What stands for architecture and weights in the fingerprint: a hash, or several, in one line.</summary>
    internal abstract string Identity { get; }

    /// <summary>As far as weights can be told from other constants.</summary>
    internal abstract override long WeightCount { get; }

    /// <summary>
    /// Writes the tower with its preprocessing into a folder, so that the file alone is the tower again.
    /// </summary>
    /// <param name="folder">Where to.</param>
    /// <param name="stem">The file's name without its ending.</param>
    /// <param name="preprocessing">What makes a picture its input.</param>
    /// <returns>The file's name.</returns>
    /// <exception cref="LitException">The disk is full, or the network is not there any more as it was
    /// loaded.</exception>
    internal abstract string SaveIn(string folder, string stem, Preprocessing preprocessing);

    /// <summary>
    /// The same tower with a dense layer behind it, which takes the place of one that is there; null where it can have
    /// none. It computes with this tower, which has to stay.
    /// </summary>
    /// <param name="head">One dense layer, of what this tower's network gives.</param>
    internal virtual ForeignTower? CutBy(Head head) => null;
}

/// <summary>A tower that was cut: a head behind another one takes its representation to fewer numbers.</summary>
internal interface ICutTower
{
    /// <summary>What a representation of the tower in front goes through; null where nothing was cut.</summary>
    Head? Cut { get; }

    /// <summary>The fingerprint of the tower in front.</summary>
    /// <param name="preprocessing">What makes a picture its input.</param>
    string FingerprintInFront(Preprocessing preprocessing);
}

/// <summary>
/// A form of image towers that the room does not know: introduced by whoever knows it, when a program starts.
/// </summary>
internal interface ITowerForm
{
    /// <summary>Whether a file or folder is of this form.</summary>
    bool Is(string path);

    /// <summary>The tower in it.</summary>
    /// <param name="path">A file or folder of this form.</param>
    /// <param name="given">What stands behind the path's colon.</param>
    /// <param name="spec">All of it as it was given, for messages.</param>
    /// <param name="options">What is not given in the spec.</param>
    /// <exception cref="LitException">It is damaged, or no image tower.</exception>
    /// <exception cref="UsageException">An option that does not exist, or a value that cannot be.</exception>
    LockedTower Load(string path, string given, string spec, ImageTowerOptions options);
}
