using LiT.Bundles;
using LiT.Compute;
using LiT.Images;
using LiT.Towers;
using Microsoft.ML.OnnxRuntime;

namespace LiT.Tests.Onnx;

/// <summary>
/// Networks in ONNX as locked towers: what they give, against ONNX Runtime alone and against numbers by hand.
/// </summary>
public sealed class OnnxTowerTests : IDisposable
{
    private const byte Red = 200,
        Green = 100,
        Blue = 50;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(3)]
    public void A_tower_gives_what_ONNX_Runtime_alone_gives_for_the_same_pixels_whatever_its_batch(long batch)
    {
        var path = Written(SmallNetworks.Convolutional(batch));
        using var locked = ImageTowerLoader.Load(path + ":mean=0.5,std=0.25");
        var pictures = Enumerable.Range(0, 19).Select(seed => Picture(seed, 16)).ToList();
        var pixels = pictures.Select(picture => Pixels(locked, picture)).ToList();

        var rows = Represented(locked, pixels);

        var alone = Written(SmallNetworks.Convolutional(batch: 1), "alone.onnx");
        using InferenceSession session = new(alone);
        for (var i = 0; i < pixels.Count; i++)
        {
            using var input = OrtValue.CreateTensorValueFromMemory(pixels[i], [1, 3, 16, 16]);
            using RunOptions options = new();
            using var results = session.Run(options, ["pixels"], [input], ["answers"]);
            var wanted = results[0].GetTensorDataAsSpan<float>();
            for (var j = 0; j < wanted.Length; j++)
                Assert.Equal(wanted[j], rows[i * 5 + j], 1e-5f);
        }
    }

    [Fact]
    public void A_network_that_was_cut_gives_its_numbers_along_the_directions_and_stays_so_in_a_file()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        using var locked = ImageTowerLoader.Load(Written(SmallNetworks.Convolutional(-1)) + ":preprocess=unit");
        var directions = TorchSharp.torch.linalg.qr(TorchSharp.torch.rand(5, 5)).Q.narrow(0, 0, 2);
        using var cut = ShortenedTower.Of(locked, null, directions);
        var pixels = Enumerable.Range(0, 11).Select(seed => Pixels(locked, Picture(seed, 16))).ToList();
        var whole = TorchSharp.torch.tensor(Represented(locked, pixels), 11, 5);
        var expected = whole.matmul(directions.t()).contiguous().data<float>().ToArray();

        Assert.Equal(2, cut.Tower.Width);
        Near(expected, Represented(cut, pixels));
        Assert.NotEqual(locked.Fingerprint, cut.Fingerprint);
        Assert.Equal(locked.Fingerprint, ((ICutTower)cut.Tower).FingerprintInFront(locked.Preprocessing));

        var name = ImageTowerFile.SaveIn(folder.Path, "cut", cut);
        using var read = ImageTowerLoader.Load(folder[name]);
        Assert.Equal(cut.Fingerprint, read.Fingerprint);
        Near(expected, Represented(read, pixels));

        using var further = ShortenedTower.Of(read, null, TorchSharp.torch.eye(2).narrow(0, 1, 1));
        Near([.. expected.Where((_, place) => place % 2 == 1)], Represented(further, pixels));

        static void Near(float[] wanted, float[] got)
        {
            Assert.Equal(wanted.Length, got.Length);
            Assert.All(wanted.Zip(got), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void The_number_of_threads_changes_no_bit(long batch)
    {
        using var locked = ImageTowerLoader.Load(Written(SmallNetworks.Convolutional(batch)) + ":preprocess=unit");
        var pixels = Enumerable.Range(0, 21).Select(seed => Pixels(locked, Picture(seed, 16))).ToList();
        float[] With(int threads)
        {
            using (Parts.Use(threads))
                return Represented(locked, pixels);
        }
        Assert.Equal(With(1), With(3));
    }

    [Fact]
    public void Numbers_by_hand_and_channels_first_or_last_or_blue_first_arrive_where_they_belong()
    {
        float[] wanted = [(Red / 255f - 0.5f) / 0.25f, (Green / 255f - 0.4f) / 0.25f, (Blue / 255f - 0.3f) / 0.25f];
        const string Numbers = ":mean=0.5,0.4,0.3,std=0.25";
        Close(wanted, Of(Written(SmallNetworks.Means()) + Numbers));
        Close(wanted, Of(Written(SmallNetworks.MeansOfLastChannels(), "last.onnx") + Numbers));
        Close([wanted[2], wanted[1], wanted[0]], Of(folder["model.onnx"] + Numbers + ",bgr"));
        // The same numbers, said for values up to 255.
        Close(wanted, Of(folder["model.onnx"] + ":mean=127.5,102,76.5,std=63.75"));
        Close([Red, Green, Blue], Of(folder["model.onnx"] + ":preprocess=raw"), exactly: true);
    }

    [Fact]
    public void Bytes_and_halves_are_taken()
    {
        Close(
            [Red, Green, Blue],
            Of(
                Written(
                    new OnnxModel()
                        .Input("pixels", OnnxModel.UInt8, -1, 3, 4, 4)
                        .Node("Cast", ["pixels"], "floats", ("to", 1L))
                        .Node("GlobalAveragePool", ["floats"], "means")
                        .Output("means", OnnxModel.Float, -1, 3, 1, 1)
                )
            ),
            exactly: true
        );
        Close([Red, Green, Blue], Of(Written(SmallNetworks.Means(OnnxModel.Half), "half.onnx") + ":preprocess=raw"));
    }

    [Fact]
    public void Another_graph_prepares_pictures_and_belongs_to_the_tower()
    {
        var path = Written(SmallNetworks.Means());
        Written(SmallNetworks.CaffeWay(), "way.onnx");
        using var locked = ImageTowerLoader.Load(path + ":preprocess=way.onnx");
        Close([Blue - 104, Green - 117, Red - 123], Represented(locked, [Pixels(locked, Plain())]));
        using var without = ImageTowerLoader.Load(path + ":preprocess=raw");
        Assert.NotEqual(without.Fingerprint, locked.Fingerprint);
        Assert.Contains(locked.Settings, line =>
            line.StartsWith("way.onnx: prepares pictures", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void A_preprocessor_config_json_beside_it_is_followed()
    {
        folder.Write(
            "preprocessor_config.json",
            """
            {
              "image_processor_type": "ViTImageProcessor", "size": {"height": 4, "width": 4}, "resample": 3,
              "image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25]
            }
            """
        );
        using var locked = ImageTowerLoader.Load(Written(SmallNetworks.Means()));
        Assert.Equal((ChannelValues)0.25f, locked.Preprocessing.Std);
        Assert.Equal(ResizeMethod.PillowBicubic, locked.Preprocessing.Method);
        Assert.Empty(locked.Warnings);
    }

    [Fact]
    public void Where_nothing_says_how_pictures_go_in_that_is_told()
    {
        using var locked = ImageTowerLoader.Load(Written(SmallNetworks.Means()));
        Assert.Contains("torchvision's way for ImageNet is taken", Assert.Single(locked.Warnings));
        Assert.Equal(Preprocessing.ImageNetMean, locked.Preprocessing.Mean);
    }

    [Fact]
    public void Tokens_become_the_class_token_the_mean_patch_or_both()
    {
        float[] patches = [Red, Green, Blue];
        var with = Written(SmallNetworks.Tokens(classToken: true)) + ":preprocess=raw";
        Close([7, 8, 9], Of(with));
        Close(patches, Of(with + ",pool=gap"));
        Close([7, 8, 9, .. patches], Of(with + ",patch-mean"));
        Close(patches, Of(Written(SmallNetworks.Tokens(classToken: false), "without.onnx") + ":preprocess=raw"));
        var wrong = Assert.Throws<UsageException>(() => Of(Written(SmallNetworks.Means(), "means.onnx") + ":pool=tok"));
        Assert.Contains("no tokens to pool", wrong.Message);
    }

    [Fact]
    public void A_value_inside_the_network_can_be_the_representation()
    {
        var path = Written(SmallNetworks.Convolutional());
        using var inside = ImageTowerLoader.Load(path + ":output=features,preprocess=unit");
        using var map = ImageTowerLoader.Load(path + ":output=rectified,preprocess=unit");
        Assert.Equal((8, 8), (inside.Tower.Width, map.Tower.Width));
        var pixels = Pixels(inside, Picture(5, 16));
        Close(Represented(inside, [pixels]), Represented(map, [pixels]));
        Assert.NotEqual(inside.Fingerprint, map.Fingerprint);
        Assert.Contains(
            "gives no value 'nothing'. Its outputs are answers [free, 5]",
            Assert.Throws<LitException>(() => ImageTowerLoader.Load(path + ":output=nothing")).Message
        );
    }

    [Fact]
    public void A_classifier_s_answers_are_told_from_a_representation()
    {
        var path = Written(
            new OnnxModel()
                .Input("pixels", OnnxModel.Float, -1, 3, 4, 4)
                .Constant("dense", new float[3 * 1000], 3, 1000)
                .Node("ReduceMean", ["pixels"], "features", ("axes", new long[] { 2, 3 }), ("keepdims", 0L))
                .Node("MatMul", ["features", "dense"], "answers")
                .Node("Softmax", ["answers"], "probabilities")
                .Output("probabilities", OnnxModel.Float, -1, 1000)
        );
        using var locked = ImageTowerLoader.Load(path + ":preprocess=unit");
        Assert.Contains("What goes into its last layer is :output=features.", Assert.Single(locked.Warnings));
    }

    [Fact]
    public void The_fingerprint_is_of_weights_and_way_wherever_the_weights_lie_and_whoever_wrote_them()
    {
        string Fingerprint(OnnxModel model, string name, string options = ":preprocess=unit")
        {
            using var locked = ImageTowerLoader.Load(Written(model, name) + options);
            return locked.Fingerprint;
        }
        var first = Fingerprint(SmallNetworks.Convolutional(), "a.onnx");
        Assert.Equal(first, Fingerprint(SmallNetworks.Convolutional(producer: "somebody else"), "b.onnx"));
        Assert.Equal(first, Fingerprint(SmallNetworks.Convolutional().Note("a", "b"), "c.onnx"));
        using MemoryStream beside = new();
        var outside = SmallNetworks.Convolutional(beside: beside);
        folder.Write("weights.bin", beside.ToArray());
        Assert.Equal(first, Fingerprint(outside, "d.onnx"));
        Assert.NotEqual(first, Fingerprint(SmallNetworks.Convolutional(seed: 1), "e.onnx"));
        Assert.NotEqual(first, Fingerprint(SmallNetworks.Convolutional(), "a.onnx", ":preprocess=raw"));
        Assert.NotEqual(first, Fingerprint(SmallNetworks.Convolutional(), "a.onnx", ":preprocess=unit,bgr"));
        Assert.NotEqual(
            first,
            Fingerprint(SmallNetworks.Convolutional(), "a.onnx", ":preprocess=unit,output=features")
        );
    }

    [Fact]
    public void A_tower_saved_into_a_folder_is_one_file_and_the_same_tower()
    {
        using MemoryStream beside = new();
        var path = Written(SmallNetworks.Convolutional(beside: beside, sides: [4, 4]));
        folder.Write("weights.bin", beside.ToArray());
        Written(SmallNetworks.CaffeWay(), "way.onnx");
        using var locked = ImageTowerLoader.Load(path + ":preprocess=way.onnx,output=features,bgr");
        Directory.CreateDirectory(folder["bundle"]);

        var name = ImageTowerFile.SaveIn(folder["bundle"], "image", locked);

        Assert.Equal("image.onnx", name);
        using var again = ImageTowerLoader.Load(folder["bundle", name]);
        Assert.Equal(locked.Fingerprint, again.Fingerprint);
        Assert.Equal(locked.Preprocessing, again.Preprocessing);
        var pixels = Pixels(locked, Picture(3, 4));
        Assert.Equal(Represented(locked, [pixels]), Represented(again, [pixels]));
        Assert.Equal([folder["bundle", name]], Directory.GetFiles(folder["bundle"]));
    }

    [Fact]
    public void A_network_that_says_any_batch_and_takes_one_only_is_run_one_by_one()
    {
        var path = Written(
            new OnnxModel()
                .Input("pixels", OnnxModel.Float, -1, 3, 4, 4)
                .Integers("one", 1, 48)
                .Node("Reshape", ["pixels", "one"], "row")
                .Output("row", OnnxModel.Float, -1, 48)
        );
        using var locked = ImageTowerLoader.Load(path + ":preprocess=raw");
        var pixels = Enumerable.Range(0, 3).Select(seed => Pixels(locked, Picture(seed, 4))).ToList();
        var rows = Represented(locked, pixels);
        Assert.Equal(pixels.SelectMany(picture => picture.Select(value => MathF.Round(value))), rows);
    }

    [Fact]
    public void The_network_that_the_command_line_is_tested_with_is_made_here() =>
        Assert.Equal(
            SmallNetworks.Convolutional().ToArray(),
            File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Fixtures", "onnx", "convolutional.onnx"))
        );

    [Fact]
    public void A_folder_as_others_publish_it_is_a_tower()
    {
        folder.Write("published/onnx/model.onnx", SmallNetworks.Means().ToArray());
        folder.Write(
            "published/preprocessor_config.json",
            """{"image_processor_type": "ViTImageProcessor", "size": 4}"""u8.ToArray()
        );
        using var locked = ImageTowerLoader.Load(folder["published"]);
        Assert.Equal(3, locked.Tower.Width);
        Assert.Empty(locked.Warnings);
    }

    private string Written(OnnxModel model, string name = "model.onnx")
    {
        File.WriteAllBytes(folder[name], model.ToArray());
        return folder[name];
    }

    private static RgbImage Plain() =>
        new(4, 4, [.. Enumerable.Range(0, 16).SelectMany(_ => new[] { Red, Green, Blue })]);

    private static RgbImage Picture(int seed, int size)
    {
        var bytes = new byte[size * size * 3];
        new Random(seed).NextBytes(bytes);
        return new(size, size, bytes);
    }

    private static float[] Pixels(LockedTower locked, RgbImage picture)
    {
        var pixels = new float[locked.Preprocessing.ValueCount];
        locked.Preprocessing.Apply(picture, pixels);
        return pixels;
    }

    private static float[] Of(string spec)
    {
        using var locked = ImageTowerLoader.Load(spec);
        return Represented(locked, [Pixels(locked, Plain())]);
    }

    private static float[] Represented(LockedTower locked, IReadOnlyList<float[]> pixels)
    {
        var rows = new float[pixels.Count * locked.Tower.Width];
        ImageBatch.Represent(locked, pixels, ComputeDevice.Cpu, rows);
        return rows;
    }

    private static void Close(float[] wanted, float[] found, bool exactly = false)
    {
        Assert.Equal(wanted.Length, found.Length);
        for (var i = 0; i < wanted.Length; i++)
            Assert.Equal(wanted[i], found[i], exactly ? 0 : 1e-3f * Math.Max(1, Math.Abs(wanted[i])));
    }
}
