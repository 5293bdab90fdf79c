using CsCheck;
using LiT.Compute;
using LiT.Compute.Kernels;
using static TorchSharp.torch;

namespace LiT.Tests.Compute;

/// <summary>
/// Every kernel gives the same bits with vectors of every width: sums run in an order that does not depend on it. Sizes
/// are random, so that vectors are left half filled at every end.
/// </summary>
public sealed class WidthTests
{
    private static readonly Gen<int> Size = Gen.Int[1, 70];

    private static Tensor Random(int seed, params long[] shape)
    {
        using var random = new Generator((ulong)seed, CPU);
        return randn(shape, generator: random).Times(3);
    }

    /// <summary>Computes with 128 bits and with an instruction set, and compares every number.</summary>
    private static void Same(string isa, Func<Tensor[]> compute)
    {
        Assert.Equal(With(Processor.NameOf(Isa.Portable)), With(isa));

        float[][] With(string width)
        {
            using var scope = NewDisposeScope();
            using var forced = Processor.Use(width);
            return
            [
                .. compute().Select(one => one.detach().to(ScalarType.Float32).contiguous().data<float>().ToArray()),
            ];
        }
    }

    [Theory]
    [EveryIsa]
    public void Attention(string isa) =>
        Gen.Select(Gen.Int[1, 3], Size, Gen.Int[1, 3], Size)
            .Sample(
                (pictures, tokens, heads, size) =>
                {
                    using var qkv = Random(1, pictures, tokens, 3 * heads * size);
                    Same(isa, () => [LiT.Compute.Kernels.Attention.Mixed(qkv, heads)]);
                },
                iter: 40
            );

    [Theory]
    [EveryIsa]
    public void Attention_in_rows_with_its_gradients(string isa) =>
        Gen.Select(Gen.Int[1, 40].Array[1, 5], Gen.Int[1, 3], Size, Gen.Bool)
            .Sample(
                (lengths, heads, size, apart) =>
                {
                    using var scope = NewDisposeScope();
                    var (tokens, width) = (lengths.Sum(), heads * size);
                    var states = Random(1, tokens, (apart ? 2 : 3) * width);
                    var queries = apart ? Random(2, lengths.Length, width) : null;
                    var gradient = Random(3, apart ? lengths.Length : tokens, width);
                    Same(isa, () =>
                    {
                        var x = states.clone().requires_grad_();
                        var q = queries?.clone().requires_grad_();
                        var mixed = RowAttention.Mixed(x, q, heads, lengths);
                        mixed.backward([gradient]);
                        return q is null ? [mixed, x.grad!] : [mixed, x.grad!, q.grad!];
                    });
                },
                iter: 40
            );

    [Theory]
    [EveryIsa]
    public void Gelu_and_its_slope(string isa) =>
        Size.Sample(
            count =>
            {
                using var x = Random(1, count);
                Same(isa, () =>
                {
                    var (inPlace, input) = (x.clone(), x.clone().requires_grad_());
                    Gelu.TanhInPlace(inPlace);
                    var apart = GeluGradient.Tanh(input);
                    apart.backward([x]);
                    return [inPlace, apart, input.grad!];
                });
            },
            iter: 70
        );

