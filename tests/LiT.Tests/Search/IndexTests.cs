using LiT.Search;
using LiT.Stores;

namespace LiT.Tests.Search;

/// <summary>The files beside a store's rows: damage is named in one line, and whatever else changes, answers stay
/// right.</summary>
public sealed class IndexTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly float[][] rows = MadeRows.Random(50, 16, 1);

    public IndexTests()
    {
        MadeRows.Write(folder["store"], rows, 20);
        Assert.Equal(3, StoreIndex.Build(folder["store"]));
    }

    public void Dispose() => folder.Dispose();

    private string Codes => folder["store", "index", "codes_0001.bin"];

    private string Columns => folder["store", "index", "columns_0001.bin"];

    [Fact]
    public void Built_again_nothing_is_made_and_what_is_missing_is()
    {
        Assert.Equal(0, StoreIndex.Build(folder["store"]));
        File.Delete(Codes);
        Assert.Equal(new(50, 50, 0, 3, 2, 3, 0), StoreIndex.Status(folder["store"]) with { Bytes = 0 });
        Check(indexed: false);
        Assert.Equal(1, StoreIndex.Build(folder["store"]));
        Check(indexed: true);
        using var store = EmbeddingStore.Open(folder["store"]);
        Assert.Equal(new(50, 5, 1), StoreIndex.Verify(null, store, 50, 5));
    }

    [Fact]
    public void A_code_file_that_is_cut_is_named_with_what_to_do()
    {
        foreach (var length in new[] { 0, 7, 100, 128, 1000, (int)new FileInfo(Codes).Length - 1 })
        {
            File.WriteAllBytes(folder["cut"], File.ReadAllBytes(Codes)[..length]);
            Assert.EndsWith(
                "Run `StoreIndex` on the store; the rows are not touched.",
                Assert.Throws<LitException>(() => new CodeFile(folder["cut"])).Message
            );
        }
        using (var file = File.OpenWrite(Codes))
            file.SetLength(500);
        Assert.Contains("codes_0001.bin", Assert.Throws<LitException>(() => Check(indexed: true)).Message);
        Assert.Equal(1, StoreIndex.Build(folder["store"]));
        Check(indexed: true);
    }

    [Theory]
    [InlineData(8, "version")] // the version
    [InlineData(17, "its head is damaged")] // rows
    [InlineData(30, "its head is damaged")] // the fingerprint
    [InlineData(130, "the codes of rows 0 to 19 are damaged")] // a scale
    [InlineData(400, "the codes of rows 0 to 19 are damaged")] // a code
    [InlineData(-3, "the codes of rows 0 to 19 are damaged")] // a checksum
    public void A_flipped_bit_of_a_code_file_is_named_and_not_believed(int at, string problem)
    {
        var bytes = File.ReadAllBytes(Codes);
        bytes[at < 0 ? bytes.Length + at : at] ^= 16;
        File.WriteAllBytes(Codes, bytes);
        var message = Assert.Throws<LitException>(() => Check(indexed: true)).Message;
        Assert.Contains($"codes_0001.bin: {problem}", message);
        Assert.Contains("`StoreIndex`", message);
        Assert.Equal(1, StoreIndex.Build(folder["store"]));
        Check(indexed: true);
    }

    [Fact]
    public void No_flipped_bit_of_a_column_file_changes_what_it_says()
    {
        var bytes = File.ReadAllBytes(Columns);
        var said = Said(bytes);
        for (var at = 0; at < bytes.Length; at++)
        {
            var other = bytes.ToArray();
            other[at] ^= (byte)(1 << at % 8);
            try
            {
                Assert.Equal(said, Said(other));
            }
            catch (LitException damage)
            {
                Assert.Contains("StoreIndex", damage.Message);
            }
        }
    }

    [Fact]
    public void Codes_of_other_rows_are_as_if_they_were_not_there()
    {
        MadeRows.Write(folder["other"], [.. rows.Select(row => row.Select(x => -x).ToArray())], 20);
        foreach (var path in Directory.GetFiles(folder["other", "img_emb"]))
            File.Copy(path, folder["store", "img_emb", Path.GetFileName(path)], overwrite: true);
        Check(indexed: false);
        Assert.Equal(3, StoreIndex.Build(folder["store"]));
        Check(indexed: true);
    }

    [Fact]
    public void One_row_that_was_written_again_is_not_answered_from_its_old_codes()
    {
        var path = folder["store", "img_emb", "img_emb_0001.npy"];
        var bytes = File.ReadAllBytes(path);
        for (var k = 0; k < 16; k++)
            bytes[^(6 * 32 - 2 * k - 1)] ^= 0x80; // the signs of the sixth from the end: none that is looked at
        File.WriteAllBytes(path, bytes);
        Check(indexed: false);
        Assert.Equal(1, StoreIndex.Build(folder["store"]));
        Check(indexed: true);
    }

    [Fact]
    public void A_file_that_goes_away_while_it_is_opened_is_as_if_it_were_not_there()
    {
        // As a compaction does to a reader: seen, and gone when it is opened.
        foreach (var path in new[] { Codes, Columns })
        {
            File.Delete(path);
            File.CreateSymbolicLink(path, folder["gone"]);
            Assert.True(File.Exists(path));
        }
        Check(indexed: false);
    }

    [Fact]
    public void One_program_builds_at_a_time()
    {
        using var other = File.Open(
            folder["store", "index", ".writing"],
            FileMode.Create,
            FileAccess.ReadWrite,
            FileShare.None
        );
        Assert.Contains(
            "another program is writing here",
            Assert.Throws<LitException>(() => StoreIndex.Build(folder["store"])).Message
        );
    }

    private static string Said(byte[] bytes)
    {
        using ColumnFile columns = new(bytes, "columns");
        return string.Join(
            '|',
            columns.Names.SelectMany(name => Enumerable.Range(0, columns.Rows).Select(row => columns.Text(name, row)))
        );
    }

    /// <summary>A search gives what the plain scan gives.</summary>
    private void Check(bool indexed)
    {
        using var store = EmbeddingStore.Open(folder["store"], wordsLater: true);
        using var collection = Collection.Of(null, store);
        Assert.Equal(indexed, collection.IsIndexed);
        var queries = new Embeddings([.. rows.Take(5).SelectMany(row => row)], 16).ToUnit();
        Assert.Equal(
            Nearest.Find(collection, queries, 5, null, withCodes: false),
            Nearest.Find(collection, queries, 5, null)
        );
        Assert.Equal("k20", collection.Key(20));
    }
}
