using System.Globalization;
using LiT.Benchmarks.Onnx;
using LiT.Bundles;
using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Images;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// Embedding from JPEG files on the disk into a store, end to end, against the matrix products alone, and with other
/// towers in the locked one's place: plain TorchSharp modules, ONNX Runtime in float32 and in int8. All in turns, all
/// through the same pipeline.
/// </summary>
internal static class EmbedBenchmark
{
    private static readonly string[] Known = ["vit:B/16", "vit:B/32", "resnet:50", "mixer:B/16"];

    private const string Plain = "plain TorchSharp modules";

    // Others beside the locked tower, by the word that asks for them alone.
    private static readonly string[] Others = ["plain", "float32", "int8"];

    public static int Run(string[] args, Results results)
    {
        var threads = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1;
        var count = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 64;
        set_num_threads(threads);
        var others = args.Skip(2).Intersect(Others).ToArray();
        var specs = args.Skip(2).Except(Others).ToArray();
        var folder = Directory.CreateTempSubdirectory("lit-embed-").FullName;
        try
        {
            var pictures = Path.Combine(folder, "pictures");
            MakePictures(pictures, count);
            MakePictures(pictures + "-few", ImageBatch.Part * threads);
            Console.WriteLine(
                $"{count} JPEG files of 640 x 480 into a store, {threads} threads, pictures for a second on "
                    + "the clock | for a second of processor, best of 2 turns (plain modules: one); in brackets "
                    + "the share of the matrix products alone"
            );
            foreach (var spec in specs.Length > 0 ? specs : Known)
                One(spec, others.Length > 0 ? others : Others, pictures, folder, threads, count, results);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return 0;
    }

    private static void One(
        string spec,
        string[] others,
        string pictures,
        string folder,
        int threads,
        int count,
        Results results
    )
    {
        var few = pictures + "-few";
        using var locked = ImageTowerLoader.Load(spec, new ImageTowerOptions { ImageSize = 224 });
        using ProductLimit limit = new(MatrixProducts.Of(locked.Tower.Config!), ImageBatch.Part);
        var towers = Towers(spec, locked, others);
        var best = new (double Clock, double Processor)[towers.Count + 1];
        for (var turn = 0; turn < 3; turn++) // the first is not counted: weights are laid out, code is compiled
        {
            var some = turn == 0 ? ImageBatch.Part * threads : count;
            Count(0, Spent.Of(() => limit.Run(some / ImageBatch.Part)));
            for (var i = 0; i < towers.Count; i++)
            {
                if (towers[i].Name == Plain && turn == 2)
                    continue; // by far the slowest, and its second turn would say nothing new
                var store = Path.Combine(folder, "store");
                var source = Samples.Open(some == count ? pictures : few);
                var tower = towers[i].Tower;
                Count(
                    i + 1,
                    Spent.Of(() =>
                        EmbedRun.Run(
                            tower,
                            spec,
                            source,
                            store,
                            new EmbedOptions(),
                            ComputeDevice.Cpu with
                            {
                                Threads = threads,
                            }
                        )
                    )
                );
                Directory.Delete(store, recursive: true);
            }

            void Count(int way, Spent spent)
            {
                if (turn > 0)
                    best[way] = (
                        Math.Max(best[way].Clock, some / spent.Seconds),
                        Math.Max(best[way].Processor, some / spent.Processor)
                    );
            }
        }
        Console.WriteLine(
            FormattableString.Invariant(
                $"{spec}\n  {"matrix products alone", -26} {best[0].Clock, 7:F2}       | {best[0].Processor, 7:F2}"
            )
        );
        for (var i = 0; i < towers.Count; i++)
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {towers[i].Name, -26} {best[i + 1].Clock, 7:F2} "
                        + $"({best[i + 1].Clock / best[0].Clock, 4:P0}) | {best[i + 1].Processor, 7:F2} "
                        + $"({best[i + 1].Processor / best[0].Processor, 4:P0})"
                )
            );
        Keep(results, spec, ["matrix products alone", .. towers.Select(one => one.Name)], best);
        foreach (var (_, tower) in towers.Skip(1))
            tower.Dispose();
    }

    private static List<(string Name, LockedTower Tower)> Towers(string spec, LockedTower locked, string[] others)
    {
        var (config, width) = (locked.Tower.Config!, locked.Tower.Width);
        List<(string, LockedTower)> towers = [("LiT", locked)];
        if (others.Contains("int8") && Int8.WhyNot(locked.Tower, ComputeDevice.Cpu) is null)
            towers.Add(
                (
                    "LiT, int8",
                    ImageTowerLoader.Load(
                        ImageTowerLoader.With(spec, "int8"),
                        new ImageTowerOptions { ImageSize = 224 }
                    )
                )
            );
        if (others.Contains("plain"))
            towers.Add((Plain, locked with { Tower = new PlainTower(PlainTowers.Of(locked.Tower), width) }));
        if (others.Contains("float32"))
            towers.Add(("ONNX Runtime, float32", locked with { Tower = new OnnxTower(config, width, int8: false) }));
        if (others.Contains("int8") && config is not ResNetConfig)
            towers.Add(("ONNX Runtime, int8", locked with { Tower = new OnnxTower(config, width, int8: true) }));
        return towers;
    }

    private static void Keep(
        Results results,
        string spec,
        string[] ways,
        (double Clock, double Processor)[] picturesPerSecond
    )
    {
        var spent = picturesPerSecond.Select(best => new Spent(1 / best.Clock, 1 / best.Processor)).ToList();
        for (var way = 0; way < ways.Length; way++)
            results.Rate(
                $"{spec} from JPEG to store",
                ways[way],
                "pictures/s",
                1,
                spent[way],
                [.. BesideOf(ways[way]).Intersect(ways).Select(other => (other, spent[Array.IndexOf(ways, other)]))]
            );

        IEnumerable<string> BesideOf(string way) =>
            way switch
            {
                "LiT" => ["matrix products alone", "ONNX Runtime, float32"],
                "LiT, int8" => ["LiT", "ONNX Runtime, int8"],
                "ONNX Runtime, int8" => ["ONNX Runtime, float32"],
                _ => [],
            };
    }

    // Windows of one cloud with some grain: as large and as costly to decode as photographs of this size (some 60 KB),
    // no two alike.
    private static void MakePictures(string folder, int count)
    {
        const int Height = 1200,
            Width = 1600;
        Directory.CreateDirectory(folder);
        using var random = new Generator(1, CPU);
        using var scope = NewDisposeScope();
        var sum = randn([1, 3, Height, Width], generator: random) * 6;
        foreach (var (cells, strength) in new[] { (8, 50), (30, 30), (120, 20), (400, 12) })
            sum +=
                nn.functional.interpolate(
                    randn([1, 3, cells, cells * 4 / 3], generator: random),
                    [Height, Width],
                    mode: InterpolationMode.Bilinear,
                    align_corners: false
                ) * strength;
        var bytes = (sum + 128).clamp(0, 255).to(ScalarType.Byte)[0].permute(1, 2, 0).contiguous();
        Parallel.For(0, count, i =>
        {
            using var own = NewDisposeScope();
            var window = bytes.narrow(0, i * 53 % (Height - 480), 480).narrow(1, i * 37 % (Width - 640), 640);
            File.WriteAllBytes(
                Path.Combine(folder, $"{i:D4}.jpg"),
                Thumbnail.Encode(new RgbImage(640, 480, window.contiguous().data<byte>().ToArray()))
            );
        });
    }

    /// <summary>Any module in a tower's place.</summary>
    private sealed class PlainTower : ImageTower
    {
        private readonly nn.Module<Tensor, Tensor> network;

        public PlainTower(nn.Module<Tensor, Tensor> network, int width)
            : base(nameof(PlainTower))
        {
            (this.network, Width) = (network, width);
            RegisterComponents();
            eval();
        }

        public override int Width { get; }

        public override Tensor forward(Tensor images) => network.call(images);
    }
}
