using System.Text;
using LiT.Stores;

namespace LiT.Search;

/// <summary>Evaluates a filter over a collection's columns, to a bit a picture.</summary>
internal sealed class Filter(Collection collection, string text)
{
    private const StringComparison IgnoreCase = StringComparison.OrdinalIgnoreCase;

    /// <summary>Which pictures it holds for. A test of a picture that has no such value holds not.</summary>
    /// <exception cref="SettingException">It cannot be read, a column is not there, or a value is of another
    /// type.</exception>
    public static Bits Of(Collection collection, string text) =>
        new Filter(collection, text).Evaluate(FilterParser.Parse(text));

    private Bits Evaluate(Condition condition) =>
        condition switch
        {
            Condition.And both => Evaluate(both.Left).And(Evaluate(both.Right)),
            Condition.Or either => Evaluate(either.Left).Or(Evaluate(either.Right)),
            Condition.Not not => Evaluate(not.Of).Not(),
            Condition.Test test => Evaluate(test),
            _ => throw new InvalidOperationException($"{condition}"),
        };

    private Bits Evaluate(Condition.Test test)
    {
        var column = Column(test.Column);
        var numeric = column.Kind is ColumnKind.Number or ColumnKind.Date;
        if (test.How == Comparison.IsNull)
            return numeric ? Over(column.Numbers, double.IsNaN) : column.Where(_ => true).Not();
        if (numeric && test.How is not (Comparison.Like or Comparison.Contains))
            return OverNumbers(column, test);
        var wanted = test.Values.Select(value => value as string ?? throw WrongType(column, value)).ToArray();
        if (numeric)
            throw WrongType(column, wanted[0]);
        return test.How switch
        {
            Comparison.Equal => column.Where(one => Any(wanted, one, static (w, o) => o.SequenceEqual(w))),
            Comparison.Unequal => column.Where(one => !one.SequenceEqual(wanted[0])),
            Comparison.Contains => column.Where(one => one.Contains(wanted[0], IgnoreCase)),
            Comparison.Like => Like(column, wanted[0]),
            var how => column.Where(one => Holds(how, one.CompareTo(wanted[0], StringComparison.Ordinal))),
        };
    }

    private static bool Any(string[] wanted, ReadOnlySpan<char> one, Func<string, ReadOnlySpan<char>, bool> holds)
    {
        foreach (var value in wanted)
            if (holds(value, one))
                return true;
        return false;
    }

    private static Bits Like(CollectionColumn column, string pattern)
    {
        // % any characters, _ one: the places between the %s, each found as early as it can be.
        var pieces = pattern.Split('%');
        return column.Where(one => Matches(pieces, one));
    }

    private static bool Matches(string[] pieces, ReadOnlySpan<char> text)
    {
        if (pieces.Length == 1)
            return text.Length == pieces[0].Length && StartsWith(text, pieces[0]);
        if (!StartsWith(text, pieces[0]))
            return false;
        text = text[pieces[0].Length..];
        foreach (var piece in pieces.AsSpan(1, pieces.Length - 2))
        {
            var at = 0;
            while (at + piece.Length <= text.Length && !StartsWith(text[at..], piece))
                at++;
            if (at + piece.Length > text.Length)
                return false;
            text = text[(at + piece.Length)..];
        }
        return text.Length >= pieces[^1].Length && StartsWith(text[^pieces[^1].Length..], pieces[^1]);
    }

    private static bool StartsWith(ReadOnlySpan<char> text, string piece)
    {
        if (text.Length < piece.Length)
            return false;
        if (!piece.Contains('_'))
            return text.StartsWith(piece, IgnoreCase);
        for (var i = 0; i < piece.Length; i++)
            if (piece[i] != '_' && !text.Slice(i, 1).Equals(piece.AsSpan(i, 1), IgnoreCase))
                return false;
        return true;
    }

    private Bits OverNumbers(CollectionColumn column, Condition.Test test)
    {
        var wanted = test
            .Values.Select(value =>
                (column.Kind, value) switch
                {
                    (ColumnKind.Number, double number) => number,
                    (ColumnKind.Date, DateLiteral date) => date.Seconds,
                    (ColumnKind.Date, string words) when Dates.Seconds(words) is var date && !double.IsNaN(date) =>
                        date,
                    _ => throw WrongType(column, value),
                }
            )
            .ToArray();
        var (numbers, first) = (column.Numbers, wanted[0]);
        return test.How switch
        {
            Comparison.Equal when wanted.Length > 1 => Over(numbers, wanted.ToHashSet().Contains),
            Comparison.Equal => Over(numbers, one => one == first),
            Comparison.Unequal => Over(numbers, one => one < first || one > first),
            Comparison.Less => Over(numbers, one => one < first),
            Comparison.LessOrEqual => Over(numbers, one => one <= first),
            Comparison.Greater => Over(numbers, one => one > first),
            _ => Over(numbers, one => one >= first),
        };
    }

    private Bits Over(double[] numbers, Func<double, bool> holds) =>
        Bits.Where(collection.Pictures, picture => holds(numbers[picture]));

    private static bool Holds(Comparison how, int order) =>
        how switch
        {
            Comparison.Less => order < 0,
            Comparison.LessOrEqual => order <= 0,
            Comparison.Greater => order > 0,
            _ => order >= 0,
        };

