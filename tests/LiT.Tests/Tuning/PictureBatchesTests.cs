using LiT.Data;
using LiT.Drawings;
using LiT.Images;
using LiT.Pretraining;

namespace LiT.Tests.Tuning;

public class PictureBatchesTests
{
    private static readonly Preprocessing Fitted = Preprocessing.Cifar with { Width = 16, Height = 16 };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void The_batches_do_not_depend_on_the_number_of_threads_or_on_where_reading_begins()
    {
        var pictures = Pictures(50);
        var one = new PictureBatches(pictures, 8, Fitted, Augmentation.Cifar, seed: 3, threads: 1)
            .Shuffled(0, 14, NoSkip, Stop)
            .ToList();
        var many = new PictureBatches(pictures, 8, Fitted, Augmentation.Cifar, seed: 3, threads: 4)
            .Shuffled(5, 14, NoSkip, Stop)
            .ToList();
        Assert.Equal(14, one.Count);
        foreach (var (a, b) in one.Skip(5).Zip(many))
        {
            Assert.Equal(a.Step, b.Step);
            Assert.Equal(a.Classes, b.Classes);
            Assert.Equal(a.Values, b.Values);
        }
    }

    [Fact]
    public void An_epoch_shows_every_picture_once_in_an_order_of_its_own()
    {
        var pictures = Enumerable.Range(0, 40).Select(i => Pictures(1)[0] with { Classes = [i] }).ToList();
        var batches = new PictureBatches(pictures, 8, Fitted, Augmentation.None, seed: 0, threads: 1);
        Assert.Equal(5, batches.StepsInEpoch);
        var seen = batches.Shuffled(0, 10, NoSkip, Stop).SelectMany(batch => batch.Classes[0]).ToList();
        Assert.Equal(Enumerable.Range(0, 40).Select(i => (long)i), seen.Take(40).Order());
        Assert.Equal(Enumerable.Range(0, 40).Select(i => (long)i), seen.Skip(40).Order());
        Assert.NotEqual(seen.Take(40), seen.Skip(40));
    }

    [Fact]
    public void In_order_every_picture_comes_once_unchanged_and_the_last_batch_may_be_short()
    {
        var pictures = Pictures(10);
        var batches = new PictureBatches(pictures, 4, Fitted, augmentation: null, seed: 0, threads: 2)
            .InOrder(NoSkip, Stop)
            .ToList();
        Assert.Equal([4, 4, 2], batches.Select(batch => batch.Count));
        var expected = new float[Fitted.ValueCount];
        Fitted.Apply(pictures[9].ReadImage(), expected);
        Assert.Equal(expected, batches[2].Values[Fitted.ValueCount..]);
    }

    [Fact]
    public void A_broken_picture_is_left_out_of_its_batch_and_the_others_move_up()
    {
        var pictures = Pictures(3).ToList();
        pictures[1] = pictures[1] with { Origin = "broken.png", ReadImage = () => throw new IOException("gone") };
        var reports = new List<Skipped>();
        var batch = new PictureBatches(pictures, 3, Fitted, null, 0, 1).InOrder(reports.Add, Stop).Single();
        Assert.Equal(2, batch.Count);
        Assert.Equal(2 * Fitted.ValueCount, batch.Values.Length);
        Assert.Equal([pictures[0].Classes[0], pictures[2].Classes[0]], batch.Classes[0]);
        var expected = new float[Fitted.ValueCount];
        Fitted.Apply(pictures[2].ReadImage(), expected);
        Assert.Equal(expected, batch.Values[Fitted.ValueCount..]);
        Assert.Equal("broken.png", Assert.Single(reports).Origin);
    }

    [Fact]
    public void Whoever_stops_reading_early_stops_the_decoding_too()
    {
        var read = 0;
        var pictures = Pictures(64)
            .Select(picture =>
                picture with
                {
                    ReadImage = () =>
                    {
                        Interlocked.Increment(ref read);
                        return picture.ReadImage();
                    },
                }
            )
            .ToList();
        Assert.Single(new PictureBatches(pictures, 2, Fitted, null, 0, 1).InOrder(NoSkip, Stop).Take(1));
        var after = read;
        Assert.InRange(after, 2, 16);
    }

    private static void NoSkip(Skipped skipped) => Assert.Fail($"{skipped.Origin}: {skipped.Reason}");

    private static IReadOnlyList<LabelledPicture> Pictures(int count) =>
        [
            .. DrawnDataset
                .Source(DrawnSplit.Pretrain, count, seed: 0)
                .Read(NoSkip)
                .Select((sample, i) => new LabelledPicture(sample.Origin, sample.ReadImage!, [i % 7])),
        ];
}
