using LiT.Data;
using LiT.Images;
using LiT.Tests.Images;

namespace LiT.Tests.Curation;

/// <summary>Small data sets for the verbs that clean and reshape.</summary>
internal static class Sets
{
    /// <summary>A picture of one colour with a bright corner, so that pictures differ and none is flat.</summary>
    public static byte[] Picture(int number, int width = 40, int height = 30)
    {
        var pixels = new byte[width * height * 3];
        var random = new Random(number);
        var (columns, rows) = (4 + number % 5, 3 + number % 4);
        var cells = Enumerable.Range(0, columns * rows).Select(_ => (byte)random.Next(256)).ToArray();
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
            pixels.AsSpan((y * width + x) * 3, 3).Fill(cells[y * rows / height * columns + x * columns / width]);
        return GeneratedPictures.Png(new RgbImage(width, height, pixels));
    }

    /// <summary>
    /// Writes shards x.tar of samples: key, captions (a line each) and optionally a picture of its own.
    /// </summary>
    public static string Tar(
        TemporaryFolder folder,
        string name,
        IEnumerable<(string Key, string? Captions, byte[] Picture)> samples
    )
    {
        var tar = new Data.TarBuilder();
        foreach (var (key, captions, picture) in samples)
        {
            tar.Add($"{key}.png", picture);
            if (captions is not null)
                tar.Add($"{key}.txt", captions);
        }
        return folder.Write(name, tar.ToArray());
    }

    /// <summary>Names and bytes of everything in a folder.</summary>
    public static Dictionary<string, string> Contents(string folder) => Stores.StoreData.Contents(folder);

    /// <summary>Everything that a reader makes of a source.</summary>
    public static List<string> Words(string path) =>
        [
            .. Samples
                .Open(path)
                .Read(_ => { })
                .Select(sample =>
                    $"{string.Join(" | ", sample.Captions)}; {sample.Label}; "
                    + string.Join(
                        ",",
                        sample
                            .Fields.Where(field => field.Key is not ("key" or "width"))
                            .OrderBy(field => field.Key, StringComparer.Ordinal)
                    )
                    + "; "
                    + $"{Convert.ToHexString(sample.ReadImage!())[..64]}"
                ),
        ];
}
