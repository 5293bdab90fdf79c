using System.Globalization;
using System.Numerics.Tensors;
using LiT.Bundles;
using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Images;
using LiT.Towers;

namespace LiT.Benchmarks;

/// <summary>
/// Pictures decoded exactly and fast (shrunk while they are decoded), in turns on one thread: alone, and with
/// everything up to the tower's input; and how far the tower's representations of the two are apart.
/// </summary>
internal static class DecodeBenchmark
{
    public static int Run(string[] args, Results results)
    {
        var (data, spec) = (args[0], args[1]);
        var shorter = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 0;
        using var tower = ImageTowerLoader.Load(
            spec,
            new ImageTowerOptions { ImageSize = spec.Contains(':', StringComparison.Ordinal) ? 224 : null }
        );
        List<byte[]> files = [];
        foreach (var sample in Samples.Open(data).Read(_ => { }))
        {
            var bytes = sample.ReadImage!();
            if (shorter > 0)
            {
                var image = Decoding.Decode(bytes, origin: sample.Origin);
                bytes = Thumbnail.Encode(
                    image,
                    shorter * Math.Max(image.Width, image.Height) / Math.Min(image.Width, image.Height)
                );
            }
            files.Add(bytes);
        }
        if (files.Count == 0)
            throw new LitException($"{data}: no picture that can be read. Give others.");
        var preprocessing = tower.Preprocessing;
        var fast = preprocessing.Decoding with { NotBelow = preprocessing.NotBelow };
        var (pixels, megapixels, shrunk) = (new float[preprocessing.ValueCount], 0.0, 0);
        foreach (var file in files)
        {
            var (width, height) = Decoding.ReadSize(file);
            megapixels += width * height / 1e6;
            if (Decoding.Decode(file, fast).Width < width)
                shrunk++;
        }
        void Decode(DecodingOptions options)
        {
            foreach (var file in files)
                Decoding.Decode(file, options);
        }
        void Prepare(DecodingOptions options)
        {
            foreach (var file in files)
                preprocessing.Apply(Decoding.Decode(file, options), pixels);
        }
        var spent = Rounds.MedianSpent(
            3,
            () => Decode(preprocessing.Decoding),
            () => Decode(fast),
            () => Prepare(preprocessing.Decoding),
            () => Prepare(fast)
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{files.Count} pictures of {data}, {megapixels / files.Count:F2} megapixels and "
                    + $"{files.Average(file => file.Length) / 1024:F0} KB on average, {shrunk} of them shrunk for "
                    + $"{spec}; one thread, median of 3 turns; pictures for a second on the clock | of processor"
            )
        );
        foreach (
            var (name, exact, quick) in new[]
            {
                ("decoding", spent[0], spent[1]),
                ("decoding, resize, values", spent[2], spent[3]),
            }
        )
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {name, -26} exact {files.Count / exact.Seconds, 7:F1} | "
                        + $"{files.Count / exact.Processor, 7:F1}   fast {files.Count / quick.Seconds, 7:F1} | "
                        + $"{files.Count / quick.Processor, 7:F1}   {exact.Processor / quick.Processor:F2} x"
                )
            );

        Keep(results, files.Count, spent);
        var representations = new[] { DecodePath.Exact, DecodePath.Fast }
            .Select(path => Represent(tower, files, path))
            .ToArray();
        var size = tower.Tower.Width;
        var cosines = Enumerable
            .Range(0, files.Count)
            .Select(i =>
                (double)
                    TensorPrimitives.CosineSimilarity(
                        representations[0].AsSpan(i * size, size),
                        representations[1].AsSpan(i * size, size)
                    )
            )
            .Order()
            .ToList();
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"  cosine of the two representations of {spec}: mean {cosines.Average():F5}, median "
                    + $"{cosines[cosines.Count / 2]:F5}, least {cosines[0]:F5}"
            )
        );
        results.Number($"{spec}, cosine of fast to exact", "mean", "", cosines.Average());
        results.Number($"{spec}, cosine of fast to exact", "least", "", cosines[0]);
        return 0;
    }

    private static void Keep(Results results, int count, Spent[] spent)
    {
        foreach (var (what, exact, fast) in new[] { ("decoding", 0, 1), ("decoding, resize, values", 2, 3) })
        {
            results.Rate(what, "exact", "pictures/s", count, spent[exact]);
            results.Rate(what, "fast", "pictures/s", count, spent[fast], ("exact", spent[exact]));
        }
    }

    private static float[] Represent(LockedTower tower, List<byte[]> files, DecodePath path)
    {
        var found = files.Select((file, i) => new Found(new Sample($"{i}", $"{i}") { ReadImage = () => file }, null));
        var rows = new float[files.Count * tower.Tower.Width];
        var done = 0;
        foreach (
            var batch in PreparedPictures
                .InOrder(
                    found,
                    new Preparation(tower.Preprocessing, long.MaxValue, 16) { Decode = path },
                    CancellationToken.None
                )
                .Chunk(16)
        )
        {
            ImageBatch.Represent(
                tower,
                [.. batch.Select(one => one.Picture!.Pixels)],
                ComputeDevice.Cpu,
                rows.AsMemory(done * tower.Tower.Width)
            );
            done += batch.Length;
        }
        return rows;
    }
}
