using CsCheck;
using LiT.Compute;
using LiT.Tuning.Contrastive;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LiT.Tests.Tuning;

/// <summary>Targets that a teacher softens, beside the same written down with autograd.</summary>
public class PictureTeacherTests
{
    private sealed record Batch(int Size, int Width, int[] Images, double LogTemperature, double Share, int Seed);

    private static readonly Gen<Batch> Batches =
        from size in Gen.Int[1, 14]
        from width in Gen.Int[1, 6]
        from images in Gen.Int[0, 9].Array[size]
        from logTemperature in Gen.Double[-1, 4]
        from share in Gen.Double[0, 1]
        from seed in Gen.Int[0, 1000]
        select new Batch(size, width, images, logTemperature, share, seed);

    private static (Tensor Image, Tensor Text) Made(Batch batch, ScalarType type)
    {
        using var chance = new Generator((ulong)batch.Seed);
        Tensor Rows() => normalize(randn([batch.Size, batch.Width], type, generator: chance), dim: 1);
        return (Rows(), Rows());
    }

    private static LossResult Contrastive((Tensor Image, Tensor Text) z, double logTemperature) =>
        ContrastiveLoss.Compute(z.Image, z.Text, tensor(logTemperature, z.Image.dtype));

    [Fact]
    public void The_loss_is_shared_with_the_cross_entropy_of_the_teachers_likeness_and_its_gradients_are_exact() =>
        Batches.Sample(
            batch =>
            {
                using var scope = NewDisposeScope();
                Rows rows = new();
                var z = Made(batch, float64);
                var (image, text) = (z.Image.clone().requires_grad_(), z.Text.clone().requires_grad_());
                var log = tensor(batch.LogTemperature, float64, requires_grad: true);
                var own = Enumerable.Range(0, batch.Size).Select(pair => (long)pair).ToArray();
                var contrastive = PlainLoss.Of(
                    image,
                    text,
                    (log, tensor(0.0, float64)),
                    PlainLoss.Relation(own, own),
                    ContrastiveLossKind.Softmax
                );
                var logits = log.exp() * image.matmul(text.t());
                var targets = Targets(rows, batch.Images, 0.2);
                var taught =
                    -((targets * log_softmax(logits, 1)).sum() + (targets * log_softmax(logits.t(), 1)).sum())
                    / (2.0 * batch.Size);
                var plain = (1 - batch.Share) * contrastive + batch.Share * taught;
                plain.backward();

                var before = Contrastive(z, batch.LogTemperature);
                var (right, back) = (before.ImageToText.item<double>(), before.TextToImage.item<double>());
                var got = new PictureTeacher(rows, batch.Share, 0.2).Shared(
                    before,
                    z,
                    tensor(batch.LogTemperature, float64),
                    batch.Images,
                    new(batch.Size, 0, 1)
                );

                Close(plain, got.Loss);
                Close(image.grad!, got.ImageGradient!);
                Close(text.grad!, got.TextGradient);
                Close(log.grad!, got.LogTemperatureGradient);
                Assert.Equal((right, back), (got.ImageToText.item<double>(), got.TextToImage.item<double>()));
            },
            iter: 100,
            threads: 1
        );

    [Fact]
    public void Any_number_of_threads_gives_the_same_bits()
    {
        using var scope = NewDisposeScope();
        Batch batch = new(1200, 24, [.. Enumerable.Range(0, 1200).Select(i => i % 10)], 2, 0.5, 3);
        float[] With(int threads)
        {
            using var use = Parts.Use(threads);
            using var inside = NewDisposeScope();
            var z = Made(batch, float32);
            var got = new PictureTeacher(new Rows(), 0.5, 0.1).Shared(
                Contrastive(z, 2),
                z,
                tensor(2f),
                batch.Images,
                new(1200, 0, 1)
            );
            return
            [
                .. got.TextGradient.data<float>(),
                .. got.ImageGradient!.data<float>(),
                got.Loss.to(float32).item<float>(),
            ];
        }
        using (Parts.Use(1))
            _ = Made(batch, float32);
        Assert.Equal(With(1), With(3));
    }

    private static void Close(Tensor expected, Tensor got) =>
        Assert.True(
            (expected - got).abs().max().item<double>() < 2e-6,
            $"{(expected - got).abs().max().item<double>()}"
        );

    private static Tensor Targets(Rows rows, int[] images, double temperature)
    {
        var targets = new double[images.Length, images.Length];
        for (var i = 0; i < images.Length; i++)
        {
            var sum = 0.0;
            for (var j = 0; j < images.Length; j++)
            {
                var (a, b) = (rows.Of(images[i]), rows.Of(images[j]));
                var known = i == j || (a is not null && b is not null);
                targets[i, j] =
                    !known ? 0
                    : a is null || b is null ? 1
                    : Math.Exp(a.Zip(b, (x, y) => (double)x * y).Sum() / temperature);
                sum += targets[i, j];
            }
            for (var j = 0; j < images.Length; j++)
                targets[i, j] /= sum;
        }
        return tensor(targets);
    }

    /// <summary>Ten pictures of unit rows, every third without one.</summary>
    private sealed class Rows : ITeacherRows
    {
        public int Size => 4;

        public string Fingerprint => "ten";

        public float[]? Of(int image)
        {
            if (image % 3 == 2)
                return null;
            var random = new Random(image);
            float[] row = [.. Enumerable.Range(0, 4).Select(_ => random.NextSingle() - 0.5f)];
            return new Embeddings(row, 4).ToUnit().Values;
        }

        public void Read(int image, Span<float> row)
        {
            row.Clear();
            Of(image)?.CopyTo(row);
        }
    }
}
