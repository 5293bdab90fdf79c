using LiT.Stores;
using LiT.Studies;
using LiT.Tests.Stores;
using static TorchSharp.torch;

namespace LiT.Tests.Studies;

public class TowerFitTests
{
    private static Embeddings Rows(int count, int size, int seed)
    {
        Random random = new(seed);
        return new([.. Enumerable.Range(0, count * size).Select(_ => random.NextSingle() - 0.5f)], size);
    }

    [Fact]
    public void Neighbours_worked_out_by_hand_are_counted()
    {
        // By angle: 0, 10, 21, 90, 100, 180 degrees; and 0, 10, 100, 90, 21, 180.
        Embeddings one = Angles(0, 10, 21, 90, 100, 180),
            other = Angles(0, 10, 100, 90, 21, 180);
        // The nearest: 1 0 1 4 3 4, and 1 0 3 2 1 2. Both say 1 of the first and 0 of the second.
        Assert.Equal(2 / 6.0, TowerFit.MutualNeighbours(one, other, 1), 12);
        Assert.Equal(1, TowerFit.MutualNeighbours(one, other, 5), 12);
        Assert.Equal(1, TowerFit.MutualNeighbours(other, other, 2), 12);

        static Embeddings Angles(params double[] degrees) =>
            new([.. degrees.SelectMany(one => new[] { (float)Math.Cos(one * Math.PI / 180), Sine(one) })], 2);

        static float Sine(double degrees) => (float)Math.Sin(degrees * Math.PI / 180);
    }

    [Fact]
    public void Rows_that_have_nothing_to_do_with_each_other_agree_as_chance_has_it()
    {
        var share = TowerFit.MutualNeighbours(Rows(600, 12, 1), Rows(600, 20, 2), 10);
        Assert.InRange(share, 0.5 * 10 / 599, 2 * 10 / 599.0);
        Assert.InRange(TowerFit.Cka(Rows(600, 12, 1), Rows(600, 20, 2)), 0, 0.06);
    }

    [Fact]
    public void Turning_scaling_and_moving_one_side_changes_no_kernel_alignment()
    {
        using var scope = NewDisposeScope();
        var (one, other) = (Rows(50, 6, 3), Rows(50, 4, 4));
        var before = TowerFit.Cka(one, other);
        var (turn, _) = linalg.qr(Rows(6, 6, 5).ToTensor());
        var turned = (one.ToTensor().mm(turn) * 3 + 7).data<float>().ToArray();
        Assert.Equal(before, TowerFit.Cka(new(turned, 6), other), 1e-5);
        Assert.Equal(1, TowerFit.Cka(one, new(turned, 6)), 1e-5);
        Assert.Equal(before, TowerFit.Cka(other, one), 1e-12);
    }

    [Fact]
    public void Kernel_alignment_is_what_its_equation_says_of_centred_kernels()
    {
        var (one, other) = (Rows(9, 3, 6), Rows(9, 5, 7));
        var (k, l) = (Kernel(one), Kernel(other));
        Assert.Equal(Inner(k, l) / Math.Sqrt(Inner(k, k) * Inner(l, l)), TowerFit.Cka(one, other), 1e-9);
        Assert.Equal(0, TowerFit.Cka(one, new(new float[9], 1)));

        // HSIC as in section 3 of the paper: trace(K H L H).
        static double Inner(double[,] k, double[,] l)
        {
            var sum = 0.0;
            for (var i = 0; i < 9; i++)
            for (var j = 0; j < 9; j++)
                sum += k[i, j] * l[i, j];
            return sum;
        }

        static double[,] Kernel(Embeddings rows)
        {
            var kernel = new double[9, 9];
            for (var i = 0; i < 9; i++)
            for (var j = 0; j < 9; j++)
            for (var c = 0; c < rows.Size; c++)
                kernel[i, j] += (double)rows[i][c] * rows[j][c];
            double Row(int i) => Enumerable.Range(0, 9).Average(j => kernel[i, j]);
            double[] means = [.. Enumerable.Range(0, 9).Select(Row)];
            var all = means.Average();
            for (var i = 0; i < 9; i++)
            for (var j = 0; j < 9; j++)
                kernel[i, j] += all - means[i] - means[j];
            return kernel;
        }
    }

    [Fact]
    public void A_study_compares_the_pictures_that_every_store_has_and_each_text_once()
    {
        using TemporaryFolder folder = new();
        TextData.Embed(folder.Path + "/texts", TextData.Samples());
        using (var store = EmbeddingStoreWriter.Open(folder.Path + "/pictures", StoreData.Describe()))
            store.Write(
                TextData
                    .Samples(30)
                    .Select((sample, i) => (sample, new EmbeddedPicture(1, 1, new byte[32]), Rows(1, 4, i).Values))
            );
        var result = TowerStudy.Run([folder.Path + "/pictures"], [folder.Path + "/texts"], 100, 2);
        // Six first captions that differ.
        Assert.Equal((6, 30, 0.4), (result.Pictures, result.Matched, result.Chance));
        Assert.Equal("tower 5", Assert.Single(result.Pairs).TextTower);
        Assert.Contains(
            "with 6 different texts",
            Assert
                .Throws<LitException>(() =>
                    TowerStudy.Run([folder.Path + "/pictures"], [folder.Path + "/texts"], 100, 5)
                )
                .Message
        );
    }
}
