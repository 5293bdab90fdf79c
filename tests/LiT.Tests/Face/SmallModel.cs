using LiT.Catalogue;
using LiT.Classification;
using LiT.Images;
using LiT.Tests.Catalogue;
using LiT.Tests.Images;
using LiT.Tests.Parity;

namespace LiT.Tests.Face;

/// <summary>
/// A bundle of two tiny towers, with a background, and some pictures: what an application has at hand.
/// </summary>
public sealed class SmallModel : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public SmallModel()
    {
        Bundle = Made("lit_l16s_style", "bundle");
        Published = folder["lit_l16s_style.npz"];
        Other = Made("siglip_style", "other");
        for (var i = 0; i < 12; i++)
            folder.Write($"pictures/{i:00}.png", Picture(i));
        folder.Write("turned.jpg", GeneratedPictures.JpegWithOrientation(6));
        Background().Save(Bundle);
    }

    public string Bundle { get; }

    public string Published { get; }

    /// <summary>A model of another tower.</summary>
    public string Other { get; }

    public string Pictures => folder["pictures"];

    public string this[params string[] parts] => folder[parts];

    public void Dispose() => folder.Dispose();

    /// <summary>What the bundle's text tower gives for a text.</summary>
    public float[] Texts(string text)
    {
        using var model = LitModel.Load(Bundle);
        return model.EmbedTexts([text])[0].ToArray();
    }

    public static byte[] Picture(int seed)
    {
        var chance = Chance.For(seed, 0, 0);
        var (width, height) = (40 + 3 * seed % 20, 36 + seed % 9);
        var rgb = new byte[3 * width * height];
        for (var i = 0; i < rgb.Length; i++)
            rgb[i] = (byte)(128 + 60 * Math.Sin(i * (seed + 1) * 0.003) + 40 * chance.Between(0, 1));
        return GeneratedPictures.Png(new RgbImage(width, height, rgb));
    }

    private string Made(string name, string bundle)
    {
        File.Copy(Reference.OpenCopied("lit_two_towers_npz").PathOf($"{name}.npz"), folder[$"{name}.npz"]);
        File.WriteAllBytes(folder[$"{name}.model"], TinyVocabulary.Model);
        ModelConversion.ToBundle(folder[$"{name}.npz"], folder[bundle], null, null);
        return folder[bundle];
    }

    private Background Background()
    {
        using var model = LitModel.Load(Bundle);
        string[] captions = ["a", "b", "c", "a b", "b c", "c a", "a b c", "b a", "c b", "a c", "a a", "b b"];
        var pixels = Enumerable
            .Range(0, captions.Length)
            .Select(i => model.Image.Preprocessing.Pixels(Picture(i), long.MaxValue, DecodePath.Exact, null))
            .ToArray();
        return LiT.Classification.Background.Of(
            model.ProjectImages(new(model.Represent(pixels), model.Image.Tower.Width)),
            model.EmbedTexts(captions),
            [.. Enumerable.Range(0, captions.Length).Select(i => new[] { i })],
            "made up"
        );
    }
}
