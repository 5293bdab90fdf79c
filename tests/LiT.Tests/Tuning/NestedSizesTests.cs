using CsCheck;
using LiT.Compute;
using LiT.Tuning.Contrastive;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

/// <summary>Losses at several widths, beside the same written down with autograd.</summary>
public class NestedSizesTests
{
    private sealed record Batch(
        int Size,
        int Width,
        int[] Sizes,
        long[] Captions,
        double LogTemperature,
        ContrastiveLossKind Kind,
        bool Turned,
        int Seed
    );

    private static readonly Gen<Batch> Batches =
        from size in Gen.Int[1, 12]
        from width in Gen.Int[2, 9]
        from sizes in Gen.Int[1, width - 1].HashSet[1, Math.Min(3, width - 1)]
        from captions in Gen.Long[0, 6].Array[size]
        from logTemperature in Gen.Double[-1, 4]
        from kind in Gen.Enum<ContrastiveLossKind>()
        from turned in Gen.Bool
        from seed in Gen.Int[0, 1000]
        select new Batch(size, width, [.. sizes], captions, logTemperature, kind, turned, seed);

    private static Tensor Unit(Tensor x) => x / (x.norm(1, keepdim: true) + 1e-8);

    private static (Tensor Z, Tensor T, Tensor? Rotation) Made(Batch batch)
    {
        using var chance = new Generator((ulong)batch.Seed);
        Tensor Rows() => Unit(randn([batch.Size, batch.Width], float64, generator: chance));
        var rotation = linalg.qr(randn([batch.Width, batch.Width], float64, generator: chance)).Q;
        return (Rows(), Rows(), batch.Turned ? rotation : null);
    }

    private static LossResult Nested(Batch batch, Tensor z, Tensor t, Tensor? rotation) =>
        new NestedSizes(batch.Sizes, rotation).Mean(z, t, (images, texts) =>
            ContrastiveLoss.Compute(
                images,
                texts,
                tensor(batch.LogTemperature, float64),
                tensor(-2.0, float64),
                Positives.Shared(batch.Captions),
                options: new() { Kind = batch.Kind }
            )
        );

    private static void Close(Tensor expected, Tensor got) =>
        Assert.True(
            (expected - got).abs().max().item<double>() < 1e-9,
            $"{(expected - got).abs().max().item<double>()}"
        );

    [Fact]
    public void The_loss_is_the_mean_over_all_widths_and_its_gradients_are_those_of_autograd() =>
        Batches.Sample(
            batch =>
            {
                using var scope = NewDisposeScope();
                var (z, t, rotation) = Made(batch);
                var own = Enumerable.Range(0, batch.Size).Select(pair => (long)pair).ToArray();
                var belongs = PlainLoss.Relation(batch.Captions, own);
                var (zimg, ztxt) = (z.clone().requires_grad_(), t.clone().requires_grad_());
                var log = tensor(batch.LogTemperature, float64, requires_grad: true);
                var bias = tensor(-2.0, float64, requires_grad: true);
                var plain = PlainLoss.Of(zimg, ztxt, (log, bias), belongs, batch.Kind);
                foreach (var size in batch.Sizes)
                    plain += PlainLoss.Of(Cut(zimg, size), Cut(ztxt, size), (log, bias), belongs, batch.Kind);
                plain /= batch.Sizes.Length + 1;
                plain.backward();

                var got = Nested(batch, z, t, rotation);

                Close(plain, got.Loss);
                Close(zimg.grad!, got.ImageGradient!);
                Close(ztxt.grad!, got.TextGradient);
                Close(log.grad!, got.LogTemperatureGradient);
                Close(bias.grad ?? zeros(1, float64), got.BiasGradient);
                var whole = Nested(batch with { Sizes = [] }, z, t, null);
                Close(whole.ImageToText, got.ImageToText);
                Close(whole.TextToImage, got.TextToImage);
                Close(whole.PerPair, got.PerPair);

                Tensor Cut(Tensor x, int size) =>
                    Unit((rotation is null ? x : x.matmul(rotation.t())).narrow(1, 0, size));
            },
            iter: 150,
            threads: 1
        );

    [Fact]
    public void Turning_both_sides_first_is_as_good_as_a_rotation_and_numbers_behind_every_width_do_not_count_there() =>
        Batches.Sample(
            batch =>
            {
                using var scope = NewDisposeScope();
                var (z, t, rotation) = Made(batch with { Turned = true });
                var turned = Nested(batch, z.matmul(rotation!.t()), t.matmul(rotation.t()), null);
                var got = Nested(batch, z, t, rotation);
                Close(turned.Loss, got.Loss);
                Close(turned.TextGradient.matmul(rotation), got.TextGradient);
                Close(turned.ImageGradient!.matmul(rotation), got.ImageGradient!);
            },
            iter: 50,
            threads: 1
        );

    [Fact]
    public void A_locked_side_gets_no_gradient()
    {
        using var scope = NewDisposeScope();
        var (z, t) = (Unit(rand(6, 4)), Unit(rand(6, 4)));
        var got = new NestedSizes([2], PrincipalRotation.Of(new([.. z.data<float>()], 4))).Mean(z, t, (images, texts) =>
            ContrastiveLoss.Compute(images, texts, tensor(2f), options: new() { ImageGradient = false })
        );
        Assert.Null(got.ImageGradient);
        Assert.Equal([6L, 4], got.TextGradient.shape);
    }
}
