using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LiT.Search;
using LiT.Stores;
using Npgsql;
using NpgsqlTypes;

namespace LiT.Postgres;

/// <summary>What a push did (field names as in the JSON).</summary>
/// <param name="Pictures">Pictures that the table holds now.</param>
/// <param name="Written">Pictures that were new, or of which something had changed.</param>
/// <param name="Kept">Pictures that were there as they are.</param>
/// <param name="Removed">Pictures that the store does not have any more.</param>
/// <param name="Recall">Share of the nearest ten that the database's index finds.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record PushResult(long Pictures, long Written, long Kept, long Removed, double? Recall, double Seconds);

/// <summary>
/// Brings a table in PostgreSQL to what a store holds, which costs what changed: pictures are told apart by key and by
/// a hash of their embedding and of what is said of them. Each batch is whole; stopped, or killed, the next push goes
/// on.
/// </summary>
internal sealed class PostgresPush(PostgresTable table, Collection collection)
{
    private const string Added = "added";
    private const int RowsAtOnce = 2000,
        Measured = 50,
        Nearby = 10;
    private const double Wanted = 0.99;
    private static readonly int[] Candidates = [100, 200, 400, 700, 1000];

    /// <param name="address">Where to.</param>
    /// <param name="folder">A finished store.</param>
    /// <param name="model">Its image head is what rows go through, its text tower asks with captions for the recall.
    /// </param>
    /// <param name="progress">Told after every batch.</param>
    /// <param name="cancel">Stops between two batches.</param>
    /// <exception cref="LitException">The store or the database cannot be used.</exception>
    public static async Task<PushResult> RunAsync(
        PostgresAddress address,
        string folder,
        LitModel? model,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        using var store = EmbeddingStore.Open(folder, wordsLater: true);
        if (model is not null)
            StoreFit.Check(store, model.Description.Image.Expected);
        using var collection = Collection.Of(model, store);
        TableDescription description = new(
            store.Description?.Fingerprint ?? "",
            model is null ? "" : Convert.ToHexStringLower(Collection.Projection(model)),
            collection.Size,
            Columns(collection),
            null
        );
        var table = await PostgresTable.OpenAsync(address, cancel).ConfigureAwait(false);
        await using var closing = table.ConfigureAwait(false);
        try
        {
            var before = await table.DescriptionAsync(cancel).ConfigureAwait(false);
            await table.CreateAsync(description, cancel).ConfigureAwait(false);
            PostgresPush push = new(table, collection);
            var (written, kept, removed, dead) = await push.SendAsync(progress, cancel).ConfigureAwait(false);
            await push.IndexAsync(dead > 0, cancel).ConfigureAwait(false);
            var (candidates, recall) = (before?.Candidates, before?.Recall);
            if (written + removed > 0 || candidates is null)
                (candidates, recall) = await push.RecallAsync(
                        StoreIndex.Queries(model, collection, Measured, 0.5, cancel).Queries,
                        cancel
                    )
                    .ConfigureAwait(false);
            await table
                .DescribeAsync(description with { Recall = recall, Candidates = candidates }, cancel)
                .ConfigureAwait(false);
            return new(written + kept, written, kept, removed, recall, clock.Elapsed.TotalSeconds);
        }
        catch (NpgsqlException trouble)
        {
            throw PostgresTable.Explained(address, trouble);
        }
    }

    private static PushedColumn[] Columns(Collection collection) =>
        [
            .. collection
                .ColumnNames.Order(StringComparer.Ordinal)
                .Select(name => new PushedColumn(name, collection.Column(name)!.Kind)),
        ];

    private async Task<(long Written, long Kept, long Removed, long Dead)> SendAsync(
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var there = await HashesAsync(cancel).ConfigureAwait(false);
        Dictionary<string, int> seen = new(StringComparer.Ordinal);
        var (written, kept, done, replaced) = (0L, 0L, 0L, 0L);
        foreach (var some in Pictures().Chunk(RowsAtOnce))
        {
            cancel.ThrowIfCancellationRequested();
            List<PushedPicture> other = [];
            foreach (var picture in Made(some, seen))
            {
                var was = there.Remove((picture.Key, picture.Nth), out var hash);
                if (was && picture.Hash.AsSpan().SequenceEqual(hash))
                {
                    kept++;
                    continue;
                }
                replaced += was ? 1 : 0;
                other.Add(picture);
            }
            if (other.Count > 0)
                await WriteAsync(other, cancel).ConfigureAwait(false);
            written += other.Count;
            done += some.Length;
            progress?.Report(new("pushing", done, collection.Count, "pictures"));
        }
        foreach (var gone in there.Keys.Chunk(RowsAtOnce))
            await RemoveAsync(gone, cancel).ConfigureAwait(false);
        return (written, kept, there.Count, replaced + there.Count);
    }

