using System.Globalization;
using LiT.Data;
using LiT.Drawings;
using LiT.Duplicates;
using LiT.Images;

namespace LiT.Tests.Duplicates;

public class PerceptualHashTests
{
    private static readonly RgbImage[] Drawn =
    [
        .. DrawnDataset.Draw(DrawnSplit.Test, 40, seed: 3).Select(drawing => drawing.Image),
    ];

    [Fact]
    public void Scaling_and_strong_JPEG_change_few_bits()
    {
        foreach (var image in Drawn)
        {
            var hash = PerceptualHash.Of(image)!.Value;
            var larger = Resizing.Resize(image, image.Width * 3 + 1, image.Height * 3 + 1, ResizeMethod.PillowBicubic);
            using var vips = LiT.Tests.Images.GeneratedPictures.Vips(image);
            var poor = Decoding.Decode(vips.JpegsaveBuffer(q: 40));
            Assert.InRange(PerceptualHash.Distance(hash, PerceptualHash.Of(larger)!.Value), 0, 6);
            Assert.InRange(PerceptualHash.Distance(hash, PerceptualHash.Of(poor)!.Value), 0, 6);
        }
    }

    [Fact]
    public void Other_pictures_are_far()
    {
        var hashes = Drawn.Select(image => PerceptualHash.Of(image)!.Value).ToArray();
        for (var i = 0; i < hashes.Length; i++)
        for (var j = 0; j < i; j++)
            Assert.True(PerceptualHash.Distance(hashes[i], hashes[j]) > 9, $"{i} and {j}");
    }

    [Fact]
    public void Of_photographs_copies_are_near_and_others_are_far()
    {
        var photos = Samples
            .Open(SharedData.PathOf("cifar10", "cifar10-test.tar.gz"))
            .Read(_ => { })
            .Take(2000)
            .Select(sample => Decoding.Decode(sample.ReadImage!()))
            .ToList();
        var hashes = photos.Select(photo => PerceptualHash.Of(photo)!.Value).ToList();
        var copies = photos
            .Select(photo =>
            {
                using var vips = LiT.Tests.Images.GeneratedPictures.Vips(
                    Resizing.Resize(photo, 75, 75, ResizeMethod.PillowBicubic)
                );
                return PerceptualHash.Of(Decoding.Decode(vips.JpegsaveBuffer(q: 50)))!.Value;
            })
            .ToList();
        var distances = hashes.Zip(copies, PerceptualHash.Distance).ToList();
        var near = Enumerable
            .Range(0, hashes.Count)
            .Sum(i => Enumerable.Range(0, i).Count(j => PerceptualHash.Distance(hashes[i], hashes[j]) <= 6));
        var words = string.Create(
            CultureInfo.InvariantCulture,
            $"{distances.Count(d => d <= 6) / 2000.0:P2} of the copies within 6 bits, {near} of "
                + $"{hashes.Count * (hashes.Count - 1) / 2} pairs of others"
        );
        TestContext.Current.TestOutputHelper?.WriteLine(words);
        Assert.True(distances.Count(d => d <= 6) >= 1980 && near <= 20, words);
    }

    [Fact]
    public void A_picture_of_one_colour_has_no_shape() =>
        Assert.Null(PerceptualHash.Of(new RgbImage(50, 40, [.. Enumerable.Repeat((byte)77, 50 * 40 * 3)])));

    [Fact]
    public void A_picture_of_one_pixel_or_one_line_is_no_trouble()
    {
        Assert.Null(PerceptualHash.Of(new RgbImage(1, 1, [1, 2, 3])));
        Assert.NotNull(
            PerceptualHash.Of(new RgbImage(1000, 1, [.. Enumerable.Range(0, 3000).Select(i => (byte)(i / 12))]))
        );
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(12)]
    public void The_index_finds_what_looking_at_all_finds(int farthest)
    {
        var random = new Random(5);
        var hashes = Enumerable.Range(0, 400).Select(_ => (ulong)random.NextInt64()).ToList();
        foreach (var hash in hashes.ToArray())
        {
            var other = hash;
            for (var flips = random.Next(15); flips > 0; flips--)
                other ^= 1UL << random.Next(64);
            hashes.Add(other);
        }
        var index = new HammingIndex(farthest);
        for (var i = 0; i < hashes.Count; i++)
            index.Add(i, hashes[i]);
        foreach (var hash in hashes)
            Assert.Equal(
                Enumerable.Range(0, hashes.Count).Where(i => PerceptualHash.Distance(hash, hashes[i]) <= farthest),
                index.Within(hash).Select(found => found.Number).Distinct().Order()
            );
    }
}
