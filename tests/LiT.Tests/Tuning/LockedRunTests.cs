using LiT.Images;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Runs;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

/// <summary>Whole runs in which pictures go through the image tower at every step.</summary>
public class LockedRunTests
{
    private static TuningOptions Small => TinyRun.Small with { Steps = 6, CheckpointEvery = 3, ImageMicroBatch = 5 };

    private static ImageTower BatchNormed() =>
        new CifarResNetConfig
        {
            Blocks = 1,
            Width = 4,
            Stages = 2,
            ImageSize = 8,
        }.Create(1);

    internal static TinyRun Run(string letters, TuningOptions? options = null, int? imageHead = null) =>
        new()
        {
            Lock = LockSetting.Parse(letters),
            Image = BatchNormed,
            ImageWidth = 8,
            ImageHead = imageHead,
            Pictures = () => new TinyRun.Colours(40),
            Options = options ?? Small,
        };

    private static List<string> Moved(TinyRun run, TwoTowers after)
    {
        var before = TinyRun.Weights(run.Towers());
        return
        [
            .. TinyRun
                .Weights(after)
                .Where(one => !one.Value.equal(before[one.Key]).all().item<bool>())
                .Select(one => one.Key),
        ];
    }

    [Theory]
    [InlineData("Lu", false, true)]
    [InlineData("LU", false, true)]
    [InlineData("LL", false, false)]
    [InlineData("Uu", true, true)]
    [InlineData("UU", true, true)]
    [InlineData("uu", true, true)]
    public void A_run_moves_what_its_letters_say_and_keeps_every_bit_of_the_rest(string letters, bool image, bool text)
    {
        using var run = Run(letters, imageHead: 5);
        var (after, _) = run.Run();
        var moved = Moved(run, after);
        foreach (var name in TinyRun.Weights(after).Keys)
        {
            var expected = name.StartsWith("image.", StringComparison.Ordinal)
                ? image
                : !name.StartsWith("text.", StringComparison.Ordinal) || text;
            // Heads of the pre-training lead nowhere; a kernel before a norm may get no gradient worth a bit, a bias of keys never does.
            if (!expected)
                Assert.DoesNotContain(name, moved);
            else if (
                name.Contains("running_mean", StringComparison.Ordinal)
                || name.Contains("weight", StringComparison.Ordinal)
            )
                Assert.Contains(name, moved);
        }
    }

    [Fact]
    public void A_pattern_locks_all_but_the_last_block_with_the_statistics_of_its_norms()
    {
        using var run = Run(
            "Uu",
            Small with
            {
                Optimizer = new()
                {
                    LearningRate = 0.01,
                    LearningRateRules = [new(@"^image\.blocks\.1\.", 1), new(@"^image\.", 0)],
                },
            }
        );
        var (after, _) = run.Run();
        var moved = Moved(run, after).Where(name => name.StartsWith("image.", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(moved);
        Assert.All(moved, name => Assert.StartsWith("image.blocks.1.", name));
        Assert.Contains(moved, name => name.EndsWith("running_var", StringComparison.Ordinal));
    }

    [Fact]
    public void A_tower_that_is_unlocked_later_is_locked_until_then()
    {
        var options = Small with
        {
            Optimizer = new() { LearningRate = 0.01, UnlockRules = [new(@"^image\.", 4)] },
        };
        using var whole = Run("Uu", options);
        using var stopped = Run("Uu", options);
        using var cancel = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => stopped.Run(cancel.Token, line =>
            {
                if (line.Step == 4)
                    cancel.Cancel();
            }));
        using (
            var weights = LiT.Checkpoints.Checkpoint.Open(
                Path.Combine(stopped.Folder.Path, "checkpoints", "step-4", "weights.safetensors")
            )
        )
            foreach (
                var (name, tensor) in TinyRun
                    .Weights(stopped.Towers())
                    .Where(one => one.Key.StartsWith("image.", StringComparison.Ordinal))
            )
                Assert.True(tensor.equal(weights.Read(name)).all().item<bool>(), name);
        var (expected, _) = whole.Run();
        Assert.Contains(Moved(whole, expected), name => name.StartsWith("image.", StringComparison.Ordinal));
        var (got, outcome) = stopped.Run();
        Assert.Equal(4, outcome.ResumedAt);
        TinyRun.AssertSameBits(expected, got);
    }

    [Theory]
    [InlineData("Uu")]
    [InlineData("uu")]
    public void A_run_with_its_image_tower_stopped_and_begun_again_ends_with_the_same_bits(string letters)
    {
        using var whole = Run(letters);
        using var stopped = Run(letters);
        var (expected, _) = whole.Run();
        Assert.Throws<InvalidOperationException>(() =>
            stopped.Run(onLine: line =>
            {
                if (line.Step == 5)
                    throw new InvalidOperationException("as if killed");
            })
        );
        var (got, outcome) = stopped.Run();
        Assert.Equal(3, outcome.ResumedAt);
        TinyRun.AssertSameBits(expected, got);
    }

    [Fact]
    public void Statistics_of_batch_norms_move_once_a_step_although_gradient_caching_runs_the_tower_twice()
    {
        using var scope = NewDisposeScope();
        using var run = Run("Uu", Small with { ImageMicroBatch = 4 });
        using var towers = run.Towers();
        using var plain = run.Towers();
        TuningTowers tuning = new(towers, run.Lock, run.Options.Optimizer);
        tuning.Train(true);
        using (var step = new TuningStep(tuning, run.Pairs(), run.Options, CPU))
            step.Run(0, 0);
        var pairs = run.Pairs();
        var drawn = pairs.Draw(0, 16);
        var pixels = new float[16 * 192];
        for (var pair = 0; pair < 16; pair++)
            pairs.Pictures.Read(drawn.Images[pair], 0, pixels.AsSpan(pair * 192, 192));
        plain.train();
        foreach (var part in tensor(pixels, 16, 3, 8, 8).split(4))
            plain.Image!.call(part);
        foreach (var (name, expected) in plain.Image!.named_buffers())
            Assert.True(
                (towers.Image!.get_buffer(name)! - expected).abs().max().to_type(float32).item<float>() <= 1e-6,
                name
            );
    }

    [Fact]
    public void Pictures_are_changed_anew_every_epoch_and_the_same_way_again()
    {
        var sample = new LiT.Data.Sample("a", "a.png") { ReadImage = () => GeneratedPicture, Captions = ["a"] };
        PixelImages images = new([sample], Preprocessing.LiT(8), Augmentation.Parse("crop=0.3+flip+randaug"), seed: 1);
        float[] Read(long epoch)
        {
            var values = new float[192];
            images.Read(0, epoch, values);
            return values;
        }
        Assert.Equal(Read(0), Read(0));
        Assert.True(Enumerable.Range(0, 8).Select(epoch => string.Join(",", Read(epoch))).Distinct().Count() >= 7);
        Assert.Equal([3L, 8, 8], images.Shape);
    }

    private static byte[] GeneratedPicture { get; } = LiT.Tests.Images.GeneratedPictures.Png();
}
