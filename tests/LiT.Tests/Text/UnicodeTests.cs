using System.Security.Cryptography;
using System.Text;
using LiT.Text.Characters;

namespace LiT.Tests.Text;

/// <summary>
/// Every code point, and 100,000 strings of eight characters that compose, decompose and reorder, against hashes of
/// what Python 3.12 (unicodedata 15.0.0) makes of them; ICU 72 gave the same for the normalisation forms.
/// </summary>
public class UnicodeTests
{
    private static readonly (int First, int Last)[] Ranges =
    [
        (0x41, 0x17F),
        (0x300, 0x36F),
        (0x1100, 0x11FF),
        (0xAC00, 0xD7A3),
        (0x900, 0xDFF),
        (0x1E00, 0x1FFF),
        (0x5B0, 0x5C7),
        (0x64B, 0x65F),
        (0x1D15E, 0x1D172),
        (0x11080, 0x110BF),
        (0x3040, 0x30FF),
        (0xFB00, 0xFB4F),
        (0x370, 0x3FF),
        (0x2000, 0x206F),
    ];

    [Fact]
    public void Nfc_is_that_of_Unicode_15() =>
        Assert.Equal(
            "f2599065cedaa55d48ff05b18f1416596c9febf179989adc4e11f23249a6c5b3",
            HashOf(text => Normalization.Nfc(text))
        );

    [Fact]
    public void Nfd_is_that_of_Unicode_15() =>
        Assert.Equal(
            "6afc8a52c2305ef5c5404824662ba300511998c35a5a3ff9781be8ed6576baa6",
            HashOf(text => Normalization.Nfd(text))
        );

    [Fact]
    public void Nfkc_is_that_of_Unicode_15() =>
        Assert.Equal(
            "0f3819a1b1665a41baf509190f55c2571a96b5af311fdc31f57f12fc3d23d02a",
            HashOf(text => Normalization.Nfkc(text))
        );

    [Fact]
    public void Nfkd_is_that_of_Unicode_15() =>
        Assert.Equal(
            "7943ae4738614a66ec78b67fc95fa2ea90131a6cabc56073c4a8be8beeb1fcab",
            HashOf(text => Normalization.Nfkd(text))
        );

    [Fact]
    public void Nfkc_casefold_in_nfd_is_that_of_icu() =>
        Assert.Equal(
            "728e5436e45d0ca3db3c6023abda20e4a3f7b40f8b9d56f8c792f6bdc6a3eb67",
            HashOf(Normalization.NfkcCasefoldInNfd)
        );

    [Fact]
    public void Lower_case_of_a_text_knows_the_final_sigma_as_Python_does() =>
        Assert.Equal("ad2c5be70ccd0b054efb7e9d6f2d455dc4956943e260983d057c3b167f47ce83", HashOf(LowerCase.OfText));

    [Fact]
    public void Lower_case_of_each_character_does_not() =>
        Assert.Equal("7065f2c393da62b6e4d168cb6e6d6a119bafceea1161e0d071a8ac7ecfa6ca16", HashOf(LowerCase.OfEach));

    [Fact]
    public void Lower_case_of_ascii_leaves_other_letters() => Assert.Equal("Ärger azÀ", LowerCase.OfAscii("ÄRGER AZÀ"));

    [Theory]
    [InlineData('a', UnicodeAge.Version8)]
    [InlineData(0x1F600, UnicodeAge.Version8)]
    [InlineData(0x1F923, UnicodeAge.Version9)]
    [InlineData(0x1FAE0, UnicodeAge.Version14)]
    [InlineData(0x13438, UnicodeAge.Version14)]
    [InlineData(0x13439, UnicodeAge.Version15)]
    [InlineData(0xECE, UnicodeAge.Version15)]
    [InlineData(0x378, UnicodeAge.Version15)]
    internal void The_version_that_brought_a_character_is_known(int c, UnicodeAge age) =>
        Assert.Equal(age, UnicodeTables.Version15.Age(c));

    [Fact]
    public void A_version_does_not_decompose_what_came_after_it()
    {
        Assert.Equal("1", Normalization.Nfkd("\U0001FBF1"));
        Assert.Equal("\U0001FBF1", Normalization.Nfkd("\U0001FBF1", UnicodeAge.Version9));
    }

    private static string HashOf(Func<string, string> make)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        // A line end composes with nothing and bounds every context, so many lines are as good as each alone.
        foreach (var texts in Texts().Chunk(10_000))
            hash.AppendData(Encoding.UTF8.GetBytes(make(string.Join('\n', texts) + "\n")));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static IEnumerable<string> Texts()
    {
        for (var c = 0; c < 0x110000; c++)
            if (c is < 0xD800 or > 0xDFFF)
                yield return char.ConvertFromUtf32(c);
        var state = 1UL;
        for (var i = 0; i < 100_000; i++)
        {
            var text = new StringBuilder();
            for (var k = 0; k < 8; k++)
            {
                var (first, last) = Ranges[Next(Ranges.Length)];
                text.Append(char.ConvertFromUtf32(first + Next(last - first + 1)));
            }
            yield return text.ToString();
        }

        int Next(int below)
        {
            state = state * 6364136223846793005 + 1442695040888963407;
            return (int)((state >> 33) % (ulong)below);
        }
    }
}