    private IEnumerable<long> Pictures()
    {
        for (var picture = 0L; picture < collection.Pictures; picture++)
            if (collection.Holds(picture))
                yield return picture;
    }

    private IEnumerable<PushedPicture> Made(long[] pictures, Dictionary<string, int> seen)
    {
        var rows = collection.Read(pictures);
        for (var i = 0; i < pictures.Length; i++)
        {
            var key = Storable(collection.Key(pictures[i]));
            ref var before = ref CollectionsMarshal.GetValueRefOrAddDefault(seen, key, out _);
            var embedding = new Half[collection.Size];
            for (var k = 0; k < embedding.Length; k++)
                embedding[k] = (Half)rows[i][k];
            var origin = Storable(collection.Origin(pictures[i]));
            SortedDictionary<string, object> said = new(collection.ColumnsOf(pictures[i]), StringComparer.Ordinal);
            var columns = Json(said);
            said.Remove(Added); // changes with the file that the row lies in
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(MemoryMarshal.AsBytes(embedding.AsSpan()));
            hash.AppendData(Encoding.UTF8.GetBytes(origin));
            hash.AppendData(Json(said));
            yield return new(key, before++, hash.GetHashAndReset(), embedding, origin, columns);
        }
    }

    private static byte[] Json(SortedDictionary<string, object> said) =>
        Encoding.UTF8.GetBytes(JsonSerializer.Serialize(said).Replace(@"\u0000", "", StringComparison.Ordinal));

    // PostgreSQL's texts hold no zero character.
    private static string Storable(string text) => text.Replace("\0", "", StringComparison.Ordinal);

    private async Task<Dictionary<(string Key, int Nth), byte[]>> HashesAsync(CancellationToken cancel)
    {
        Dictionary<(string, int), byte[]> hashes = [];
        var command = table.Command($"SELECT key, nth, hash FROM {table.Name}");
        await using var closing = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        await using var ended = reader.ConfigureAwait(false);
        while (await reader.ReadAsync(cancel).ConfigureAwait(false))
            hashes.Add((reader.GetString(0), reader.GetInt32(1)), reader.GetFieldValue<byte[]>(2));
        return hashes;
    }

    // One transaction: a batch is there whole or not at all.
    private Task WriteAsync(List<PushedPicture> pictures, CancellationToken cancel) =>
        table.Address.Copies ? CopyAsync(pictures, cancel) : InsertAsync(pictures, cancel);

    private const string Upsert =
        "ON CONFLICT (key, nth) DO UPDATE SET hash = excluded.hash, embedding = excluded.embedding, "
        + "origin = excluded.origin, columns = excluded.columns";

    private async Task CopyAsync(List<PushedPicture> pictures, CancellationToken cancel)
    {
        var transaction = await table.Connection.BeginTransactionAsync(cancel).ConfigureAwait(false);
        await using var ending = transaction.ConfigureAwait(false);
        await table
            .DoAsync($"CREATE TEMPORARY TABLE lit_batch (LIKE {table.Name}) ON COMMIT DROP", cancel)
            .ConfigureAwait(false);
        var copy = await table
            .Connection.BeginRawBinaryCopyAsync("COPY lit_batch FROM STDIN (FORMAT BINARY)", cancel)
            .ConfigureAwait(false);
        await using (copy.ConfigureAwait(false))
        {
            using MemoryStream bytes = new();
            bytes.Write(BinaryRows.Head);
            foreach (var picture in pictures)
                BinaryRows.Write(bytes, picture);
            bytes.Write(BinaryRows.Tail);
            await copy.WriteAsync(bytes.GetBuffer().AsMemory(0, (int)bytes.Length), cancel).ConfigureAwait(false);
        }
        await table.DoAsync($"INSERT INTO {table.Name} SELECT * FROM lit_batch {Upsert}", cancel).ConfigureAwait(false);
        await transaction.CommitAsync(cancel).ConfigureAwait(false);
    }

