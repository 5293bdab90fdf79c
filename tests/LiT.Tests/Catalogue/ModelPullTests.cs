using System.Security.Cryptography;
using System.Text;
using LiT.Bundles;
using LiT.Catalogue;
using LiT.Checkpoints;
using static TorchSharp.torch;

namespace LiT.Tests.Catalogue;

/// <summary>Downloads from a server that cuts, stalls, lies, changes its mind, redirects and refuses.</summary>
public sealed class ModelPullTests : IDisposable
{
    // A busy machine may keep a server waiting; only what is about waiting is impatient.
    private static readonly DownloadOptions Brisk = new()
    {
        Stall = TimeSpan.FromSeconds(20),
        Attempts = 3,
        FirstPause = TimeSpan.FromMilliseconds(1),
        LongestPause = TimeSpan.FromSeconds(2),
    };

    private static readonly DownloadOptions Impatient = Brisk with { Stall = TimeSpan.FromMilliseconds(300) };

    private static readonly byte[] Content = RandomContent(1, 300_000),
        Other = RandomContent(2, 300_000);

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_file_that_arrives_whole_gets_its_name_and_says_that_there_was_no_hash()
    {
        using ScriptedServer server = new((asked, _) => Answer.File(Content, asked));
        var pulled = await Pull(server);
        Assert.Equal(Content, Arrived());
        Assert.Equal(
            [".pull.lock", "source.json", "words.txt"],
            Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.Null(pulled.Files[0].Checked);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Content)), pulled.Files[0].Sha256);
    }

    [Fact]
    public async Task A_connection_that_is_cut_is_gone_on_with_where_it_ended()
    {
        using ScriptedServer server = new(
            (asked, n) => Answer.File(Content, asked) with { CutAfter = n < 2 ? 100_000 : null }
        );
        await Pull(server);
        Assert.Equal(Content, Arrived());
        Assert.Equal([0, 100_000, 200_000], server.Requests.Select(request => request.From));
        Assert.Equal("\"one\"", server.Requests[1].Headers["If-Range"]);
    }

    [Fact]
    public async Task A_server_that_stalls_is_asked_again()
    {
        using ScriptedServer server = new(
            (asked, n) => Answer.File(Content, asked) with { CutAfter = n == 0 ? 100_000 : null, Stalls = n == 0 }
        );
        await Pull(server, options: Impatient with { Attempts = 50 });
        Assert.Equal(Content, Arrived());
    }

    [Fact]
    public async Task A_server_that_never_answers_is_given_up()
    {
        using ScriptedServer server = new(
            (asked, _) => Answer.File(Content, asked) with { CutAfter = 0, Stalls = true }
        );
        Assert.Contains("3 times in a row", await Refused(server, options: Impatient));
    }

    [Fact]
    public async Task A_later_attempt_goes_on_with_what_an_earlier_one_left()
    {
        using (
            ScriptedServer dying = new(
                (asked, n) => Answer.File(Content, asked) with { CutAfter = n == 0 ? 100_000 : 0 }
            )
        )
        {
            Assert.Contains(
                "the connection ends after 100,000 of 300,000 bytes, 3 times in a row",
                await Refused(dying)
            );
            Assert.True(File.Exists(folder["words.txt.part"]));
            Assert.False(File.Exists(folder["words.txt"]));
        }
        using ScriptedServer server = new((asked, _) => Answer.File(Content, asked));
        File.WriteAllText(
            folder["words.txt.part.json"],
            File.ReadAllText(folder["words.txt.part.json"])
                .Replace(OldAddress!, server.Address, StringComparison.Ordinal)
        );
        await Pull(server);
        Assert.Equal(Content, Arrived());
        Assert.Equal([100_000], server.Requests.Select(request => request.From));
    }

    [Fact]
    public async Task A_file_that_changed_between_two_attempts_is_begun_anew()
    {
        // The server keeps to If-Range: another ETag, the whole file.
        using ScriptedServer server = new(
            (asked, n) =>
                n == 0
                    ? Answer.File(Content, asked) with
                    {
                        CutAfter = 100_000,
                    }
                    : Answer.File(Other, new("/", new Dictionary<string, string>()), "\"two\"")
        );
        await Pull(server);
        Assert.Equal(Other, Arrived());
    }

    [Fact]
    public async Task A_server_that_sends_the_rest_of_another_file_is_not_believed()
    {
        // It ignores If-Range: the rest of the changed file, under the changed ETag.
        using ScriptedServer server = new(
            (asked, n) =>
                n == 0 ? Answer.File(Content, asked) with { CutAfter = 100_000 } : Answer.File(Other, asked, "\"two\"")
        );
        await Pull(server);
        Assert.Equal(Other, Arrived());
        Assert.Equal([0, 100_000, 0], server.Requests.Select(request => request.From));
    }

    [Theory]
    [InlineData("bytes 0-299999/300000")] // from the beginning, whatever was asked
    [InlineData("bytes 100000-299999/400000")] // of another length
    [InlineData(null)] // no word about what it is
    public async Task A_part_that_is_not_the_rest_is_begun_anew(string? range)
    {
        using ScriptedServer server = new(
            (asked, n) =>
                n switch
                {
                    0 => Answer.File(Content, asked) with { CutAfter = 100_000 },
                    1 => new(206, Content[100_000..])
                    {
                        Headers = { ["ETag"] = "\"one\"", ["Content-Range"] = range ?? "" },
                    },
                    _ => Answer.File(Content, asked),
                }
        );
        await Pull(server);
        Assert.Equal(Content, Arrived());
    }

    [Fact]
    public async Task A_server_that_ignores_ranges_sends_the_whole_again()
    {
        using ScriptedServer server = new(
            (_, n) => new(200, Content) { Headers = { ["ETag"] = "\"one\"" }, CutAfter = n == 0 ? 100_000 : null }
        );
        await Pull(server);
        Assert.Equal(Content, Arrived());
    }

    [Fact]
    public async Task Without_anything_that_tells_versions_apart_nothing_is_gone_on_with()
    {
        using ScriptedServer server = new(
            (asked, n) => Answer.File(Content, asked, etag: null) with { CutAfter = n == 0 ? 100_000 : null }
        );
        await Pull(server);
        Assert.Equal([0, 0], server.Requests.Select(request => request.From));
    }

    [Fact]
    public async Task A_server_that_promises_more_than_it_has_is_not_believed()
    {
        using ScriptedServer server = new(
            (asked, _) =>
                asked.From >= Content.Length ? new(416) : Answer.File(Content, asked) with { SaidLength = 350_000 }
        );
        await Refused(server);
        Assert.False(File.Exists(folder["words.txt"]));
    }

    [Fact]
    public async Task A_server_that_promises_less_than_the_hash_is_of_is_found_out()
    {
        using ScriptedServer server = new((asked, _) => Answer.File(Content, asked) with { SaidLength = 200_000 });
        Assert.Contains("the sha256", await Refused(server, Sha256(Content)));
        Assert.Equal([folder[".pull.lock"]], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task A_body_without_a_length_is_whole_at_its_end_if_its_hash_is_right()
    {
        using ScriptedServer server = new((asked, _) => Answer.File(Content, asked) with { WithoutLength = true });
        var pulled = await Pull(server, Sha256(Content));
        Assert.Equal("sha256, published with the model", pulled.Files[0].Checked);
    }

    public static TheoryData<string, string, string> Hashes =>
        new()
        {
            {
                "x-goog-hash",
                $"crc32c=AAAAAA==, md5={Convert.ToBase64String(MD5.HashData(Content))}",
                "md5, x-goog-hash header"
            },
            { "x-goog-hash", $"crc32c={Crc32C(Content)}", "crc32c, x-goog-hash header" },
            { "ETag", $"\"{Convert.ToHexStringLower(MD5.HashData(Content))}\"", "md5, ETag header, taken as MD5" },
            { "x-linked-etag", $"\"{Sha256(Content)}\"", "sha256, x-linked-etag header" },
            {
                "Repr-Digest",
                $"sha-256=:{Convert.ToBase64String(SHA256.HashData(Content))}:",
                "sha256, Repr-Digest header"
            },
        };

    [Theory]
    [MemberData(nameof(Hashes))]
    public async Task Where_no_hash_is_published_the_server_s_own_is_used(string header, string value, string said)
    {
        using ScriptedServer server = new(
            (asked, _) =>
                new(200, asked.Path.Contains("wrong", StringComparison.Ordinal) ? Other : Content)
                {
                    Headers = { [header] = value },
                }
        );
        Assert.Equal(said, (await Pull(server)).Files[0].Checked);
        File.Delete(folder["words.txt"]);
        Assert.Contains($"the {said.Split(',')[0]} ", await Refused(server, path: "wrong"));
        Assert.False(File.Exists(folder["words.txt"]) || File.Exists(folder["words.txt.part"]));
    }

    [Fact]
    public async Task Git_s_own_hash_of_a_small_file_is_understood()
    {
        var sha1 = Convert.ToHexStringLower(
            SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {Content.Length}\0"), .. Content])
        );
        using ScriptedServer server = new(
            (asked, _) => new(200, Content) { Headers = { ["ETag"] = $"\"{sha1}\"", ["x-repo-commit"] = "abc" } }
        );
        Assert.Equal("git-sha1, ETag header", (await Pull(server)).Files[0].Checked);
    }

    [Fact]
    public async Task Redirects_are_followed_and_their_hash_counts()
    {
        using ScriptedServer server = new(
            (asked, _) =>
                asked.Path == "/moved"
                    ? Answer.File(Content, asked)
                    : new(302) { Headers = { ["Location"] = "/moved", ["x-linked-etag"] = $"\"{Sha256(Content)}\"" } }
        );
        Assert.Equal("sha256, x-linked-etag header", (await Pull(server)).Files[0].Checked);
        Assert.Equal(Content, Arrived());
    }

    [Theory]
    [InlineData("/a/words.txt", "redirects more than 10 times")]
    [InlineData("", "redirects to nowhere")]
    [InlineData("file:///etc/passwd", "from http to file")]
    public async Task Redirects_that_lead_nowhere_are_one_line(string location, string what)
    {
        using ScriptedServer server = new((_, _) => new(302) { Headers = { ["Location"] = location } });
        Assert.Contains(what, await Refused(server));
    }

    [Theory]
    [InlineData(404, "404", "The file is not there")]
    [InlineData(403, "403", "without permission")]
    public async Task What_is_not_there_or_not_allowed_is_one_line_and_asked_once(
        int status,
        string code,
        string remedy
    )
    {
        using ScriptedServer server = new((_, _) => new(status));
        var message = await Refused(server);
        Assert.Contains($"the server says {code}", message);
        Assert.Contains(remedy, message);
        Assert.Single(server.Requests);
        Assert.Equal([folder[".pull.lock"]], Directory.GetFiles(folder.Path));
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task A_busy_server_is_asked_again_after_the_pause_that_it_asks_for(int status)
    {
        using ScriptedServer server = new(
            (asked, n) => n == 0 ? new(status) { Headers = { ["Retry-After"] = "1" } } : Answer.File(Content, asked)
        );
        List<string> said = [];
        await Pull(server, say: said.Add);
        Assert.Contains($"the server says {status}; asking again in 1 s", said);
        Assert.Equal(Content, Arrived());
    }

    [Fact]
    public async Task A_server_that_asks_for_an_hour_or_stays_busy_is_given_up()
    {
        using (ScriptedServer server = new((_, _) => new(503) { Headers = { ["Retry-After"] = "3600" } }))
        {
            Assert.Contains("asks to wait for 60 minutes", await Refused(server));
            Assert.Single(server.Requests);
        }
        using (ScriptedServer server = new((_, _) => new(500)))
        {
            Assert.Contains("the server says 500", await Refused(server));
            Assert.Equal(3, server.Requests.Count);
        }
    }

    [Fact]
    public async Task Nobody_at_the_address_is_one_line()
    {
        ScriptedServer server = new((_, _) => new(200));
        var address = server.Address;
        server.Dispose();
        var refused = await Assert.ThrowsAsync<LitException>(() =>
            ModelPull.RunAsync(Model(address), folder.Path, options: Brisk, cancel: Cancel)
        );
        Assert.Contains("3 times in a row", refused.Message);
    }

    [Fact]
    public async Task A_page_of_words_does_not_stay_under_a_checkpoint_s_name()
    {
        using ScriptedServer server = new(
            (asked, _) => Answer.File(Encoding.UTF8.GetBytes("<!doctype html><html>log in</html>"), asked)
        );
        var refused = await Assert.ThrowsAsync<LitException>(() =>
            ModelPull.RunAsync(Model(server.Address, "weights.npz"), folder.Path, options: Brisk, cancel: Cancel)
        );
        Assert.Contains("what arrived is no checkpoint and was deleted", refused.Message);
        Assert.False(File.Exists(folder["weights.npz"]));
    }

    [Fact]
    public async Task All_files_of_a_model_are_pulled_and_those_that_are_there_are_left()
    {
        Safetensors.Write(folder["model.safetensors"], [("a", ones(2))]);
        var weights = File.ReadAllBytes(folder["model.safetensors"]);
        File.Delete(folder["model.safetensors"]);
        using ScriptedServer server = new(
            (asked, _) =>
                Answer.File(
                    asked.Path.EndsWith("model.safetensors", StringComparison.Ordinal) ? weights : Content,
                    asked
                )
        );
        var model = Model(server.Address, "model.safetensors", "config.json", "vocab.txt");
        var pulled = await ModelPull.RunAsync(model, folder.Path, options: Brisk, cancel: Cancel);
        Assert.Equal(folder.Path, pulled.Path);
        Assert.Equal(3, server.Requests.Count);
        Assert.All((await ModelPull.RunAsync(model, folder.Path, options: Brisk, cancel: Cancel)).Files, file =>
            Assert.True(file.WasThere)
        );
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task Two_at_once_are_one_and_a_line()
    {
        using ScriptedServer server = new(
            (asked, _) => Answer.File(Content, asked) with { CutAfter = 1000, Stalls = true }
        );
        using CancellationTokenSource stop = new();
        var first = ModelPull.RunAsync(Model(server.Address), folder.Path, options: Brisk, cancel: stop.Token);
        while (server.Requests.Count == 0)
            await Task.Delay(5, Cancel);
        Assert.Contains("another process is downloading words", await Refused(server));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
    }

    [Fact]
    public async Task A_mirror_is_laid_out_as_the_cache_or_follows_a_pattern()
    {
        using ScriptedServer server = new((asked, _) => Answer.File(Content, asked));
        var model = Model("https://original.example");
        await ModelPull.RunAsync(model, folder.Path, new Mirror($"{server.Address}/copy/"), Brisk, cancel: Cancel);
        File.Delete(folder["words.txt"]);
        await ModelPull.RunAsync(
            model,
            folder.Path,
            new Mirror(server.Address + "/{host}{path}"),
            Brisk,
            cancel: Cancel
        );
        Assert.Equal(
            ["/copy/words/words.txt", "/original.example/a/words.txt"],
            server.Requests.Select(request => request.Path)
        );
        Assert.Throws<UsageException>(() => new Mirror("ftp://x"));
        Assert.Throws<UsageException>(() => new Mirror("mirror"));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string? OldAddress { get; set; }

    private byte[] Arrived() => File.ReadAllBytes(folder["words.txt"]);

    private Task<PulledModel> Pull(
        ScriptedServer server,
        string? sha256 = null,
        Action<string>? say = null,
        string path = "a",
        DownloadOptions? options = null
    )
    {
        OldAddress = server.Address;
        var model = Model(server.Address);
        var file = model.Files[0] with { Sha256 = sha256, Url = new Uri($"{server.Address}/{path}/words.txt") };
        return ModelPull.RunAsync(
            model with
            {
                Files = [file],
            },
            folder.Path,
            options: options ?? Brisk,
            say: say,
            cancel: Cancel
        );
    }

    private async Task<string> Refused(
        ScriptedServer server,
        string? sha256 = null,
        string path = "a",
        DownloadOptions? options = null
    ) => (await Assert.ThrowsAsync<LitException>(() => Pull(server, sha256, path: path, options: options))).Message;

    private static CataloguedModel Model(string address, params string[] files) =>
        new()
        {
            Name = "words",
            Kind = ModelKind.TextTower,
            Family = "test",
            Parameters = 1,
            Width = 1,
            TrainedOn = "nothing",
            Licence = "none",
            Source = new(address),
            Files =
            [
                .. (files.Length == 0 ? ["words.txt"] : files).Select(file => new CataloguedFile(
                    file,
                    new Uri($"{address}/a/{file}")
                )),
            ],
        };

    private static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    // Bit by bit, as the polynomial is written down (RFC 3720, B.4).
    private static string Crc32C(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var one in bytes)
        {
            crc ^= one;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0x82F63B78 & (uint)-(int)(crc & 1));
        }
        var big = new byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(big, ~crc);
        return Convert.ToBase64String(big);
    }

    private static byte[] RandomContent(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
