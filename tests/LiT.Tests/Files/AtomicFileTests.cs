using LiT.Files;

namespace LiT.Tests.Files;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_file_is_written_whole_and_its_folder_is_made()
    {
        AtomicFile.WriteAllText(folder["a", "b", "x.txt"], "grün\n");
        Assert.Equal([0x67, 0x72, 0xC3, 0xBC, 0x6E, 0x0A], File.ReadAllBytes(folder["a", "b", "x.txt"]));
        Assert.Single(Directory.GetFiles(folder["a", "b"]));
    }

    [Fact]
    public void A_write_that_fails_half_way_leaves_the_old_file_and_no_temporary_one()
    {
        AtomicFile.WriteAllText(folder["x"], "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(folder["x"], stream =>
            {
                stream.Write(new byte[100_000]);
                throw new InvalidOperationException();
            }));
        Assert.Equal("old", File.ReadAllText(folder["x"]));
        Assert.Equal([folder["x"]], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Until_the_writing_is_done_readers_see_the_old_file()
    {
        AtomicFile.WriteAllText(folder["x"], "old");
        AtomicFile.Write(folder["x"], stream =>
        {
            stream.Write("new"u8);
            stream.Flush();
            Assert.Equal("old", File.ReadAllText(folder["x"]));
        });
        Assert.Equal("new", File.ReadAllText(folder["x"]));
    }

    [Fact]
    public async Task Writing_can_be_asynchronous_and_cancelling_leaves_the_old_file()
    {
        await AtomicFile.WriteAsync(
            folder["x"],
            async (stream, cancel) => await stream.WriteAsync("one"u8.ToArray(), cancel),
            TestContext.Current.CancellationToken
        );
        using var cancelled = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            AtomicFile.WriteAsync(
                folder["x"],
                async (stream, cancel) =>
                {
                    await stream.WriteAsync("two"u8.ToArray(), cancel);
                    await cancelled.CancelAsync();
                    cancel.ThrowIfCancellationRequested();
                },
                cancelled.Token
            )
        );
        Assert.Equal("one", File.ReadAllText(folder["x"]));
        Assert.Equal([folder["x"]], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void What_a_killed_write_left_long_ago_is_cleared_away_and_a_fresh_one_is_not()
    {
        File.WriteAllText(folder[".x.tmp-old"], "");
        File.SetLastWriteTimeUtc(folder[".x.tmp-old"], DateTime.UtcNow.AddHours(-2));
        File.WriteAllText(folder[".x.tmp-fresh"], "");
        AtomicFile.WriteAllText(folder["x"], "new");
        Assert.Equal(
            [folder[".x.tmp-fresh"], folder["x"]],
            Directory.GetFiles(folder.Path).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void The_owner_of_a_folder_clears_away_all_that_killed_writes_left()
    {
        foreach (var name in new[] { ".x.tmp-fresh", ".hidden", "x" })
            File.WriteAllText(folder[name], "");
        AtomicFile.RemoveLeft(folder.Path);
        AtomicFile.RemoveLeft(folder["nowhere"]);
        Assert.Equal([folder[".hidden"], folder["x"]], Directory.GetFiles(folder.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_link_stays_a_link_and_its_target_is_replaced()
    {
        AtomicFile.WriteAllText(folder["real", "x"], "old");
        File.CreateSymbolicLink(folder["link"], folder["real", "x"]);
        AtomicFile.WriteAllText(folder["link"], "new");
        Assert.Equal(folder["real", "x"], new FileInfo(folder["link"]).LinkTarget);
        Assert.Equal("new", File.ReadAllText(folder["real", "x"]));
    }

    [Fact]
    public void The_longest_name_that_a_disk_allows_can_be_written()
    {
        var name = new string('重', 85);
        AtomicFile.WriteAllText(folder[name], "x");
        Assert.Equal([folder[name]], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_device_is_written_to_and_not_replaced()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no /dev/null.");
        AtomicFile.WriteAllText("/dev/null", "gone");
        Assert.Equal("", File.ReadAllText("/dev/null"));

        File.CreateSymbolicLink(folder["link"], "/dev/null");
        AtomicFile.WriteAllText(folder["link"], "gone");
        Assert.Equal("", File.ReadAllText("/dev/null"));
        Assert.Equal("/dev/null", new FileInfo(folder["link"]).LinkTarget);
    }

    [Fact]
    public void A_full_disk_a_folder_and_a_file_in_the_way_are_one_line_each_that_says_what_to_do()
    {
        var full = Assert.Throws<LitException>(() =>
            AtomicFile.Write(folder["x"], _ => throw new IOException("No space left", 28))
        );
        Assert.Equal($"{folder["x"]}: the disk is full. Free some space, or write to another disk.", full.Message);
        Assert.Empty(Directory.GetFiles(folder.Path));

        var isFolder = Assert.Throws<LitException>(() => AtomicFile.WriteAllText(folder.Path, ""));
        Assert.Equal($"{folder.Path}: is a folder, where a file is to be written. Give a file name.", isFolder.Message);

        File.WriteAllText(folder["file"], "");
        var fileInTheWay = Assert.Throws<LitException>(() => AtomicFile.WriteAllText(folder["file", "x"], ""));
        Assert.Equal(
            $"{folder["file", "x"]}: cannot be written, because {folder["file"]} is a file and no folder. "
                + "Choose another name.",
            fileInTheWay.Message
        );
    }
}