    [Theory]
    [EveryIsa]
    public void Group_norms(string isa) =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 20], Gen.Int[1, 9], Gen.Int[1, 9])
            .Sample(
                (groups, size, height, width) =>
                {
                    using var scope = NewDisposeScope();
                    var channels = groups * size;
                    var norm = new GroupScales(groups, Random(1, channels), Random(2, channels), 1e-5);
                    var (x, shortcut) = (Random(3, 2, channels, height, width), Random(4, 2, channels, height, width));
                    Same(isa, () =>
                        [GroupNorms.Of(norm, x, null, inPlace: false), GroupNorms.Of(norm, x, shortcut, inPlace: false)]
                    );
                },
                iter: 40
            );

    [Theory]
    [EveryIsa]
    public void Logits_and_their_sums(string isa) =>
        Gen.Select(Gen.Int[1, 130], Size)
            .Sample(
                (rows, columns) =>
                {
                    using var scope = NewDisposeScope();
                    var logits = Random(1, rows, columns).Times(10);
                    Same(isa, () =>
                    {
                        var (row, column) = (Margin(rows), Margin(columns));
                        FusedLogits.AddToSums(logits, 0, 0, row, column);
                        FusedLogits.AddToSums(logits.Plus(1.0), 0, 0, row, column); // into sums that are there already
                        var shares = logits.clone();
                        FusedLogits.ToShares(shares, 0, 0, row, column);
                        var (sigmoids, losses) = (logits.clone(), zeros(rows, ScalarType.Float64));
                        var yes = FusedLogits.ToSigmoids(sigmoids, -3, 0, 0, Margin(rows), Margin(columns), losses);
                        return
                        [
                            row.Sum,
                            row.Maximum,
                            row.Best,
                            column.Sum,
                            column.Maximum,
                            column.Best,
                            shares,
                            sigmoids,
                            losses,
                            tensor(yes),
                        ];
                    });
                },
                iter: 40
            );

    private static FusedLogits.Margin Margin(long count) =>
        new(Scalars.Filled(count, double.NegativeInfinity, ScalarType.Float32, CPU), zeros(count), zeros(count));

    [Theory]
    [EveryIsa(false)]
    [EveryIsa(true)]
    public void Optimizer_updates(string isa, bool half) =>
        Gen.Select(Size, Size)
            .Sample(
                (rows, columns) =>
                {
                    using var scope = NewDisposeScope();
                    var mixing = MomentumMixing.Of(0.9, half);
                    var constants = new AdamConstants(mixing, 0.999f, 0.001f, 0.1f, 0.001f, 1e-8f);
                    var factors = new UpdateFactors(1, 0.7f, 1e-3f, 1e-4f, 0.5f);
                    var (weights, gradient) = (Random(1, rows, columns), Random(2, rows, columns));
                    var (ofRows, ofColumns) = (Random(3, rows).abs(), Random(4, columns).abs());
                    Same(isa, () =>
                    {
                        var (p, m, v) = (weights.clone(), Momentum(), zeros(rows, columns));
                        FusedUpdate.Adam(p, gradient, m, v, constants, factors);
                        FusedUpdate.AdafactorWhole(p, gradient, m, v, mixing, 0.99f, factors);
                        FusedUpdate.AdafactorMatrix(p, gradient, m, ofRows, ofColumns, mixing, factors);
                        var (byRow, byColumn) = FusedUpdate.SquareMeans(gradient, 0.7f);
                        return [p, m, v, byRow, byColumn];
                    });

                    Tensor Momentum() => zeros(rows, columns, half ? ScalarType.BFloat16 : ScalarType.Float32);
                },
                iter: 40
            );

    [Theory]
    [EveryIsa]
    public void Bytes_and_their_products(string isa) =>
        Gen.Select(Gen.Int[1, 110], Size, Size)
            .Sample(
                (rows, inputs, outputs) =>
                {
                    using var scope = NewDisposeScope();
                    var (x, weight, bias) = (Random(1, rows, inputs), Random(2, outputs, inputs), Random(3, outputs));
                    var (before, after) = (Random(4, inputs).abs().Plus(0.1), Random(5, outputs).abs().Plus(0.1));
                    Same(isa, () =>
                    {
                        var bytes = ByteRows.Of(x, before);
                        var (codes, scales) = WeightCodes.Of(weight, before);
                        using PairProduct product = new(codes, scales);
                        var sums = product.Sums(bytes.Codes);
                        var next = bytes.FinishWithGelu(sums.clone(), bias, after);
                        var plain = sums.clone();
                        bytes.Finish(plain, bias);
                        return [bytes.Codes, bytes.Scales, codes, scales, sums, plain, next.Codes, next.Scales];
                    });
                },
                iter: 40
            );
}
