using System.Text;
using System.Text.Json.Nodes;
using LiT.Data;
using LiT.Stores;
using static LiT.Tests.Stores.StoreData;

namespace LiT.Tests.Stores;

public sealed class EmbeddingStoreTests : IDisposable
{
    private readonly TemporaryFolder temporary = new();

    private string Folder => temporary["store"];

    public void Dispose() => temporary.Dispose();

    [Theory]
    [InlineData(StoredType.Float16, 1e-3)]
    [InlineData(StoredType.Float32, 1e-6)]
    [InlineData(StoredType.Int8, 5e-3)]
    internal void What_is_written_is_read_again(StoredType type, double tolerance)
    {
        Write(Describe(type), 12);

        using var store = EmbeddingStore.Open(Folder);

        Assert.Equal(
            (8, 4, 1, "f1", "tower one"),
            (store.Rows, store.EmbeddingSize, store.Views, store.Fingerprint, store.Description!.Tower)
        );
        Assert.Equal("224", store.Description.Preprocessing!["size"]!.ToString());
        Assert.Equal(new StoreCounts(8, 3, 1), store.Counts);
        Assert.Equal(11, store.Counts!.Found);
        var pictures = Found(12).Where(found => found.Sample is not null).Select(found => found.Sample!).ToList();
        for (var row = 0; row < 8; row++)
        {
            var i = int.Parse(store.Key(row).AsSpan(1), null);
            var read = new float[4];
            store.ReadRows([row], read, ownLength: true);
            Assert.Equal(StoreData.Embedding(i), read, (a, b) => Math.Abs(a - b) <= tolerance * 20);
            store.ReadRows([row], read);
            Assert.Equal(1, Math.Sqrt(read.Sum(x => (double)x * x)), tolerance);
            Assert.Equal(pictures[row].Key, store.Key(row));
            Assert.Equal(pictures[row].Origin, store.Origin(row));
            Assert.Equal(pictures[row].Captions, store.Captions(row));
            Assert.Equal(pictures[row].Label, store.Label(row));
            Assert.Equal(pictures[row].Fields.OrderBy(f => f.Key), store.Fields(row));
            Assert.Equal((10 + i, 20), store.PictureSize(row));
            Assert.Equal(row, store.RowOf(Hash(i)));
        }
        Assert.Null(store.RowOf(Hash(99)));
    }

    [Fact]
    public void Rows_are_read_in_any_order_and_more_than_once()
    {
        Write(Describe(StoredType.Float32), 12);
        using var store = EmbeddingStore.Open(Folder);
        var single = new float[4];
        var many = new float[16];

        store.ReadRows([7, 0, 3, 7], many, ownLength: true);

        foreach (var (row, at) in new[] { (7, 0), (0, 1), (3, 2), (7, 3) })
        {
            store.ReadRows([row], single, ownLength: true);
            Assert.Equal(single, many[(4 * at)..(4 * at + 4)]);
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => store.ReadRows([8], single));
    }

