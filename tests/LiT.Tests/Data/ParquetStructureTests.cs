using System.Buffers.Binary;
using LiT.Data;
using Parquet;
using Parquet.Serialization;

namespace LiT.Tests.Data;

/// <summary>Files that Parquet.Net would read for ever, or beyond its memory; the fuzzer found each of them.</summary>
public sealed class ParquetStructureTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_footer_that_ends_inside_a_number_is_refused() =>
        Assert.Contains("it ends in the middle", Refusal(Framed([0x15, 0xff, 0xff])), StringComparison.Ordinal);

    [Fact]
    public void A_number_without_end_is_refused() =>
        Assert.Contains(
            "a number does not end",
            Refusal(Framed([0x15, .. Enumerable.Repeat((byte)0xff, 40)])),
            StringComparison.Ordinal
        );

    [Fact]
    public void A_list_that_is_longer_than_the_file_is_refused() =>
        Assert.Contains(
            "a list is longer than the file",
            Refusal(Framed([0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0x7f, 0])),
            StringComparison.Ordinal
        );

    [Fact]
    public void A_field_of_the_wrong_type_is_refused() =>
        Assert.Contains(
            "field 1 of FileMetaData has a type that is not known",
            Refusal(Framed([0x18, 1, 65, 0])),
            StringComparison.Ordinal
        );

    [Fact]
    public void A_schema_nested_without_end_is_refused() =>
        Assert.Contains(
            "its schema does not hang together",
            Refusal(
                Framed([
                    0x15,
                    2,
                    0x19,
                    0xfc,
                    0xd0,
                    0x0f,
                    .. Enumerable.Repeat(new byte[] { 0x48, 1, 65, 0x15, 2, 0 }, 2000).SelectMany(e => e),
                    0,
                ])
            ),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(3, "a page is encoded as RLE, which does not go with BYTE_ARRAY")]
    [InlineData(5, "a page is encoded as DELTA_BINARY_PACKED")]
    [InlineData(9, "a page is encoded as BYTE_STREAM_SPLIT")]
    public void A_page_in_another_types_encoding_is_refused(int encoding, string what)
    {
        var bytes = Table(CompressionMethod.None);
        bytes[Encoding(bytes)] = (byte)(2 * encoding);

        Assert.Contains(what, Skipped(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_page_with_more_values_than_rows_is_refused()
    {
        var bytes = Table(CompressionMethod.None);
        bytes[Encoding(bytes) - 2] = 20;

        Assert.Contains("a page has a number of values that cannot be", Skipped(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void Packed_data_that_claims_to_unpack_to_gigabytes_is_refused()
    {
        var bytes = Table(CompressionMethod.Snappy);
        var page = 4 + ThriftWalk.First(new MemoryStream(bytes) { Position = 4 }, new byte[200], "PageHeader").Position;
        new byte[] { 0xff, 0xff, 0xff, 0xff, 0x07 }.CopyTo(bytes, page);

        Assert.Contains("a page has a length that cannot be", Skipped(bytes), StringComparison.Ordinal);
    }

    private static byte[] Framed(byte[] footer)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, footer.Length);
        return [.. "PAR1"u8, .. footer, .. length, .. "PAR1"u8];
    }

    private static byte[] Table(CompressionMethod packing)
    {
        using var bytes = new MemoryStream();
        ParquetSerializer
            .SerializeAsync(
                Enumerable
                    .Range(0, 5)
                    .Select(i => new ParquetSamplesTests.Img2DatasetRow
                    {
                        key = $"k{i}",
                        jpg = [1, 2, 3],
                        caption = "c",
                    }),
                bytes,
                new ParquetOptions { CompressionMethod = packing }
            )
            .GetAwaiter()
            .GetResult();
        return bytes.ToArray();
    }

    /// <summary>Where the first data page says how it is encoded, after "5 values".</summary>
    private static int Encoding(byte[] bytes) =>
        bytes.AsSpan().IndexOf([(byte)0x2c, (byte)0x15, (byte)10, (byte)0x15, (byte)0]) + 4;

    private string Refusal(byte[] bytes) =>
        Assert.Throws<LitException>(() => Samples.Open(folder.Write("x.parquet", bytes))).Message;

    private string Skipped(byte[] bytes) => Reading.Of(folder.Write("x.parquet", bytes)).Skipped[0].Reason;
}
