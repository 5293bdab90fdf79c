using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace LiT.Postgres;

/// <summary>
/// Where a table of pictures is: <c>postgres://user:password@host:5432/database?table=pictures</c>. Other names behind
/// the question mark are Npgsql's own, such as <c>sslmode=require</c>.
/// </summary>
internal sealed partial record PostgresAddress
{
    private const string DefaultTable = "pictures";

    private PostgresAddress(string connection, string table, bool copies, string shown) =>
        (Connection, Table, Copies, Shown) = (connection, table, copies, shown);

    /// <summary>As Npgsql reads it.</summary>
    public string Connection { get; }

    /// <summary>The table's name: letters, digits and _.</summary>
    public string Table { get; }

    /// <summary>Whether rows go by COPY; <c>copy=no</c> is for servers that have none, such as PGlite.</summary>
    public bool Copies { get; }

    /// <summary>Without the password.</summary>
    public string Shown { get; }

    /// <summary>Whether a text is meant as one.</summary>
    public static bool Is(string text) =>
        text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase)
        || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="LitException">It is none; the message does not repeat a password.</exception>
    public static PostgresAddress Parse(string text)
    {
        const string form = "Write it as postgres://user:password@host:5432/database?table=pictures";
        if (!Is(text) || !Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
            throw new LitException($"The address of the database is none that can be read. {form}.");
        NpgsqlConnectionStringBuilder connection = new()
        {
            Host = uri.Host,
            Port = uri.Port > 0 ? uri.Port : NpgsqlConnection.DefaultPort,
            Database = Uri.UnescapeDataString(uri.AbsolutePath.Trim('/')) is { Length: > 0 } name ? name : null,
            CommandTimeout = 0, // an index is built as long as it takes
        };
        if (uri.UserInfo.Split(':', 2) is [{ Length: > 0 } user, .. var password])
        {
            connection.Username = Uri.UnescapeDataString(user);
            if (password.Length > 0)
                connection.Password = Uri.UnescapeDataString(password[0]);
        }
        var (table, copies) = (DefaultTable, true);
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = pair.Split('=', 2) is [var left, var right]
                ? (Uri.UnescapeDataString(left), Uri.UnescapeDataString(right))
                : (pair, "");
            if (key == "table")
                table = value;
            else if (key == "copy" && value is "yes" or "no")
                copies = value == "yes";
            else
                Set(connection, key, value);
        }
        if (!Name().IsMatch(table))
            throw new LitException($"table={table}: give letters, digits and _, at most 40, beginning with a letter.");
        return new(
            connection.ConnectionString,
            table,
            copies,
            string.Create(CultureInfo.InvariantCulture, $"postgres://{uri.Host}:{connection.Port}{uri.AbsolutePath}")
                + $" ({table})"
        );
    }

    private static void Set(NpgsqlConnectionStringBuilder connection, string key, string value)
    {
        try
        {
            connection[key] = value;
        }
        catch (Exception wrong) when (wrong is ArgumentException or FormatException or InvalidCastException)
        {
            throw new LitException($"{key}={value}: Npgsql knows no such setting of a connection, or no such value.");
        }
    }

    [GeneratedRegex(@"\A[a-z][a-z0-9_]{0,39}\z")]
    private static partial Regex Name();
}