    private CollectionColumn Column(string name) =>
        collection.Column(name)
        ?? throw FilterParser.Refused(
            text,
            $"there is no column {name}",
            $"There are {string.Join(", ", collection.ColumnNames.Order(StringComparer.Ordinal))}"
        );

    private SettingException WrongType(CollectionColumn column, object value) =>
        FilterParser.Refused(
            text,
            $"{column.Name} holds {Word(column.Kind)}, and {Said(value)} is none",
            column.Kind switch
            {
                ColumnKind.Number => "Compare it with a number, as in width >= 1024",
                ColumnKind.Date => "Compare it with a date, as in 2024-01-31",
                _ => "Compare it with a text in single quotes",
            }
        );

    private static string Word(ColumnKind kind) =>
        kind switch
        {
            ColumnKind.Number => "numbers",
            ColumnKind.Date => "dates",
            _ => "texts",
        };

    private static string Said(object value) =>
        value switch
        {
            string words => $"'{words}'",
            DateLiteral date => Dates.Text(date.Seconds),
            _ => FormattableString.Invariant($"{value}"),
        };
}

/// <summary>A test of a text.</summary>
internal delegate bool TextTest(ReadOnlySpan<char> text);

/// <summary>One column of a whole collection; what is asked of it often is kept. Safe for use from several
/// threads.</summary>
internal sealed class CollectionColumn
{
    private const int MostDistinct = 1 << 16;
    private readonly Collection collection;
    private readonly Lazy<double[]> numbers;
    private readonly Lazy<(int[] Codes, string[] Texts)?> coded;

    private CollectionColumn(Collection collection, string name, ColumnKind kind)
    {
        (this.collection, Name, Kind) = (collection, name, kind);
        numbers = new(ReadNumbers);
        coded = new(Code);
    }

    public string Name { get; }

    public ColumnKind Kind { get; }

    /// <summary>Numbers, or dates in seconds, one a picture; NaN where there is none.</summary>
    public double[] Numbers => numbers.Value;

    /// <summary>The different texts of a column of texts; null where there are too many.</summary>
    public IReadOnlyList<string>? Distinct => coded.Value?.Texts;

    /// <summary>A column by its name; null where no segment has it.</summary>
    public static CollectionColumn? Find(Collection collection, string name)
    {
        var kinds = collection
            .Parts.Select(part => part.Columns.KindOf(name))
            .OfType<ColumnKind>()
            .Distinct()
            .ToArray();
        if (kinds.Length == 0)
            return null;
        var known = kinds.Where(kind => kind != ColumnKind.Empty).ToArray();
        return new(collection, name, known is [var one] ? one : ColumnKind.Text);
    }

    /// <summary>Which pictures have a text that a test holds for; of several texts one will do.</summary>
    public Bits Where(TextTest holds)
    {
        if (Kind == ColumnKind.Text && coded.Value is var (codes, texts))
        {
            var held = Array.ConvertAll(texts, text => holds(text));
            return Bits.Where(collection.Pictures, picture => codes[picture] >= 0 && held[codes[picture]]);
        }
        return Bits.Where(collection.Pictures, picture =>
        {
            var (part, row) = collection[picture];
            return part.Columns.TryGetBytes(Name, row, out var text) && Holds(text, holds);
        });
    }

    private bool Holds(ReadOnlySpan<byte> utf8, TextTest holds)
    {
        Span<char> room = utf8.Length <= 1024 ? stackalloc char[utf8.Length] : new char[utf8.Length];
        ReadOnlySpan<char> text = room[..Encoding.UTF8.GetChars(utf8, room)];
        if (Kind != ColumnKind.Texts)
            return holds(text);
        foreach (var one in text.Split(ColumnFile.Between))
            if (holds(text[one]))
                return true;
        return false;
    }

    private double[] ReadNumbers()
    {
        var all = new double[collection.Pictures];
        Compute.Parts.Run(collection.Parts.Count, i =>
        {
            var part = collection.Parts[i];
            part.Columns.CopyNumbers(Name, all.AsSpan((int)part.First, part.Count));
        });
        return all;
    }

    /// <summary>Texts as numbers of distinct ones; null where there are too many.</summary>
    private (int[], string[])? Code()
    {
        Dictionary<string, int> numbers = new(StringComparer.Ordinal);
        var bySpan = numbers.GetAlternateLookup<ReadOnlySpan<char>>();
        var codes = new int[collection.Pictures];
        var room = new char[256];
        foreach (var part in collection.Parts)
        {
            ReadOnlySpan<byte> before = [];
            var last = -1;
            for (var row = 0; row < part.Count; row++)
            {
                if (!part.Columns.TryGetBytes(Name, row, out var text))
                {
                    codes[part.First + row] = -1;
                    continue;
                }
                if (last >= 0 && text.SequenceEqual(before))
                {
                    codes[part.First + row] = last; // neighbours often are of one kind
                    continue;
                }
                if (room.Length < text.Length)
                    room = new char[text.Length];
                var chars = room.AsSpan(0, Encoding.UTF8.GetChars(text, room));
                if (!bySpan.TryGetValue(chars, out last))
                {
                    if (numbers.Count == MostDistinct)
                        return null;
                    numbers.Add(chars.ToString(), last = numbers.Count);
                }
                before = text;
                codes[part.First + row] = last;
            }
        }
        return (codes, [.. numbers.OrderBy(one => one.Value).Select(one => one.Key)]);
    }
}
