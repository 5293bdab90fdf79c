using LiT.Classification;
using LiT.Compute;
using LiT.Search;
using Microsoft.Extensions.AI;

namespace LiT.Tests.Face;

public sealed class PictureStoreTests(SmallModel small) : IClassFixture<SmallModel>, IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly CancellationToken cancel = TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task An_update_costs_what_changed()
    {
        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        await using var store = await PictureStore.OpenAsync(folder["store"], model, cancel);
        Assert.Equal(0, store.Count);
        for (var i = 0; i < 6; i++)
            folder.Write($"pictures/{i}.png", SmallModel.Picture(i));
        Told told = new();
        var first = await store.UpdateAsync(folder["pictures"], told, cancel);
        Assert.Equal((6, 6, 0, 0), (first.Pictures, first.Embedded, first.TakenOver, first.Skipped));
        Assert.True(told.Times > 0);

        File.Delete(folder["pictures", "2.png"]);
        folder.Write("pictures/new.png", SmallModel.Picture(9));
        folder.Write("pictures/broken.png", "no picture");
        var second = await store.UpdateAsync(folder["pictures"], null, cancel);
        Assert.Equal((6, 1, 5, 1), (second.Pictures, second.Embedded, second.TakenOver, second.Skipped));
        Assert.Equal(6, store.Count);

        List<StoredPicture> read = [];
        await foreach (var picture in store.ReadAsync(cancel))
            read.Add(picture);
        Assert.Equal(["0", "1", "3", "4", "5", "new"], read.Select(picture => picture.Key.Split('.')[0]));
        var own = await model.Images.GenerateVectorAsync(
            new DataContent(SmallModel.Picture(9), "image/png"),
            null,
            cancel
        );
        Assert.Equal(1, System.Numerics.Tensors.TensorPrimitives.Dot(own.Span, read[^1].Embedding.Span), 3);
    }

    [Fact]
    public async Task A_search_finds_what_the_command_line_finds()
    {
        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        await using var store = await PictureStore.OpenAsync(folder["store"], model, cancel);
        await store.UpdateAsync(small.Pictures, null, cancel);
        using var plain = LitModel.Load(small.Bundle);
        foreach (var least in new double?[] { null, 0.05 })
        {
            Query query = new()
            {
                Words = "a B, c",
                Top = 5,
                MinPrecision = least,
            };
            var expected = SearchedData.Find(
                plain,
                folder["store"],
                [query],
                Background.Load(small.Bundle),
                new(),
                ComputeDevice.Cpu
            )[0];
            List<FoundPicture> found = [];
            await foreach (
                var hit in store.SearchAsync(
                    new Query
                    {
                        Words = "a B, c",
                        Top = 5,
                        MinPrecision = least,
                    },
                    cancel
                )
            )
                found.Add(hit);
            Assert.Equal(expected.Results, found);
        }
    }

    [Fact]
    public async Task What_cannot_be_done_is_refused_with_what_to_do_and_nothing_stays_locked()
    {
        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        using var other = await LitModel.LoadAsync(small.Other, null, cancel);
        await using (var store = await PictureStore.OpenAsync(folder["store"], model, cancel))
        {
            async Task<string> Refused(Query query) =>
                (
                    await Assert.ThrowsAsync<LitException>(async () =>
                    {
                        await foreach (var _ in store.SearchAsync(query, cancel)) { }
                    })
                ).Message;
            Assert.Contains("holds no pictures yet. Call UpdateAsync", await Refused(new() { Words = "a" }));
            await Assert.ThrowsAsync<LitException>(() => store.UpdateAsync(folder["nowhere"], null, cancel));
            await store.UpdateAsync(small.Pictures, null, cancel);
            Assert.Contains("leaves no word", await Refused(new() { Words = "?" }));
            Assert.Contains("Top 0", await Refused(new() { Words = "a", Top = 0 }));
            Assert.Contains("MinPrecision 2", await Refused(new() { Words = "a", MinPrecision = 2 }));

            var strange = await Assert.ThrowsAsync<LitException>(() =>
                PictureStore.OpenAsync(folder["store"], other, cancel)
            );
            Assert.Contains("made by the tower", strange.Message);
            await using var wrong = await PictureStore.OpenAsync(folder["wrong"], other, cancel);
            await wrong.UpdateAsync(small.Pictures, null, cancel);
            await Assert.ThrowsAsync<LitException>(() => PictureStore.OpenAsync(folder["wrong"], model, cancel));
        }
        Assert.Empty(Held.Under(folder["store"]));
        Directory.Delete(folder["store"], recursive: true);
    }

    [Fact]
    public async Task An_update_that_is_stopped_or_loses_its_model_goes_on_the_next_time()
    {
        using CancellationTokenSource stop = new();
        for (var i = 0; i < 300; i++)
            folder.Write($"many/{i:000}.png", SmallModel.Picture(i));
        using (var model = await LitModel.LoadAsync(small.Bundle, null, cancel))
        {
            await using var store = await PictureStore.OpenAsync(folder["store"], model, cancel);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                store.UpdateAsync(folder["many"], new Told(stop.Cancel), stop.Token)
            );
            var gone = store.UpdateAsync(folder["many"], new Told(model.Dispose), cancel);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => gone);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => store.UpdateAsync(folder["many"], null, cancel));
        }
        using var again = await LitModel.LoadAsync(small.Bundle, null, cancel);
        await using var second = await PictureStore.OpenAsync(folder["store"], again, cancel);
        Assert.Equal(300, (await second.UpdateAsync(folder["many"], null, cancel)).Pictures);
    }

    [Fact]
    public async Task Searches_and_readings_go_on_while_updates_run_and_after_the_store_is_closed_they_are_refused()
    {
        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        var store = await PictureStore.OpenAsync(folder["store"], model, cancel);
        for (var i = 0; i < 20; i++)
            folder.Write($"pictures/{i:00}.png", SmallModel.Picture(i));
        await store.UpdateAsync(folder["pictures"], null, cancel);
        await using (var reading = store.ReadAsync(cancel).GetAsyncEnumerator(cancel))
        {
            Assert.True(await reading.MoveNextAsync());
            folder.Write("pictures/99.png", SmallModel.Picture(99));
            var updates = Task.WhenAll(
                store.UpdateAsync(folder["pictures"], null, cancel),
                store.UpdateAsync(folder["pictures"], null, cancel)
            );
            while (!updates.IsCompleted)
                await foreach (var hit in store.SearchAsync(new Query { Words = "a" }, cancel))
                    Assert.NotNull(hit.Key);
            Assert.Equal([21, 21], (await updates).Select(update => update.Pictures));
            for (var more = 1; more < 20; more++)
                Assert.True(await reading.MoveNextAsync());
            Assert.False(await reading.MoveNextAsync()); // the twenty that were there
        }
        await store.DisposeAsync();
        await store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () =>
        {
            await foreach (var _ in store.SearchAsync(new Query { Words = "a" }, cancel)) { }
        });
    }

    private sealed class Told(Action? what = null) : IProgress<ProgressStep>
    {
        public int Times { get; private set; }

        public void Report(ProgressStep value)
        {
            Times++;
            what?.Invoke();
        }
    }
}
