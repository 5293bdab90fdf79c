using System.Globalization;
using System.Numerics.Tensors;
using System.Text.Json;
using LiT.Classification;
using LiT.Search;
using LiT.Stores;
using Npgsql;
using NpgsqlTypes;

namespace LiT.Postgres;

/// <summary>
/// The same query, asked of a table that was pushed: the database filters and finds, by its index or going over every
/// row; similarities are computed from the embeddings that it gives. What needs a calibrated model is refused.
/// </summary>
internal sealed class PostgresSearch(PostgresTable table, TableDescription description, LitModel model, long fewEnough)
{
    /// <summary>Rows that a filter leaves and that are all gone over: it takes no longer than counting them.</summary>
    public const long FewEnough = 5_000;

    private const int Wider = 4,
        FewestCandidates = 100;

    /// <summary>A row that was found.</summary>
    internal sealed record FoundRow(
        string Key,
        int Nth,
        string Origin,
        string Columns,
        float[] Embedding,
        float Similarity
    );

    /// <param name="address">The table.</param>
    /// <param name="model">Of the tower that its pictures went through.</param>
    /// <param name="queries">What is asked, one after the other.</param>
    /// <param name="fewEnough">So many rows that a filter leaves are gone over without the index.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="LitException">The database, the table or the query cannot be used; the message says why.
    /// </exception>
    public static async Task<IReadOnlyList<SearchAnswer>> FindAsync(
        PostgresAddress address,
        LitModel model,
        IReadOnlyList<Query> queries,
        long fewEnough = FewEnough,
        CancellationToken cancel = default
    )
    {
        var table = await PostgresTable.OpenAsync(address, cancel).ConfigureAwait(false);
        await using var closing = table.ConfigureAwait(false);
        try
        {
            var there = await table.DescriptionAsync(cancel).ConfigureAwait(false)
                ?? throw new LitException($"{address.Shown}: there is no such table. Push a store to it first.");
            table.Check(
                there,
                there with
                {
                    Tower = model.Description.Image.Fingerprint,
                    Projection = Convert.ToHexStringLower(Collection.Projection(model)),
                }
            );
            PostgresSearch search = new(table, there, model, fewEnough);
            List<SearchAnswer> answers = [];
            foreach (var query in queries)
                answers.Add(await search.FindAsync(query, cancel).ConfigureAwait(false));
            return answers;
        }
        catch (NpgsqlException trouble)
        {
            throw PostgresTable.Explained(address, trouble);
        }
    }

