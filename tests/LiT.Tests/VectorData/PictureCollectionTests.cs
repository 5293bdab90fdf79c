using System.Linq.Expressions;
using LiT.Tests.Face;
using LiT.VectorData;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;

namespace LiT.Tests.VectorData;

/// <summary>Records with pictures behind the platform's own seam.</summary>
public sealed class PictureCollectionTests(SmallModel small) : IClassFixture<SmallModel>, IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly LitModel model = LitModel.Load(small.Bundle);

    public void Dispose()
    {
        model.Dispose();
        folder.Dispose();
    }

    public sealed class Photo
    {
        [VectorStoreKey]
        public string Id { get; set; } = "";

        [VectorStoreData]
        public string? Title { get; set; }

        [VectorStoreData]
        public int Stars { get; set; }

        [VectorStoreData]
        public double? Price { get; set; }

        [VectorStoreData]
        public bool Shared { get; set; }

        [VectorStoreData]
        public DateTimeOffset Taken { get; set; }

        [VectorStoreData(StorageName = "keywords")]
        public List<string>? Tags { get; set; }

        [VectorStoreVector(32)]
        public DataContent? Picture { get; set; }
    }

    private static readonly DateTimeOffset Day = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static Photo Photographed(int i) =>
        new()
        {
            Id = $"p{i}",
            Title = i % 4 == 3 ? null : $"0{i}",
            Stars = i,
            Price = i % 3 == 0 ? null : i / 2.0,
            Shared = i % 2 == 0,
            Taken = Day.AddDays(i),
            Tags = i % 5 == 4 ? null : [$"t{i % 3}", "all"],
            Picture = new(SmallModel.Picture(i), "image/png"),
        };

    private VectorStoreCollection<string, Photo> Open() =>
        new PictureVectorStore(folder["root"], model).GetCollection<string, Photo>("photos", Definition());

    private async Task<VectorStoreCollection<string, Photo>> Filled(int count = 8)
    {
        var photos = Open();
        await photos.EnsureCollectionExistsAsync();
        await photos.UpsertAsync(Enumerable.Range(0, count).Select(Photographed));
        return photos;
    }

    // The attribute wants the model's own number of dimensions, which a constant cannot know.
    private VectorStoreCollectionDefinition Definition() =>
        new()
        {
            Properties =
            [
                new VectorStoreKeyProperty(nameof(Photo.Id), typeof(string)),
                new VectorStoreDataProperty(nameof(Photo.Title), typeof(string)),
                new VectorStoreDataProperty(nameof(Photo.Stars), typeof(int)),
                new VectorStoreDataProperty(nameof(Photo.Price), typeof(double?)),
                new VectorStoreDataProperty(nameof(Photo.Shared), typeof(bool)),
                new VectorStoreDataProperty(nameof(Photo.Taken), typeof(DateTimeOffset)),
                new VectorStoreDataProperty(nameof(Photo.Tags), typeof(List<string>)) { StorageName = "keywords" },
                new VectorStoreVectorProperty<DataContent>(nameof(Photo.Picture), model.EmbeddingSize),
            ],
        };

    [Fact]
    public async Task Pictures_are_upserted_in_a_batch_and_found_by_words_by_picture_and_by_embedding()
    {
        using var photos = await Filled();
        var words = await Ids(photos.SearchAsync("a b", 3));
        var zimg = await model.Images.GenerateAsync(Enumerable.Range(0, 8).Select(i => Photographed(i).Picture!));
        var ztxt = (await model.Texts.GenerateAsync(["a b"]))[0].Vector;
        float Dot(int i) => System.Numerics.Tensors.TensorPrimitives.Dot(zimg[i].Vector.Span, ztxt.Span);
        Assert.Equal(Enumerable.Range(0, 8).OrderByDescending(Dot).Take(3).Select(i => $"p{i}"), words);
        Assert.Equal(words, await Ids(photos.SearchAsync(ztxt, 3)));
        Assert.Equal(words, await Ids(photos.SearchAsync(new Embedding<float>(ztxt), 3)));
        var like = await photos.SearchAsync(Photographed(5).Picture!, 1).ToListAsync();
        Assert.Equal("p5", like[0].Record.Id);
        Assert.Equal(1, like[0].Score!.Value, 1e-3);
        Assert.Equal(words[1..], await Ids(photos.SearchAsync("a b", 2, new() { Skip = 1 })));
        Assert.Equal(
            ["p5"],
            await Ids(photos.SearchAsync(Photographed(5).Picture!, 8, new() { ScoreThreshold = like[0].Score - 1e-4 }))
        );
    }

    [Fact]
    public async Task A_record_comes_back_as_it_was_and_again_in_the_place_of_the_one_of_its_key()
    {
        using var photos = await Filled();
        foreach (var i in new[] { 1, 3, 4 })
        {
            var (expected, found) = (Photographed(i), (await photos.GetAsync($"p{i}"))!);
            Assert.Equal(
                (expected.Title, expected.Stars, expected.Price, expected.Shared, expected.Taken),
                (found.Title, found.Stars, found.Price, found.Shared, found.Taken)
            );
            Assert.Equal(expected.Tags, found.Tags);
        }
        var other = Photographed(6);
        (other.Id, other.Title) = ("p2", "instead");
        await photos.UpsertAsync(other);
        Assert.Equal("instead", (await photos.GetAsync("p2"))!.Title);
        Assert.Equal(8, (await photos.GetAsync(photo => photo.Stars >= 0, 100).ToListAsync()).Count);
        await photos.DeleteAsync("p2");
        await photos.DeleteAsync(["p0", "p7", "nobody"]);
        Assert.Null(await photos.GetAsync("p2"));
        Assert.Equal(["p1", "p3", "p4", "p5", "p6"], (await Ids(photos.SearchAsync("a", 100))).Order());
        using var again = Open();
        Assert.Equal(5, (await again.GetAsync(photo => true, 100).ToListAsync()).Count);
    }

    public static TheoryData<string, Expression<Func<Photo, bool>>, int[]> Filters()
    {
        var (wanted, low, high) = ("01", 2, 5);
        int[] some = [1, 4, 9];
        List<string> titles = ["00", "05"];
        int? missing = null;
        return new()
        {
            { "equal", photo => photo.Title == "01", [1] },
            { "captured", photo => photo.Title == wanted, [1] },
            { "unequal", photo => photo.Title != "01", [0, 2, 3, 4, 5, 6, 7] },
            { "null", photo => photo.Title == null, [3, 7] },
            { "not null", photo => photo.Title != null, [0, 1, 2, 4, 5, 6] },
            { "a number", photo => photo.Stars == 4, [4] },
            { "order", photo => photo.Stars > low && photo.Stars <= high, [3, 4, 5] },
            { "turned", photo => 6 < photo.Stars, [7] },
            { "or", photo => photo.Stars < 1 || photo.Stars >= 7, [0, 7] },
            { "not", photo => !(photo.Stars > 0), [0] },
            { "bool", photo => photo.Shared, [0, 2, 4, 6] },
            { "not bool", photo => !photo.Shared, [1, 3, 5, 7] },
            { "bool and", photo => photo.Shared && photo.Stars > 3, [4, 6] },
            { "bool equal", photo => photo.Shared == false, [1, 3, 5, 7] },
            { "nullable", photo => photo.Price > 1.5, [4, 5, 7] },
            { "nullable null", photo => photo.Price == null, [0, 3, 6] },
            { "missing number", photo => photo.Stars == missing, [] },
            { "date", photo => photo.Taken >= Day.AddDays(6), [6, 7] },
            { "in an array", photo => some.Contains(photo.Stars), [1, 4] },
            { "in a list", photo => titles.Contains(photo.Title!), [0, 5] },
            { "in a literal", photo => new[] { 2, 3 }.Contains(photo.Stars), [2, 3] },
            { "tag", photo => photo.Tags!.Contains("t1"), [1, 7] },
            { "any of", photo => photo.Tags!.Any(tag => new[] { "t0", "x" }.Contains(tag)), [0, 3, 6] },
            { "key", photo => photo.Id == "p6", [6] },
            { "true", photo => true, [0, 1, 2, 3, 4, 5, 6, 7] },
            { "false", photo => false, [] },
        };
    }

    [Fact]
    public async Task Filters_hold_for_the_records_that_they_say()
    {
        using var photos = await Filled();
        foreach (var row in Filters())
        {
            var (name, filter, expected) = row.Data;
            var ids = expected.Select(i => $"p{i}");
            Assert.Equal(
                (name, string.Join(' ', ids)),
                (name, string.Join(' ', await Ids(photos.GetAsync(filter, 100))))
            );
            Assert.Equal(
                (name, string.Join(' ', ids)),
                (name, string.Join(' ', (await Ids(photos.SearchAsync("a", 100, new() { Filter = filter }))).Order()))
            );
        }
    }

    public static TheoryData<string, Expression<Func<Photo, bool>>> Unsupported() =>
        new()
        {
            { "any and more", photo => photo.Tags!.Any(tag => new[] { "t1" }.Contains(tag) || false) },
            { "a call", photo => photo.Title!.StartsWith("0") },
            { "part of a text", photo => photo.Title!.Contains('1') },
            { "arithmetic", photo => photo.Stars + 1 == 4 },
            { "a part", photo => photo.Title!.Length == 2 },
            { "a part of a date", photo => photo.Taken.Year == 2024 },
            { "any of other shape", photo => photo.Tags!.Any(tag => tag == "t1") },
            { "any at all", photo => photo.Tags!.Any() },
            { "a choice", photo => photo.Shared ? photo.Stars > 1 : photo.Stars > 2 },
            { "two texts of one record", photo => photo.Tags!.Contains(photo.Title!) },
        };

    [Fact]
    public async Task What_is_not_supported_is_refused()
    {
        using var photos = await Filled(2);
        foreach (var row in Unsupported())
        {
            var (_, filter) = row.Data;
            await Assert.ThrowsAsync<NotSupportedException>(async () => await Ids(photos.GetAsync(filter, 1)));
            await Assert.ThrowsAsync<NotSupportedException>(async () =>
                await Ids(photos.SearchAsync("a", 1, new() { Filter = filter }))
            );
        }
        await Assert.ThrowsAsync<NotSupportedException>(async () => await Ids(photos.SearchAsync(7, 1)));
        await Assert.ThrowsAsync<NotSupportedException>(() => photos.GetAsync("p0", new() { IncludeVectors = true }));
        var store = new PictureVectorStore(folder["root"], model);
        Assert.Throws<NotSupportedException>(() => store.GetCollection<string, Dictionary<string, object?>>("photos"));
        Assert.Throws<ArgumentException>(() => store.GetCollection<string, Photo>("../elsewhere", Definition()));
        var definition = Definition();
        ((VectorStoreVectorProperty)definition.Properties[^1]).DistanceFunction = DistanceFunction.ManhattanDistance;
        Assert.Throws<NotSupportedException>(() => store.GetCollection<string, Photo>("photos", definition));
        var nothing = Photographed(0);
        nothing.Picture = null;
        var trouble = await Assert.ThrowsAsync<VectorStoreException>(() => photos.UpsertAsync(nothing));
        Assert.Equal(("photos", "Upsert"), (trouble.CollectionName, trouble.OperationName));
        nothing.Picture = new("no picture"u8.ToArray(), "image/png");
        await Assert.ThrowsAsync<VectorStoreException>(() => photos.UpsertAsync([Photographed(9), nothing]));
        Assert.Null(await photos.GetAsync("p9")); // all of a batch or nothing
    }

    [Fact]
    public async Task Records_come_in_the_order_that_was_asked_for()
    {
        using var photos = await Filled();
        async Task<string[]> Ordered(
            Func<
                FilteredRecordRetrievalOptions<Photo>.OrderByDefinition,
                FilteredRecordRetrievalOptions<Photo>.OrderByDefinition
            > by,
            int skip = 0
        ) => await Ids(photos.GetAsync(photo => photo.Stars < 6, 3, new() { OrderBy = by, Skip = skip }));
        Assert.Equal(["p5", "p4", "p3"], await Ordered(by => by.Descending(photo => photo.Stars)));
        Assert.Equal(["p3", "p2", "p1"], await Ordered(by => by.Descending(photo => photo.Stars), 2));
        Assert.Equal(
            ["p5", "p3", "p1"],
            await Ordered(by => by.Ascending(photo => photo.Shared).Descending(photo => photo.Stars))
        );
    }

    [Fact]
    public async Task Collections_are_folders_that_come_and_go_and_a_dictionary_is_a_record()
    {
        PictureVectorStore store = new(folder["root"], model);
        Assert.Empty(await store.ListCollectionNamesAsync().ToListAsync());
        using var photos = store.GetDynamicCollection("photos", Definition());
        Assert.False(await photos.CollectionExistsAsync());
        Assert.Empty(await photos.SearchAsync("a", 3).ToListAsync());
        await photos.EnsureCollectionExistsAsync();
        Assert.Equal(["photos"], await store.ListCollectionNamesAsync().ToListAsync());
        await photos.UpsertAsync(
            Enumerable
                .Range(0, 3)
                .Select(i => new Dictionary<string, object?>
                {
                    ["Id"] = $"p{i}",
                    ["Title"] = $"0{i}",
                    ["Stars"] = i,
                    ["Price"] = null,
                    ["Shared"] = true,
                    ["Taken"] = Day,
                    ["Tags"] = null,
                    ["Picture"] = Photographed(i).Picture,
                })
        );
        var found = await photos
            .GetAsync(record => (int)record["Stars"]! >= 1 && (string)record["Title"]! != "02", 9)
            .ToListAsync();
        Assert.Equal("p1", Assert.Single(found)["Id"]);
        Assert.Equal(1, found[0]["Stars"]);
        await store.EnsureCollectionDeletedAsync("photos");
        Assert.False(await store.CollectionExistsAsync("photos"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder["root"]));
    }

    [Fact]
    public async Task A_collection_is_a_store_as_well()
    {
        using (await Filled()) { }
        await using var store = await PictureStore.OpenAsync(folder["root", "photos"], model);
        List<FoundPicture> found = [];
        await foreach (var one in store.SearchAsync(new() { Words = "a", Where = "Stars >= 6" }))
            found.Add(one);
        Assert.Equal(["p6", "p7"], found.Select(one => one.Key).Order());
    }

    private static async Task<string[]> Ids(IAsyncEnumerable<Photo> found) =>
        await found.Select(photo => photo.Id).ToArrayAsync();

    private static async Task<string[]> Ids(IAsyncEnumerable<VectorSearchResult<Photo>> found) =>
        await found.Select(result => result.Record.Id).ToArrayAsync();

    public sealed class Numbered
    {
        [VectorStoreKey]
        public Guid Id { get; set; }

        [VectorStoreData]
        public byte Small { get; set; }

        [VectorStoreData]
        public short? Short { get; set; }

        [VectorStoreData]
        public TimeOnly At { get; set; }

        [VectorStoreData]
        public string[]? Marks { get; set; }

        [VectorStoreVector(32)]
        public ReadOnlyMemory<float> Row { get; set; }
    }

    [Fact]
    public async Task Keys_may_be_Guids_which_are_made_where_there_is_none_and_small_numbers_come_back()
    {
        var cancel = TestContext.Current.CancellationToken;
        using PictureVectorStore store = new(folder["guids"], model);
        using var records = store.GetCollection<Guid, Numbered>("records");
        var known = new Guid("603840bf-cf91-4521-8b8e-8b6a2e75910a");
        float[] Row(int i) => [.. Enumerable.Range(0, model.EmbeddingSize).Select(k => k == i ? 1f : 0.1f)];
        Numbered[] all =
        [
            .. Enumerable
                .Range(0, 3)
                .Select(i => new Numbered
                {
                    Id = i == 0 ? known : Guid.Empty,
                    Small = (byte)(250 + i),
                    Short = i == 2 ? null : (short)-i,
                    At = new(12, 30, i),
                    Marks = i == 0 ? null : ["x", $"{i}"],
                    Row = Row(i),
                }),
        ];
        await records.UpsertAsync(all, cancel);
        Assert.Equal(known, all[0].Id);
        Assert.Equal(3, all.Select(one => one.Id).Append(Guid.Empty).Distinct().Count() - 1);
        foreach (var one in all)
        {
            var there = (await records.GetAsync(one.Id, null, cancel))!;
            Assert.Equal((one.Id, one.Small, one.Short, one.At), (there.Id, there.Small, there.Short, there.At));
        }
        var found = await records
            .SearchAsync(Row(1), 3, new() { Filter = one => one.Small >= 251 && one.At > all[1].At }, cancel)
            .ToListAsync(cancel);
        Assert.Equal([all[2].Id], found.Select(one => one.Record.Id));
        string[] marks = ["x", "1"];
        var marked = await records.GetAsync(one => one.Marks == marks, 3, null, cancel).ToListAsync(cancel);
        Assert.Equal([all[1].Id], marked.Select(one => one.Id));
        await records.DeleteAsync(known, cancel);
        Assert.Null(await records.GetAsync(known, null, cancel));
    }

    [Fact]
    public async Task A_dictionarys_values_are_compared_and_what_no_tower_embeds_is_refused_at_once()
    {
        var cancel = TestContext.Current.CancellationToken;
        using PictureVectorStore store = new(folder["dynamic"], model);
        VectorStoreCollectionDefinition Definition(Type vector) =>
            new()
            {
                Properties =
                [
                    new VectorStoreKeyProperty("Id", typeof(string)),
                    new VectorStoreDataProperty("Word", typeof(string)),
                    new VectorStoreVectorProperty("Row", vector, model.EmbeddingSize),
                ],
            };
        using var records = store.GetDynamicCollection("records", Definition(typeof(float[])));
        foreach (var (id, word) in new[] { ("a", "foo"), ("b", "bar"), ("c", null) })
            await records.UpsertAsync(
                new Dictionary<string, object?>
                {
                    ["Id"] = id,
                    ["Word"] = word,
                    ["Row"] = Enumerable.Range(1, model.EmbeddingSize).Select(k => (float)k).ToArray(),
                },
                cancel
            );
        var wanted = new string(['f', 'o', 'o']); // another object than the one that is stored
        async Task<string> Held(Expression<Func<Dictionary<string, object?>, bool>> filter)
        {
            var found = await records.GetAsync(filter, 9, null, cancel).ToListAsync(cancel);
            return string.Concat(found.Select(one => (string)one["Id"]!).Order(StringComparer.Ordinal));
        }
        Assert.Equal("a", await Held(one => one["Word"] == (object)wanted));
        Assert.Equal("bc", await Held(one => one["Word"] != (object)wanted));
        Assert.Equal("c", await Held(one => one["Word"] == null));
        Assert.Equal("a", await Held(one => !(one["Word"] == (object)"bar") && one["Word"] != null));

        Assert.Equal(
            "key",
            (
                await Assert.ThrowsAsync<ArgumentNullException>(() => records.GetAsync((object)null!, null, cancel))
            ).ParamName
        );
        Assert.ThrowsAny<Exception>(() => store.GetDynamicCollection("words", Definition(typeof(string))));
    }
}
