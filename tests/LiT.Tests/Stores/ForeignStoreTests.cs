using System.Runtime.InteropServices;
using System.Text;
using LiT.Stores;
using Parquet.Serialization;

namespace LiT.Tests.Stores;

public sealed class ForeignStoreTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Clip_retrievals_layout_is_read_in_the_order_of_its_numbers()
    {
        for (var shard = 0; shard < 11; shard++)
        {
            Numbers(
                $"img_emb/img_emb_{shard}.npy",
                [
                    [shard, 0],
                    [0, shard + 1],
                ]
            );
            Numbers(
                $"text_emb/text_emb_{shard}.npy",
                [
                    [1, 1],
                    [1, 1],
                ]
            );
            Captions(
                $"metadata/metadata_{shard}.parquet",
                [
                    new() { image_path = $"{shard}/0.jpg", caption = $"c{shard}" },
                    new() { image_path = $"{shard}/1.jpg", caption = null },
                ]
            );
        }

        using var store = EmbeddingStore.Open(folder.Path);

        Assert.Equal((22, 2), (store.Rows, store.EmbeddingSize));
        Assert.Null(store.Fingerprint);
        Assert.Equal("10/0.jpg", store.Key(20));
        Assert.Equal(["c2"], store.Captions(4));
        Assert.Empty(store.Captions(5));
        Assert.Equal(1, store.Norm(4));
        var rows = new float[4];
        store.ReadRows([4, 5], rows);
        Assert.Equal([1, 0, 0, 1], rows);
        store.ReadRows([4, 5], rows, ownLength: true);
        Assert.Equal([2, 0, 0, 3], rows);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_row_that_is_not_finite_is_named_with_its_file(float odd)
    {
        Numbers(
            "img_emb/img_emb_0.npy",
            [
                [1, 2],
                [3, 4],
            ]
        );
        Numbers(
            "img_emb/img_emb_1.npy",
            [
                [1, 2],
                [1e30f, 1e30f],
                [odd, 4],
            ]
        );
        using var store = EmbeddingStore.Open(folder.Path);
        var rows = new float[2];
        store.ReadRows([3], rows); // large, and finite
        foreach (var look in new Action[] { () => store.ReadRows([4], rows), store.CheckNumbers })
        {
            var trouble = Assert.Throws<LitException>(look).Message;
            Assert.StartsWith(
                $"{folder["img_emb", "img_emb_1.npy"]}, row 2: holds numbers that are not finite",
                trouble
            );
        }
    }

    [Fact]
    public void A_row_of_zeros_is_named_before_a_run_begins()
    {
        Numbers(
            "img_emb/img_emb_0.npy",
            [
                [1, 2],
                [0, -0f],
            ]
        );
        using var store = EmbeddingStore.Open(folder.Path);
        Assert.Contains(
            "img_emb_0.npy, row 1: all its numbers are zero",
            Assert.Throws<LitException>(store.CheckNumbers).Message
        );
    }

    [Fact]
    public async Task Words_are_found_under_the_usual_names()
    {
        Numbers(
            "img_emb/img_emb_0.npy",
            [
                [1, 2],
                [3, 4],
            ]
        );
        await WriteLaion();
        using var store = EmbeddingStore.Open(folder.Path);
        Assert.Equal((string[])["a dog"], store.Captions(0));
        Assert.Equal("dog", store.Label(0));
        Assert.Equal((1, 1), store.Words());
    }

    private async Task WriteLaion()
    {
        Directory.CreateDirectory(folder["metadata"]);
        await using var file = File.Create(folder["metadata", "metadata_0.parquet"]);
        await ParquetSerializer.SerializeAsync(
            new LaionRow[]
            {
                new() { TEXT = "a dog", Class = "dog" },
                new(),
            },
            file
        );
    }

    private sealed class LaionRow
    {
        public string? TEXT { get; set; }
        public string? Class { get; set; }
    }

    [Fact]
    public void Numbers_alone_are_a_store_and_captions_json_gives_them_words()
    {
        Numbers(
            "img_emb.npy",
            [
                [1, 0],
                [0, 1],
                [1, 1],
            ]
        );
        using (var bare = EmbeddingStore.Open(folder.Path))
        {
            Assert.Equal("2", bare.Key(2));
            Assert.Empty(bare.Captions(2));
            Assert.Null(bare.Label(2));
        }
        folder.Write("captions.json", """["one", ["two", "zwei"], null]""");
        using var store = EmbeddingStore.Open(folder.Path);

        Assert.Equal(["one"], store.Captions(0));
        Assert.Equal(["two", "zwei"], store.Captions(1));
        Assert.Empty(store.Captions(2));
    }

    [Theory]
    [InlineData("""["one"]""", "1 captions where there are at least 2")]
    [InlineData("""["one", "two", "three"]""", "3 captions where there are 2")]
    [InlineData("""{"a": 1}""", "not a JSON list of captions")]
    [InlineData("[", "not a JSON list of captions")]
    public void Captions_that_do_not_fit_the_rows_are_refused(string captions, string what)
    {
        Numbers(
            "img_emb_0.npy",
            [
                [1, 0],
                [0, 1],
            ]
        );
        folder.Write("captions.json", captions);

        Assert.Contains(
            what,
            Assert.Throws<LitException>(() => EmbeddingStore.Open(folder.Path)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }")]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }")]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (1, 2), }")]
    public void Arrays_of_other_kinds_say_what_is_needed(string head)
    {
        folder.Write(
            "img_emb_0.npy",
            [
                0x93,
                .. "NUMPY"u8,
                1,
                0,
                (byte)(head.Length + 1),
                0,
                .. Encoding.ASCII.GetBytes(head + "\n"),
                .. new byte[16],
            ]
        );

        Assert.Contains(
            "Save it as a C-ordered array of two dimensions of '<f2', '<f4' or '|i1'",
            Assert.Throws<LitException>(() => EmbeddingStore.Open(folder.Path)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("(99999999999, 99999999)")]
    [InlineData("(9223372036854775807, 2147483647)")]
    [InlineData("(99999999999999999999999, 2)")]
    [InlineData("(1, 0)")]
    public void A_shape_that_the_file_cannot_hold_is_refused(string shape)
    {
        var head = $"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}";
        folder.Write(
            "img_emb_0.npy",
            [
                0x93,
                .. "NUMPY"u8,
                1,
                0,
                (byte)(head.Length + 1),
                0,
                .. Encoding.ASCII.GetBytes(head + "\n"),
                .. new byte[16],
            ]
        );

        Assert.Contains(
            "bytes where a shape of",
            Assert.Throws<LitException>(() => EmbeddingStore.Open(folder.Path)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Rows_of_different_lengths_are_refused()
    {
        Numbers(
            "img_emb_0.npy",
            [
                [1, 0],
            ]
        );
        Numbers(
            "img_emb_1.npy",
            [
                [1, 0, 0],
            ]
        );

        Assert.Contains(
            "rows of 3 numbers, where",
            Assert.Throws<LitException>(() => EmbeddingStore.Open(folder.Path)).Message,
            StringComparison.Ordinal
        );
    }

    private void Numbers(string name, float[][] rows) =>
        folder.Write(
            name,
            [
                .. NpyFile.Head(StoredType.Float32, rows.Length, rows[0].Length),
                .. rows.SelectMany(row => MemoryMarshal.AsBytes<float>(row).ToArray()),
            ]
        );

    private void Captions(string name, CaptionRow[] rows)
    {
        using var bytes = new MemoryStream();
        ParquetSerializer.SerializeAsync(rows, bytes).GetAwaiter().GetResult();
        folder.Write(name, bytes.ToArray());
    }

#pragma warning disable IDE1006 // the members are named as the columns are
    internal sealed class CaptionRow
    {
        public string? image_path { get; set; }
        public string? caption { get; set; }
    }
#pragma warning restore IDE1006
}
