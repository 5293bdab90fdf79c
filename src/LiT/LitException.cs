namespace LiT;

/// <summary>
/// Expected trouble: something outside the program is not as it must be. The message is one line that says what is
/// wrong, where (file, member, row) and what to do; programs print it without a stack trace.
/// </summary>
public class LitException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The caller asked for something that the product does not offer: wrong option, wrong value, wrong name.</summary>
public sealed class UsageException(string message) : LitException(message);
