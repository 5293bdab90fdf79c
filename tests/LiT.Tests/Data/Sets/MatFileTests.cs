using LiT.TestSets;

namespace LiT.Tests.Data.Sets;

public sealed class MatFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Numbers_text_and_structures_are_read_packed_or_not(bool compressed)
    {
        var mat = MatFile.Read(
            folder.Write(
                "x.mat",
                MatBytes.File(
                    compressed,
                    MatBytes.SmallNumbers("labels", 3, 1, 2),
                    MatBytes.Numbers("x", 1.5, -2),
                    MatBytes.Bytes("X", [1, 2, 3, 4, 5, 6], 1, 2, 3),
                    MatBytes.Table(
                        "synsets",
                        ["ILSVRC2012_ID", "WNID"],
                        [MatBytes.SmallNumbers("", 1), MatBytes.Text("", "n02119789")],
                        [MatBytes.SmallNumbers("", 2), MatBytes.Text("", "n02100735")]
                    )
                )
            )
        );
        Assert.Equal([3, 1, 2], mat["labels"].Numbers());
        Assert.Equal([1.5, -2], mat["x"].Numbers());
        Assert.Equal([1, 2, 3], mat["X"].Sizes);
        Assert.Equal(["n02119789", "n02100735"], mat.Table("synsets").Select(row => row["WNID"].Text));
        Assert.Equal([1, 2], mat.Table("synsets").Select(row => row["ILSVRC2012_ID"].Number));
    }

    [Fact]
    public void A_cut_or_changed_file_is_one_line_and_never_a_bug()
    {
        var whole = MatBytes.File(
            false,
            MatBytes.Numbers("x", 1, 2, 3),
            MatBytes.Table("t", ["a"], [MatBytes.Text("", "b")])
        );
        var random = new Random(4);
        for (var i = 0; i < 400; i++)
        {
            var bytes = whole.ToArray();
            if (i % 2 == 0)
                Array.Resize(ref bytes, random.Next(bytes.Length));
            for (var j = 0; j < 3 && bytes.Length > 128; j++)
                bytes[random.Next(128, bytes.Length)] = (byte)random.Next(256);
            try
            {
                MatFile.Read(folder.Write("x.mat", bytes));
            }
            catch (LitException trouble)
            {
                Assert.Contains("x.mat", trouble.Message);
            }
        }
    }

    [Theory]
    [InlineData("MATLAB 7.3 MAT-file", "MATLAB 7.3")]
    [InlineData("<!DOCTYPE html>", "not a MATLAB file of level 5")]
    public void What_is_no_such_file_is_said(string content, string expected) =>
        Assert.Contains(
            expected,
            Assert.Throws<LitException>(() => MatFile.Read(folder.Write("x.mat", content.PadRight(200)))).Message
        );
}
