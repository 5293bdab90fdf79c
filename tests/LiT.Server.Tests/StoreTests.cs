namespace LiT.Server.Tests;

/// <summary>Several stores, a store that grows, and the pictures of a store.</summary>
public sealed class StoreTests : IDisposable
{
    private readonly ServedPictures pictures = new();

    public void Dispose() => pictures.Dispose();

    [Fact]
    public async Task Several_stores_are_served_by_their_names_and_the_first_is_asked_by_itself()
    {
        pictures.Embed(pictures.Photos, pictures["other", "store"]);
        await using var asking = await Asking.StartAsync(
            pictures.Settings() with
            {
                Data = [pictures.Store, pictures["other", "store"]],
            }
        );
        var (_, stores) = await asking.GetAsync("/v1/stores");
        Assert.Equal(["store", "store-2"], stores["stores"]!.AsArray().Select(one => (string?)one!["name"]));
        Assert.Equal("store", (string?)(await asking.GetAsync("/v1/search?words=a")).Json["store"]);
        Assert.Equal("store-2", (string?)(await asking.GetAsync("/v1/search?words=a&store=store-2")).Json["store"]);
    }

    [Fact]
    public async Task A_store_says_what_a_filter_may_name()
    {
        await using var asking = await Asking.StartAsync(pictures.Settings());
        var store = (await asking.GetAsync("/v1/stores")).Json["stores"]![0]!;
        Assert.Equal((ServedPictures.Count, true), ((int)store["pictures"]!, (bool)store["hasPictures"]!));
        var columns = store["columns"]!.AsArray().ToDictionary(one => (string)one!["name"]!, one => one!);
        Assert.Equal("""["even","odd"]""", columns["label"]["values"]!.ToJsonString());
        Assert.Equal((0, 11), ((int)columns["stars"]["least"]!, (int)columns["stars"]["most"]!));
        Assert.Equal(("date", "2024-01-01"), ((string?)columns["taken"]["kind"], (string?)columns["taken"]["least"]));
    }

    [Fact]
    public async Task What_is_added_to_a_store_is_found_without_a_restart_and_nothing_else_changes()
    {
        await using var asking = await Asking.StartAsync(pictures.Settings());
        var image = Convert.ToBase64String(ServedPictures.Picture(17));
        Assert.NotEqual("p 17.png", await BestAsync());
        using CancellationTokenSource enough = new();
        var meanwhile = Task.Run(async () =>
        {
            var asked = 0;
            for (; !enough.IsCancellationRequested; asked++)
            {
                var (status, json) = await asking.GetAsync("/v1/search?words=a&top=100");
                Assert.True(status == 200, json.ToJsonString());
                Assert.Contains((int)json["searched"]!, new[] { 12, 20, 19 });
                Assert.Equal((int)json["searched"]!, json["results"]!.AsArray().Count);
            }
            return asked;
        });
        pictures.Write(pictures.Photos, ServedPictures.Count, 8);
        pictures.Embed(pictures.Photos, pictures.Store);
        while (await BestAsync() != "p 17.png")
            await Task.Delay(50);
        Assert.Equal(20, await CountAsync());
        Assert.Equal("image/png", await TypeOfAsync(asking, "/v1/pictures/p%2017.png"));

        // One goes, and the files are written anew without it.
        File.Delete(Path.Combine(pictures.Photos, "p 16.png"));
        var table = Path.Combine(pictures.Photos, "metadata.csv");
        File.WriteAllLines(
            table,
            File.ReadAllLines(table).Where(line => !line.StartsWith("p 16", StringComparison.Ordinal))
        );
        pictures.Embed(pictures.Photos, pictures.Store);
        Stores.StoreCompaction.Run(pictures.Store);
        while (await CountAsync() != 19)
            await Task.Delay(50);
        await enough.CancelAsync();
        Assert.True(await meanwhile > 0);
        Assert.Equal("p 17.png", await BestAsync());
        using var gone = await asking.Client.GetAsync("/v1/pictures/p%2016.png");
        Assert.Equal(System.Net.HttpStatusCode.NotFound, gone.StatusCode);

        async Task<int> CountAsync() => (int)(await asking.GetAsync("/v1/stores")).Json["stores"]![0]!["pictures"]!;

        async Task<string?> BestAsync() =>
            (string?)
                (await asking.PostAsync("/v1/search", new { pictures = new[] { new { image } }, top = 1 })).Json[
                    "results"
                ]![0]!["key"];
    }

