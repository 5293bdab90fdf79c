using LiT.Checkpoints;
using LiT.Data;
using LiT.Files;
using LiT.Stores;

namespace LiT.Tests.Files;

/// <summary>Links as a Hugging Face cache is made of them: read through, written through, never replaced.</summary>
public sealed class LinkedTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_length_is_that_of_the_file_at_the_end_of_the_links()
    {
        folder.Write("blobs/aa", new byte[12345]);
        Link("snapshots/abc/x.bin", "../../blobs/aa");
        Link("second.bin", "snapshots/abc/x.bin");
        Assert.Equal(12345, Linked.Length(folder["second.bin"]));
        Assert.Equal(folder["blobs", "aa"], Linked.Target(folder["second.bin"]));
        Assert.False(Linked.Info(Link("gone", "nowhere")).Exists);
    }

    [Fact]
    public void A_link_that_leads_to_nothing_is_told_from_one_that_leads_in_a_circle()
    {
        folder.Write("here", "x");
        Link("good", "here");
        Directory.CreateDirectory(folder["below"]);
        Link("folder", "below");
        foreach (var whole in new[] { "here", "good", "folder", "nobody" })
            Assert.Null(Linked.Broken(folder[whole]));
        Assert.Equal("is a link to nowhere, which is not there", Linked.Broken(Link("gone", "nowhere")));
        Assert.Equal("is a link to gone, which is not there", Linked.Broken(Link("further", "gone")));
        Assert.Equal("is a link to no/where, which is not there", Linked.Broken(Link("deep", "no/where")));
        Assert.Equal("is a link to nowhere, which is not there", Linked.Broken(folder["gone"] + "/"));
        Link("a", "b");
        Assert.Equal(Linked.Circle, Linked.Broken(Link("b", "a")));
        Assert.Equal(Linked.Circle, Inside.Refusal(folder.Path, "a"));
        var settings = Assert.Throws<LitException>(() => SettingsFile.IsAt(folder["a"]));
        Assert.Contains("a: is a link that leads back to itself", settings.Message);
    }

    [Theory]
    [InlineData("g.tar", "elsewhere.tar", "is a link to elsewhere.tar, which is not there")]
    [InlineData("photos", "elsewhere", "is a link to elsewhere, which is not there")]
    [InlineData("round.tar", "round.tar", "is a link that leads back to itself")]
    public void Data_and_a_store_at_such_a_link_are_refused_for_that(string name, string to, string why)
    {
        var path = Link(name, to);
        Assert.Contains(why, Assert.Throws<LitException>(() => Samples.Open(path)).Message);
        var description = new StoreDescription
        {
            Fingerprint = "t",
            Tower = "t",
            EmbeddingSize = 4,
            Source = "s",
            RowsPerShard = 10,
        };
        var refused = Assert.Throws<LitException>(() => EmbeddingStoreWriter.Open(path, description));
        Assert.Contains(why, refused.Message);
    }

    [Fact]
    public void A_finished_file_goes_where_the_link_leads()
    {
        folder.Write("blobs/aa", "old");
        Link("a/name", "../blobs/aa");
        Linked.Put(folder.Write("a/.tmp", "new"), folder["a", "name"]);
        AssertLink("a/name");
        Assert.Equal("new", File.ReadAllText(folder["blobs", "aa"]));
        Assert.False(File.Exists(folder["a", ".tmp"]));
        Assert.Equal(
            ["aa"],
            Directory.EnumerateFileSystemEntries(folder["blobs"]).Select(path => Path.GetFileName(path))
        );
    }

    [Fact]
    public void So_does_a_folder()
    {
        folder.Write("disk/old.npy", "old");
        Link("store/img_emb", "../disk");
        folder.Write("store/.update/img_emb/new.npy", "new");
        Linked.PutFolder(folder["store", ".update", "img_emb"], folder["store", "img_emb"]);
        Assert.NotNull(new DirectoryInfo(folder["store", "img_emb"]).LinkTarget);
        Assert.Equal("new.npy", Path.GetFileName(Assert.Single(Directory.EnumerateFiles(folder["disk"]))));
        Assert.False(Directory.Exists(folder["store", ".update", "img_emb"]));
    }

    [Fact]
    public void What_is_written_atomically_goes_through_a_link_that_leads_nowhere_yet()
    {
        Directory.CreateDirectory(folder["other"]);
        Link("model.json", "other/model.json");
        AtomicFile.WriteAllText(folder["model.json"], "{}");
        AssertLink("model.json");
        Assert.Equal("{}", File.ReadAllText(folder["other", "model.json"]));
    }

    [Theory]
    [InlineData("w.safetensors")]
    [InlineData("w.npz")]
    public void A_linked_checkpoint_is_read_as_the_file_that_it_leads_to(string name)
    {
        using var weights = TorchSharp.torch.arange(40_000, dtype: TorchSharp.torch.ScalarType.Float32);
        var real = folder["blobs", name];
        if (name.EndsWith(".npz", StringComparison.Ordinal))
            Npz.Write(real, [("w", weights)]);
        else
            Safetensors.Write(real, [("w", weights)]);
        Link("snapshots/abc/" + name, "../../blobs/" + name);
        using var checkpoint = Checkpoint.Open(folder["snapshots", "abc", name]);
        using var read = checkpoint.Read("w");
        Assert.True(read.equal(weights).all().item<bool>());
    }

    [Fact]
    public void A_name_inside_a_folder_stays_inside()
    {
        folder.Write("bundle/text.safetensors", "t");
        folder.Write("bundle/sub/image.safetensors", "i");
        folder.Write("outside/secret.safetensors", "s");
        Link("bundle/door", "../outside");
        Link("bundle/inner", "sub");
        Link("bundle/leads-out.safetensors", "../outside/secret.safetensors");
        Link("bundle/leads-in.safetensors", "sub/image.safetensors");
        string? Refusal(string name, string? hash = null) => Inside.Refusal(folder["bundle"], name, hash);

        foreach (
            var name in new[]
            {
                "text.safetensors",
                "sub/image.safetensors",
                "inner/image.safetensors",
                "leads-in.safetensors",
                "not-there-yet",
            }
        )
            Assert.Null(Refusal(name));
        Assert.Equal("leads out of the folder", Refusal("../outside/secret.safetensors"));
        Assert.Equal("leads out of the folder", Refusal("sub/../../outside/secret.safetensors"));
        Assert.Equal("leads out of the folder", Refusal(@"..\outside\secret.safetensors"));
        Assert.Equal("is an absolute path", Refusal(folder["outside", "secret.safetensors"]));
        Assert.Equal("is an absolute path", Refusal(@"C:\secret.safetensors"));
        Assert.Equal("leads out of the folder by a link", Refusal("door/secret.safetensors"));
        Assert.Equal("is a link out of the folder", Refusal("leads-out.safetensors"));
        Assert.Equal("is a link out of the folder", Refusal("leads-out.safetensors", new string('0', 64)));
        Assert.Equal("is no file's name", Refusal(""));
        // The right content may lie elsewhere: a bundle is often kept as links.
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("s"u8));
        Assert.Null(Refusal("leads-out.safetensors", hash));
    }

    [Fact]
    public void A_folder_of_hugging_faces_cache_may_lead_to_its_own_blobs_and_to_no_others()
    {
        folder.Write("models--me--x/blobs/aa", "w");
        folder.Write("models--me--y/blobs/bb", "w");
        Link("models--me--x/snapshots/abc/text.safetensors", "../../blobs/aa");
        Link("models--me--x/snapshots/abc/image.safetensors", "../../../models--me--y/blobs/bb");
        var snapshot = folder["models--me--x", "snapshots", "abc"];
        Assert.Null(Inside.Refusal(snapshot, "text.safetensors"));
        Assert.Equal("is a link out of the folder", Inside.Refusal(snapshot, "image.safetensors"));
    }

    private string Link(string name, string target)
    {
        var path = folder[name];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.CreateSymbolicLink(path, target);
        return path;
    }

    private void AssertLink(string name) => Assert.NotNull(new FileInfo(folder[name]).LinkTarget);
}
