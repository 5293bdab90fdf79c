using System.Diagnostics;
using System.Security.Cryptography;

namespace LiT.Cli.Tests;

/// <summary>
/// Every verb that writes much, on a disk that is too small for it: one clear line, nothing half-written, and with more
/// room the same command comes to the same bytes.
/// </summary>
public sealed class DiskFullTests(DiskFullTests.Drawings drawings) : IClassFixture<DiskFullTests.Drawings>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lit-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(
        "60k",
        "embed --image-tower cifar-resnet:20 --data pairs.tar --rows-per-shard 16 --batch 4 --threads 1"
    )]
    [InlineData("300k", "data convert --data pairs.tar --samples-per-shard 50")]
    [InlineData("300k", "data convert --data pairs.tar --samples-per-shard 50 --to parquet")]
    [InlineData("300k", "data convert --data pairs.tar --samples-per-shard 50 --to folder")]
    [InlineData("100k", "data filter --data pairs.tar --samples-per-shard 50 --min-side 0 --min-words 2")]
    [InlineData("40k", "data dedup --data pairs.tar --against test.tar")]
    [InlineData("300k", "data dedup --data pairs.tar --against test.tar --write webdataset")]
    [InlineData("20k", "data download list.tsv --rows-per-shard 40 --host-delay 0 --per-host 8")]
    [InlineData("200k", "data draw --split pairs --count 240")]
    public void One_line_nothing_half_written_and_with_more_room_the_same_bytes(string size, string command)
    {
        Assert.SkipUnless(CanMount(), "No file system of limited size can be mounted here (unshare -rm, tmpfs).");
        foreach (var name in new[] { "pairs.tar", "test.tar" })
            File.CreateSymbolicLink(Path.Combine(folder, name), Path.Combine(drawings.Folder, name));
        using var server = new PictureServer();
        File.WriteAllText(
            Path.Combine(folder, "list.tsv"),
            string.Concat(Enumerable.Range(0, 200).Select(i => $"{server.Address}/{i}\tcaption {i}\n"))
        );
        Run($"{command} --out whole");
        Directory.CreateDirectory(Path.Combine(folder, "small"));
        var small = $"'{Lit.Program}' {command} --out small/out";

        var outcome = Shell(
            $"mount -t tmpfs -o size={size} tmpfs small && {{ {small} >output 2>first; echo $? >code; find "
                + $"small -mindepth 1 >left; mount -o remount,size=50m small && {small} >output && cp -r "
                + "small/out again; }"
        );

        Assert.True(outcome == 0, Text("first"));
        Assert.Equal("1", Text("code").Trim());
        Assert.EndsWith(
            ": the disk is full. Free some space, or write to another disk.",
            Assert.Single(File.ReadAllLines(Path.Combine(folder, "first")), line =>
                line.StartsWith("lit: ", StringComparison.Ordinal)
            ),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(".tmp-", Text("left"), StringComparison.Ordinal);
        Assert.DoesNotContain(".spool", Text("left"), StringComparison.Ordinal);
        Assert.Equal(Hashes("whole"), Hashes("again"));
    }

    [Fact]
    public void A_store_whose_change_finds_no_room_stays_as_it_was_and_changes_as_soon_as_there_is_some()
    {
        Assert.SkipUnless(CanMount(), "No file system of limited size can be mounted here (unshare -rm, tmpfs).");
        File.CreateSymbolicLink(Path.Combine(folder, "pairs.tar"), Path.Combine(drawings.Folder, "pairs.tar"));
        Run("data convert --data pairs.tar --out pool --to folder");
        string[] all =
        [
            .. Directory.GetFiles(Path.Combine(folder, "pool"), "*.png", SearchOption.AllDirectories).Order(),
        ];
        foreach (var count in new[] { 60, 200, 30 })
        {
            var photos = Directory.CreateDirectory(Path.Combine(folder, $"photos{count}"));
            foreach (var path in all[..count])
                File.CreateSymbolicLink(Path.Combine(photos.FullName, Path.GetFileName(path)), path);
        }
        const string embed = "embed --image-tower cifar-resnet:20 --rows-per-shard 16";
        Run($"{embed} --data photos60 --out store");
        Run("index build store");
        Directory.CreateDirectory(Path.Combine(folder, "small"));

        // Each change is tried with no more room than the store takes, and some kilobytes, and then with enough.
        var outcome = Shell(
            $$"""
            lit='{{Lit.Program}}'
            mount -t tmpfs -o size=50m tmpfs small && cp -a store small/store || exit 9
            change() {
                name=$1 room=$2; shift 2
                mount -o remount,size=$(($(df -k --output=used small | tail -n 1) + room))k small || exit 8
                cp small/store/store.json $name.before
                "$lit" "$@" >$name.out 2>$name.err; echo $? >$name.code
                cp small/store/store.json $name.after
                mount -o remount,size=50m small
                "$lit" index verify small/store --sample 1000 --queries 3 >$name.verify 2>&1 || exit 7
                "$lit" "$@" >$name.out 2>$name.again || exit 6
            }
            change added 8 {{embed}} --data photos200 --out small/store --update
            change removed 0 {{embed}} --data photos30 --out small/store --update
            change compacted 4 index compact small/store
            "$lit" index verify small/store --sample 1000 --queries 3 >verified 2>&1 || exit 5
            "$lit" index status small/store --json >status || exit 4
            find small -name '*.tmp-*' >left
            """
        );

        var said = Directory.GetFiles(folder, "*.verify").Concat(Directory.GetFiles(folder, "*.again"));
        Assert.True(outcome == 0, $"{outcome}: {string.Join('\n', said.Select(File.ReadAllText))}");
        foreach (var name in new[] { "added", "removed", "compacted" })
        {
            Assert.Equal($"{name} 1", $"{name} {Text($"{name}.code").Trim()}");
            Assert.EndsWith(
                ": the disk is full. Free some space, or write to another disk.",
                Assert.Single(File.ReadAllLines(Path.Combine(folder, $"{name}.err")), line =>
                    line.StartsWith("lit: ", StringComparison.Ordinal)
                ),
                StringComparison.Ordinal
            );
            Assert.Equal(Text($"{name}.before"), Text($"{name}.after"));
        }
        var status = System.Text.Json.JsonDocument.Parse(Text("status")).RootElement;
        Assert.Equal((30, 0), (status.GetProperty("indexed").GetInt32(), status.GetProperty("removed").GetInt32()));
        Assert.Equal("", Text("left"));
    }

    [Fact]
    public void A_quickstart_that_finds_no_room_leaves_nothing_behind()
    {
        Assert.SkipUnless(CanMount(), "No file system of limited size can be mounted here (unshare -rm, tmpfs).");
        Directory.CreateDirectory(Path.Combine(folder, "small"));

        Assert.Equal(
            0,
            Shell(
                $"mount -t tmpfs -o size=100k tmpfs small && {{ '{Lit.Program}' quickstart --out "
                    + "small/quickstart 2>first; echo $? >code; find small -mindepth 1 >left; }"
            )
        );

        Assert.Equal(("1", ""), (Text("code").Trim(), Text("left")));
        Assert.Contains("pairs.tar: the disk is full", Text("first"), StringComparison.Ordinal);
    }

    private void Run(string command) => Lit.RunIn(folder, command.Split(' ')).Expect(0);

    private string Text(string name) => File.ReadAllText(Path.Combine(folder, name));

    private bool CanMount()
    {
        if (!OperatingSystem.IsLinux())
            return false;
        try
        {
            return Shell("mount -t tmpfs -o size=60k tmpfs .") == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    /// <summary>Runs a line where mounts are seen by it alone and vanish with it.</summary>
    private int Shell(string line)
    {
        using var shell = Process.Start(
            new ProcessStartInfo("unshare", ["-rm", "sh", "-c", line])
            {
                WorkingDirectory = folder,
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            }
        )!;
        _ = shell.StandardError.ReadToEndAsync();
        shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        return shell.ExitCode;
    }

    private IEnumerable<string> Hashes(string name) =>
        Directory
            .EnumerateFiles(
                Path.Combine(folder, name),
                "*",
                new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }
            )
            .Select(path =>
                $"{Path.GetRelativePath(Path.Combine(folder, name), path)} "
                + $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)))}"
            )
            .Order(StringComparer.Ordinal);

    /// <summary>Two small sets, drawn once.</summary>
    public sealed class Drawings : IDisposable
    {
        public Drawings()
        {
            foreach (var (split, count) in new[] { ("pairs", "240"), ("test", "20") })
                Lit.RunIn(Folder, "data", "draw", "--split", split, "--count", count, "--out", ".").Expect(0);
        }

        public string Folder { get; } = Directory.CreateTempSubdirectory("lit-test-").FullName;

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
