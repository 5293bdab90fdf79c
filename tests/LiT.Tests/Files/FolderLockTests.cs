using LiT.Files;

namespace LiT.Tests.Files;

public sealed class FolderLockTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_folder_belongs_to_one_until_it_is_given_back()
    {
        using (FolderLock.Take(folder.Path))
        {
            var refused = Assert.Throws<LitException>(() => FolderLock.Take(folder.Path));
            Assert.Equal("another program is writing here", refused.Problem);
            Assert.Equal(folder.Path, refused.Subject);
        }
        Assert.Empty(Directory.GetFiles(folder.Path));
        FolderLock.Take(folder.Path).Dispose();
    }

    [Fact]
    public void A_lock_says_who_has_the_folder_and_may_leave_its_file()
    {
        LockWords words = new()
        {
            File = ".lock",
            Stays = true,
            Taken = "somebody is here",
        };
        using (FolderLock.Take(folder.Path, words))
            Assert.Equal(
                "somebody is here",
                Assert.Throws<LitException>(() => FolderLock.Take(folder.Path, words)).Problem
            );
        Assert.Equal([folder[".lock"]], Directory.GetFiles(folder.Path));
        FolderLock.Take(folder.Path, words).Dispose();
    }

    [Fact]
    public async Task Whoever_takes_it_in_turn_waits_until_the_other_has_done()
    {
        var first = FolderLock.TakeInTurn(folder.Path, ".turn");
        var second = Task.Run(() => FolderLock.TakeInTurn(folder.Path, ".turn"), TestContext.Current.CancellationToken);
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.False(second.IsCompleted);
        first.Dispose();
        (await second.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).Dispose();
    }

    [Fact]
    public void A_file_in_the_folders_place_is_told_of()
    {
        File.WriteAllText(folder["file"], "");
        Assert.Equal(
            "is a file, where a folder is to be written",
            Assert.Throws<LitException>(() => FolderLock.Take(folder["file"])).Problem
        );
    }
}
