using CsCheck;
using LiT.Compute;
using LiT.Tuning.Contrastive;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

public class ContrastiveLossTests
{
    private static readonly Gen<Batch> Batches =
        from size in Gen.Int[1, 13]
        from width in Gen.Int[1, 6]
        from captions in Gen.Long[0, 6].Array[size]
        from images in Gen.Long[0, 20].Array[size]
        from logTemperature in Gen.Double[-2, 5]
        from block in Gen.Int[1, 15]
        from kept in Gen.Int[0, 1000]
        from kind in Gen.Enum<ContrastiveLossKind>()
        from shared in Gen.Bool
        from seed in Gen.Int[0, 1000]
        select new Batch(size, width, captions, images, logTemperature, block, kept, kind, shared, seed);

    private sealed record Batch(
        int Size,
        int Width,
        long[] Captions,
        long[] Images,
        double LogTemperature,
        int Block,
        int Kept,
        ContrastiveLossKind Kind,
        bool Shared,
        int Seed
    )
    {
        internal (Tensor Zimg, Tensor Ztxt) Embeddings()
        {
            using var generator = new Generator((ulong)Seed);
            return (
                Unit(randn([Size, Width], float64, generator: generator)),
                Unit(randn([Size, Width], float64, generator: generator))
            );
        }
    }

    private static Tensor Unit(Tensor x) => x / x.norm(1, keepdim: true).Plus(1e-8);

    private static Tensor Scalar(double value) => tensor(value, dtype: float64);

    private static void Close(double expected, double got, double tolerance = 1e-10) =>
        Assert.True(
            Math.Abs(expected - got) <= tolerance * Math.Max(1, Math.Abs(expected)),
            $"expected {expected:r}, got {got:r}"
        );

    private static void Close(Tensor expected, Tensor got, double tolerance = 1e-10)
    {
        var error = (expected - got).abs().max().item<double>();
        Assert.True(error <= tolerance, $"largest difference {error:g3}");
    }

    [Fact]
    public void Any_block_size_and_any_room_for_kept_blocks_gives_the_loss_and_gradients_of_the_full_matrix() =>
        Batches.Sample(
            batch =>
            {
                using var scope = NewDisposeScope();
                var (zimg, ztxt) = batch.Embeddings();
                var positives = batch.Shared
                    ? Positives.Shared(batch.Captions, batch.Images)
                    : Positives.Own(batch.Size);
                var belongs = batch.Shared
                    ? PlainLoss.Relation(batch.Captions, batch.Images)
                    : PlainLoss.Relation([.. Enumerable.Range(0, batch.Size)], [.. Enumerable.Range(0, batch.Size)]);
                var expected = PlainLoss.Compute(zimg, ztxt, batch.LogTemperature, -3, belongs, batch.Kind);
                var got = ContrastiveLoss.Compute(
                    zimg,
                    ztxt,
                    Scalar(batch.LogTemperature),
                    Scalar(-3),
                    positives,
                    options: new()
                    {
                        Kind = batch.Kind,
                        BlockSize = batch.Block,
                        KeptBytes = batch.Kept,
                    }
                );
                Close(expected.Loss, got.Loss.item<double>());
                Close(expected.Loss, got.PerPair.mean().item<double>());
                Close(expected.ImageGradient, got.ImageGradient!);
                Close(expected.TextGradient, got.TextGradient);
                Close(expected.LogTemperatureGradient, got.LogTemperatureGradient.item<double>());
                Close(
                    batch.Kind == ContrastiveLossKind.Sigmoid ? expected.BiasGradient : 0,
                    got.BiasGradient.item<double>()
                );
            },
            iter: 150
        );

