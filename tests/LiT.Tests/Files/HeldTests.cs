using System.IO.MemoryMappedFiles;

namespace LiT.Tests.Files;

/// <summary>What says that nothing stays locked must itself see what does.</summary>
public sealed class HeldTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void An_open_file_and_a_mapped_one_are_held_until_they_are_closed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc says what a process holds; other systems have none.");
        folder.Write("open.bin", [1, 2, 3]);
        folder.Write("mapped.bin", [4, 5, 6]);
        using (File.OpenRead(folder["open.bin"]))
            Assert.Equal([folder["open.bin"]], Held.Under(folder.Path));
        var file = MemoryMappedFile.CreateFromFile(folder["mapped.bin"], FileMode.Open);
        using (file.CreateViewAccessor())
        {
            file.Dispose(); // the view alone keeps it
            Assert.Equal([folder["mapped.bin"]], Held.Under(folder.Path));
        }
        Assert.Empty(Held.Under(folder.Path));
        Assert.Empty(Held.Under(folder.Path[..^1])); // another folder whose name this one begins with
    }
}
