using LiT.Data;
using LiT.Drawings;
using LiT.Images;

namespace LiT.Tests.Data.Sets;

/// <summary>Miniatures of published folders.</summary>
internal static class SetFolders
{
    /// <summary>A picture that is one colour.</summary>
    public static byte[] Picture(byte red, int side = 8) =>
        Png.Encode(
            new RgbImage(
                side,
                side,
                [.. Enumerable.Repeat(new byte[] { red, 50, 100 }, side * side).SelectMany(pixel => pixel)]
            )
        );

    public static List<Sample> Read(string set, string folder, List<Skipped>? skipped = null) =>
        [
            .. Samples
                .Open($"{set}={folder}")
                .Read(one =>
                {
                    if (skipped is null)
                        Assert.Fail(one.Reason);
                    else
                        skipped.Add(one);
                }),
        ];

    public static string[] Labels(IEnumerable<Sample> samples) =>
        [.. samples.Select(sample => $"{sample.Key}: {sample.Label}")];

    public static RgbImage Decoded(Sample sample) => Decoding.Decode(sample.ReadImage!());
}
