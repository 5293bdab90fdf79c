using System.Globalization;

namespace LiT.Checkpoints;

/// <summary>
/// A Python literal as numpy writes it into headers: dicts with string keys, tuples and lists, strings without escapes,
/// whole numbers, True, False, None.
/// </summary>
internal sealed class PythonLiteral
{
    private readonly string text;
    private int at;

    /// <exception cref="FormatException">The text is something else.</exception>
    public PythonLiteral(string text)
    {
        this.text = text;
        Value = ReadValue(0);
        SkipSpace();
        if (at != text.Length)
            throw new FormatException($"unexpected text at character {at}");
    }

    /// <summary>Dictionary, list (of tuples, too), string, long, bool or null.</summary>
    public object? Value { get; }

    private object? ReadValue(int depth)
    {
        if (depth > 20)
            throw new FormatException("nested too deeply");
        SkipSpace();
        switch (Peek())
        {
            case '{':
                return ReadDictionary(depth);
            case '(':
                return ReadList(')', depth);
            case '[':
                return ReadList(']', depth);
            case '\'' or '"':
                return ReadString();
            case '-' or (>= '0' and <= '9'):
                return ReadNumber();
        }
        foreach (var (word, value) in Words)
            if (text.AsSpan(at).StartsWith(word))
            {
                at += word.Length;
                return value;
            }
        throw new FormatException($"unexpected text at character {at}");
    }

    private static readonly (string, object?)[] Words = [("True", true), ("False", false), ("None", null)];

    private Dictionary<object, object?> ReadDictionary(int depth)
    {
        var entries = new Dictionary<object, object?>();
        at++;
        while (!Take('}'))
        {
            SkipSpace();
            var key = ReadString();
            if (!Take(':'))
                throw new FormatException($"':' expected at character {at}");
            if (!entries.TryAdd(key, ReadValue(depth + 1)))
                throw new FormatException($"'{key}' stands there twice");
            if (!Take(',') && Peek() != '}')
                throw new FormatException($"',' expected at character {at}");
        }
        return entries;
    }

    private List<object?> ReadList(char close, int depth)
    {
        var items = new List<object?>();
        at++;
        while (!Take(close))
        {
            if (items.Count == 4096)
                throw new FormatException("a list without end");
            items.Add(ReadValue(depth + 1));
            if (!Take(',') && Peek() != close)
                throw new FormatException($"',' expected at character {at}");
        }
        return items;
    }

    private string ReadString()
    {
        var quote = Peek();
        if (quote is not ('\'' or '"'))
            throw new FormatException($"a string is expected at character {at}");
        var end = text.IndexOf(quote, at + 1);
        if (end < 0)
            throw new FormatException("a string does not end");
        var value = text[(at + 1)..end];
        at = end + 1;
        return value;
    }

    private long ReadNumber()
    {
        var start = at++;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
            at++;
        if (
            !long.TryParse(
                text.AsSpan(start, at - start),
                NumberStyles.AllowLeadingSign,
                CultureInfo.InvariantCulture,
                out var value
            )
        )
            throw new FormatException($"a number is too large at character {start}");
        if (at < text.Length && text[at] == 'L')
            at++; // Python 2 wrote long integers as 3L
        return value;
    }

    private bool Take(char expected)
    {
        SkipSpace();
        if (Peek() != expected)
            return false;
        at++;
        return true;
    }

    private char Peek() => at < text.Length ? text[at] : '\0';

    private void SkipSpace()
    {
        while (at < text.Length && text[at] is ' ' or '\n' or '\t' or '\r')
            at++;
    }
}
