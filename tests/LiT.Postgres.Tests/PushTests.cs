using System.Text.Json;

namespace LiT.Postgres.Tests;

/// <summary>A store that is pushed costs what changed, and is asked like the store itself.</summary>
public sealed class PushTests(Database database, StoredPictures served)
    : IClassFixture<Database>,
        IClassFixture<StoredPictures>
{
    private const int Everything = 100;

    [Fact]
    public async Task A_push_writes_what_is_new_or_changed_and_takes_away_what_went()
    {
        var address = database.Table("grows");
        var (photos, store) = (served["some photos"], served["some store"]);
        served.Write(photos, 0, 8);
        served.Embed(photos, store);
        var first = await Push(address, store);
        Assert.Equal((8, 8, 0, 0), (first.Pictures, first.Written, first.Kept, first.Removed));
        Assert.Equal(1, first.Recall);
        var again = await Push(address, store);
        Assert.Equal((8, 0, 8, 0), (again.Pictures, again.Written, again.Kept, again.Removed));

        File.Delete(Path.Combine(photos, "p 07.png"));
        var table = Path.Combine(photos, "metadata.csv");
        List<string> rows = [.. File.ReadAllLines(table).Where(row => !row.Contains("p 07", StringComparison.Ordinal))];
        File.WriteAllLines(table, rows);
        served.Write(photos, 8, 1);
        served.Embed(photos, store);
        var changed = await Push(address, store);
        Assert.Equal((8, 1, 7, 1), (changed.Pictures, changed.Written, changed.Kept, changed.Removed));
        Assert.Equal(await AskStore(store, All), await AskTable(address, All), Same);
    }

    private static Query[] Queries =>
        [
            All,
            new() { Words = "a", Top = 5 },
            new() { Words = ["a", "2:b"], Top = 4 },
            new()
            {
                Words = "c",
                Minus = "a",
                Top = 6,
            },
            new()
            {
                Words = "b",
                Top = 3,
                Skip = 2,
                Exact = true,
            },
            new() { Like = "p 03.png", Top = 5 },
            new()
            {
                Like = "p 03.png",
                Words = "b",
                Top = 5,
            },
            new()
            {
                Words = "a",
                Distinct = 0.999,
                Top = Everything,
            },
            new()
            {
                Words = "a",
                Order = "stars desc",
                Top = 6,
            },
            new()
            {
                Words = "a",
                Order = "taken",
                Top = 6,
            },
            new()
            {
                Words = "a",
                Order = "key desc",
                Top = 6,
            },
            .. new[]
            {
                "stars >= 3",
                "stars < 3 or label = 'even'",
                "not stars > 2",
                "stars in (1, 4)",
                "stars != 2 and label != 'even'",
                "taken > 2024-01-03",
                "taken <= 2024-01-05T12:00:00Z",
                "captions = 'a b'",
                "captions != 'a b'",
                "captions contains 'B'",
                "captions like '_ b'",
                @"captions like '%of \ it%'",
                "captions like 'b_b'",
                "captions contains '0% O'",
                "captions contains 'b_'",
                @"captions = '50% of \ it' or captions contains 's ''b'",
                "label in ('odd', 'x')",
                "label is null",
                "label is not null and width >= 40",
                "key contains '1'",
                @"origin like '%\%' or origin contains '%'",
                "label < 'f'",
                "label >= 'f' and height > 10",
            }.Select(filter => new Query
            {
                Words = "a",
                Where = filter,
                Top = Everything,
            }),
        ];

    [Fact]
    public async Task A_table_answers_as_its_store_does()
    {
        var address = database.Table("asked");
        await Push(address, served.Store);
        foreach (var query in Queries)
        {
            var (expected, found) = (await AskStore(served.Store, query), await AskTable(address, query));
            Assert.Equal($"{query}: {Keys(expected)}", $"{query}: {Keys(found)}");
            Assert.Equal(expected, found, Same);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Everything)]
    public async Task A_filter_that_the_index_gives_up_on_is_answered_whole(long fewEnough)
    {
        var address = database.Table("gives_up");
        await Push(address, served.Store);
        var hurried = database.Table("gives_up", "options=-c%20hnsw.max_scan_tuples%3D1%20-c%20enable_seqscan%3Doff");
        using var model = LitModel.Load(served.Model);
        Query query = new()
        {
            Words = "a",
            Where = "stars >= 1",
            Top = Everything,
        };
        var answer = (await PostgresSearch.FindAsync(hurried, model, [query], fewEnough))[0];
        Assert.Equal(await AskStore(served.Store, query), answer.Results, Same);
        Assert.Equal((answer.Results.Count, 1.0), (answer.Searched, answer.Recall));
    }

    [Fact]
    public async Task An_answer_has_the_columns_of_the_store_and_says_its_recall()
    {
        var address = database.Table("answers");
        await Push(address, served.Store);
        using var model = LitModel.Load(served.Model);
        Query query = new()
        {
            Words = "a",
            Where = "stars >= 2",
            Top = 2,
        };
        var answer = (await PostgresSearch.FindAsync(address, model, [query]))[0];
        var own = await AskStore(served.Store, query with { Top = Everything });
        Assert.Equal((own.Count, 1.0), (answer.Searched, answer.Recall));
        Assert.Equal(2, answer.Results.Count);
        foreach (var (expected, found) in own.Zip(answer.Results))
            Assert.Equal(Said(expected), Said(found));
    }

    [Fact]
    public async Task What_cannot_be_is_refused_in_one_line_without_the_password()
    {
        var address = database.Table("refuses");
        await Push(address, served.Store);
        using var model = LitModel.Load(served.Model);
        using var other = LitModel.Load(served.OtherModel);
        async Task<string> Refused(LitModel asks, PostgresAddress where, Query query) =>
            (await Assert.ThrowsAnyAsync<LitException>(() => PostgresSearch.FindAsync(where, asks, [query]))).Message;
        Query a = new() { Words = "a" };
        Assert.Contains("another tower", await Refused(other, address, a));
        Assert.Contains("Push a store to it first", await Refused(model, database.Table("nothing"), a));
        Assert.Contains("there is no column colour", await Refused(model, address, a with { Where = "colour = 'a'" }));
        Assert.Contains("stars holds numbers", await Refused(model, address, a with { Where = "stars = 'a'" }));
        Assert.Contains("there is no such column", await Refused(model, address, a with { Order = "colour" }));
        Assert.Contains("Minus", await Refused(model, address, a with { Without = "b" }));
        var nobody = PostgresAddress.Parse("postgres://me:secret@127.0.0.1:1/none?sslmode=disable");
        Assert.DoesNotContain("secret", await Refused(model, nobody, a));
        Assert.StartsWith("postgres://127.0.0.1:1/none (pictures): ", await Refused(model, nobody, a));
    }

    [Theory]
    [InlineData("postgres:secret", "none that can be read")]
    [InlineData("postgres://me:secret@host/db?table=A;drop", "give letters, digits and _")]
    [InlineData("postgres://me:secret@host/db?colour=red", "Npgsql knows no such setting")]
    public void A_wrong_address_is_refused(string text, string expected)
    {
        var message = Assert.Throws<LitException>(() => PostgresAddress.Parse(text)).Message;
        Assert.Contains(expected, message);
        Assert.DoesNotContain("secret", message);
    }

    [Fact]
    public async Task PostgreSQL_reads_the_binary_rows()
    {
        if (!Database.HasPglite)
            Assert.Skip("There is no PGlite: run tests/postgres.sh once (it needs node).");
        using MemoryStream bytes = new();
        bytes.Write(BinaryRows.Head);
        BinaryRows.Write(
            bytes,
            new("kä'y", 0, [1, 255], [(Half)1, (Half)(-0.5), (Half)65504], "a/\\b", """{"n": 1.5}"""u8.ToArray())
        );
        BinaryRows.Write(bytes, new("z", 3, [], [(Half)0, (Half)0, (Half)1], "", "{}"u8.ToArray()));
        bytes.Write(BinaryRows.Tail);
        var path = served["rows.bin"];
        await File.WriteAllBytesAsync(path, bytes.ToArray());
        using var node = Database.Start("copy", path);
        var said = await node.StandardOutput.ReadToEndAsync();
        Assert.Equal(
            """
            {"key":"kä'y","nth":0,"hash":"01ff","embedding":"[1,-0.5,65504]","origin":"a/\\b","columns":{"n":1.5}}
            {"key":"z","nth":3,"hash":"","embedding":"[0,0,1]","origin":"","columns":{}}
            """,
            said.Trim()
        );
    }

    private static string Said(FoundPicture found) =>
        JsonSerializer.Serialize(new SortedDictionary<string, object>(found.Columns.ToDictionary()));

    private static string Keys(IEnumerable<FoundPicture> found) => string.Join(' ', found.Select(one => one.Key));

    private static Query All => new() { Words = "a b", Top = Everything };

    private async Task<PushResult> Push(PostgresAddress address, string store)
    {
        using var model = LitModel.Load(served.Model);
        return await PostgresPush.RunAsync(address, store, model);
    }

    private async Task<List<FoundPicture>> AskStore(string folder, Query query)
    {
        using var model = LitModel.Load(served.Model);
        await using var store = await PictureStore.OpenAsync(folder, model);
        List<FoundPicture> found = [];
        await foreach (var one in store.SearchAsync(query))
            found.Add(one);
        return found;
    }

    private async Task<List<FoundPicture>> AskTable(PostgresAddress address, Query query)
    {
        using var model = LitModel.Load(served.Model);
        return [.. (await PostgresSearch.FindAsync(address, model, [query]))[0].Results];
    }

    // The table holds what the store does, in half precision; precisions are the store's to expect.
    private static bool Same(FoundPicture one, FoundPicture other) =>
        (one.Key, one.Origin) == (other.Key, other.Origin) && Math.Abs(one.Similarity - other.Similarity) < 1e-3;
}
