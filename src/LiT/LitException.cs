namespace LiT;

/// <summary>
/// Expected trouble: something outside the program is not as it must be. The message is one line that says what is
/// wrong, where (file, member, row) and what to do; programs print it without a stack trace.
/// </summary>
public class LitException(string message, Exception? inner = null) : Exception(OneLine(message), inner)
{
    private const int Longest = 4000;

    /// <summary>
    /// Text that may come from a file as a line that can be printed: control characters, which could steer a terminal, become
    /// '?', and what is too long to read loses its middle.
    /// </summary>
    internal static string OneLine(string text)
    {
        if (text.Length > Longest)
            text = $"{text.AsSpan(0, Longest / 2)} … {text.AsSpan(text.Length - Longest / 2)}";
        return text.Any(char.IsControl)
            ? string.Concat(text.Select(character => char.IsControl(character) ? '?' : character))
            : text;
    }
}

/// <summary>The caller asked for something that the product does not offer: wrong option, wrong value, wrong name.</summary>
public sealed class UsageException(string message) : LitException(message);