    [Fact]
    public async Task A_picture_comes_as_it_is_and_small_as_it_is_asked_for()
    {
        await using var asking = await Asking.StartAsync(pictures.Settings());
        foreach (var path in new[] { "/v1/pictures/p%2003.png", "/v1/pictures/p%2003.png?store=store" })
            Assert.Equal(ServedPictures.Picture(3), await asking.Client.GetByteArrayAsync(path));
        Assert.Equal("image/jpeg", await TypeOfAsync(asking, "/v1/thumbnails/p%2003.png?size=32"));
        using HttpRequestMessage request = new(HttpMethod.Get, "/v1/thumbnails/p%2003.png");
        request.Headers.Add("Accept", "image/avif,image/webp,*/*");
        using var small = await asking.Client.SendAsync(request);
        Assert.Equal("image/webp", small.Content.Headers.ContentType?.MediaType);
        using HttpRequestMessage again = new(HttpMethod.Get, "/v1/thumbnails/p%2003.png");
        again.Headers.Add("Accept", "image/avif,image/webp,*/*");
        again.Headers.IfNoneMatch.Add(small.Headers.ETag!);
        using var unchanged = await asking.Client.SendAsync(again);
        Assert.Equal(System.Net.HttpStatusCode.NotModified, unchanged.StatusCode);
    }

    [Fact]
    public async Task Pictures_of_an_archive_come_with_the_others_of_their_answer()
    {
        using (var tar = new System.Formats.Tar.TarWriter(File.Create(pictures["archive.tar"])))
            foreach (var file in Directory.GetFiles(pictures.Photos, "*.png").Order(StringComparer.Ordinal))
                tar.WriteEntry(file, Path.GetFileName(file));
        pictures.Embed(pictures["archive.tar"], pictures["packed"]);
        await using var asking = await Asking.StartAsync(pictures.Settings() with { Data = [pictures["packed"]] });
        var (_, found) = await asking.GetAsync("/v1/search?words=a&top=12");
        var keys = found["results"]!.AsArray().Select(one => (string)one!["key"]!).ToList();
        Assert.Equal(ServedPictures.Count, keys.Count);
        foreach (var key in keys)
        {
            using var answer = await asking.Client.GetAsync($"/v1/pictures/{Uri.EscapeDataString(key)}");
            Assert.Equal(
                File.ReadAllBytes(Path.Combine(pictures.Photos, $"{key}.png")),
                await answer.Content.ReadAsByteArrayAsync()
            );
        }
        var passes = (await asking.Client.GetStringAsync("/metrics"))
            .Split('\n')
            .Single(line =>
                line.StartsWith("lit_batch_size", StringComparison.Ordinal)
                && line.Contains("_count{", StringComparison.Ordinal)
                && line.Contains("packed pictures", StringComparison.Ordinal)
            );
        // The first may go alone before the others have come to the queue.
        Assert.InRange(
            double.Parse(passes.Split("} ")[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture),
            1,
            3
        );
    }

    [Fact]
    public async Task Pictures_that_are_elsewhere_now_are_found_where_the_server_is_told()
    {
        Directory.Move(pictures.Photos, pictures["moved"]);
        await using var lost = await Asking.StartAsync(pictures.Settings());
        await RefusalTests.RefusedAsync(
            await lost.Client.GetAsync("/v1/pictures/p%2003.png"),
            404,
            "its file is not where it came from"
        );
        await using var told = await Asking.StartAsync(pictures.Settings() with { Pictures = [pictures["moved"]] });
        Assert.Equal(ServedPictures.Picture(3), await told.Client.GetByteArrayAsync("/v1/pictures/p%2003.png"));
    }

    [Fact]
    public async Task What_is_no_picture_is_not_given_out_whatever_the_store_says()
    {
        await using var asking = await Asking.StartAsync(pictures.Settings());
        var file = Path.Combine(pictures.Photos, "p 03.png");
        await File.WriteAllTextAsync(file, "root:x:0:0");
        await RefusalTests.RefusedAsync(
            await asking.Client.GetAsync("/v1/pictures/p%2003.png"),
            404,
            "its file is not"
        );
    }

    [Theory]
    [InlineData(true, "is no store of embeddings")]
    [InlineData(false, "there is no such folder")]
    public async Task What_is_no_store_is_refused_at_the_start(bool isThere, string says)
    {
        var folder = isThere ? pictures.Photos : pictures["nowhere"];
        var refused = await Assert.ThrowsAsync<LitException>(() =>
            LitServer.StartAsync(pictures.Settings() with { Data = [folder] })
        );
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_of_another_tower_and_a_port_that_is_taken_are_refused_at_the_start()
    {
        await Assert.ThrowsAsync<LitException>(() =>
            LitServer.StartAsync(pictures.Settings() with { Model = pictures.OtherModel })
        );
        await using var first = await LitServer.StartAsync(pictures.Settings());
        var refused = await Assert.ThrowsAsync<SettingException>(() =>
            LitServer.StartAsync(pictures.Settings() with { Port = first.Address.Port })
        );
        Assert.StartsWith(
            $"`Port` {first.Address.Port}: cannot listen there",
            refused.Message,
            StringComparison.Ordinal
        );
    }

    private static async Task<string?> TypeOfAsync(Asking asking, string path)
    {
        using var answer = await asking.Client.GetAsync(path);
        return answer.Content.Headers.ContentType?.MediaType;
    }
}
