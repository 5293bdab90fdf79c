using System.Formats.Tar;
using System.IO.Compression;
using CsCheck;
using LiT.Data;
using static LiT.Tests.Data.Reading;

namespace LiT.Tests.Data;

public sealed class TarDamageTests : IDisposable
{
    private const int Samples = 6;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_cut_archive_gives_everything_before_the_cut_and_names_the_member()
    {
        var tar = Archive();
        var read = Of(folder.Write("a.tar", tar[..(Start(tar, "k3.jpg") + 512 + 300)]));

        Assert.Equal("k0 k1 k2", read.Keys);
        Assert.Equal(
            "a.tar:k3.jpg: the archive ends 400 bytes before the end of this member (of 700)",
            read.OnlySkipped
        );
    }

    [Fact]
    public void A_cut_gzip_gives_everything_before_the_cut_and_names_the_member()
    {
        var tar = new TarBuilder(TarEntryFormat.Ustar);
        for (var i = 0; i < Samples; i++)
            tar.Add($"k{i}.jpg", Noise(20_000, i));
        var gzip = tar.ToGzip();
        var read = Of(folder.Write("a.tar.gz", gzip[..(gzip.Length * 7 / 12)]));

        Assert.Equal("k0 k1 k2", read.Keys);
        Assert.StartsWith(
            "a.tar.gz:k3.jpg: the archive is cut inside this member (after",
            read.OnlySkipped,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_cut_between_two_members_is_noted()
    {
        var tar = Archive();
        var read = Of(folder.Write("a.tar", tar[..Start(tar, "k3.jpg")]));

        Assert.Equal("k0 k1 k2", read.Keys);
        Assert.Contains("no end mark", read.OnlyNote, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_header_costs_one_sample()
    {
        var tar = Archive();
        tar[Start(tar, "k3.jpg") + 5] ^= 0x40;
        var read = Of(folder.Write("a.tar", tar));

        Assert.Equal("k0 k1 k2 k4 k5", read.Keys);
        Assert.StartsWith("a.tar:k3.txt: damaged from byte", read.OnlySkipped, StringComparison.Ordinal);
    }

    [Fact]
    public void A_member_with_a_lying_length_costs_one_sample()
    {
        var tar = Archive();
        var header = tar.AsSpan(Start(tar, "k3.jpg"), 512);
        "77777777777\0"u8.CopyTo(header[124..]);
        Resum(header);
        var read = Of(folder.Write("a.tar", tar));

        Assert.Equal("k0 k1 k2 k4 k5", read.Keys);
        Assert.Contains("a.tar:k3.jpg: the archive ends", read.OnlySkipped, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lying_length_in_a_compressed_archive_takes_no_memory_for_it()
    {
        var tar = Archive();
        var header = tar.AsSpan(Start(tar, "k3.jpg"), 512);
        "00700000000\0"u8.CopyTo(header[124..]); // 112 MiB, below the limit for pictures
        Resum(header);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var samples = LiT.Data.Samples.Open(folder.Write("a.tar.gz", Gzip(tar))).ReadAll().ToList();

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
        Assert.Equal(3, samples.Count(found => found.Sample is not null));
        Assert.Equal("k3", Assert.Single(samples, found => found.Skipped is not null).Skipped!.Key);
    }

    [Fact]
    public void Whatever_the_damage_everything_before_it_is_read_and_found_is_used_and_skipped()
    {
        var whole = Archive();
        var damage = Gen.Select(
            Gen.Int[0, whole.Length - 1],
            Gen.Byte[1, 255],
            Gen.Int[1, 600],
            Gen.Int[0, 2],
            Gen.Bool
        );
        damage.Sample(
            (at, mask, run, kind, pack) =>
            {
                var tar = kind == 0 ? whole[..at] : [.. whole];
                if (kind == 1)
                    tar[at] ^= mask;
                if (kind == 2)
                    for (var i = at; i < Math.Min(at + run, tar.Length); i++)
                        tar[i] ^= mask;
                var path = Path.Combine(folder.Path, $"{Guid.NewGuid():N}.tar");
                File.WriteAllBytes(path, pack ? Gzip(tar) : tar);
                Check(path, wholeSamples: Enumerable.Range(0, Samples).Count(i => End(whole, $"k{i}.txt") <= at));
            },
            iter: 300,
            threads: 1
        );
    }

    [Fact]
    public void Damage_of_the_compressed_bytes_is_survived_too()
    {
        var whole = Gzip(Archive());
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte[1, 255], Gen.Bool)
            .Sample(
                (at, mask, cut) =>
                {
                    var tar = cut ? whole[..at] : [.. whole];
                    if (!cut)
                        tar[at] ^= mask;
                    var path = Path.Combine(folder.Path, $"{Guid.NewGuid():N}.tar.gz");
                    File.WriteAllBytes(path, tar);
                    Check(path, wholeSamples: 0);
                },
                iter: 300,
                threads: 1
            );
    }

    private static void Check(string path, int wholeSamples)
    {
        List<Found> found;
        try
        {
            found = [.. LiT.Data.Samples.Open(path).ReadAll()];
        }
        catch (LitException) when (wholeSamples == 0)
        {
            return;
        }
        finally
        {
            File.Delete(path);
        }
        Assert.All(found, one => Assert.True(one.Sample is null != one.Skipped is null));
        var keys = found.Where(one => one.Sample is not null).Select(one => one.Sample!.Key).ToList();
        Assert.Equal(Enumerable.Range(0, wholeSamples).Select(i => $"k{i}"), keys.Take(wholeSamples));
        Assert.Equal(keys.Count, keys.Distinct().Count());
        foreach (var one in found.Take(wholeSamples))
            Assert.Equal(Noise(700, one.Sample!.Key[1] - '0'), one.Sample.ReadImage!());
    }

    private static byte[] Archive()
    {
        var tar = new TarBuilder(TarEntryFormat.Ustar);
        for (var i = 0; i < Samples; i++)
            tar.Add($"k{i}.jpg", Noise(700, i)).Add($"k{i}.txt", $"caption {i}");
        return tar.ToArray();
    }

    private static byte[] Noise(int count, int seed)
    {
        var bytes = new byte[count];
        var state = (uint)seed * 2654435761 + 1;
        for (var i = 0; i < count; i++)
            bytes[i] = (byte)((state = state * 1664525 + 1013904223) >> 24);
        return bytes;
    }

    private static int Start(byte[] tar, string member) =>
        tar.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(member + "\0"));

    /// <summary>Where a member's content ends, without its padding.</summary>
    private static int End(byte[] tar, string member) => Start(tar, member) + 512 + "caption 0".Length;

    private static void Resum(Span<byte> header)
    {
        header.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var b in header)
            sum += b;
        System.Text.Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[148..]);
    }

    private static byte[] Gzip(byte[] bytes)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return packed.ToArray();
    }
}
