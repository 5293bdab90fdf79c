using LiT.Data;
using LiT.Search;
using LiT.Stores;

namespace LiT.Tests.Search;

/// <summary>Filters over a store's columns, from its metadata and from files of columns.</summary>
public sealed class FilterTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public FilterTests() => MadeRows.Write(folder["store"], MadeRows.Random(6, 4, 1), 2, sample: i => new Sample(
            $"k{i}",
            $"a b/k{i}.jpg"
        )
        {
            Label =
                i == 5 ? null
                : i % 2 == 0 ? "dog"
                : "it's a cat",
            Captions = i == 4 ? [] : [$"caption {i}", "Grüße, Welt"],
            Fields = new Dictionary<string, string>
            {
                ["taken"] = $"202{i}-03-0{i + 1}",
                ["stars"] = $"{i / 2.0}",
                ["mixed"] = i < 3 ? $"{i}" : "many",
                ["camera"] = i < 2 ? "X-100" : "x_100",
            }
                .Where(field => field.Key != "stars" || i != 3)
                .ToDictionary(),
        });

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("label = 'dog'", "0 2 4")]
    [InlineData("label != 'dog'", "1 3")]
    [InlineData("not label = 'dog'", "1 3 5")]
    [InlineData("LABEL = 'dog' or label is null", null)]
    [InlineData("label is null or label = 'it''s a cat'", "1 3 5")]
    [InlineData("label is not null and width >= 103", "3 4")]
    [InlineData("label in ('dog', 'it''s a cat') AND NOT (width < 102 OR width = 104)", "2 3")]
    [InlineData("width = 101 or width in (103, 105)", "1 3 5")]
    [InlineData("width != 101 and width <= 102 and height = 50", "0 2")]
    [InlineData("captions contains 'WELT'", "0 1 2 3 5")]
    [InlineData("captions = 'caption 3'", "3")]
    [InlineData("captions like 'CAPTION _' and key > 'k2'", "3 5")]
    [InlineData("taken > 2021-12-31 and taken <= '2023-03-04'", "2 3")]
    [InlineData("taken = 2024-03-05", "4")]
    [InlineData("stars >= 1.5", "4 5")]
    [InlineData("stars is null", "3")]
    [InlineData("not stars > 0", "0 3")]
    [InlineData("mixed = 'many' or mixed = '0'", "0 3 4 5")]
    [InlineData("origin like 'a%3.jpg'", "3")]
    [InlineData("origin like '%k_.%g'", "0 1 2 3 4 5")]
    [InlineData("camera like 'x_100'", "0 1 2 3 4 5")]
    [InlineData("camera like 'x-%'", "0 1")]
    [InlineData("\"camera\" not like '%-%'", "2 3 4 5")]
    [InlineData("width > -1e3 and width < +1.5e2 and added > 2020-01-01T00:00:00Z", "0 1 2 3 4 5")]
    public void A_filter_holds_for_these_pictures(string filter, string? pictures)
    {
        foreach (var indexed in new[] { false, true })
        {
            if (indexed)
                StoreIndex.Build(folder["store"]);
            using var store = EmbeddingStore.Open(folder["store"], wordsLater: indexed);
            using var collection = Collection.Of(null, store);
            if (pictures is null)
            {
                Assert.Throws<SettingException>(() => collection.Where(filter));
                continue;
            }
            var bits = collection.Where(filter);
            Assert.Equal(pictures, string.Join(' ', Enumerable.Range(0, 6).Where(i => bits[i])));
            Assert.Equal(pictures.Split(' ').Length, bits.Set);
        }
    }

    [Theory]
    [InlineData(
        "lable = 'dog'",
        "there is no column lable. There are added, camera, captions, height, key, label, mixed"
    )]
    [InlineData("label = 3", "label holds texts, and 3 is none. Compare it with a text in single quotes")]
    [InlineData("width = 'wide'", "width holds numbers, and 'wide' is none. Compare it with a number")]
    [InlineData("width like '1%'", "width holds numbers, and '1%' is none")]
    [InlineData("taken > 5", "taken holds dates, and 5 is none. Compare it with a date")]
    [InlineData("taken > 'yesterday'", "taken holds dates, and 'yesterday' is none")]
    [InlineData("mixed > 5", "mixed holds texts, and 5 is none")]
    [InlineData("width > 2024-13-45", "2024-13-45 is no date")]
    [InlineData("label = dog", "dog at character 9, where a value: a text in single quotes")]
    [InlineData("label =", "it ends where a value")]
    [InlineData("", "it ends where a column is expected")]
    [InlineData("(label = 'a'", "it ends where ) is expected")]
    [InlineData("label = 'a' label = 'b'", "label at character 13, where and, or, or the end is expected")]
    [InlineData("label ~ 'a'", "'~' at character 7 is not understood")]
    [InlineData("label = 'a", "''' at character 9 is not understood")]
    [InlineData("label in ()", ") at character 11, where a value")]
    public void A_filter_that_cannot_be_is_refused_with_what_to_do(string filter, string expected)
    {
        using var store = EmbeddingStore.Open(folder["store"]);
        using var collection = Collection.Of(null, store);
        Assert.Contains(expected, Assert.Throws<SettingException>(() => collection.Where(filter)).Message);
        Assert.Throws<SettingException>(() => collection.Where(new string('(', 100_000) + filter));
    }
}
