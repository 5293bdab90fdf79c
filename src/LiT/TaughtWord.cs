namespace LiT;

/// <summary>
/// A word that a model was taught by pictures (<see cref="LitModel.TeachAsync"/>): wherever a label or a query is this
/// word, what the pictures have in common speaks in place of the text tower. Immutable.
/// </summary>
public sealed record TaughtWord
{
    internal TaughtWord(string word, int pictures, int others) => (Word, Pictures, Others) = (word, pictures, others);

    /// <summary>
    /// The word, or the words, as they were given. Labels and queries are compared with them in small letters, without
    /// punctuation.
    /// </summary>
    public string Word { get; }

    /// <summary>Pictures that it was taught from.</summary>
    public int Pictures { get; }

    /// <summary>Other pictures, of no matter what, that they were held against.</summary>
    public int Others { get; }

    /// <summary>
    /// Pictures that could not be read and taught nothing, in their order. Known where it was just taught, else empty.
    /// </summary>
    public IReadOnlyList<SkippedPicture> Skipped { get; internal init; } = [];
}

/// <summary>A picture that was left out.</summary>
/// <param name="Picture">What was given for it.</param>
/// <param name="Reason">Why, in a few words.</param>
public sealed record SkippedPicture(string Picture, string Reason);

/// <summary>A word that is to be taught.</summary>
/// <param name="Word">The word, or the words.</param>
/// <param name="Again">Whether one that was taught before gives way.</param>
internal sealed record Lesson(string Word, bool Again);