    private async Task InsertAsync(List<PushedPicture> pictures, CancellationToken cancel)
    {
        var command = table.Command(
            $"INSERT INTO {table.Name} SELECT key, nth, hash, embedding::halfvec, origin, columns::jsonb FROM "
                + "unnest($1, $2, $3, $4, $5, $6) AS t (key, nth, hash, embedding, origin, columns) "
                + Upsert,
            Array([.. pictures.Select(one => one.Key)], NpgsqlDbType.Text),
            Array([.. pictures.Select(one => one.Nth)], NpgsqlDbType.Integer),
            Array([.. pictures.Select(one => one.Hash)], NpgsqlDbType.Bytea),
            Array([.. pictures.Select(one => InWords(one.Embedding))], NpgsqlDbType.Text),
            Array([.. pictures.Select(one => one.Origin)], NpgsqlDbType.Text),
            Array([.. pictures.Select(one => Encoding.UTF8.GetString(one.Columns))], NpgsqlDbType.Text)
        );
        await using var closing = command.ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
    }

    private async Task RemoveAsync((string Key, int Nth)[] gone, CancellationToken cancel)
    {
        var command = table.Command(
            $"DELETE FROM {table.Name} t USING unnest($1, $2) AS gone (key, nth) "
                + "WHERE t.key = gone.key AND t.nth = gone.nth",
            Array([.. gone.Select(one => one.Key)], NpgsqlDbType.Text),
            Array([.. gone.Select(one => one.Nth)], NpgsqlDbType.Integer)
        );
        await using var closing = command.ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
    }

    private static NpgsqlParameter Array<T>(T[] values, NpgsqlDbType type) =>
        new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | type };

    /// <summary>As pgvector reads an embedding.</summary>
    public static string InWords(ReadOnlySpan<Half> embedding)
    {
        StringBuilder words = new("[");
        foreach (var number in embedding)
            words
                .Append(words.Length > 1 ? "," : "")
                .Append(((float)number).ToString("R", CultureInfo.InvariantCulture));
        return words.Append(']').ToString();
    }

    private async Task IndexAsync(bool dead, CancellationToken cancel)
    {
        await table
            .DoAsync(
                $"CREATE INDEX IF NOT EXISTS {table.Name}_embedding ON {table.Name} "
                    + "USING hnsw (embedding halfvec_cosine_ops)",
                cancel
            )
            .ConfigureAwait(false);
        // Rows that went stay in the graph, and a search that strays among them finds nothing, until it is cleared.
        await table.DoAsync($"{(dead ? "VACUUM (ANALYZE)" : "ANALYZE")} {table.Name}", cancel).ConfigureAwait(false);
    }

    // The fewest candidates of these that reach the recall, and what the most of them reach where none does.
    private async Task<(int? Candidates, double? Recall)> RecallAsync(Embeddings queries, CancellationToken cancel)
    {
        if (queries.Count == 0)
            return (null, null);
        List<(PostgresSearch.Nearby Ask, HashSet<(string, int)> Nearest)> asked = [];
        for (var i = 0; i < queries.Count; i++)
        {
            PostgresSearch.Nearby ask = new(table, queries[i].ToArray(), Nearby, null, []);
            var exact = await ask.FindAsync(exact: true, cancel).ConfigureAwait(false);
            asked.Add((ask, [.. exact.Select(one => (one.Key, one.Nth))]));
        }
        var recall = 0.0;
        foreach (var candidates in Candidates)
        {
            recall = 0;
            foreach (var (ask, nearest) in asked)
            {
                var fast = await (ask with { Candidates = candidates })
                    .FindAsync(exact: false, cancel)
                    .ConfigureAwait(false);
                var same = fast.Count(one => nearest.Contains((one.Key, one.Nth)));
                recall += same / (double)Math.Max(1, nearest.Count) / asked.Count;
            }
            if (recall >= Wanted)
                return (candidates, Math.Min(1, recall));
        }
        return (Candidates[^1], recall);
    }
}
