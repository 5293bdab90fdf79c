namespace LiT;

/// <summary>
/// Expected trouble: something outside the program is not as it must be. The message is one line that says what is
/// wrong, where (file, member, row) and what to do; programs print it without a stack trace. Where these parts are
/// known one by one they are here as data, and the message is made of them.
/// </summary>
/// <remarks>Settings stand in a message by their member, in backticks, as in <c>`MaxBad`</c>.</remarks>
public class LitException : Exception
{
    private const int Longest = 4000;

    /// <summary>A whole sentence; of its parts only <see cref="Problem"/> is known, which is all of it.</summary>
    /// <param name="message">What is wrong, where, and what to do.</param>
    /// <param name="inner">What led to it.</param>
    public LitException(string message, Exception? inner = null)
        : base(OneLine(message), inner) => Problem = Message;

    /// <summary>Something is wrong with a file, a folder or a name as a whole.</summary>
    /// <param name="subject">What it is about, as the caller named it: a path, a name, an address.</param>
    /// <param name="problem">What is wrong with it, without a period; null where the remedy says it all.</param>
    /// <param name="remedy">What to do, one sentence or several; the last period may be left out.</param>
    /// <param name="inner">What led to it.</param>
    public LitException(string subject, string? problem, string? remedy, Exception? inner = null)
        : this(subject, null, problem, remedy, inner) { }

    /// <summary>Something is wrong at one place of a file.</summary>
    /// <param name="subject">The file, as the caller named it.</param>
    /// <param name="place">The row or the member.</param>
    /// <param name="problem">What is wrong there, without a period; null where the remedy says it all.</param>
    /// <param name="remedy">What to do, one sentence or several; the last period may be left out.</param>
    /// <param name="inner">What led to it.</param>
    public LitException(string subject, Place? place, string? problem, string? remedy, Exception? inner = null)
        : base(OneLine(Sentence(subject, place, problem, remedy)), inner) =>
        (Subject, Place, Problem, Remedy) = (subject, place, problem, remedy);

    /// <summary>What the trouble is about, or null where only the whole sentence is known.</summary>
    public string? Subject { get; }

    /// <summary>The row or member of the subject, or null where it is about all of it.</summary>
    public Place? Place { get; }

    /// <summary>What is wrong, or the whole sentence where its parts are not known.</summary>
    public string? Problem { get; }

    /// <summary>What to do.</summary>
    public string? Remedy { get; }

    /// <summary>
    /// Text that may come from a file as a line that can be printed: control characters, which could steer a terminal,
    /// become '?', and what is too long to read loses its middle.
    /// </summary>
    internal static string OneLine(string text)
    {
        if (text.Length > Longest)
            text = $"{text.AsSpan(0, Longest / 2)} … {text.AsSpan(text.Length - Longest / 2)}";
        return text.Any(char.IsControl)
            ? string.Concat(text.Select(character => char.IsControl(character) ? '?' : character))
            : text;
    }

    private static string Sentence(string subject, Place? place, string? problem, string? remedy)
    {
        var where = place is null ? subject : $"{subject}, {place}";
        var sentences = string.Join(' ', new[] { problem, remedy }.OfType<string>().Select(Ended));
        return $"{where}: {sentences}";
    }

    private static string Ended(string sentence) => sentence is [.., '.' or '!' or '?'] ? sentence : sentence + '.';
}

/// <summary>One place inside a file: a row by its number, or a member by its name.</summary>
/// <param name="Kind">What it is a place of: "line", "row", "member", "tensor".</param>
/// <param name="Number">The row, as people count it; null for a member.</param>
/// <param name="Name">The member; null for a row.</param>
public sealed record Place(string Kind, long? Number, string? Name)
{
    /// <summary>A line of text.</summary>
    /// <param name="number">From 1.</param>
    public static Place Line(long number) => new("line", number, null);

    /// <summary>A row of a table.</summary>
    /// <param name="number">As the file's own readers count it.</param>
    public static Place Row(long number) => new("row", number, null);

    /// <summary>A file in an archive, or a key in a document.</summary>
    public static Place Member(string name) => new("member", null, name);

    /// <summary>A tensor of a checkpoint.</summary>
    public static Place Tensor(string name) => new("tensor", null, name);

    /// <summary>As it stands in a message: "line 812".</summary>
    public override string ToString() =>
        Number is { } number ? FormattableString.Invariant($"{Kind} {number}") : $"{Kind} {Name}";
}
