using System.Globalization;
using System.Text.RegularExpressions;
using LiT.Stores;

namespace LiT.Search;

/// <summary>How a column and a value are compared.</summary>
internal enum Comparison
{
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    Contains,
    IsNull,
}

/// <summary>A filter over columns, as it was written.</summary>
internal abstract record Condition
{
    internal sealed record And(Condition Left, Condition Right) : Condition;

    internal sealed record Or(Condition Left, Condition Right) : Condition;

    internal sealed record Not(Condition Of) : Condition;

    /// <param name="Column">The column.</param>
    /// <param name="How">How it is compared.</param>
    /// <param name="Values">Texts, numbers (double) or dates (<see cref="DateLiteral"/>); any of them will do.</param>
    internal sealed record Test(string Column, Comparison How, IReadOnlyList<object> Values) : Condition;
}

/// <summary>A date as it stands in a filter.</summary>
internal readonly record struct DateLiteral(double Seconds);

/// <summary>
/// Reads a filter: comparisons (= != &lt; &lt;= &gt; &gt;=), in (…), like, contains, is null, with and, or, not and
/// brackets. Texts
/// stand in single quotes (two of them make one), numbers and dates by themselves, a column's odd name in double
/// quotes.
/// </summary>
internal sealed partial class FilterParser
{
    private const int Deepest = 200;
    private readonly string text;
    private readonly List<(string Kind, string Text, int At)> tokens = [];
    private int next,
        depth;

    private FilterParser(string text)
    {
        this.text = text;
        for (var at = 0; at < text.Length; )
        {
            var match = Token().Match(text, at);
            if (!match.Success)
                throw Wrong($"'{text[at]}' at character {at + 1} is not understood");
            at += match.Length;
            if (match.Groups.Values.Skip(1).First(group => group.Success) is { Name: not "space" } group)
                tokens.Add((group.Name, group.Value, match.Index));
        }
    }

    /// <exception cref="SettingException">It cannot be read; the message says where.</exception>
    public static Condition Parse(string text)
    {
        FilterParser parser = new(text);
        var condition = parser.Either();
        if (parser.next < parser.tokens.Count)
            throw parser.Unexpected("and, or, or the end");
        return condition;
    }

    internal static SettingException Refused(string text, string problem, string remedy) =>
        SettingException.Of<Query>(q => q.Where, $"\"{text}\"", problem, remedy);

    private Condition Either()
    {
        var left = Both();
        while (Take("or"))
            left = new Condition.Or(left, Both());
        return left;
    }

    private Condition Both()
    {
        var left = Single();
        while (Take("and"))
            left = new Condition.And(left, Single());
        return left;
    }

    private Condition Single()
    {
        if (++depth > Deepest)
            throw Wrong($"brackets and nots are more than {Deepest} deep");
        try
        {
            if (Take("not"))
                return new Condition.Not(Single());
            if (!TakeMark("("))
                return Test();
            var inner = Either();
            Need(")");
            return inner;
        }
        finally
        {
            depth--;
        }
    }

    private Condition Test()
    {
        if (Peek is not ({ } kind, { } word, _) || kind is not ("name" or "quoted"))
            throw Unexpected("a column");
        next++;
        var column = kind == "quoted" ? word[1..^1] : word;
        if (Take("is"))
        {
            var isNot = Take("not");
            if (!Take("null"))
                throw Unexpected("null");
            Condition none = new Condition.Test(column, Comparison.IsNull, []);
            return isNot ? new Condition.Not(none) : none;
        }
        if (Peek is ("mark", { } mark, _) && How(mark) is { } how)
        {
            next++;
            return new Condition.Test(column, how, [Value()]);
        }
        var not = Take("not");
        Condition test =
            Take("in") ? new Condition.Test(column, Comparison.Equal, Values())
            : Take("like") ? new Condition.Test(column, Comparison.Like, [Value()])
            : Take("contains") ? new Condition.Test(column, Comparison.Contains, [Value()])
            : throw Unexpected("=, !=, <, <=, >, >=, in, like, contains or is null");
        return not ? new Condition.Not(test) : test;
    }

    private static Comparison? How(string mark) =>
        mark switch
        {
            "=" or "==" => Comparison.Equal,
            "!=" or "<>" => Comparison.Unequal,
            "<" => Comparison.Less,
            "<=" => Comparison.LessOrEqual,
            ">" => Comparison.Greater,
            ">=" => Comparison.GreaterOrEqual,
            _ => null,
        };

    private List<object> Values()
    {
        Need("(");
        List<object> values = [Value()];
        while (TakeMark(","))
            values.Add(Value());
        Need(")");
        return values;
    }

    private object Value()
    {
        if (Peek is not ({ } kind, { } value, _) || kind is not ("text" or "number" or "date"))
            throw Unexpected("a value: a text in single quotes, a number or a date such as 2024-01-31");
        next++;
        return kind switch
        {
            "text" => value[1..^1].Replace("''", "'", StringComparison.Ordinal),
            "number" => double.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture),
            _ => Dates.Seconds(value) is var seconds && double.IsNaN(seconds)
                ? throw Wrong($"{value} is no date")
                : new DateLiteral(seconds),
        };
    }

    private (string Kind, string Text, int At)? Peek => next < tokens.Count ? tokens[next] : null;

    private bool Take(string word)
    {
        if (Peek is not ("name", { } found, _) || !found.Equals(word, StringComparison.OrdinalIgnoreCase))
            return false;
        next++;
        return true;
    }

    private bool TakeMark(string mark)
    {
        if (Peek is not ("mark", { } found, _) || found != mark)
            return false;
        next++;
        return true;
    }

    private void Need(string mark)
    {
        if (!TakeMark(mark))
            throw Unexpected(mark);
    }

    private SettingException Unexpected(string wanted) =>
        Wrong(
            Peek is (_, { } found, var at)
                ? $"{found} at character {at + 1}, where {wanted} is expected"
                : $"it ends where {wanted} is expected"
        );

    private SettingException Wrong(string problem) =>
        Refused(text, problem, "Write it as in label = 'dog' and width >= 1024 and taken > 2024-01-01");

    [GeneratedRegex(
        """
            \G(?:(?<space>\s+)|(?<date>\d{4}-\d\d-\d\d(?:T[\d:.]+Z?)?)(?![\w-])|(?<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])|(?<text>'(?:[^']|'')*')|(?<quoted>"[^"]+")|(?<name>[\p{L}_][\w.\-]*)|(?<mark>==|!=|<>|<=|>=|[=<>(),]))
            """,
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex Token();
}
