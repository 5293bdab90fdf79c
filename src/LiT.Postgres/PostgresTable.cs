using System.Globalization;
using System.Text.Json;
using Npgsql;

namespace LiT.Postgres;

/// <summary>What a pushed table says of itself.</summary>
/// <param name="Tower">Fingerprint of the tower that the pictures went through.</param>
/// <param name="Projection">Of the image head behind it; empty for none.</param>
/// <param name="Size">Numbers in an embedding.</param>
/// <param name="Columns">What is said of the pictures.</param>
/// <param name="Recall">Share of the nearest ten that the index finds, as it was measured; null before.</param>
internal sealed record TableDescription(
    string Tower,
    string Projection,
    int Size,
    IReadOnlyList<PushedColumn> Columns,
    double? Recall
)
{
    public const string Form = "lit 1";

    /// <summary>Candidates that the index keeps on its way (hnsw.ef_search), as many as that recall took; null before.
    /// </summary>
    public int? Candidates { get; init; }
}

/// <summary>A table of pictures in PostgreSQL: key, content hash, embedding (halfvec), origin, and columns (jsonb).
/// </summary>
internal sealed class PostgresTable : IAsyncDisposable
{
    /// <summary>pgvector's HNSW takes no longer half-precision vectors.</summary>
    public const int LargestSize = 4000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private PostgresTable(PostgresAddress address, NpgsqlDataSource source, NpgsqlConnection connection) =>
        (Address, this.source, Connection) = (address, source, connection);

    private readonly NpgsqlDataSource source;

    public PostgresAddress Address { get; }

    public NpgsqlConnection Connection { get; }

    public string Name => Address.Table;

    /// <exception cref="LitException">The database cannot be reached, or has no pgvector.</exception>
    public static async Task<PostgresTable> OpenAsync(PostgresAddress address, CancellationToken cancel)
    {
        var source = NpgsqlDataSource.Create(address.Connection);
        try
        {
            PostgresTable table = new(address, source, await source.OpenConnectionAsync(cancel).ConfigureAwait(false));
            await table.DoAsync("SET TIME ZONE 'UTC'", cancel).ConfigureAwait(false);
            return table;
        }
        catch (Exception trouble) when (trouble is NpgsqlException or System.Net.Sockets.SocketException)
        {
            await source.DisposeAsync().ConfigureAwait(false);
            throw Explained(address, trouble);
        }
    }

    /// <summary>Makes the table where there is none, and says that it is of these pictures.</summary>
    /// <exception cref="LitException">There is a table of another tower, or of something else.</exception>
    public async Task CreateAsync(TableDescription description, CancellationToken cancel)
    {
        if (description.Size > LargestSize)
            throw new LitException(
                $"{Address.Shown}: embeddings of {description.Size} numbers are too long for pgvector's index, which "
                    + $"takes {LargestSize}. Tune a model with an image head of fewer."
            );
        try
        {
            await DoAsync("CREATE EXTENSION IF NOT EXISTS vector", cancel).ConfigureAwait(false);
        }
        catch (PostgresException missing)
        {
            throw new LitException(
                $"{Address.Shown}: pgvector cannot be switched on ({missing.MessageText}). Install it on the server, "
                    + "and let an owner of the database run CREATE EXTENSION vector.",
                missing
            );
        }
        if (await DescriptionAsync(cancel).ConfigureAwait(false) is { } there)
            Check(there, description);
        await DoAsync(
                $"CREATE TABLE IF NOT EXISTS {Name} (key text NOT NULL, nth int NOT NULL, hash bytea NOT NULL, "
                    + string.Create(CultureInfo.InvariantCulture, $"embedding halfvec({description.Size}) NOT NULL, ")
                    + "origin text NOT NULL, columns jsonb NOT NULL, PRIMARY KEY (key, nth))",
                cancel
            )
            .ConfigureAwait(false);
        await DescribeAsync(description, cancel).ConfigureAwait(false);
    }

    /// <summary>Writes what the table says of itself, as its comment.</summary>
    public Task DescribeAsync(TableDescription description, CancellationToken cancel) =>
        DoAsync(
            $"COMMENT ON TABLE {Name} IS "
                + $"{Literal($"{TableDescription.Form} {JsonSerializer.Serialize(description, Json)}")}",
            cancel
        );

    /// <summary>What the table says of itself; null where there is none.</summary>
    /// <exception cref="LitException">A table of that name is something else.</exception>
    public async Task<TableDescription?> DescriptionAsync(CancellationToken cancel)
    {
        var command = Command($"SELECT to_regclass('{Name}') IS NOT NULL, obj_description(to_regclass('{Name}'))");
        await using var closing = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        await using var ended = reader.ConfigureAwait(false);
        await reader.ReadAsync(cancel).ConfigureAwait(false);
        if (!reader.GetBoolean(0))
            return null;
        const string form = TableDescription.Form + " ";
        if (await reader.IsDBNullAsync(1, cancel).ConfigureAwait(false) is false && reader.GetString(1) is var said)
            if (said.StartsWith(form, StringComparison.Ordinal))
                return JsonSerializer.Deserialize<TableDescription>(said[form.Length..], Json);
        throw new LitException(
            $"{Address.Shown}: there is a table of that name that holds something else. Give another."
        );
    }

    /// <summary>Whether both are of one tower; columns may differ.</summary>
    public void Check(TableDescription there, TableDescription wanted)
    {
        if ((there.Tower, there.Projection, there.Size) != (wanted.Tower, wanted.Projection, wanted.Size))
            throw new LitException(
                $"{Address.Shown}: its pictures went through another tower or image head. Give another table, or the "
                    + "model that it was pushed with."
            );
    }

    public async Task DoAsync(string sql, CancellationToken cancel)
    {
        var command = Command(sql);
        await using var closing = command.ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
    }

#pragma warning disable CA2100 // names are checked, texts are quoted, values are parameters
    public NpgsqlCommand Command(string sql, params IEnumerable<NpgsqlParameter> parameters)
    {
        NpgsqlCommand command = new(sql, Connection);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }
#pragma warning restore CA2100

    /// <summary>The error that a person reads.</summary>
    public static LitException Explained(PostgresAddress address, Exception trouble)
    {
        var words = trouble is PostgresException said ? said.MessageText : trouble.Message;
        return new(
            $"{address.Shown}: {words.TrimEnd('.')}. Check the address, the rights of the user, and that the server "
                + "runs.",
            trouble
        );
    }

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync().ConfigureAwait(false);
        await source.DisposeAsync().ConfigureAwait(false);
    }

    private static string Literal(string text) =>
        $"E'{text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'";
}
