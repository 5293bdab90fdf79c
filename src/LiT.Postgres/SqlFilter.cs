using System.Globalization;
using System.Text;
using LiT.Search;
using LiT.Stores;
using NpgsqlTypes;

namespace LiT.Postgres;

/// <summary>A filter as SQL, which holds for the same pictures. Values are parameters.</summary>
internal sealed class SqlFilter
{
    // SQL counts from another year.
    private static readonly double Epoch = Dates.Seconds(DateTime.UnixEpoch);

    private readonly string text;
    private readonly IReadOnlyDictionary<string, PushedColumn> columns;
    private readonly List<(object Value, NpgsqlDbType Type)> parameters;

    private SqlFilter(
        string text,
        IReadOnlyDictionary<string, PushedColumn> columns,
        List<(object, NpgsqlDbType)> parameters
    ) => (this.text, this.columns, this.parameters) = (text, columns, parameters);

    /// <param name="text">As it was written.</param>
    /// <param name="columns">The columns that there are.</param>
    /// <param name="parameters">Receives the values, from $(count + 1) on.</param>
    /// <exception cref="SettingException">It cannot be read, a column is not there, or a value is of another
    /// type.</exception>
    public static string Of(
        string text,
        IReadOnlyDictionary<string, PushedColumn> columns,
        List<(object, NpgsqlDbType)> parameters
    ) => new SqlFilter(text, columns, parameters).Sql(FilterParser.Parse(text));

    private string Sql(Condition condition) =>
        condition switch
        {
            Condition.And both => $"({Sql(both.Left)} AND {Sql(both.Right)})",
            Condition.Or either => $"({Sql(either.Left)} OR {Sql(either.Right)})",
            Condition.Not not => $"(NOT {Sql(not.Of)})",
            Condition.Test test => Sql(test),
            _ => throw new InvalidOperationException($"{condition}"),
        };

    // A test of what is not there holds not, and its opposite does: SQL's third value is none here.
    private string Sql(Condition.Test test)
    {
        var column = columns.TryGetValue(test.Column, out var found)
            ? found
            : throw FilterParser.Refused(
                text,
                $"there is no column {test.Column}",
                $"There are {string.Join(", ", columns.Keys.Order(StringComparer.Ordinal))}"
            );
        if (test.How == Comparison.IsNull)
            return $"({Plain(test.Column)} IS NULL)";
        if (column.Kind is ColumnKind.Number or ColumnKind.Date)
            return $"COALESCE({OverNumbers(column, test)}, false)";
        if (test.Values.FirstOrDefault(value => value is not string) is { } other)
            throw WrongType(column, other);
        return $"COALESCE({OverTexts(test)}, false)";
    }

    private string OverTexts(Condition.Test test)
    {
        string Of(string one)
        {
            var wanted = test.Values.Cast<string>().ToArray();
            return test.How switch
            {
                Comparison.Equal => $"{one} = ANY({Next(wanted, NpgsqlDbType.Array | NpgsqlDbType.Text)})",
                Comparison.Unequal => $"{one} <> {Next(wanted[0], NpgsqlDbType.Text)}",
                Comparison.Contains => $"{one} ILIKE {Next($"%{Escaped(wanted[0])}%", NpgsqlDbType.Text)}",
                Comparison.Like => $"{one} ILIKE {Next(Literal(wanted[0]), NpgsqlDbType.Text)}",
                var how => $"{one} COLLATE \"C\" {Mark(how)} {Next(wanted[0], NpgsqlDbType.Text)}",
            };
        }
        var plain = Plain(test.Column);
        return test.Column is "key" or "origin"
            ? Of(plain)
            : $"(CASE jsonb_typeof({Json(test.Column)}) WHEN 'array' THEN "
                + $"EXISTS (SELECT 1 FROM jsonb_array_elements_text({Json(test.Column)}) one WHERE {Of("one")}) "
                + $"ELSE {Of(plain)} END)";
    }

    // SQL has a sign that takes the next one's meaning away; a filter has none.
    private static string Literal(string pattern) => pattern.Replace(@"\", @"\\", StringComparison.Ordinal);

    private static string Escaped(string words) =>
        Literal(words).Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal);

    private string OverNumbers(PushedColumn column, Condition.Test test)
    {
        if (test.How is Comparison.Like or Comparison.Contains)
            throw WrongType(column, test.Values[0]);
        double[] wanted =
        [
            .. test.Values.Select(value =>
                (column.Kind, value) switch
                {
                    (ColumnKind.Number, double number) => number,
                    (ColumnKind.Date, DateLiteral date) => date.Seconds - Epoch,
                    (ColumnKind.Date, string words) when Dates.Seconds(words) is var date && !double.IsNaN(date) => date
                        - Epoch,
                    _ => throw WrongType(column, value),
                }
            ),
        ];
        var one = column.Kind == ColumnKind.Date ? Seconds(test.Column) : $"({Plain(test.Column)})::float8";
        return test.How == Comparison.Equal
            ? $"{one} = ANY({Next(wanted, NpgsqlDbType.Array | NpgsqlDbType.Double)})"
            : $"{one} {Mark(test.How)} {Next(wanted[0], NpgsqlDbType.Double)}";
    }

    private static string Mark(Comparison how) =>
        how switch
        {
            Comparison.Unequal => "<>",
            Comparison.Less => "<",
            Comparison.LessOrEqual => "<=",
            Comparison.Greater => ">",
            _ => ">=",
        };

    private string Next(object value, NpgsqlDbType type)
    {
        parameters.Add((value, type));
        return string.Create(CultureInfo.InvariantCulture, $"${parameters.Count}");
    }

    /// <summary>A column's value as text, in SQL.</summary>
    public static string Plain(string column) => column is "key" or "origin" ? column : $"(columns->>{Quoted(column)})";

    /// <summary>A date in seconds, in SQL; the session's time zone is UTC.</summary>
    public static string Seconds(string column) => $"EXTRACT(EPOCH FROM ({Plain(column)})::timestamptz)::float8";

    private static string Json(string column) => $"(columns->{Quoted(column)})";

    private static string Quoted(string text)
    {
        StringBuilder quoted = new("'");
        quoted.Append(text.Replace("'", "''", StringComparison.Ordinal)).Append('\'');
        return text.Contains('\\') ? $"E{quoted.Replace(@"\", @"\\")}" : quoted.ToString();
    }

    private SettingException WrongType(PushedColumn column, object value)
    {
        var (holds, remedy) = column.Kind switch
        {
            ColumnKind.Number => ("numbers", "Compare it with a number, as in width >= 1024"),
            ColumnKind.Date => ("dates", "Compare it with a date, as in 2024-01-31"),
            _ => ("texts", "Compare it with a text in single quotes"),
        };
        var said = value switch
        {
            string words => $"'{words}'",
            DateLiteral date => Dates.Text(date.Seconds),
            _ => FormattableString.Invariant($"{value}"),
        };
        return FilterParser.Refused(text, $"{column.Name} holds {holds}, and {said} is none", remedy);
    }
}

/// <summary>A column that was pushed.</summary>
/// <param name="Name">As filters name it.</param>
/// <param name="Kind">What it holds.</param>
internal sealed record PushedColumn(string Name, ColumnKind Kind);
