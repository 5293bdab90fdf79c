using LiT.Compute;
using LiT.Compute.Kernels;
using LiT.Compute.Locked;
using LiT.Images;
using LiT.Tests.Compute;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

/// <summary>Towers of bytes.</summary>
public sealed class Int8Tests : IDisposable
{
    private static readonly VitConfig Small = new()
    {
        Width = 64,
        Depth = 3,
        MlpDim = 128,
        AttentionHeads = 4,
        Patch = 8,
        ImageSize = 32,
        Positions = VitPositions.LearnedWithClass,
    };

    private readonly string folder = Directory.CreateTempSubdirectory("lit-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static Tensor Random(params long[] shape)
    {
        using var random = new Generator(5, CPU);
        return randn(shape, generator: random);
    }

    private static double Cosine(Tensor a, Tensor b) =>
        nn.functional.cosine_similarity(a, b, dim: 1).mean().item<float>();

    private string Saved()
    {
        var path = Path.Combine(folder, "tower.safetensors");
        using var tower = Small.Create(seed: 1);
        ImageTowerFile.Save(path, tower, Preprocessing.LiT(32));
        return path;
    }

    [Theory]
    [EveryIsa(5, 64)]
    [EveryIsa(70, 196)]
    public void A_row_comes_back_from_bytes_within_half_a_step(string isa, int rows, int width)
    {
        using var forced = Processor.Use(isa);
        using var scope = NewDisposeScope();
        var x = Random(rows, width);
        x[1].zero_();
        x[2].mul_(1e4f);
        var bytes = ByteRows.Of(x, full([width], 2f));
        var back = (bytes.Codes.to(ScalarType.Float32) - 128f) * bytes.Scales.unsqueeze(1) / 2f;
        var steps = (back - x).abs() / x.abs().amax([1], keepdim: true).clamp_min(1e-9f) * 127f;
        Assert.True(steps.max().item<float>() <= 0.501f);
    }

    [Theory]
    [EveryIsa]
    public void A_layer_of_bytes_sums_exactly_what_its_codes_say(string isa)
    {
        using var forced = Processor.Use(isa);
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        using Dense dense = new(48, 20);
        foreach (var parameter in dense.parameters())
            parameter.copy_(Random(parameter.shape));
        dense.eval();
        dense.Target = dense.Target with { Constant = true };
        var x = Random(2, 9, 48);
        x.select(2, 7).mul_(200f); // an outlier among the inputs, as real towers have them
        var expected = dense.call(x);
        dense.Target = dense.Target with { Bytes = true };
        Assert.False(Assert.IsType<ByteProduct>(dense.Product).IsMade);
        var first = dense.call(x);
        Assert.True(Assert.IsType<ByteProduct>(dense.Product).IsMade);
        var got = dense.call(x);
        Assert.Equal(expected.shape, got.shape);
        Assert.Equal(first.data<float>().ToArray(), got.data<float>().ToArray());
        Assert.True(((got - expected).norm() / expected.norm()).item<float>() < 0.01);
        dense.Target = dense.Target with { Constant = false, Bytes = false };
        Assert.IsType<PlainProduct>(dense.Product);
    }

    [Theory]
    [EveryIsa(1, 1)]
    [EveryIsa(7, 19)]
    [EveryIsa(130, 64)]
    public void A_weights_codes_are_its_numbers_rounded_to_steps_of_their_row(string isa, int rows, int width)
    {
        using var forced = Processor.Use(isa);
        using var scope = NewDisposeScope();
        var (weight, factors) = (Random(rows, width), Random(width).abs() + 0.1f);
        Assert.Equal(
            weight.abs().amax([0]).data<float>().ToArray(),
            WeightCodes.LargestOfColumns(weight).data<float>().ToArray()
        );
        var (codes, scales) = WeightCodes.Of(weight, factors);
        var expected = (weight * factors).abs().amax([1]) / 127f;
        Assert.Equal(expected.data<float>().ToArray(), scales.data<float>().ToArray());
        Assert.Equal(
            (weight * factors / expected.unsqueeze(1)).round().to(ScalarType.Int8).data<sbyte>().ToArray(),
            codes.data<sbyte>().ToArray()
        );
        weight[0, width - 1] = float.NaN;
        Assert.True(float.IsNaN(WeightCodes.Of(weight, factors).Scales[0].item<float>()));
    }

    [Theory]
    [EveryIsa]
    public void An_int8_tower_is_the_same_made_with_any_number_of_threads(string isa)
    {
        using var forced = Processor.Use(isa);
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var (path, pictures, threads) = (Saved(), Random(2, 3, 32, 32), get_num_threads());
        float[] MadeWith(int count)
        {
            set_num_threads(count);
            using var tower = ImageTowerLoader.Load(path + ":int8");
            set_num_threads(1);
            return tower.Tower.call(pictures).data<float>().ToArray();
        }
        try
        {
            Assert.Equal(MadeWith(1), MadeWith(2));
            Assert.Equal(MadeWith(1), MadeWith(3));
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    [Theory]
    [EveryIsa]
    public void An_int8_tower_sees_what_the_tower_sees_and_is_another_tower(string isa)
    {
        using var forced = Processor.Use(isa);
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var path = Saved();
        using var exact = ImageTowerLoader.Load(path);
        using var bytes = ImageTowerLoader.Load(path + ":int8");
        using var again = ImageTowerLoader.Load(path + ":int8");
        var pictures = Random(8, 3, 32, 32);
        Assert.True(bytes.Tower.IsInt8);
        Assert.NotEqual(exact.Fingerprint, bytes.Fingerprint);
        Assert.Equal(bytes.Fingerprint, again.Fingerprint);
        Assert.EndsWith("int8", bytes.Architecture, StringComparison.Ordinal);
        var representation = bytes.Tower.call(pictures);
        Assert.InRange(Cosine(representation, exact.Tower.call(pictures)), 0.995, 0.9999999);
        Assert.Equal(representation.data<float>().ToArray(), again.Tower.call(pictures).data<float>().ToArray());
        bytes.Tower.Lock(); // as tuning does with a tower that is locked already
        Assert.Equal(representation.data<float>().ToArray(), bytes.Tower.call(pictures).data<float>().ToArray());
    }

    [Theory]
    [EveryIsa]
    public void A_saved_int8_tower_stays_one(string isa)
    {
        using var forced = Processor.Use(isa);
        using var bytes = ImageTowerLoader.Load(Saved() + ":int8");
        var copy = Path.Combine(folder, "image.safetensors");
        ImageTowerFile.Save(copy, bytes.Tower, bytes.Preprocessing);
        using var read = ImageTowerLoader.Load(copy);
        Assert.True(read.Tower.IsInt8);
        Assert.Equal(bytes.Fingerprint, read.Fingerprint);
    }

    [Fact]
    public void A_convolutional_tower_says_why_it_cannot_be_one_of_bytes()
    {
        var message = Assert.Throws<LitException>(() => ImageTowerLoader.Load("cifar-resnet:20,int8")).Message;
        Assert.Contains("Leave int8 out", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("vit:B/16", "vit:B/16,int8")]
    [InlineData("tower.npz", "tower.npz:int8")]
    [InlineData("tower.npz:pool=map", "tower.npz:pool=map,int8")]
    public void An_option_is_put_behind_a_spec(string spec, string expected) =>
        Assert.Equal(expected, ImageTowerLoader.With(spec, "int8"));
}