    [Fact]
    public void Several_views_of_a_picture_stand_together_and_are_one_sample()
    {
        Write(Describe(StoredType.Float32, views: 2), 12, views: 2);
        using var store = EmbeddingStore.Open(Folder);

        Assert.Equal((16, 2), (store.Rows, store.Views));
        Assert.Equal([0, 1, 0, 1], Enumerable.Range(0, 4).Select(row => store.View(row)));
        Assert.Equal(store.Key(2), store.Key(3));
        Assert.Equal(8, store.Samples().Read(_ => { }).Count());
        Assert.Equal(8, store.Samples().KnownCount);
        var row = new float[4];
        store.ReadRows([3], row, ownLength: true);
        Assert.Equal(StoreData.Embedding(1, view: 1), row, (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Fact]
    public void An_opened_path_may_be_a_store_whose_samples_have_words_and_no_pixels()
    {
        Write(Describe(), 12);

        var source = Samples.Open(Folder);
        var first = source.Read(_ => { }).First();

        Assert.Equal("embedding store", source.Form);
        Assert.Null(first.ReadImage);
        Assert.Equal(SampleOf(0).Captions, first.Captions);
    }

    [Fact]
    public void The_head_of_the_numbers_is_numpys_to_the_byte()
    {
        Write(Describe(), 12);

        var bytes = File.ReadAllBytes(temporary["store", "img_emb", "img_emb_0000.npy"]);

        Assert.Equal([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, 118, 0], bytes[..10]);
        Assert.Equal(
            "{'descr': '<f2', 'fortran_order': False, 'shape': (3, 4), }".PadRight(117) + "\n",
            Encoding.ASCII.GetString(bytes[10..128])
        );
        Assert.Equal(128 + 3 * 4 * 2, bytes.Length);
        var first = StoreData.Embedding(0);
        Assert.Equal((Half)(first[1] / MathF.Sqrt(1 + 4 + 9)), BitConverter.ToHalf(bytes, 130));
    }

    [Fact]
    public void What_was_skipped_and_what_was_noted_are_named_line_by_line()
    {
        Write(Describe(), 12);

        var skipped = File.ReadAllLines(temporary["store", "skipped.jsonl"]);
        var json = JsonNode.Parse(File.ReadAllText(temporary["store", "store.json"]))!;

        Assert.Equal("""{"key":"k3","origin":"o","reason":"no \"picture\""}""", skipped[0]);
        Assert.Equal(3, skipped.Length);
        Assert.Single(File.ReadAllLines(temporary["store", "notes.jsonl"]));
        Assert.Equal(((int)json["embedded"]!) + skipped.Length, (int)json["found"]!);
        Assert.True((bool)json["complete"]!);
    }

    [Fact]
    public void Numbers_without_a_direction_are_skipped_and_said()
    {
        using (var writer = EmbeddingStoreWriter.Open(Folder, Describe()))
        {
            var numbers = new Queue<float>([float.NaN, float.PositiveInfinity, 0f, 1f]);
            foreach (
                var (shard, found) in writer.Wanted(Enumerable.Range(0, 4).Select(i => new Found(SampleOf(i), null)))
            )
            {
                writer.MoveTo(shard);
                var number = numbers.Dequeue();
                Assert.Equal(number == 1, writer.Append(found.Sample!, new(1, 1, Hash(1)), [number, 0, 0, 0]));
            }
            Assert.Equal(new StoreCounts(1, 3, 0), writer.Finish());
        }
        Assert.Contains(
            "not finite, or all zero",
            File.ReadAllText(temporary["store", "skipped.jsonl"]),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(StoredType.Float16, 1)]
    [InlineData(StoredType.Float32, 2)]
    [InlineData(StoredType.Int8, 1)]
    internal void A_picture_embedded_before_is_taken_over_bit_for_bit(StoredType type, int views)
    {
        Write(Describe(type, views), 12, views);
        using var before = EmbeddingStore.Open(Folder);
        using (var writer = EmbeddingStoreWriter.Open(temporary["again"], Describe(type, views)))
        {
            Assert.Null(writer.WhyNotReuse(before));
            foreach (var (shard, (sample, skipped)) in writer.Wanted(Found(12)))
            {
                writer.MoveTo(shard);
                if (skipped is not null)
                    writer.Skip(skipped);
                else
                    writer.AppendAgain(
                        sample!,
                        before,
                        before.RowOf(Hash(int.Parse(sample!.Key.AsSpan(1), null)))!.Value
                    );
            }
            writer.Finish();
        }

        Assert.Equal(Contents(Folder), Contents(temporary["again"]));
    }

    [Fact]
    public void Rows_of_another_tower_are_not_taken_over()
    {
        Write(Describe(), 12);
        using var before = EmbeddingStore.Open(Folder);
        using var writer = EmbeddingStoreWriter.Open(
            temporary["other"],
            Describe() with
            {
                Fingerprint = "f2",
                Tower = "tower two",
            }
        );

        Assert.Contains(
            "made by the tower tower one (fingerprint f1), not tower two (f2)",
            writer.WhyNotReuse(before),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "its rows cannot be taken over: made by the tower tower one",
            Assert.Throws<LitException>(() => writer.AppendAgain(SampleOf(0), before, 0)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("cut rows", "bytes where a shape of (2, 4) needs 144")]
    [InlineData("cut head", "its head is cut")]
    [InlineData("no npy", "not a .npy file")]
    [InlineData("missing rows", "7 rows where store.json says 8; a shard is missing")]
    [InlineData("missing metadata", "no metadata file of the number 1 stands beside it")]
    [InlineData("other metadata", "1 rows where")]
    [InlineData("no parquet", "cannot be read as Parquet")]
    [InlineData("json", "damaged")]
    [InlineData("no size", "damaged (a size is not above zero)")]
    [InlineData("other type", "the rows are not of the type that store.json says, Float32")]
    [InlineData("later version", "version 99 of the format")]
    public void A_damaged_store_is_refused_with_the_file_and_what_to_do(string damage, string what)
    {
        Write(Describe(), 12);
        string Rows(int n) => temporary["store", "img_emb", $"img_emb_000{n}.npy"];
        string Metadata(int n) => temporary["store", "metadata", $"metadata_000{n}.parquet"];
        var json = temporary["store", "store.json"];
        void Change(string path, Func<byte[], byte[]> change) =>
            File.WriteAllBytes(path, change(File.ReadAllBytes(path)));
        switch (damage)
        {
            case "cut rows":
                Change(Rows(1), bytes => bytes[..^1]);
                break;
            case "cut head":
                Change(Rows(1), bytes => bytes[..50]);
                break;
            case "no npy":
                Change(Rows(1), _ => "hello"u8.ToArray());
                break;
            case "missing rows":
                File.Delete(Rows(2));
                break;
            case "missing metadata":
                File.Delete(Metadata(1));
                break;
            case "other metadata":
                File.Copy(Metadata(2), Metadata(1), overwrite: true);
                break;
            case "no parquet":
                Change(Metadata(1), bytes => bytes[..^9]);
                break;
            case "json":
                Change(json, bytes => bytes[..^20]);
                break;
            case "no size":
                File.WriteAllText(
                    json,
                    File.ReadAllText(json).Replace("\"views\": 1", "\"views\": 0", StringComparison.Ordinal)
                );
                break;
            case "other type":
                File.WriteAllText(json, File.ReadAllText(json).Replace("float16", "float32", StringComparison.Ordinal));
                break;
            case "later version":
                File.WriteAllText(
                    json,
                    File.ReadAllText(json).Replace("\"version\": 1", "\"version\": 99", StringComparison.Ordinal)
                );
                break;
        }

        var message = Assert.Throws<LitException>(() => EmbeddingStore.Open(Folder)).Message;

        Assert.Contains(what, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    private void Write(StoreDescription description, int count, int views = 1)
    {
        using var writer = EmbeddingStoreWriter.Open(Folder, description);
        Give(writer, Found(count), views);
        writer.Finish();
    }
}
