using static LiT.Tests.Data.Reading;

namespace LiT.Tests.Data;

/// <summary>Sound Parquet files with columns that are not known do not lose the columns that are.</summary>
public sealed class ParquetKindsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static string Fixture(string name) =>
        Path.Combine(AppContext.BaseDirectory, "Fixtures", "data", "parquet", name);

    [Fact]
    public void A_caption_that_is_a_structure_gives_the_member_that_is_a_text()
    {
        var read = Of(Fixture("m4.parquet"));
        Assert.Equal((string[])["A woman cutting a cake 0"], read.Samples[0].Captions);
        Assert.All(read.Samples, sample => Assert.Single(sample.Captions));
        var list = Of(Fixture("list.parquet"));
        Assert.All(list.Samples, sample => Assert.Equal(2, sample.Captions.Count));
        Assert.All(list.Samples.SelectMany(sample => sample.Captions), caption => Assert.Contains(' ', caption));
    }

    [Fact]
    public void A_member_is_named_with_points_between_and_an_ambiguous_one_is_refused_with_the_members()
    {
        Assert.Equal(
            (string[])["A woman cutting a cake 0"],
            Of(Fixture("m4.parquet"), new() { CaptionColumn = "sentences.raw" }).Samples[0].Captions
        );
        var refused = Assert.Throws<LitException>(() =>
            LiT.Data.Samples.Open(Fixture("m4.parquet"), new() { CaptionColumn = "sentences.nothing" })
        );
        Assert.Contains("sentences.raw", refused.Message);
        Assert.Contains("`CaptionColumn`", refused.Message);
    }

    [Theory]
    [InlineData("dict-page-offset-zero.parquet", "l_partkey")]
    [InlineData("float16_nonzeros_and_nans.parquet", "x")]
    [InlineData("floating_orders_nan_count.parquet", "float16_ieee754")]
    [InlineData("unknown-logical-type.parquet", "column with unknown type")]
    public void A_sound_file_with_newer_kinds_is_opened_and_only_lacks_pictures(string name, string column)
    {
        var refused = Assert.Throws<LitException>(() => LiT.Data.Samples.Open(Fixture(name)));
        Assert.Contains("no column holds pictures", refused.Message);
        Assert.Contains(column, refused.Message);
    }

    [Theory]
    [InlineData("map_no_value.parquet")]
    [InlineData("repeated_no_annotation.parquet")]
    public void One_of_strange_kinds_only_is_not_called_damaged(string name)
    {
        var refused = Assert.Throws<LitException>(() => LiT.Data.Samples.Open(Fixture(name)));
        Assert.DoesNotContain("Copy the file again", refused.Message);
    }

    [Theory]
    [InlineData("map_no_value.parquet")]
    [InlineData("repeated_no_annotation.parquet")]
    [InlineData("unknown-logical-type.parquet")]
    [InlineData("float16_nonzeros_and_nans.parquet")]
    public void Strange_columns_beside_pictures_are_passed_over(string strange)
    {
        var read = Of(Fixture($"pictures_and_{strange}"));

        Assert.Equal(4, read.Samples.Count);
        Assert.Equal((string[])["A woman cutting a cake 0"], read.Samples[0].Captions);
        Assert.NotEmpty(read.Samples[0].ReadImage!());
        Assert.NotEmpty(read.Source.PassedOver);
    }

    [Fact]
    public void Bytes_that_are_wrong_are_called_so()
    {
        var whole = File.ReadAllBytes(Fixture("m4.parquet"));
        var cut = folder.Write("cut.parquet", whole[..(whole.Length - 10)]);
        var refused = Assert.Throws<LitException>(() => LiT.Data.Samples.Open(cut));
        Assert.Contains("Copy the file again", refused.Message);
    }
}