    [Fact]
    public void The_pass_over_memory_does_what_the_tensor_operations_do() =>
        Batches.Sample(
            batch =>
            {
                using var scope = NewDisposeScope();
                var (zimg, ztxt) = batch.Embeddings();
                var positives = batch.Shared
                    ? Positives.Shared(batch.Captions, batch.Images)
                    : Positives.Own(batch.Size);
                var options = new ContrastiveLossOptions
                {
                    Kind = batch.Kind,
                    BlockSize = batch.Block,
                    KeptBytes = batch.Kept,
                };
                var (z, t) = (zimg.to_type(float32), ztxt.to_type(float32));
                Assert.True(Processor.Computes(z));
                Assert.False(Processor.Computes(zimg));
                // The same rounded numbers in both, so that neither best partner nor loss hangs on the rounding.
                var expected = ContrastiveLoss.Compute(
                    z.to_type(float64),
                    t.to_type(float64),
                    Scalar(batch.LogTemperature),
                    Scalar(-3),
                    positives,
                    options: options
                );
                var got = ContrastiveLoss.Compute(
                    z,
                    t,
                    Scalar(batch.LogTemperature),
                    Scalar(-3),
                    positives,
                    options: options
                );
                var scale = Math.Exp(batch.LogTemperature);
                // a sum of so many numbers up to the scale
                Close(expected.PerPair, got.PerPair, 1e-6 * (10 + scale) * (2 + batch.Size));
                Close(expected.ImageGradient!, got.ImageGradient!.to_type(float64), 2e-6 * (1 + scale));
                Close(expected.TextGradient, got.TextGradient.to_type(float64), 2e-6 * (1 + scale));
                Close(
                    expected.LogTemperatureGradient.item<double>(),
                    got.LogTemperatureGradient.item<double>(),
                    2e-5 * (1 + scale)
                );
                Close(expected.BiasGradient.item<double>(), got.BiasGradient.item<double>(), 1e-4);
            },
            iter: 150,
            threads: 1
        );

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(37)]
    [InlineData(200)]
    public void A_block_of_any_width_is_summed_and_shared_like_a_row_of_numbers(int size)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(9);
        var (z, t) = (
            Unit(randn([size, 5], float64, generator: generator)).to_type(float32),
            Unit(randn([size, 5], float64, generator: generator)).to_type(float32)
        );
        foreach (var kind in Enum.GetValues<ContrastiveLossKind>())
        {
            var own = Enumerable.Range(0, size).Select(pair => (long)pair).ToArray();
            var expected = PlainLoss.Compute(
                z.to_type(float64),
                t.to_type(float64),
                Math.Log(100),
                -10,
                PlainLoss.Relation(own, own),
                kind
            );
            var got = ContrastiveLoss.Compute(
                z,
                t,
                tensor(MathF.Log(100)),
                tensor(-10f),
                options: new() { Kind = kind, BlockSize = 64 }
            );
            Close(expected.Loss, got.Loss.item<double>(), 1e-5);
            Close(expected.TextGradient, got.TextGradient.to_type(float64), 1e-4);
            Close(expected.ImageGradient, got.ImageGradient!.to_type(float64), 1e-4);
        }
    }

    [Theory]
    [InlineData(ContrastiveLossKind.Softmax)]
    [InlineData(ContrastiveLossKind.Sigmoid)]
    internal void Blocks_large_enough_for_oneDNN_give_the_loss_and_gradients_of_float64(ContrastiveLossKind kind)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(9);
        var (z, t) = (Unit(randn([700, 64], generator: generator)), Unit(randn([700, 64], generator: generator)));
        LossResult Run(ScalarType type, int block) =>
            ContrastiveLoss.Compute(
                z.to_type(type),
                t.to_type(type),
                Scalar(MathF.Log(20)),
                Scalar(-3),
                options: new()
                {
                    Kind = kind,
                    BlockSize = block,
                    KeptBytes = 1 << 21,
                }
            );
        var (expected, got) = (Run(float64, 64), Run(float32, 512));
        Close(expected.PerPair, got.PerPair, 6e-5);
        Close(expected.ImageGradient!, got.ImageGradient!.to_type(float64), 1e-6);
        Close(expected.TextGradient, got.TextGradient.to_type(float64), 1e-6);
        Close(expected.LogTemperatureGradient.item<double>(), got.LogTemperatureGradient.item<double>(), 1e-4);
    }

    [Theory]
    [InlineData(300, 8)]
    [InlineData(400, 256)]
    public void The_number_of_threads_changes_no_bit_of_loss_or_gradients(int size, int width) =>
        SameForAnyThreads(size, width, ContrastiveLossKind.Softmax, block: 256, images: true);

    [Fact]
    public void The_number_of_threads_changes_no_bit_of_any_loss_of_any_size() =>
        (
            from size in Gen.Int[300, 2000]
            from width in Gen.Int[8, 256]
            from kind in Gen.Enum<ContrastiveLossKind>()
            from large in Gen.Bool
            from images in Gen.Bool
            select (size, width, kind, block: large ? 1024 : 256, images)
        ).Sample(one => SameForAnyThreads(one.size, one.width, one.kind, one.block, one.images), iter: 12, threads: 1);

    private static void SameForAnyThreads(int size, int width, ContrastiveLossKind kind, int block, bool images)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)(size + width));
        var (z, t) = (
            Unit(randn([size, width], generator: generator)),
            Unit(randn([size, width], generator: generator))
        );
        var shared = Positives.Shared([.. Enumerable.Range(0, size).Select(pair => (long)(pair / 3 * 5 % 97))]);
        using var before = new TorchThreads();
        var one = Run(1);
        foreach (var threads in new[] { 2, 3 })
        foreach (var (expected, got) in one.Zip(Run(threads)))
            Assert.True(expected.equal(got).all().item<bool>(), $"{threads} threads");

        Tensor[] Run(int threads)
        {
            set_num_threads(threads);
            var result = ContrastiveLoss.Compute(
                z,
                t,
                tensor(3f),
                kind == ContrastiveLossKind.Sigmoid ? tensor(-5f) : null,
                shared,
                options: new()
                {
                    Kind = kind,
                    BlockSize = block,
                    ImageGradient = images,
                    KeptBytes = 4 << 20,
                }
            );
            return
            [
                result.Loss,
                result.PerPair,
                .. images ? new[] { result.ImageGradient! } : [],
                result.TextGradient,
                result.LogTemperatureGradient,
                result.BiasGradient,
                result.ImageToText,
                result.TextToImage,
            ];
        }
    }

    /// <summary>Puts the number of threads back.</summary>
    private sealed class TorchThreads : IDisposable
    {
        private readonly int before = get_num_threads();

        public void Dispose() => set_num_threads(before);
    }

    [Fact]
    public void Equal_captions_embedded_equally_are_never_pushed_apart()
    {
        // Two pictures of one word, both where the word is: nothing is left to learn but the third pair.
        var z = tensor(
            new double[,]
            {
                { 1, 0 },
                { 1, 0 },
                { 0, 1 },
            }
        );
        var shared = ContrastiveLoss.Compute(z, z, Scalar(4), positives: Positives.Shared([7, 7, 9]));
        var own = ContrastiveLoss.Compute(z, z, Scalar(4));
        Close(2.0 / 3 * Math.Log(2), shared.Loss.item<double>());
        Assert.Equal(1, shared.ImageToText.item<double>());
        // The plain form cannot tell the two apart and counts the first as right only.
        Assert.Equal(2.0 / 3, own.ImageToText.item<double>(), 12);
        Assert.True(shared.TextGradient.abs().max().item<double>() < 1e-12);
    }

    [Fact]
    public void The_softmax_cannot_tell_shared_positives_of_equal_captions_from_the_plain_form_and_the_sigmoid_can()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(11);
        long[] captions = [4, 7, 4, 9, 7, 4];
        var texts = Unit(randn([10, 3], float64, generator: generator)).index_select(0, tensor(captions));
        var images = Unit(randn([6, 3], float64, generator: generator));
        (LossResult Shared, LossResult Own) Both(ContrastiveLossKind kind) =>
            (
                ContrastiveLoss.Compute(
                    images,
                    texts,
                    Scalar(2),
                    Scalar(-3),
                    Positives.Shared(captions),
                    options: new() { Kind = kind }
                ),
                ContrastiveLoss.Compute(images, texts, Scalar(2), Scalar(-3), options: new() { Kind = kind })
            );
        // What reaches a caption is the sum over its copies.
        Tensor OfCaptions(Tensor gradient) => zeros(10, 3, float64).index_add_(0, tensor(captions), gradient, 1);

        var softmax = Both(ContrastiveLossKind.Softmax);
        Close(softmax.Own.Loss.item<double>(), softmax.Shared.Loss.item<double>());
        Close(softmax.Own.ImageGradient!, softmax.Shared.ImageGradient!);
        Close(OfCaptions(softmax.Own.TextGradient), OfCaptions(softmax.Shared.TextGradient));
        var sigmoid = Both(ContrastiveLossKind.Sigmoid);
        Assert.True(
            (OfCaptions(sigmoid.Own.TextGradient) - OfCaptions(sigmoid.Shared.TextGradient)).abs().max().item<double>()
                > 0.01
        );
    }

    [Fact]
    public void Two_captions_of_one_image_are_both_right()
    {
        var z = tensor(
            new double[,]
            {
                { 1, 0 },
                { 1, 0 },
                { 0, 1 },
            }
        );
        var t = tensor(
            new double[,]
            {
                { .8, .6 },
                { 1, 0 },
                { 0, 1 },
            }
        );
        var shared = ContrastiveLoss.Compute(z, t, Scalar(3), positives: Positives.Shared([1, 2, 3], [5, 5, 6]));
        Assert.Equal(1, shared.ImageToText.item<double>());
        Assert.Equal(2.0 / 3, ContrastiveLoss.Compute(z, t, Scalar(3)).ImageToText.item<double>(), 12);
    }

    [Theory]
    [InlineData(ContrastiveLossKind.Softmax)]
    [InlineData(ContrastiveLossKind.Sigmoid)]
    internal void A_temperature_that_would_overflow_leaves_loss_and_gradients_finite(ContrastiveLossKind kind)
    {
        using var generator = new Generator(3);
        var z = Unit(randn([9, 4], generator: generator));
        var t = Unit(randn([9, 4], generator: generator));
        var result = ContrastiveLoss.Compute(
            z,
            t,
            tensor(MathF.Log(1e6f)),
            options: new() { Kind = kind, BlockSize = 2 }
        );
        foreach (
            var part in new[] { result.Loss, result.ImageGradient!, result.TextGradient, result.LogTemperatureGradient }
        )
            Assert.True(part.isfinite().all().item<bool>());
        Assert.True(result.Loss.item<double>() > 1e4);
    }

    [Fact]
    public void Pairs_that_are_masked_out_are_neither_positive_nor_negative()
    {
        using var generator = new Generator(4);
        var (z, t) = (
            Unit(randn([5, 3], float64, generator: generator)),
            Unit(randn([5, 3], float64, generator: generator))
        );
        var masked = ContrastiveLoss.Compute(
            z,
            t,
            Scalar(1),
            mask: [true, false, true, true, false],
            options: new() { BlockSize = 2 }
        );
        var rows = tensor(new long[] { 0, 2, 3 });
        var alone = ContrastiveLoss.Compute(z.index_select(0, rows), t.index_select(0, rows), Scalar(1));
        Close(alone.Loss.item<double>(), masked.Loss.item<double>(), 1e-8);
        Close(alone.TextGradient, masked.TextGradient.index_select(0, rows), 1e-8);
        Assert.Equal(0, masked.ImageGradient![1].abs().sum().item<double>());
    }

    [Fact]
    public void Parts_of_a_local_loss_are_each_other_s_strangers_and_count_by_their_size()
    {
        using var generator = new Generator(5);
        var (z, t) = (
            Unit(randn([5, 3], float64, generator: generator)),
            Unit(randn([5, 3], float64, generator: generator))
        );
        var positives = Positives.Shared([1, 1, 2, 1, 2]);
        var local = ContrastiveLoss.Compute(z, t, Scalar(1), positives: positives, options: new() { LocalParts = 2 });
        var first = ContrastiveLoss.Compute(z[..2], t[..2], Scalar(1), positives: Positives.Shared([1, 1]));
        var rest = ContrastiveLoss.Compute(z[2..], t[2..], Scalar(1), positives: Positives.Shared([2, 1, 2]));
        Close(0.4 * first.Loss.item<double>() + 0.6 * rest.Loss.item<double>(), local.Loss.item<double>());
        Close(cat([first.TextGradient.Times(0.4), rest.TextGradient.Times(0.6)]), local.TextGradient);
    }

    [Fact]
    public void Without_the_image_gradient_everything_else_is_the_same()
    {
        using var generator = new Generator(6);
        var (z, t) = (
            Unit(randn([6, 3], float64, generator: generator)),
            Unit(randn([6, 3], float64, generator: generator))
        );
        var whole = ContrastiveLoss.Compute(z, t, Scalar(2));
        var locked = ContrastiveLoss.Compute(z, t, Scalar(2), options: new() { ImageGradient = false });
        Assert.Null(locked.ImageGradient);
        Close(whole.TextGradient, locked.TextGradient, 0);
        Close((z * whole.ImageGradient!).sum().item<double>(), locked.LogTemperatureGradient.item<double>());
    }

    [Fact]
    public void Embeddings_of_different_sizes_are_refused() =>
        Assert.Throws<ArgumentException>(() => ContrastiveLoss.Compute(ones(3, 4), ones(2, 4), Scalar(1)));
}