    private async Task<SearchAnswer> FindAsync(Query query, CancellationToken cancel)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Check(query);
        List<(object, NpgsqlDbType)> parameters = [];
        var where = query.Where is { } filter ? SqlFilter.Of(filter, Columns(), parameters) : null;
        List<string> liked = [];
        var vector = await VectorAsync(query, liked, cancel).ConfigureAwait(false);
        var unknown = SearchAnswer.UnknownOf(model, query);
        if (liked.Count > 0)
        {
            parameters.Add((liked.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text));
            where =
                (where is null ? "" : $"{where} AND ")
                + string.Create(CultureInfo.InvariantCulture, $"NOT (key = ANY(${parameters.Count}))");
        }
        var enough = (int)Math.Min(int.MaxValue / Wider, (long)query.Skip + query.Top);
        var searched = await new Nearby(table, vector, 0, where, parameters).CountAsync(cancel).ConfigureAwait(false);
        var exact = query.Exact || where is not null && searched <= fewEnough;
        for (var kept = query.Distinct is null ? enough : enough * Wider; ; kept *= Wider)
        {
            Nearby ask = new(table, vector, kept, where, parameters)
            {
                Candidates = description.Candidates ?? FewestCandidates,
            };
            var found = await ask.FindAsync(exact, cancel).ConfigureAwait(false);
            if (!exact && found.Count < Math.Min(kept, searched))
            {
                // The index was left before the filter had let enough through (hnsw.max_scan_tuples).
                exact = true;
                found = await ask.FindAsync(exact, cancel).ConfigureAwait(false);
            }
            var shown = query.Distinct is { } cosine ? Distinct(found, cosine, enough) : found;
            if (shown.Count < enough && found.Count >= kept && kept < int.MaxValue / Wider)
                continue;
            if (SearchAnswer.SaysNothing(query, unknown))
                shown = [];
            List<FoundRow> some = [.. shown.Skip(query.Skip).Take(query.Top)];
            return new(
                query,
                [.. (query.Order is null ? some : Ordered(some, query.Order)).Select(Named)],
                shown.Count == 0,
                searched,
                exact ? 1 : description.Recall ?? 0,
                clock.Elapsed.TotalSeconds
            )
            {
                Unknown = unknown,
            };
        }
    }

    private Dictionary<string, PushedColumn> Columns() =>
        description.Columns.ToDictionary(column => column.Name, StringComparer.Ordinal);

    private void Check(Query query)
    {
        query.Check();
        foreach (var words in query.Words.Concat(query.Minus).Select(one => one.What))
            if (PromptTemplates.Canonicalise(words).Length == 0)
                throw new LitException($"The text '{words}' leaves no word to look for. Give it letters or digits.");
        if (query.Without.Count > 0 || query.MinPrecision is not null)
            throw new LitException(
                $"{table.Address.Shown}: Without and MinPrecision are judged with a store at hand. Ask the store, or "
                    + "take the direction away with Minus."
            );
        if (query.Order is { } order && !Columns().ContainsKey(Plain(order)))
            throw SettingException.Of<Query>(
                q => q.Order,
                order,
                "there is no such column",
                $"There are {string.Join(", ", Columns().Keys.Order(StringComparer.Ordinal))}"
            );
    }

    private async Task<float[]> VectorAsync(Query query, List<string> liked, CancellationToken cancel)
    {
        Ask[] texts = [.. query.Words, .. query.Minus.Select(one => one with { Weight = -one.Weight })];
        var sum = new float[description.Size];
        if (texts.Length > 0)
        {
            var ztxt = model.EmbedTexts([.. texts.Select(one => PromptTemplates.Canonicalise(one.What))], null, cancel);
            for (var i = 0; i < texts.Length; i++)
                TensorPrimitives.MultiplyAdd(ztxt[i], (float)texts[i].Weight, sum, sum);
        }
        foreach (var (what, weight) in query.Like)
        {
            var direction = await KeptAsync(what, cancel).ConfigureAwait(false) is { } one
                ? Remembered(what, one)
                : PictureSearch.OfFile(model, what);
            TensorPrimitives.MultiplyAdd(direction, (float)weight, sum, sum);
        }
        return PictureSearch.Unit(query, sum);

        float[] Remembered(string key, float[] direction)
        {
            liked.Add(key);
            return direction;
        }
    }

    private async Task<float[]?> KeptAsync(string key, CancellationToken cancel)
    {
        var command = table.Command(
            $"SELECT embedding::real[] FROM {table.Name} WHERE key = $1 ORDER BY nth LIMIT 1",
            new NpgsqlParameter { Value = key, NpgsqlDbType = NpgsqlDbType.Text }
        );
        await using var closing = command.ConfigureAwait(false);
        return (float[]?)await command.ExecuteScalarAsync(cancel).ConfigureAwait(false);
    }

    private static FoundPicture Named(FoundRow row)
    {
        Dictionary<string, object> columns = [];
        using var json = JsonDocument.Parse(row.Columns);
        foreach (var one in json.RootElement.EnumerateObject())
            columns[one.Name] = one.Value.ValueKind switch
            {
                JsonValueKind.Number => one.Value.GetDouble(),
                JsonValueKind.Array => one.Value.EnumerateArray().Select(text => text.GetString()!).ToArray(),
                _ => one.Value.GetString()!,
            };
        return new(row.Key, row.Origin, row.Similarity, null) { Columns = columns };
    }

    private static List<FoundRow> Distinct(List<FoundRow> found, double cosine, int enough)
    {
        List<FoundRow> shown = [];
        foreach (var one in found)
            if (shown.TrueForAll(before => Cosine(before.Embedding, one.Embedding) < cosine))
                if (shown.Count < enough)
                    shown.Add(one);
        return shown;
    }

    private static float Cosine(float[] a, float[] b) =>
        (float)(Exactly.Dot(a, b) / Math.Sqrt(Exactly.Dot(a, a) * Exactly.Dot(b, b)));

    private static string Plain(string order) =>
        order.EndsWith(" desc", StringComparison.OrdinalIgnoreCase) ? order[..^5].TrimEnd() : order;

    private IEnumerable<FoundRow> Ordered(List<FoundRow> rows, string order)
    {
        var column = Columns()[Plain(order)];
        var falling = column.Name != order;
        if (column.Kind is ColumnKind.Number or ColumnKind.Date)
        {
            double Number(FoundRow row) =>
                Named(row).Columns.GetValueOrDefault(column.Name) switch
                {
                    double number => number,
                    string date => Dates.Seconds(date),
                    _ => double.NaN,
                };
            var known = rows.OrderBy(row => double.IsNaN(Number(row)));
            return falling ? known.ThenByDescending(Number) : known.ThenBy(Number);
        }
        string? Text(FoundRow row) =>
            column.Name switch
            {
                "key" => row.Key,
                "origin" => row.Origin,
                _ => Named(row).Columns.GetValueOrDefault(column.Name) switch
                {
                    string text => text,
                    string[] texts => string.Join(ColumnFile.Between, texts),
                    _ => null,
                },
            };
        var texts = rows.OrderBy(row => Text(row) is null);
        return falling
            ? texts.ThenByDescending(Text, StringComparer.Ordinal)
            : texts.ThenBy(Text, StringComparer.Ordinal);
    }

    /// <summary>The nearest rows that a filter holds for.</summary>
    internal sealed record Nearby(
        PostgresTable Table,
        float[] Vector,
        int Kept,
        string? Where,
        IReadOnlyList<(object Value, NpgsqlDbType Type)> Given
    )
    {
        private const int MostSearched = 1000; // pgvector's hnsw.ef_search

        /// <summary>Candidates that the index keeps on its way, at least.</summary>
        public int Candidates { get; init; } = FewestCandidates;

        public async Task<List<FoundRow>> FindAsync(bool exact, CancellationToken cancel)
        {
            var transaction = await Table.Connection.BeginTransactionAsync(cancel).ConfigureAwait(false);
            await using var ending = transaction.ConfigureAwait(false);
            foreach (var setting in exact ? ["enable_indexscan = off"] : Searching())
                await Table.DoAsync($"SET LOCAL {setting}", cancel).ConfigureAwait(false);
            var text = string.Create(CultureInfo.InvariantCulture, $"${Given.Count + 1}::text::halfvec");
            var command = Table.Command(
                $"SELECT key, nth, origin, columns::text, embedding::real[] FROM {Table.Name} "
                    + (Where is null ? "" : $"WHERE {Where} ")
                    + $"ORDER BY embedding <=> {text} "
                    + string.Create(CultureInfo.InvariantCulture, $"LIMIT {Asked}"),
                [.. Parameters(), new() { Value = InWords(), NpgsqlDbType = NpgsqlDbType.Text }]
            );
            await using var closing = command.ConfigureAwait(false);
            List<FoundRow> rows = [];
            var reader = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
                while (await reader.ReadAsync(cancel).ConfigureAwait(false))
                {
                    var embedding = reader.GetFieldValue<float[]>(4);
                    rows.Add(
                        new(
                            reader.GetString(0),
                            reader.GetInt32(1),
                            reader.GetString(2),
                            reader.GetString(3),
                            embedding,
                            Exactly.Cosine(Vector, embedding)
                        )
                    );
                }
            await transaction.CommitAsync(cancel).ConfigureAwait(false);
            return
            [
                .. rows.OrderByDescending(row => row.Similarity)
                    .ThenBy(row => row.Key, StringComparer.Ordinal)
                    .ThenBy(row => row.Nth)
                    .Take(Kept),
            ];
        }

        /// <summary>How many rows the filter holds for.</summary>
        public async Task<long> CountAsync(CancellationToken cancel)
        {
            var command = Table.Command(
                $"SELECT count(*) FROM {Table.Name}{(Where is null ? "" : $" WHERE {Where}")}",
                Parameters()
            );
            await using var closing = command.ConfigureAwait(false);
            return (long)(await command.ExecuteScalarAsync(cancel).ConfigureAwait(false))!;
        }

        // A few more, because the database compares in half precision.
        private int Asked => (int)Math.Min(int.MaxValue, Kept + 10L);

        private string[] Searching() =>
            [
                "hnsw.iterative_scan = strict_order",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"hnsw.ef_search = {Math.Clamp(2L * Asked, Candidates, MostSearched)}"
                ),
            ];

        private string InWords() => PostgresPush.InWords([.. Vector.Select(number => (Half)number)]);

        private IEnumerable<NpgsqlParameter> Parameters() =>
            Given.Select(one => new NpgsqlParameter { Value = one.Value, NpgsqlDbType = one.Type });
    }
}
