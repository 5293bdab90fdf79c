namespace LiT.Tests.Face;

/// <summary>Every way in which a store can be asked, through the library.</summary>
public sealed class QueryTests(SmallModel small) : IClassFixture<SmallModel>, IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly CancellationToken cancel = TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("at night", "at night", 1)]
    [InlineData("2:at night", "at night", 2)]
    [InlineData("0.5:a", "a", 0.5)]
    [InlineData("16:9", "16:9", 1)]
    [InlineData(":a", ":a", 1)]
    [InlineData("2:", "2:", 1)]
    public void A_weight_stands_in_front(string text, string what, double weight)
    {
        Ask ask = text;
        Assert.Equal((what, weight), (ask.What, ask.Weight));
        Assert.Equal(text, ask.ToString());
    }

    [Fact]
    public async Task A_store_is_asked_in_every_way_with_codes_and_without()
    {
        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        await using (var making = await PictureStore.OpenAsync(folder["store"], model, cancel))
            await making.UpdateAsync(small.Pictures, null, cancel);
        List<string> before = [];
        foreach (var indexed in new[] { false, true })
        {
            if (indexed)
                await model.RunAsync(_ => LiT.Search.StoreIndex.Build(folder["store"], model), cancel);
            await using var store = await PictureStore.OpenAsync(folder["store"], model, cancel);
            async Task<string> Keys(Query query)
            {
                List<string> keys = [];
                await foreach (var found in store.SearchAsync(query, cancel))
                    keys.Add(found.Key);
                return string.Join(' ', keys);
            }
            var all = await Keys(new() { Words = "a b", Top = 12 });
            Assert.Equal(12, all.Split(' ').Length);
            Assert.Equal(
                all.Split(' ')[3..7],
                (
                    await Keys(
                        new()
                        {
                            Words = "a b",
                            Top = 4,
                            Skip = 3,
                        }
                    )
                ).Split(' ')
            );
            Assert.Equal(all, await Keys(new() { Words = ["a b", "a b"], Top = 12 }));
            Assert.NotEqual(all, await Keys(new() { Words = ["a b", "9:c"], Top = 12 }));
            Assert.Equal(
                await Keys(new() { Words = "c", Top = 12 }),
                await Keys(
                    new()
                    {
                        Words = ["c", "2:a"],
                        Minus = "2:a",
                        Top = 12,
                    }
                )
            );

            // A picture is the one most like itself: a file finds it, and its key finds the others.
            var key = all.Split(' ')[5];
            var file = Directory.GetFiles(small.Pictures, $"{Path.GetFileNameWithoutExtension(key)}.*")[0];
            Assert.Equal(key, await Keys(new() { Like = file, Top = 1 }));
            var others = (await Keys(new() { Like = key, Top = 12 })).Split(' ');
            Assert.Equal(11, others.Length);
            Assert.DoesNotContain(key, others);

            Assert.Equal(
                all.Split(' ').Order(),
                (
                    await Keys(
                        new()
                        {
                            Words = "a b",
                            Top = 12,
                            Order = "key",
                        }
                    )
                ).Split(' ')
            );
            Assert.Equal(
                all.Split(' ').OrderDescending(),
                (
                    await Keys(
                        new()
                        {
                            Words = "a b",
                            Top = 12,
                            Order = "key desc",
                        }
                    )
                ).Split(' ')
            );
            Assert.Equal(key, await Keys(new() { Words = "a b", Where = $"key = '{key}'" }));
            Assert.Equal("", await Keys(new() { Words = "a b", Where = "width > 100000" }));
            Assert.Equal(
                all.Split(' ')[0],
                await Keys(
                    new()
                    {
                        Words = "a b",
                        Top = 12,
                        Distinct = 1e-9,
                    }
                )
            );
            var without = await Keys(
                new()
                {
                    Words = "a b",
                    Without = "a b",
                    Top = 12,
                }
            );
            Assert.Empty(without.Split(' ', StringSplitOptions.RemoveEmptyEntries).Except(all.Split(' ')));
            before.Add(string.Join('\n', all, without, string.Join(' ', others)));

            async Task<string> Refused(Query query) =>
                (await Assert.ThrowsAnyAsync<LitException>(() => Keys(query))).Message;
            Assert.Contains("neither Words nor Like", await Refused(new() { Minus = "a" }));
            Assert.Contains("neither the key of a picture", await Refused(new() { Like = "no such" }));
            Assert.Contains("cancel each other", await Refused(new() { Words = "a", Minus = "a" }));
            Assert.Contains("there is no column lable", await Refused(new() { Words = "a", Where = "lable = 'x'" }));
            Assert.Contains("there is no such column", await Refused(new() { Words = "a", Order = "lable" }));
            Assert.Contains("Skip -1", await Refused(new() { Words = "a", Skip = -1 }));
            Assert.Contains("Distinct 2", await Refused(new() { Words = "a", Distinct = 2 }));
            Assert.Contains("give a weight above 0", await Refused(new() { Words = "0:a" }));
        }
        Assert.Equal(before[0], before[1]);
    }

    [Fact]
    public async Task Many_ask_at_once_and_each_is_answered_as_alone()
    {
        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        await using var store = await PictureStore.OpenAsync(folder["store"], model, cancel);
        await store.UpdateAsync(small.Pictures, null, cancel);
        async Task<List<FoundPicture>> Ask(string words)
        {
            List<FoundPicture> found = [];
            await foreach (var one in store.SearchAsync(new() { Words = words }, cancel))
                found.Add(one);
            return found;
        }
        string[] words = ["a", "b", "c", "a b", "b c", "c a"];
        var alone = new List<List<FoundPicture>>();
        foreach (var one in words)
            alone.Add(await Ask(one));
        var together = await Task.WhenAll(
            Enumerable.Range(0, 24).Select(i => Task.Run(() => Ask(words[i % 6]), cancel))
        );
        for (var i = 0; i < together.Length; i++)
            Assert.Equal(alone[i % 6], together[i]);
    }
}
